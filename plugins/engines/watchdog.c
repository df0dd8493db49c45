/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/watchdog.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fork_mark.h"
#include "base/thread.h"

enum {
    A_LOOK = 5,        /* milliseconds between two checks of all watchdogs */
    MEMORY_A_BYTE = 32 /* how much it may grow by for each byte that comes in */
};

/* The watchdogs of one process, with the thread that looks after them. */
struct kennel {
    struct fork_mark owner;
    pthread_mutex_t lock; /* of what follows, and of the watchdogs in the list */
    struct watchdog *first;
    bool has_keeper;
};

/* A child leaves its parent's kennel alone: the keeper thread does not exist there, and may have
 * held the lock. Nothing frees it, since a driver stays in memory. */
static _Atomic(struct kennel *) kennel_;

static struct kennel *kennel_new(void)
{
    struct kennel *kennel = calloc(1, sizeof(*kennel));

    if (kennel == NULL)
        return NULL;
    fork_mark_set(&kennel->owner);
    pthread_mutex_init(&kennel->lock, NULL);
    return kennel;
}

/* NULL when out of memory. */
static struct kennel *own_kennel(void)
{
    struct kennel *kennel = atomic_load(&kennel_), *fresh;

    if (kennel != NULL && fork_mark_holds(&kennel->owner))
        return kennel;
    fresh = kennel_new();
    if (fresh == NULL || atomic_compare_exchange_strong(&kennel_, &kennel, fresh))
        return fresh;
    /* Another thread was faster. */
    fork_mark_free(&fresh->owner);
    pthread_mutex_destroy(&fresh->lock);
    free(fresh);
    return kennel;
}

/* In bytes, the most memory that this process has used so far. Unlike /proc, this works in a
 * jail. */
static uint64_t memory_taken(void)
{
    struct rusage usage = {.ru_maxrss = 0};

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

/* A count that rises with everything that comes in: only TCP has one. */
static uint64_t taken_in(int socket)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
        return info.tcpi_bytes_received;
    return memory_taken() / MEMORY_A_BYTE;
}

/* Makes the server notice at once, although nothing takes what it sends any more. */
static void shut_down(int socket)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    shutdown(socket, SHUT_RDWR);
}

static void look(struct watchdog *watchdog)
{
    if (watchdog->has_barked)
        return;
    watchdog->is_flooded = taken_in(watchdog->socket) > watchdog->most;
    if (!watchdog->is_flooded && deadline_remaining(&watchdog->deadline) > 0)
        return;
    shut_down(watchdog->socket);
    watchdog->has_barked = true;
}

static void *keep(void *context)
{
    struct kennel *kennel = context;
    struct watchdog *watchdog;
    bool goes_on;

    do {
        poll(NULL, 0, A_LOOK);
        pthread_mutex_lock(&kennel->lock);
        for (watchdog = kennel->first; watchdog != NULL; watchdog = watchdog->next)
            look(watchdog);
        goes_on = kennel->has_keeper = kennel->first != NULL;
        pthread_mutex_unlock(&kennel->lock);
    } while (goes_on);
    return NULL;
}

/* Puts it into the list, and makes sure that a thread looks after it. */
static bool enter(struct watchdog *watchdog)
{
    struct kennel *kennel = watchdog->kennel;
    pthread_t keeper;

    pthread_mutex_lock(&kennel->lock);
    if (!kennel->has_keeper)
        kennel->has_keeper = thread_start(&keeper, keep, kennel) == 0;
    watchdog->runs = kennel->has_keeper;
    if (watchdog->runs) {
        watchdog->next = kennel->first;
        kennel->first = watchdog;
    }
    pthread_mutex_unlock(&kennel->lock);
    return watchdog->runs;
}

bool watchdog_set(struct watchdog *watchdog, int socket, const struct deadline *deadline,
                  uint64_t most)
{
    *watchdog = WATCHDOG_IDLE;
    watchdog->kennel = own_kennel();
    if (watchdog->kennel == NULL)
        return false;
    watchdog->socket = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (watchdog->socket < 0)
        return false;
    watchdog->most = taken_in(socket) + most;
    watchdog->deadline = *deadline;
    if (enter(watchdog))
        return true;
    close(watchdog->socket);
    return false;
}

bool watchdog_is_flooded(struct watchdog *watchdog)
{
    bool is_flooded;

    if (!watchdog->runs)
        return false;
    pthread_mutex_lock(&watchdog->kennel->lock);
    is_flooded = watchdog->is_flooded;
    pthread_mutex_unlock(&watchdog->kennel->lock);
    return is_flooded;
}

void watchdog_call_off(struct watchdog *watchdog)
{
    struct watchdog **link;

    if (!watchdog->runs)
        return;
    pthread_mutex_lock(&watchdog->kennel->lock);
    for (link = &watchdog->kennel->first; *link != watchdog; link = &(*link)->next)
        continue;
    *link = watchdog->next;
    pthread_mutex_unlock(&watchdog->kennel->lock);
    close(watchdog->socket);
    *watchdog = WATCHDOG_IDLE;
}
