/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_ERROR_H
#define SQLCRYPT_MYSQL_ERROR_H

/*
 * What the errors of MySQL, MariaDB and their client libraries mean for a
 * lookup, and how much of their texts may be logged: a server quotes values in
 * some of them.
 */

#include "sql/sql_engine.h"

/* An error as the client library reports it. */
struct mysql_error {
    unsigned number;
    const char *state; /* SQLSTATE */
    const char *text;
};

/* Why a connection could not be made, and what that means. Such texts hold no
 * values. */
enum lookup mysql_error_of_connection(const struct mysql_error *error, struct reason *reason);

/* What a failed statement means. `has_values` says that it was run, not just prepared: the text
 * may contain its parameters. LOOKUP_REJECTED is an error of the statement, and LOOKUP_NONE the
 * SQLSTATE for "not found"; any unknown error is LOOKUP_UNAVAILABLE. */
enum lookup mysql_error_judge(const struct mysql_error *error, bool has_values,
                              struct reason *reason);

/* The result of a statement that stores, if its error means `means`: a server that says why it
 * does not store has stored nothing. */
enum lookup mysql_error_of_storing(unsigned number, enum lookup means);

/* What can be done about an error. */
enum mysql_error_kind {
    MYSQL_ERROR_OTHER,     /* nothing */
    MYSQL_ERROR_NETWORK,   /* there was no connection to the server at all */
    MYSQL_ERROR_FORGOTTEN, /* the statement has to be prepared again */
    MYSQL_ERROR_CHARACTERS /* the statement may work with other characters in its parameters: the
                            * character set of a column, or of a procedure's parameter, lacks
                            * some */
};

enum mysql_error_kind mysql_error_kind(unsigned number);

#endif
