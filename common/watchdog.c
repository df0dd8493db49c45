/* SPDX-License-Identifier: BSD-3-Clause */
#include "watchdog.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* The thread takes none of the host's signals. */
static bool start_thread(struct watchdog *watchdog)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&watchdog->thread, NULL, watch, watchdog) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
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
    pthread_condattr_t monotonic;

    watchdog->socket = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (watchdog->socket < 0)
        return false;
    watchdog->called_off = false;
    watchdog->deadline = *deadline;
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->call, &monotonic);
    pthread_condattr_destroy(&monotonic);
    watchdog->runs = start_thread(watchdog);
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
