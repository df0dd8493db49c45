/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_HOST_ADDRESSES_H
#define SQLCRYPT_HOST_ADDRESSES_H

/*
 * Finds the addresses of a host under a deadline, which getaddrinfo(3) does not
 * know: it may wait for a name server much longer than a login may take.
 */

#include <netinet/in.h>
#include <stdbool.h>

#include "deadline.h"
#include "reason.h"

enum { HOST_ADDRESSES_MAX = 8 };

struct host_addresses {
    unsigned count;
    char text[HOST_ADDRESSES_MAX][INET6_ADDRSTRLEN + 20]; /* numeric, with a scope perhaps */
};

/* Looks up `name`, a host name or an address, and puts its first addresses into
 * `found`, in the order in which they should be tried. Returns false with a
 * reason, which does not repeat the name, if there is none or time is up.
 *
 * A name is looked up by a thread, which goes on by itself where time is up:
 * the shared object with this code must stay in memory (-z nodelete). */
bool host_addresses_find(const char *name, const struct deadline *deadline,
                         struct host_addresses *found, struct reason *reason);

#endif
