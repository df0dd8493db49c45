/* SPDX-License-Identifier: BSD-3-Clause */
#include "watchdog.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "thread.h"

static void *watch(void *context)
{
    struct watchdog *watchdog = context;
    const struct timespec until = deadline_time(&watchdog->deadline);

    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->called_off &&
           pthread_cond_timedwait(&watchdog->call, &watchdog->lock, &until) == 0)
        continue;
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

bool watchdog_set(struct watchdog *watchdog, int socket, const struct deadline *deadline)
{
    watchdog->socket = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (watchdog->socket < 0)
        return false;
    watchdog->called_off = false;
    watchdog->deadline = *deadline;
    pthread_mutex_init(&watchdog->lock, NULL);
    thread_condition_init(&watchdog->call);
    watchdog->runs = thread_start(&watchdog->thread, false, watch, watchdog) == 0;
    if (!watchdog->runs)
        clean_up(watchdog);
    return watchdog->runs;
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
