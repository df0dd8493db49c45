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

/* Whether the stock plug-in is asked, too. `ours` is the glob_context of our own
 * plug-in, which may have the same name; NULL if it is not registered. */
bool stock_sql_is_asked(const sasl_utils_t *utils, const void *ours);

/* Whether it is asked after our own plug-in: what it stores would replace what we store. */
bool stock_sql_comes_last(const sasl_utils_t *utils, const void *ours);

/* Gives a property of the password a value that nobody knows, in place of what
 * the stock plug-in has set; it leaves a property alone that has one. Returns
 * false if there is no such value to be had. */
bool stock_sql_block(const sasl_server_params_t *sparams, const struct propval *property);

/* The idiom "sql_select: dummy" says that there is no SQL, which the stock plug-in
 * does not know: it would try to connect for each user who is made canonical, and
 * log that in vain. Between these two, libsasl2 asks all plug-ins but that one, if
 * the idiom is used and auxprop_plugin is not. */
struct stock_sql_silence {
    const sasl_utils_t *original;
    sasl_utils_t utils;
    char *others; /* the plug-ins that are asked */
    sasl_callback_t *callbacks;
    sasl_conn_t *connection; /* where they are said to be all; NULL if nothing is silenced */
};
void stock_sql_silence(struct stock_sql_silence *silence, sasl_server_params_t *sparams);
void stock_sql_end_silence(struct stock_sql_silence *silence, sasl_server_params_t *sparams);

#endif
