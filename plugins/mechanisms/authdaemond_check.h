/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_CHECK_H
#define SQLCRYPT_AUTHDAEMOND_CHECK_H

/*
 * The method "authdaemond" of `pwcheck_method`: has Courier's authdaemond judge a
 * password, or the response to a challenge.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/verdict.h"

struct authdaemond_check;

/* Reads the options. Where they cannot be used, `reason` holds why, and is empty
 * otherwise; each check then has no answer but that. Returns NULL when out of memory. */
struct authdaemond_check *authdaemond_check_new(const sasl_utils_t *utils, struct reason *reason);
void authdaemond_check_free(struct authdaemond_check *check);

/* `user` is the canonical name. Each verdict but VERDICT_MATCH comes with a
 * reason. */
enum verdict authdaemond_check_password(const struct authdaemond_check *check,
                                        const sasl_server_params_t *sparams, const char *user,
                                        const struct secret *password, struct reason *reason);

/* The response of a client to a challenge, for a mechanism such as CRAM-MD5. */
struct cram_response {
    const char *type;      /* as authdaemond names it: "cram-md5" */
    const char *challenge; /* not in base64 */
    const char *digest;    /* in hexadecimal digits */
};

enum verdict authdaemond_check_cram(const struct authdaemond_check *check,
                                    const sasl_server_params_t *sparams, const char *user,
                                    const struct cram_response *response, struct reason *reason);

#endif
