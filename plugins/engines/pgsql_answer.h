/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_ANSWER_H
#define SQLCRYPT_PGSQL_ANSWER_H

/*
 * Reads what PostgreSQL answers to one statement.
 */

#include <libpq-fe.h>

#include "engines/pgsql_error.h"
#include "engines/pgsql_link.h"
#include "sql/sql_engine.h"

/* What was returned for one statement. */
struct pgsql_answer {
    struct sql_rows *rows;    /* to read into, NULL for a statement that stores: */
    unsigned long changed;    /* how many it has changed */
    struct pgsql_error error; /* if there was one */
    char tag[16];             /* what was done without rows, such as COMMIT */
    Oid *types;               /* to read the types of parameters into, or NULL; */
    size_t type_count;        /* as many as there must be */
};

/* Reads all results of what was sent. LOOKUP_DONE if there was no error,
 * whatever the number of rows. The rest of an answer that is too long is not read, and the
 * session cannot be used again. */
enum lookup pgsql_answer_collect(struct pgsql_link *link, struct pgsql_answer *answer,
                                 const struct deadline *deadline, struct reason *reason);

/* What it means, with a reason, if libpq cannot send. */
enum lookup pgsql_answer_not_sent(struct reason *reason);

/* Runs a statement of our own, which has no parameters. */
enum lookup pgsql_answer_command(struct pgsql_link *link, const char *text,
                                 struct pgsql_answer *answer, const struct deadline *deadline,
                                 struct reason *reason);

#endif
