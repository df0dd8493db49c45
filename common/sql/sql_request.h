/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_REQUEST_H
#define SQLCRYPT_SQL_REQUEST_H

/*
 * Expands a template into the statement for one user.
 */

#include <stdbool.h>

#include "base/secret.h"
#include "sql/sql_engine.h"
#include "sql/sql_template.h"

/* A statement, and what it owns. */
struct sql_request {
    struct sql_statement statement;
    struct secret *parameters; /* and views of them after the last one */
    char *text;
};

/* Expands a template. The property is an allowed one.
 * Returns false when out of memory. */
bool sql_request_make(struct sql_request *request, const struct sql_template *template,
                      const struct sql_values *values);

/* Wipes and frees all of it. */
void sql_request_free(struct sql_request *request);

#endif
