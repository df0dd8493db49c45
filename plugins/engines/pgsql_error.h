/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_ERROR_H
#define SQLCRYPT_PGSQL_ERROR_H

/*
 * What the errors of PostgreSQL and libpq mean for a lookup, and how much of
 * their texts may be logged: a server quotes values in some of them.
 *
 * Five characters, the SQLSTATE, identify errors: appendix A of PostgreSQL's
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

/* What can be done about the error of a statement. */
enum pgsql_error_kind {
    PGSQL_ERROR_OTHER,        /* nothing */
    PGSQL_ERROR_PREPARED,     /* a statement of that name already exists */
    PGSQL_ERROR_FORGOTTEN,    /* none exists */
    PGSQL_ERROR_STALE,        /* one exists that cannot be used any more: the table has other
                               * columns */
    PGSQL_ERROR_PROTOCOL,     /* the server does not understand, or has lost track */
    PGSQL_ERROR_UNTYPED,      /* the server finds no type for a parameter of the statement itself */
    PGSQL_ERROR_VALUE,        /* some value is unsuitable: it may be that of a parameter, which
                               * is not a number or has a character that the database lacks */
    PGSQL_ERROR_NO_ROW,       /* PL/pgSQL found no row where it wants one, */
    PGSQL_ERROR_SEVERAL_ROWS, /* or several */
    PGSQL_ERROR_TAKEN         /* another client has stored the same */
};

struct pgsql_error {
    enum pgsql_error_kind kind;
    unsigned untyped; /* the number of that parameter, from 1 on, or 0 if the server does not say */
    char state[6];    /* the SQLSTATE, or "" */
};

/* What a failed statement means, with a reason. An error that a pooler has made up is
 * not about the statement. */
enum lookup pgsql_error_judge(const PGconn *connection, const PGresult *result,
                              struct pgsql_error *error, struct reason *reason);

#endif
