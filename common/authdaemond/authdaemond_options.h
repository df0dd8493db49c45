/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_OPTIONS_H
#define SQLCRYPT_AUTHDAEMOND_OPTIONS_H

/*
 * The OPTIONS of a Courier account, such as "disableimap=1,disablesmtp=0", and
 * what is required of them: NAME=VALUE entries, separated by commas. An option that an account
 * lacks counts as 0, so "disablesmtp=0" refuses accounts with disablesmtp=1 and no others.
 */

#include <stdbool.h>

#include "base/bytes.h"

/* Whether `required` is such a list; it may be empty. */
bool authdaemond_options_valid(const char *required);

/* Whether `options` meet everything in `required`, a valid list. */
bool authdaemond_options_allow(const char *required, struct bytes options);

#endif
