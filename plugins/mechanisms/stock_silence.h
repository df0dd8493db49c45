/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STOCK_SILENCE_H
#define SQLCRYPT_STOCK_SILENCE_H

/*
 * Keeps the stock "sql" plug-in quiet if there is no SQL. It does not know the idiom
 * "sql_select: dummy": for each user who is made canonical, it would try to connect, fail,
 * and log that.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* Between begin and end, libsasl2 asks all plug-ins but that one, if the idiom is used and
 * auxprop_plugin is not set. */
struct stock_silence {
    const sasl_utils_t *original;
    sasl_utils_t utils;
    char *others; /* the plug-ins that are asked */
    sasl_callback_t *callbacks;
    sasl_conn_t *connection; /* whose plug-ins they are; NULL if nothing is silenced */
};
void stock_silence_begin(struct stock_silence *silence, sasl_server_params_t *sparams);
void stock_silence_end(struct stock_silence *silence, sasl_server_params_t *sparams);

#endif
