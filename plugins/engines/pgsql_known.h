/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_KNOWN_H
#define SQLCRYPT_PGSQL_KNOWN_H

/*
 * What a session with PostgreSQL knows of its statements: the names they are prepared by,
 * and the types of their parameters.
 */

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "sql/sql_engine.h"

enum {
    PGSQL_KNOWN_MOST = 16,
    PGSQL_KNOWN_DIGEST = 16 /* bytes of SHA-256: enough to tell statements apart */
};

struct pgsql_known {
    char *text; /* NULL: nothing yet */
    size_t parameter_count;
    Oid *types;          /* of its parameters; 0 is for the server to find */
    bool has_types;      /* that are not 0 */
    const char **values; /* room for a list of them, which belong to the caller */
    char name[sizeof("sqlcrypt_") + 2 * PGSQL_KNOWN_DIGEST]; /* "" if it has none */
    bool is_prepared;                                        /* by that name */
    bool has_worked;
};

/* The last one is for all those that the others have left no room for, in turn. */
struct pgsql_knowns {
    struct pgsql_known items[PGSQL_KNOWN_MOST + 1];
};

/* Makes the first name, which takes memory that the others do not. */
void pgsql_known_load(void);

/* What is known of a statement, for the first time or again; NULL with a reason when
 * out of memory. */
struct pgsql_known *pgsql_known_find(struct pgsql_knowns *knowns,
                                     const struct sql_statement *statement, struct reason *reason);

/* Frees all of it. */
void pgsql_known_free(struct pgsql_knowns *knowns);

/* Has the parameter that the server finds no type for be text, or all of those if it
 * does not say which one. False if there is none left. */
bool pgsql_known_add_type(struct pgsql_known *known, unsigned number);

/* The types, or NULL if the server is to find all: it counts the parameters itself then. */
const Oid *pgsql_known_types(const struct pgsql_known *known);

#endif
