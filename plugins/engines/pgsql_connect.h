/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_CONNECT_H
#define SQLCRYPT_PGSQL_CONNECT_H

/*
 * Connects to a PostgreSQL server, or a pooler in front of one, under a
 * deadline.
 */

#include "pgsql_relay.h"
#include "sql_engine.h"

/* As `open` of sql_engine.h. The relay is the caller's to finish if something is
 * connected, which is in non-blocking mode, speaks
 * UTF-8, and prints no notices. */
enum lookup pgsql_connect(const struct sql_target *target, const struct sql_host *host,
                          enum sql_access access, const struct deadline *deadline,
                          struct pgsql_relay *relay, struct reason *reason);

#endif
