/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_HOST_LOOKUP_H
#define SQLCRYPT_HOST_LOOKUP_H

/*
 * Finds the addresses of a host under a deadline. getaddrinfo(3) has none: it
 * may wait for a name server much longer than a login may take.
 */

#include "base/deadline.h"
#include "base/jail.h"
#include "base/reason.h"
#include "sql/host_addresses.h"

/* Looks up `name`, a host name or an address, and puts its first addresses into
 * `found`, each once, in the order in which they should be tried.
 *
 * A thread looks the name up, and continues on its own after the deadline: the
 * shared object with this code must stay in memory (-z nodelete). */
enum host_addresses_result host_lookup_find(const char *name, const struct jail *jail,
                                            const struct deadline *deadline,
                                            struct host_addresses *found, struct reason *reason);

#endif
