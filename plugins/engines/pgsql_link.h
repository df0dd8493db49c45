/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_LINK_H
#define SQLCRYPT_PGSQL_LINK_H

/*
 * A connection of libpq, and a limit on what its server may do with it.
 *
 * libpq reads for as long as there is something to read, up to the length that the server has
 * announced for a message, and does not look at a clock meanwhile. If more comes in than an
 * ordinary answer has, a watchdog ends that.
 */

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "base/reason.h"
#include "engines/watchdog.h"

struct pgsql_link {
    PGconn *connection;
    unsigned long long taken; /* bytes that have come in since the request began */
    struct watchdog watchdog;
};

/* The limits of one request: when it must be over, how many bytes may come in without a
 * watchdog, and about how many with one. */
struct pgsql_limits {
    const struct deadline *deadline;
    unsigned ordinary;
    unsigned most;
};

/* Waits until libpq can continue reading, or writing. False with a reason once the deadline has
 * passed, even if there is something to read. */
bool pgsql_link_wait(struct pgsql_link *link, bool reading, bool writing,
                     const struct pgsql_limits *limits, struct reason *reason);

/* Ends the limits of a request. False with a reason if the server has exceeded them: the
 * connection is then lost. */
bool pgsql_link_end(struct pgsql_link *link, const struct pgsql_limits *limits,
                    struct reason *reason);

#endif
