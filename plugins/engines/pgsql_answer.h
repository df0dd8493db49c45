/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_ANSWER_H
#define SQLCRYPT_PGSQL_ANSWER_H

/*
 * Reads what PostgreSQL answers to one statement.
 */

#include <libpq-fe.h>
#include <stdbool.h>

#include "sql_engine.h"

/* What came back for one statement. */
struct pgsql_answer {
    struct secret *value; /* to read into, NULL for a statement that stores */
    unsigned long rows;
    bool is_prepared;     /* the name was taken */
    bool is_forgotten;    /* the name means nothing */
    bool is_stale;        /* what it means is of no use any more */
    bool is_of_protocol;  /* the server does not understand */
    bool is_untyped;      /* the server finds no type for a parameter: */
    unsigned untyped;     /* its number, or 0 */
    bool is_no_row;       /* a function wants a row, and there is none */
    bool is_several_rows; /* or more than one */
    bool is_of_encoding;  /* a character cannot be expressed */
    bool is_of_parameter; /* a parameter is of the wrong type */
    char tag[16];         /* of what was done without rows, such as COMMIT */
};

/* Reads all results of what was sent. LOOKUP_FOUND if there was no error,
 * whatever the number of rows. */
enum lookup pgsql_collect(PGconn *connection, struct pgsql_answer *answer,
                          const struct deadline *deadline, struct reason *reason);

#endif
