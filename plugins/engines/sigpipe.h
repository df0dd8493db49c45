/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SIGPIPE_H
#define SQLCRYPT_SIGPIPE_H

/*
 * Keeps SIGPIPE from the host while a library writes to a connection that may
 * be closed: the signal is blocked for the calling thread and removed if it has
 * arrived. The host's disposition is left alone.
 */

#include <signal.h>
#include <stdbool.h>

struct sigpipe_guard {
    bool was_pending; /* it belongs to the host */
    bool was_blocked;
};

void sigpipe_block(struct sigpipe_guard *guard);
void sigpipe_release(const struct sigpipe_guard *guard);

#endif
