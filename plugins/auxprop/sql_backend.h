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
#include <stdatomic.h>
#include <stdbool.h>

#include "password/password_policy.h"
#include "sql/sql_connections.h"
#include "sql/sql_driver.h"
#include "sql/sql_settings.h"
#include "sql/sql_template.h"

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
    atomic_bool warned_of_hash; /* see sql_lookup.c */
};

/* Reads the options and logs one ERR line if they cannot be used.
 * Returns NULL when out of memory. */
struct sql_backend *sql_backend_new(const sasl_utils_t *utils);
void sql_backend_free(struct sql_backend *backend);

#endif
