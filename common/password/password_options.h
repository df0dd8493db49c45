/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PASSWORD_OPTIONS_H
#define SQLCRYPT_PASSWORD_OPTIONS_H

/*
 * Reads the options about stored passwords: password_format,
 * password_store_scheme and password_store_cost.
 */

#include "base/options.h"
#include "password/password_policy.h"

/* Returns what password_policy_new() makes of them; NULL with a reason if they
 * cannot be used. */
struct password_policy *password_options_read(const struct options *options, struct reason *reason);

#endif
