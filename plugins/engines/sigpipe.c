/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/sigpipe.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

static sigset_t sigpipe_alone(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void sigpipe_block(struct sigpipe_guard *guard)
{
    const sigset_t set = sigpipe_alone();
    sigset_t signals;

    sigpending(&signals);
    guard->was_pending = sigismember(&signals, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &set, &signals);
    guard->was_blocked = sigismember(&signals, SIGPIPE) == 1;
}

void sigpipe_release(const struct sigpipe_guard *guard)
{
    const struct timespec at_once = {0, 0};
    const sigset_t set = sigpipe_alone();

    if (!guard->was_pending)
        while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    if (!guard->was_blocked)
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
