/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_RIVAL_H
#define SQLCRYPT_SQL_RIVAL_H

/*
 * Where `auxprop_plugin` is not set, libsasl2 asks all of its plug-ins, and the
 * stock "sql" one reads the same options. It hands a hash out as if it were the
 * password, which would then log in by CRAM-MD5 and the like. This undoes that,
 * in whichever order the two are asked.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* Whether the stock plug-in is asked, too. */
bool sql_rival_is_asked(const sasl_utils_t *utils);

/* Erases the value of a password property that the stock plug-in has set; if
 * there is none yet, sets one that nobody knows, so that it leaves the property
 * alone. Returns false if there is none to be had. */
bool sql_rival_block(const sasl_server_params_t *sparams, const struct propval *property);

#endif
