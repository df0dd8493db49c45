/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_OPTIONS_H
#define SQLCRYPT_AUTHDAEMOND_OPTIONS_H

/*
 * The OPTIONS of a Courier account, such as "disableimap=1,disablesmtp=0", and
 * what is demanded of them: entries NAME=VALUE, separated by commas. An option that an
 * account does not have counts as 0, so that "disablesmtp=0" refuses those who
 * have disablesmtp=1 and no others.
 */

#include <stdbool.h>

#include "base/bytes.h"

/* Whether `required` is such a list, perhaps an empty one. */
bool authdaemond_options_valid(const char *required);

/* Whether `options` have all that `required`, a valid list, demands. */
bool authdaemond_options_allow(const char *required, struct bytes options);

#endif
