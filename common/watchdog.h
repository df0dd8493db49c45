/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_WATCHDOG_H
#define SQLCRYPT_WATCHDOG_H

/*
 * Ends the waiting of a library that waits for a socket by itself: a thread shuts
 * the socket down when time is up, unless it is called off before.
 */

#include <pthread.h>
#include <stdbool.h>

#include "deadline.h"

struct watchdog {
    bool runs;
    bool called_off;
    int socket; /* a descriptor of its own: the library may close its one */
    struct deadline deadline;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t call;
};

#define WATCHDOG_IDLE ((struct watchdog){.runs = false})

/* Sets an idle watchdog on a socket. Returns false if there can be none. */
bool watchdog_set(struct watchdog *watchdog, int socket, const struct deadline *deadline);

/* Calls it off, and waits until it has gone. May be called for an idle one. */
void watchdog_call_off(struct watchdog *watchdog);

#endif
