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
 * Of the properties that were requested, fills in those that the row of the
 * user has. A hash is never given as a password. Returns SASL_OK if the user
 * exists, SASL_NOUSER if not, SASL_UNAVAIL if that cannot be told. For the
 * authorization identity, SASL_OK stands for SASL_NOUSER, too, as libsasl2
 * expects; without requested properties there is nothing to look up then.
 * A plug-in whose configuration is broken answers SASL_NOMECH, as if it were
 * not there, where no property is requested. */
int sql_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags, const char *user,
               unsigned length);

#endif
