/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STOCK_BLOCK_H
#define SQLCRYPT_STOCK_BLOCK_H

/*
 * Makes the values of the stock "sql" plug-in useless: see stock_sql.h.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* Gives a property of the password a random value, in place of what the stock plug-in has set,
 * or before it sets one: it leaves a property alone that has a value. Returns false if there are
 * no random numbers. */
bool stock_block(const sasl_server_params_t *sparams, const struct propval *property);

#endif
