/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STOCK_SQL_H
#define SQLCRYPT_STOCK_SQL_H

/*
 * The stock "sql" plug-in reads the same options as ours and hands a hash out as
 * if it were the password, which would then log in by CRAM-MD5 and the like.
 * libsasl2 asks it too where `auxprop_plugin` names it or is not set: this
 * undoes what it says, in whichever order the two are asked.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* Whether the stock plug-in is asked, too. */
bool stock_sql_is_asked(const sasl_utils_t *utils);

/* Gives a property of the password a value that nobody knows, in place of what
 * the stock plug-in has set; it leaves a property alone that has one. Returns
 * false if there is no such value to be had. */
bool stock_sql_block(const sasl_server_params_t *sparams, const struct propval *property);

#endif
