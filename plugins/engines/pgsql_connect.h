/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_CONNECT_H
#define SQLCRYPT_PGSQL_CONNECT_H

/*
 * Connects to a PostgreSQL server, or a pooler in front of one, under a
 * deadline.
 */

#include <libpq-fe.h>
#include <stdbool.h>

#include "sql_engine.h"

/* As `open` of sql_engine.h. What it connects is in non-blocking mode, speaks
 * UTF-8, and prints no notices. */
enum lookup pgsql_connect(const struct sql_target *target, const struct sql_host *host,
                          enum sql_access access, const struct deadline *deadline,
                          PGconn **connection, struct reason *reason);

/* Waits until the socket can be read, or written to if `writing`, too. Returns
 * false if time is up. */
bool pgsql_wait(const PGconn *connection, bool reading, bool writing,
                const struct deadline *deadline);

#endif
