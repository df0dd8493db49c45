/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPTION_CHECK_H
#define SQLCRYPT_OPTION_CHECK_H

/*
 * Warns once, when a program starts, about options that nothing reads and about values that
 * probably do not mean what they say. libsasl2 does not list the options of a file, so the check
 * asks for the usual misspellings. Values are never shown.
 *
 * Each plug-in warns about its own options, so that nothing is said twice, and only if the
 * program asks for the plug-in.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* For libsqlcrypt: the sql_* options. */
void option_check_sql(const sasl_utils_t *utils, int log_level);

/* For libpwverify, which is loaded whenever libsqlcrypt is: all others, and misspellings of
 * sql_select; with those, the program does not ask for libsqlcrypt. */
void option_check_logins(const sasl_utils_t *utils, int log_level);

#endif
