/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_CONNECTIONS_H
#define SQLCRYPT_SQL_CONNECTIONS_H

/*
 * Asks the hosts of `sql_hostnames` until one answers, all within one deadline: it replaces a
 * session that the server has closed meanwhile, and waits for conditions that may soon pass.
 */

#include <stdbool.h>

#include "sql/sql_engine.h"
#include "sql/sql_settings.h"

struct sql_connections;

/* How an answer was obtained, for the log. */
struct sql_route {
    struct reason host;        /* that has answered; "" if the driver knows better, or none has */
    bool connected;            /* by a new session */
    struct reason passed_over; /* hosts that were tried before, and what they said; "" if none */
};

/* `engine` and `settings` stay valid until the connections are freed. Returns
 * NULL when out of memory. */
struct sql_connections *sql_connections_new(const struct sql_engine *engine,
                                            const struct sql_settings *settings);

/* Closes what this process has opened. */
void sql_connections_free(struct sql_connections *connections);

/* As `select` of sql_engine.h, over a kept or a new session; LOOKUP_SEVERAL if there were more
 * rows than `rows` has room for. If a host lacks what the statement needs and the value is
 * `required`, others are waited for. `route` is set unless the result is
 * LOOKUP_UNAVAILABLE, whose reason is about all hosts. LOOKUP_LOST and LOOKUP_BUSY are not
 * returned. */
enum lookup sql_connections_select(struct sql_connections *connections,
                                   const struct sql_statement *statement, bool required,
                                   const struct deadline *deadline, struct sql_rows *rows,
                                   struct sql_route *route, struct reason *reason);

/* Stores something over a session. LOOKUP_LOST, LOOKUP_BUSY, LOOKUP_UNAVAILABLE and
 * LOOKUP_UNREADY, with a reason, say that nothing was stored and another session or host
 * may do better, LOOKUP_CONFLICT that nothing was stored and the next try may do better.
 * Any other result settles the matter; LOOKUP_DONE says that it was stored. *fate starts as
 * LOOKUP_DONE, and the task sets it to LOOKUP_LOST or LOOKUP_UNAVAILABLE if the session ends
 * that way: the matter may be settled because it is unknown whether it was stored. */
typedef enum lookup sql_task(void *context, struct sql_session *session, enum lookup *fate,
                             struct reason *reason);

/* Runs a task over a new session that can store, on one host after the other until it is
 * settled. Returns its result, with its reason, and `route` says where; else
 * LOOKUP_UNAVAILABLE or LOOKUP_REJECTED with a reason about all hosts. */
enum lookup sql_connections_store(struct sql_connections *connections, sql_task *task,
                                  void *context, const struct deadline *deadline,
                                  struct sql_route *route, struct reason *reason);

#endif
