/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MECHANISMS_H
#define SQLCRYPT_MECHANISMS_H

/*
 * The server mechanisms of libpwverify.so, one file each, and what they share.
 * Their `glob_context` is the struct verifier.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* plain.c: RFC 4616 */
extern const sasl_server_plug_t plain_mechanism;

/* login.c: draft-murchison-sasl-login-00 */
extern const sasl_server_plug_t login_mechanism;

/* cram.c: RFC 2195; only if authdaemond is asked */
extern const sasl_server_plug_t cram_md5_mechanism;
extern const sasl_server_plug_t cram_sha1_mechanism;
extern const sasl_server_plug_t cram_sha256_mechanism;

/* Starts a step: clears the reply, and the length of a text that is NULL.
 * Returns false if there is no exchange. libsasl2 disposes of it when a step has
 * failed, and passes NULL to every later step; some programs do step again. */
bool mechanisms_begin_step(const void *exchange, const char *text, unsigned *length,
                           const char **reply, unsigned *reply_length);

/* Says in `oparams` that the exchange has succeeded, without a security layer. */
void mechanisms_done(sasl_out_params_t *oparams);

#endif
