/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_ERROR_H
#define SQLCRYPT_PGSQL_ERROR_H

/*
 * What the errors of PostgreSQL and libpq mean for a lookup, and how much of
 * their texts may be logged: a server quotes values in some of them.
 *
 * Five characters, the SQLSTATE, tell errors apart: appendix A of PostgreSQL's
 * documentation.
 */

#include <libpq-fe.h>
#include <stdbool.h>

#include "sql_engine.h"

/* Why a connection could not be made. Such texts hold no values. */
void pgsql_error_of_connection(const PGconn *connection, struct reason *reason);

/* Whether it was because the server takes no connection now, but may in a moment;
 * and whether because it did not understand. Both need a connection with
 * PQERRORS_VERBOSE. */
bool pgsql_connection_is_busy(const PGconn *connection);
bool pgsql_connection_is_misunderstood(const PGconn *connection);

/* Whether a statement of that name is there already; whether none is; whether one is
 * that can be used no more, since the table has other columns by now. */
bool pgsql_error_is_prepared(const PGresult *error);
bool pgsql_error_is_forgotten(const PGresult *error);
bool pgsql_error_is_stale(const PGresult *error);

/* What a failed statement means, with a reason. */
enum lookup pgsql_error_judge(const PGconn *connection, const PGresult *error,
                              struct reason *reason);

/* Whether the encoding of the database, or of the session, cannot express a
 * character; whether a parameter is no value of its type, such as a number. */
bool pgsql_error_is_of_encoding(const PGresult *error);
bool pgsql_error_is_of_parameter(const PGresult *error);

#endif
