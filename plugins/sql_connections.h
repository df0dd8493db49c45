/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_CONNECTIONS_H
#define SQLCRYPT_SQL_CONNECTIONS_H

/*
 * Keeps engine sessions between logins: opened when one is first needed, used
 * by one thread at a time, replaced when they turn out to be lost, and left
 * alone in the child of the process that opened them.
 */

#include <stdbool.h>

#include "sql_engine.h"

struct sql_connections;

/* `engine` and `target` stay valid until the connections are freed. With
 * `persistent` false, each session is closed after one request.
 * Returns NULL when out of memory. */
struct sql_connections *sql_connections_new(const struct sql_engine *engine,
                                            const struct sql_target *target, bool persistent);

/* Closes what this process has opened. */
void sql_connections_free(struct sql_connections *connections);

/* As `select` of sql_engine.h, over a kept or a new session. A kept session
 * that is lost is replaced once, within the deadline. LOOKUP_LOST is not
 * returned. */
enum lookup sql_connections_select(struct sql_connections *connections,
                                   const struct sql_statement *statement,
                                   const struct deadline *deadline, struct secret *value,
                                   struct reason *reason);

#endif
