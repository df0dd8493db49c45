/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_PLUGIN_H
#define SQLCRYPT_SQL_PLUGIN_H

/*
 * Everything that the auxprop plug-in sets up once, when libsasl2 loads it: the table of users,
 * and the password policy. smtpd is still root and outside its jail then; connections are made
 * at the first lookup.
 *
 * A configuration that cannot be used does not keep the plug-in from loading:
 * every lookup is then answered with SASL_UNAVAIL, so that no correct password
 * is reported as wrong.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/reason.h"
#include "password/password_policy.h"
#include "sql/sql_backend.h"

struct sql_plugin {
    int log_level;
    struct password_policy *policy;
    struct sql_backend *backend; /* NULL if the configuration cannot be used */
    struct reason why_broken;    /* the reason for that */
    atomic_bool warned_of_hash;  /* see sql_properties.c */
};

/* Reads the options and logs one ERR line if they cannot be used.
 * Returns NULL when out of memory. */
struct sql_plugin *sql_plugin_new(const sasl_utils_t *utils);
void sql_plugin_free(struct sql_plugin *plugin);

#endif
