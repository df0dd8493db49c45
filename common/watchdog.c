/* SPDX-License-Identifier: BSD-3-Clause */
#include "watchdog.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "thread.h"

enum {
    A_LOOK = 20,       /* milliseconds between two looks at what has come in */
    MEMORY_A_BYTE = 32 /* that comes in, at most, in bytes */
};

/* In bytes, the most that this process has taken so far. Unlike /proc, this is there in
 * a jail. */
static uint64_t memory_taken(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

/* What goes up with all that comes in: nothing but TCP counts it. */
static uint64_t taken_in(int socket)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
        return info.tcpi_bytes_received;
    return memory_taken() / MEMORY_A_BYTE;
}

/* Sleeps until the next look, or until it is called off. */
static void sleep_a_while(struct watchdog *watchdog)
{
    const struct deadline look = deadline_after(A_LOOK);
    const struct timespec until =
        deadline_time(look.at < watchdog->deadline.at ? &look : &watchdog->deadline);

    pthread_cond_timedwait(&watchdog->call, &watchdog->lock, &until);
}

static void *watch(void *context)
{
    struct watchdog *watchdog = context;

    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->called_off && !watchdog->is_flooded &&
           deadline_remaining(&watchdog->deadline) > 0) {
        sleep_a_while(watchdog);
        watchdog->is_flooded = taken_in(watchdog->socket) > watchdog->most;
    }
    if (!watchdog->called_off)
        shutdown(watchdog->socket, SHUT_RDWR);
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

static void clean_up(struct watchdog *watchdog)
{
    pthread_cond_destroy(&watchdog->call);
    pthread_mutex_destroy(&watchdog->lock);
    close(watchdog->socket);
    *watchdog = WATCHDOG_IDLE;
}

bool watchdog_set(struct watchdog *watchdog, int socket, const struct deadline *deadline,
                  uint64_t most)
{
    *watchdog = WATCHDOG_IDLE;
    watchdog->socket = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (watchdog->socket < 0)
        return false;
    watchdog->most = taken_in(socket) + most;
    watchdog->deadline = *deadline;
    pthread_mutex_init(&watchdog->lock, NULL);
    thread_condition_init(&watchdog->call);
    watchdog->runs = thread_start(&watchdog->thread, false, watch, watchdog) == 0;
    if (!watchdog->runs)
        clean_up(watchdog);
    return watchdog->runs;
}

bool watchdog_is_flooded(struct watchdog *watchdog)
{
    bool is_flooded;

    if (!watchdog->runs)
        return false;
    pthread_mutex_lock(&watchdog->lock);
    is_flooded = watchdog->is_flooded;
    pthread_mutex_unlock(&watchdog->lock);
    return is_flooded;
}

void watchdog_call_off(struct watchdog *watchdog)
{
    if (!watchdog->runs)
        return;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->called_off = true;
    pthread_cond_signal(&watchdog->call);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    clean_up(watchdog);
}
