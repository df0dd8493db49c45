/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_HOST_ADDRESSES_H
#define SQLCRYPT_HOST_ADDRESSES_H

/*
 * Finds the addresses of a host under a deadline, which getaddrinfo(3) does not
 * know: it may wait for a name server much longer than a login may take.
 */

#include "deadline.h"
#include "jail.h"
#include "reason.h"

enum {
    HOST_ADDRESSES_MAX = 8,
    HOST_ADDRESS_SIZE = 66 /* bytes of a numeric one, with a scope perhaps, and a NUL */
};

struct host_addresses {
    unsigned count;
    char text[HOST_ADDRESSES_MAX][HOST_ADDRESS_SIZE];
};

enum host_addresses_result {
    HOST_ADDRESSES_UNKNOWN,  /* a reason tells why, without the name */
    HOST_ADDRESSES_NOT_NOW,  /* likewise; the name server may know more in a moment */
    HOST_ADDRESSES_NEEDLESS, /* who connects there does without, as to a socket */
    HOST_ADDRESSES_FOUND
};

/* Looks up `name`, a host name or an address, and puts its first addresses into
 * `found`, each once, in the order in which they should be tried.
 *
 * A name is looked up by a thread, which goes on by itself where time is up:
 * the shared object with this code must stay in memory (-z nodelete). */
enum host_addresses_result host_addresses_find(const char *name, const struct jail *jail,
                                               const struct deadline *deadline,
                                               struct host_addresses *found, struct reason *reason);

#endif
