/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_ACTIVATION_H
#define SQLCRYPT_ACTIVATION_H

/*
 * Whether the configuration of a program asks for the plug-ins. libsasl2 loads
 * them into every program on the host; a program that does not ask for them
 * should not notice them.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* The name under which the auxprop plug-in is asked for: "sqlcrypt"; if `password_format` is
 * set, also the name of the engine; if it is not "plain", also "sql", and "sqlcrypt" even if
 * nothing names it: libsasl2 asks only the plug-ins that are named at a login. NULL if it is
 * not asked for. */
const char *activation_auxprop(const sasl_utils_t *utils);

/* Whether there is a `sql_select` to use. */
bool activation_has_select(const sasl_utils_t *utils);

/* Whether `sql_select` says "dummy", the idiom for "there is no SQL". */
bool activation_has_dummy_select(const sasl_utils_t *utils);

/* Whether the program asks for our PLAIN and LOGIN. */
bool activation_mechanisms(const sasl_utils_t *utils);

/* Whether `pwcheck_method` names authdaemond: CRAM-MD5 and its relatives are then ours. */
bool activation_authdaemond(const sasl_utils_t *utils);

#endif
