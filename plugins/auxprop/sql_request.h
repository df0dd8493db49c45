/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_REQUEST_H
#define SQLCRYPT_SQL_REQUEST_H

/*
 * Expands a template into the statement for one user of one connection.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "base/secret.h"
#include "base/user_realm.h"
#include "sql/sql_engine.h"
#include "sql/sql_template.h"

/* A statement for one login, and what it owns. */
struct sql_request {
    struct sql_statement statement;
    struct secret *parameters;
    char *text;
};

/* Expands a template. `value` is what %v stands for, NULL for NULL.
 * Returns false when out of memory. */
bool sql_request_make(struct sql_request *request, const struct sql_template *template,
                      const sasl_server_params_t *sparams, const struct user_realm *names,
                      const char *property, const struct secret *value);

/* Wipes and frees all of it. */
void sql_request_free(struct sql_request *request);

#endif
