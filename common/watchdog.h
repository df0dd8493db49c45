/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_WATCHDOG_H
#define SQLCRYPT_WATCHDOG_H

/*
 * Limits a library that reads from a socket by itself: a thread shuts the socket
 * down when time is up or too much has come in, unless it is called off before. The
 * library may wait, or never have to.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"

struct watchdog {
    bool runs;
    bool called_off;
    bool is_flooded;
    int socket; /* a descriptor of its own: the library may close its one */
    uint64_t most;
    struct deadline deadline;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t call;
};

#define WATCHDOG_IDLE ((struct watchdog){.runs = false})

/* Sets an idle watchdog on a socket. About `most` bytes may come in from now on, which
 * is looked at from time to time. Only TCP counts them: with other sockets, the process
 * may grow by 32 times as much. Returns false if there can be no watchdog. */
bool watchdog_set(struct watchdog *watchdog, int socket, const struct deadline *deadline,
                  uint64_t most);

/* Whether one that was set has found that too much came in. */
bool watchdog_is_flooded(struct watchdog *watchdog);

/* Calls it off, and waits until it has gone. May be called for an idle one. */
void watchdog_call_off(struct watchdog *watchdog);

#endif
