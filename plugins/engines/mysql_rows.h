/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_ROWS_H
#define SQLCRYPT_MYSQL_ROWS_H

/*
 * Reads the rows of a statement that was executed.
 */

#include "engines/mysql_request.h"

/* Adds the first column of each to `rows`, until there is no room for more: the caller drains
 * what is left. As `select` of sql_engine.h. */
enum lookup mysql_rows_read(const struct mysql_request *request, MYSQL_STMT *prepared,
                            struct sql_rows *rows);

#endif
