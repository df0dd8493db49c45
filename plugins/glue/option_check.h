/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPTION_CHECK_H
#define SQLCRYPT_OPTION_CHECK_H

/*
 * Warns once, when a program starts, of options that nothing reads and of values that
 * hardly mean what they say. libsasl2 gives no list of what stands in a file, so it
 * is asked for the usual misspellings. Values are never shown.
 *
 * Each plug-in warns of its own options, so that nothing is said twice, and does so
 * only once it knows that the program asks for it.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* For libsqlcrypt: the sql_* options. */
void option_check_sql(const sasl_utils_t *utils, int log_level);

/* For libpwverify, which is loaded whenever libsqlcrypt is: all others, and the names
 * for sql_select that keep libsqlcrypt from being asked for. */
void option_check_logins(const sasl_utils_t *utils, int log_level);

#endif
