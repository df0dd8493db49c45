/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * CRAM-MD5, RFC 2195, and its relatives CRAM-SHA1 and CRAM-SHA256, as Courier's
 * clients name them. The server sends a challenge; the client answers with its
 * name, a blank, and the HMAC of the challenge with the password as the key, in
 * hexadecimal digits. authdaemond knows the password, and judges.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/secret.h"
#include "mechanisms/mechanisms.h"
#include "mechanisms/verifier.h"

struct kind {
    const char *mechanism;
    const char *type; /* as authdaemond names it */
    size_t digits;    /* of the digest */
};

enum state { EXPECT_START, EXPECT_RESPONSE, EXPECT_NOTHING };

struct exchange {
    struct verifier *verifier;
    const struct kind *kind;
    enum state state;
    char challenge[400];
};

static int exchange_new(struct verifier *verifier, const struct kind *kind, void **conn_context)
{
    struct exchange *exchange;

    *conn_context = NULL;
    if (verifier == NULL)
        return SASL_NOTINIT;
    *conn_context = exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return SASL_NOMEM;
    exchange->verifier = verifier;
    exchange->kind = kind;
    exchange->state = EXPECT_START;
    return SASL_OK;
}

static void mech_dispose(void *conn_context, const sasl_utils_t *utils)
{
    (void)utils;
    free(conn_context);
}

/* A fresh and unpredictable challenge, in the form of a message id. */
static int send_challenge(struct exchange *exchange, const sasl_server_params_t *sparams,
                          const char **reply, unsigned *reply_length)
{
    unsigned char random[16];
    char digits[2 * sizeof(random) + 1];
    int length;

    if (getentropy(random, sizeof(random)) != 0)
        return SASL_UNAVAIL;
    hex_write(digits, random, sizeof(random));
    length =
        snprintf(exchange->challenge, sizeof(exchange->challenge), "<%s.%lld@%.255s>", digits,
                 (long long)time(NULL), sparams->serverFQDN != NULL ? sparams->serverFQDN : "");
    exchange->state = EXPECT_RESPONSE;
    *reply = exchange->challenge;
    *reply_length = (unsigned)length;
    return SASL_CONTINUE;
}

static bool is_digest(const char *text, size_t digits)
{
    size_t i;

    for (i = 0; i < digits; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return text[digits] == '\0';
}

/* Takes the response apart. The name is its start, which then ends in a NUL. */
static bool split(struct secret *response, size_t digits, struct login *login,
                  struct cram_response *cram)
{
    char *blank = strrchr(response->bytes, ' ');

    /* In base64, the daemon could not see where a name ends. */
    if (bytes_have_control(secret_bytes(response)) || blank == NULL ||
        !is_digest(blank + 1, digits))
        return false;
    *blank = '\0';
    login->user = (struct bytes){response->bytes, (size_t)(blank - response->bytes)};
    cram->digest = blank + 1;
    return true;
}

static int check(struct exchange *exchange, struct secret *response, sasl_server_params_t *sparams,
                 sasl_out_params_t *oparams)
{
    const struct kind *kind = exchange->kind;
    struct cram_response cram = {.type = kind->type, .challenge = exchange->challenge};
    struct login login = {.mechanism = kind->mechanism, .cram = &cram};
    int result;

    if (!split(response, kind->digits, &login, &cram))
        return verifier_refuse_message(exchange->verifier, sparams, kind->mechanism,
                                       "malformed response: not a name and a digest");
    result = verifier_check(exchange->verifier, sparams, oparams, &login);
    if (result == SASL_OK)
        mechanisms_done(oparams);
    return result;
}

static int receive_response(struct exchange *exchange, const char *text, unsigned length,
                            sasl_server_params_t *sparams, sasl_out_params_t *oparams)
{
    struct secret response = SECRET_EMPTY;
    int result = SASL_NOMEM;

    if (secret_set(&response, text, length))
        result = check(exchange, &response, sparams, oparams);
    secret_wipe(&response);
    return result;
}

static int mech_step(void *conn_context, sasl_server_params_t *sparams, const char *text,
                     unsigned length, const char **reply, unsigned *reply_length,
                     sasl_out_params_t *oparams)
{
    struct exchange *exchange = conn_context;
    enum state state;

    if (!mechanisms_begin_step(exchange, text, &length, reply, reply_length))
        return SASL_BADPROT;
    state = exchange->state;
    exchange->state = EXPECT_NOTHING;
    switch (state) {
    case EXPECT_START:
        return length == 0
                   ? send_challenge(exchange, sparams, reply, reply_length)
                   : verifier_refuse_message(exchange->verifier, sparams, exchange->kind->mechanism,
                                             "unexpected initial response");
    case EXPECT_RESPONSE:
        return receive_response(exchange, text, length, sparams, oparams);
    case EXPECT_NOTHING:
        break;
    }
    return SASL_BADPROT;
}

static const struct kind md5 = {"CRAM-MD5", "cram-md5", 32};
static const struct kind sha1 = {"CRAM-SHA1", "cram-sha1", 40};
static const struct kind sha256 = {"CRAM-SHA256", "cram-sha256", 64};

static int md5_new(void *glob_context, sasl_server_params_t *sparams, const char *challenge,
                   unsigned challenge_length, void **conn_context)
{
    (void)sparams, (void)challenge, (void)challenge_length;
    return exchange_new(glob_context, &md5, conn_context);
}

static int sha1_new(void *glob_context, sasl_server_params_t *sparams, const char *challenge,
                    unsigned challenge_length, void **conn_context)
{
    (void)sparams, (void)challenge, (void)challenge_length;
    return exchange_new(glob_context, &sha1, conn_context);
}

static int sha256_new(void *glob_context, sasl_server_params_t *sparams, const char *challenge,
                      unsigned challenge_length, void **conn_context)
{
    (void)sparams, (void)challenge, (void)challenge_length;
    return exchange_new(glob_context, &sha256, conn_context);
}

#define CRAM(name, new)                                                                            \
    {                                                                                              \
        .mech_name = name, .security_flags = SASL_SEC_NOPLAINTEXT | SASL_SEC_NOANONYMOUS,          \
        .features = SASL_FEAT_SERVER_FIRST, .mech_new = new, .mech_step = mech_step,               \
        .mech_dispose = mech_dispose                                                               \
    }

const sasl_server_plug_t cram_md5_mechanism = CRAM("CRAM-MD5", md5_new);
const sasl_server_plug_t cram_sha1_mechanism = CRAM("CRAM-SHA1", sha1_new);
const sasl_server_plug_t cram_sha256_mechanism = CRAM("CRAM-SHA256", sha256_new);
