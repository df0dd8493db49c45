/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STOCK_BLOCK_H
#define SQLCRYPT_STOCK_BLOCK_H

/*
 * Keeps what the stock "sql" plug-in says from being of any use: see stock_sql.h.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* Gives a property of the password a value that nobody knows, in place of what
 * the stock plug-in has set; it leaves a property alone that has one. Returns
 * false if there is no such value to be had. */
bool stock_block(const sasl_server_params_t *sparams, const struct propval *property);

#endif
