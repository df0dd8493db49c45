/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_STATEMENT_H
#define SQLCRYPT_MYSQL_STATEMENT_H

/*
 * What the MySQL driver needs to know about a statement before the server sees it.
 */

#include "base/secret.h"
#include "sql/sql_engine.h"

/* Whether it calls a procedure, which may return rows or not. */
bool mysql_statement_is_call(const char *text);

/* Whether all parameters are in ASCII. */
bool mysql_statement_is_ascii(const struct sql_statement *statement);

/* A copy of a statement whose parameters have an x in place of each character that is not ASCII. */
struct mysql_ascii {
    struct sql_statement statement;
    struct secret *copies; /* of its parameters */
    struct bytes *parameters;
};

/* Makes the copy; `statement` stays valid until the copy is freed. False when out of memory. The
 * caller frees, and so wipes, the copy in either case. */
bool mysql_statement_to_ascii(const struct sql_statement *statement, struct mysql_ascii *ascii);
void mysql_statement_free_ascii(struct mysql_ascii *ascii);

#endif
