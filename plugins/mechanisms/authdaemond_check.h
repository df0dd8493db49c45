/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_CHECK_H
#define SQLCRYPT_AUTHDAEMOND_CHECK_H

/*
 * The method "authdaemond" of `pwcheck_method`: has Courier's authdaemond judge a
 * password, or the response to a challenge.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/verdict.h"
#include "mechanisms/verifier.h"

struct authdaemond_check;

/* Reads the options. If they cannot be used, `reason` says why, and is empty otherwise; each
 * check then answers only that. Returns NULL when out of memory. */
struct authdaemond_check *authdaemond_check_new(const sasl_utils_t *utils, struct reason *reason);
void authdaemond_check_free(struct authdaemond_check *check);

/* `user` is the canonical name. Any verdict but VERDICT_MATCH comes with a
 * reason. */
enum verdict authdaemond_check_password(const struct authdaemond_check *check,
                                        const sasl_server_params_t *sparams, const char *user,
                                        struct bytes password, struct reason *reason);

enum verdict authdaemond_check_cram(const struct authdaemond_check *check,
                                    const sasl_server_params_t *sparams, const char *user,
                                    const struct cram_response *response, struct reason *reason);

#endif
