/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_VERIFIER_H
#define SQLCRYPT_VERIFIER_H

/*
 * Verifies a typed password, or the response to a challenge, by the methods that
 * `pwcheck_method` lists, for any mechanism that gets one.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "base/bytes.h"

struct verifier;

/* Reads the options. A configuration that cannot be used is logged in one ERR
 * line and answered with SASL_UNAVAIL at each login. Returns NULL when out of
 * memory. */
struct verifier *verifier_new(const sasl_utils_t *utils);
void verifier_free(struct verifier *verifier);

/* The response of a client to a challenge, for a mechanism such as CRAM-MD5. */
struct cram_response {
    const char *type;      /* as authdaemond names it: "cram-md5" */
    const char *challenge; /* not in base64 */
    const char *digest;    /* in hexadecimal digits */
};

/* What a mechanism got from the client. A NUL follows each text: the code that checks a user or
 * a password may need strings. */
struct login {
    const char *mechanism;
    struct bytes user; /* as the client sent it */
    struct bytes password;
    const struct cram_response *cram; /* instead of a password; else NULL */
    struct bytes authzid;             /* whom the user wants to act for; BYTES_NONE: no one else */
};

/* Canonicalises the user into `oparams`, even for a login that fails, so that
 * the host can log who it was, and verifies the password: the first method
 * that says yes ends the search.
 * Returns SASL_OK; SASL_BADAUTH if no method says yes; SASL_UNAVAIL or
 * SASL_NOMEM if none does and one of them had no answer. */
int verifier_check(struct verifier *verifier, sasl_server_params_t *sparams,
                   sasl_out_params_t *oparams, const struct login *login);

/* Logs that a message was not even a login, and returns SASL_BADPROT. */
int verifier_refuse_message(const struct verifier *verifier, const sasl_server_params_t *sparams,
                            const char *mechanism, const char *why);

#endif
