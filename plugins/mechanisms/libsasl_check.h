/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_LIBSASL_CHECK_H
#define SQLCRYPT_LIBSASL_CHECK_H

/*
 * Hands a password to checks that are not ours: the methods of
 * `pwcheck_method` that libsasl2 knows itself, and a callback of the program.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/verdict.h"

/* Asks libsasl2 to use one method ("saslauthd"), and no other. `user` is the canonical name; a
 * NUL follows the password. Any verdict but VERDICT_MATCH comes with a reason. */
enum verdict libsasl_check(const sasl_server_params_t *sparams, const char *method,
                           const char *user, struct bytes password, struct reason *reason);

/* Asks SASL_CB_SERVER_USERDB_CHECKPASS, which libsasl2 asks before all methods,
 * if the program has it. Returns true if it says yes. `*none_for_all` remembers
 * that only individual connections could have one: it starts as false. */
bool libsasl_check_callback(const sasl_server_params_t *sparams, const char *user,
                            struct bytes password, atomic_bool *none_for_all);

#endif
