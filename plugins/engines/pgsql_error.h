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

#include "sql/sql_engine.h"

/* Why a connection could not be made. Such texts hold no values. */
void pgsql_error_of_connection(const PGconn *connection, struct reason *reason);

/* What it means: LOOKUP_BUSY, LOOKUP_LOST or LOOKUP_UNAVAILABLE; and whether the server
 * did not understand the first message. Both need a connection with PQERRORS_VERBOSE. */
enum lookup pgsql_error_judge_connection(const PGconn *connection);
bool pgsql_error_is_misunderstood(const PGconn *connection);

/* Whether a statement of that name is there already; whether none is; whether one is
 * that can be used no more, since the table has other columns by now. */
bool pgsql_error_is_prepared(const PGresult *error);
bool pgsql_error_is_forgotten(const PGresult *error);
bool pgsql_error_is_stale(const PGresult *error);

/* Whether it breaks the protocol, as a server says that has lost track of the session. */
bool pgsql_error_is_of_protocol(const PGresult *error);

/* Whether the server finds no type for a parameter of the statement itself. *number is
 * that of the parameter, from 1 on, or 0 if the server does not say. */
bool pgsql_error_is_untyped(const PGresult *error, unsigned *number);

/* Whether PL/pgSQL found no row where it wants one; whether it found several. */
bool pgsql_error_is_no_row(const PGresult *error);
bool pgsql_error_is_several_rows(const PGresult *error);

/* What a failed statement means, with a reason. An error that a pooler has made up is
 * not about the statement. */
enum lookup pgsql_error_judge(const PGconn *connection, const PGresult *error,
                              struct reason *reason);

/* Its SQLSTATE, or "". */
const char *pgsql_error_state(const PGresult *error);

/* Whether it says that some value does not do: it may be that of a parameter, which is
 * no number or has a character that the database cannot express, or any other one. */
bool pgsql_error_is_of_value(const PGresult *error);

#endif
