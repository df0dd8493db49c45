/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_WATCHDOG_H
#define SQLCRYPT_WATCHDOG_H

/*
 * Limits a library that reads from a socket on its own: the socket is shut down
 * when the deadline has passed or too much has come in, unless the watchdog is
 * called off first. The library may wait, or never have to.
 *
 * One thread looks after all watchdogs of a process, every few milliseconds, and ends when there
 * are none: setting one costs little if one was just called off.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

struct kennel;

/* May not move while it is set. */
struct watchdog {
    bool runs;
    bool has_barked; /* the socket was shut down */
    bool is_flooded; /* because too much came in */
    int socket;      /* a duplicate: the library may close its own descriptor */
    uint64_t most;
    struct deadline deadline;
    struct kennel *kennel;
    struct watchdog *next;
};

#define WATCHDOG_IDLE ((struct watchdog){.runs = false})

/* Sets an idle watchdog on a socket. About `most` bytes may come in from now on. Only TCP counts
 * them: with other sockets, the process may grow by 32 times as much. Returns false if no
 * watchdog can be set. */
bool watchdog_set(struct watchdog *watchdog, int socket, const struct deadline *deadline,
                  uint64_t most);

/* Whether a watchdog that was set has found that too much came in. */
bool watchdog_is_flooded(struct watchdog *watchdog);

/* Calls it off: it does nothing after that. May be called for an idle one. */
void watchdog_call_off(struct watchdog *watchdog);

#endif
