/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_BACKEND_H
#define SQLCRYPT_SQL_BACKEND_H

/*
 * All that the auxprop plug-in sets up once, when libsasl2 loads it: settings,
 * driver, templates, password policy. smtpd is still root and outside of its
 * jail then; connections are made at the first lookup.
 *
 * A configuration that cannot be used does not keep the plug-in from loading:
 * it is then `broken`, and every lookup is answered with SASL_UNAVAIL, so that
 * nobody is told that a password is wrong.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "password_policy.h"
#include "sql_connections.h"
#include "sql_settings.h"
#include "sql_template.h"
#include "user_realm.h"

struct sql_backend {
    int log_level;
    bool broken;
    struct reason why_broken;

    struct sql_settings *settings;
    struct password_policy *policy;
    struct sql_driver driver;
    struct sql_template *select;
    struct sql_template *insert; /* NULL if the option is not set */
    struct sql_template *update; /* likewise */
    struct sql_connections *connections;
};

/* Reads the options and logs one ERR line if they cannot be used.
 * Returns NULL when out of memory. */
struct sql_backend *sql_backend_new(const sasl_utils_t *utils);
void sql_backend_free(struct sql_backend *backend);

/* User and realm of a login, as the stock plug-in splits them; the realm
 * defaults to the one of the connection, then to the host's name.
 * Returns false when out of memory. */
bool sql_backend_split(struct user_realm *names, const sasl_server_params_t *sparams,
                       const char *user, unsigned length);

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
