/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_KNOWN_H
#define SQLCRYPT_PGSQL_KNOWN_H

/*
 * What a session with PostgreSQL knows about its statements: the names they are prepared under,
 * and the types of their parameters.
 */

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "sql/sql_engine.h"

enum {
    PGSQL_KNOWN_MOST = 16,
    PGSQL_KNOWN_DIGEST = 16 /* bytes of SHA-256: enough to distinguish statements */
};

struct pgsql_known {
    char *text; /* NULL: unused so far */
    size_t parameter_count;
    Oid *types;          /* of its parameters; 0 is for the server to find */
    bool has_types;      /* at least one of them is not 0 */
    const char **values; /* room for a list of them, which the caller owns */
    char name[sizeof("sqlcrypt_") + 2 * PGSQL_KNOWN_DIGEST]; /* "" if it has none */
    bool is_prepared;                                        /* under that name */
    bool has_worked;
};

/* The last one serves all statements that do not fit into the others, in turn. */
struct pgsql_knowns {
    struct pgsql_known items[PGSQL_KNOWN_MOST + 1];
};

/* Makes the first name, which needs memory that later ones do not. */
void pgsql_known_load(void);

/* Finds what is known about a statement, new or not; NULL with a reason when out of memory. */
struct pgsql_known *pgsql_known_find(struct pgsql_knowns *knowns,
                                     const struct sql_statement *statement, struct reason *reason);

/* Frees all of it. */
void pgsql_known_free(struct pgsql_knowns *knowns);

/* Makes the parameter for which the server finds no type text, or all of them if it does not say
 * which one. False if there is none left. */
bool pgsql_known_add_type(struct pgsql_known *known, unsigned number);

/* The types, or NULL if the server is to find all of them: it then counts the parameters itself. */
const Oid *pgsql_known_types(const struct pgsql_known *known);

#endif
