/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_CONNECT_H
#define SQLCRYPT_PGSQL_CONNECT_H

/*
 * Connects to a PostgreSQL server, or a pooler in front of one, under a
 * deadline.
 */

#include "engines/pgsql_link.h"
#include "sql/sql_engine.h"

/* As `open` of sql_engine.h. The connection is the caller's to finish. It is in non-blocking
 * mode, uses UTF-8, prints no notices, and takes a backslash within quotes literally, as
 * templates are read. */
enum lookup pgsql_connect(const struct sql_target *target, const struct sql_host *host,
                          const char *address, enum sql_access access,
                          const struct deadline *deadline, unsigned *learned,
                          struct pgsql_link *link, struct reason *reason);

#endif
