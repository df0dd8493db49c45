/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_CONNECTIONS_H
#define SQLCRYPT_SQL_CONNECTIONS_H

/*
 * Asks the hosts of `sql_hostnames` in their order until one answers, all within
 * one deadline: a session that the server has closed meanwhile is replaced, a
 * host that is down is passed over for a while, and one that takes no sessions
 * just now is tried again.
 */

#include <stdbool.h>

#include "sql_engine.h"
#include "sql_settings.h"

struct sql_connections;

/* How an answer was got, for the log. */
struct sql_route {
    const char *host;          /* the label of the host that was asked; "" if it has none */
    bool connected;            /* by a new session */
    struct reason passed_over; /* hosts that were tried before, and what with; "" if none */
};

/* `engine` and `settings` stay valid until the connections are freed. Returns
 * NULL when out of memory. */
struct sql_connections *sql_connections_new(const struct sql_engine *engine,
                                            const struct sql_settings *settings);

/* Closes what this process has opened. */
void sql_connections_free(struct sql_connections *connections);

/* As `select` of sql_engine.h, over a kept or a new session. `route` is set
 * unless the result is LOOKUP_UNAVAILABLE, whose reason tells of all hosts.
 * LOOKUP_LOST and LOOKUP_BUSY are not returned. */
enum lookup sql_connections_select(struct sql_connections *connections,
                                   const struct sql_statement *statement,
                                   const struct deadline *deadline, struct secret *value,
                                   struct sql_route *route, struct reason *reason);

/* Opens a session that stores, for the caller to close. Returns NULL with a
 * reason. */
struct sql_session *sql_connections_open(struct sql_connections *connections,
                                         const struct deadline *deadline, struct reason *reason);

#endif
