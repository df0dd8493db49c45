/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_LOOKUP_H
#define SQLCRYPT_SQL_LOOKUP_H

/*
 * Answers libsasl2's requests for properties from the table.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* The `auxprop_lookup` of saslplug.h. `glob_context` is a struct sql_plugin.
 *
 * Fills in the requested properties that the user's row has. A hash is never
 * given as a password. Returns SASL_OK if the user exists, SASL_NOUSER if not,
 * SASL_UNAVAIL if that is not known. For the authorization identity, SASL_OK
 * also stands for SASL_NOUSER, as libsasl2 expects; nothing is looked up for
 * it unless properties are requested. A plug-in whose configuration cannot be
 * used answers SASL_NOMECH, as if it were not installed, if no property is
 * requested. */
int sql_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags, const char *user,
               unsigned length);

#endif
