/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_REQUEST_H
#define SQLCRYPT_MYSQL_REQUEST_H

/*
 * One request on its way to its result, over a session with a MySQL or MariaDB server, and what
 * a failure means.
 */

#include "engines/mysql_client.h"
#include "engines/mysql_error.h"
#include "sql/sql_engine.h"

enum { MYSQL_KEPT_STATEMENTS = 8 };

struct mysql_kept {
    char *text;
    MYSQL_STMT *prepared;
    MYSQL_BIND *binds; /* for its parameters */
    size_t parameter_count;
};

struct sql_session {
    MYSQL *mysql;
    struct mysql_kept kept[MYSQL_KEPT_STATEMENTS];
    unsigned next_kept; /* where to put the next statement */
    unsigned error;     /* the number of the last one */
};

struct mysql_request {
    struct sql_session *session;
    const struct sql_statement *statement;
    struct mysql_call *call;
    struct reason *reason;
};

/* What an error means for the request, with a reason; `has_values` as for
 * mysql_error_judge(). */
enum lookup mysql_request_failed(const struct mysql_request *request,
                                 const struct mysql_error *error, bool has_values);

/* The same, for the last error of a prepared statement. */
enum lookup mysql_request_statement_failed(const struct mysql_request *request,
                                           MYSQL_STMT *prepared, bool has_values);

/* The same, when out of memory. */
enum lookup mysql_request_no_memory(const struct mysql_request *request);

#endif
