/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_STATEMENT_H
#define SQLCRYPT_MYSQL_STATEMENT_H

/*
 * What the driver for MySQL has to know of a statement before the server sees it.
 */

#include "sql/sql_engine.h"

/* Whether it calls a procedure, which may return rows or not. */
bool mysql_statement_is_call(const char *text);

/* Whether all parameters are in ASCII. */
bool mysql_statement_is_ascii(const struct sql_statement *statement);

/* Copies the parameters to as many empty `copies`, with an x in the place of each
 * character that is not ASCII. False when out of memory. The caller wipes the copies
 * in any case. */
bool mysql_statement_to_ascii(const struct sql_statement *statement, struct secret *copies);

#endif
