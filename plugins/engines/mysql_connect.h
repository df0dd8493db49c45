/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_CONNECT_H
#define SQLCRYPT_MYSQL_CONNECT_H

/*
 * Connects to a MySQL or MariaDB server under a deadline, and sets up its side
 * of the session.
 */

#include "engines/mysql_client.h"
#include "engines/mysql_error.h"
#include "sql/sql_engine.h"

/* As `find_addresses` of sql_engine.h. */
enum host_addresses_result mysql_connect_find_addresses(const struct sql_target *target,
                                                        const struct sql_host *host,
                                                        const struct deadline *deadline,
                                                        struct host_addresses *found,
                                                        struct reason *reason);

/* As `open` of sql_engine.h. */
enum lookup mysql_connect(const struct sql_target *target, const struct sql_host *host,
                          const char *address, enum sql_access access,
                          const struct deadline *deadline, MYSQL **mysql, struct reason *reason);

/* The last error of a connection. */
struct mysql_error mysql_connect_error(MYSQL *mysql);

#endif
