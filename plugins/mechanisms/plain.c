/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * PLAIN, RFC 4616: [authzid] NUL authcid NUL passwd, in one message.
 */

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mechanisms/mechanisms.h"
#include "mechanisms/verifier.h"

struct exchange {
    struct verifier *verifier;
    enum { EXPECT_MESSAGE, EXPECT_NOTHING } state;
};

static int mech_new(void *glob_context, sasl_server_params_t *sparams, const char *challenge,
                    unsigned challenge_length, void **conn_context)
{
    struct exchange *exchange;

    (void)sparams, (void)challenge, (void)challenge_length;
    *conn_context = NULL;
    if (glob_context == NULL)
        return SASL_NOTINIT;
    *conn_context = exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return SASL_NOMEM;
    exchange->verifier = glob_context;
    exchange->state = EXPECT_MESSAGE;
    return SASL_OK;
}

static void mech_dispose(void *conn_context, const sasl_utils_t *utils)
{
    (void)utils;
    free(conn_context);
}

struct message {
    struct secret whole; /* a copy, which the others are parts of */
    struct secret authzid;
    struct secret authcid;
    struct secret password;
};

/* The part up to the next NUL, which is stepped over. The last one ends in the NUL
 * that stands behind a secret. */
static struct secret take_field(char **at)
{
    struct secret field = {*at, strlen(*at)};

    *at += field.length + 1;
    return field;
}

static int split(struct message *message, const char *text, unsigned length)
{
    unsigned nuls = 0, i;
    char *at;

    for (i = 0; i < length; i++)
        nuls += text[i] == '\0';
    if (nuls != 2)
        return SASL_BADPROT;
    if (!secret_set(&message->whole, text, length))
        return SASL_NOMEM;
    at = message->whole.bytes;
    message->authzid = take_field(&at);
    message->authcid = take_field(&at);
    message->password = take_field(&at);
    return SASL_OK;
}

static bool acts_for_himself(const struct message *message)
{
    return message->authzid.length == 0 ||
           strcmp(message->authzid.bytes, message->authcid.bytes) == 0;
}

static int check(struct verifier *verifier, const struct message *message,
                 sasl_server_params_t *sparams, sasl_out_params_t *oparams)
{
    const struct login login = {
        .mechanism = plain_mechanism.mech_name,
        .user = &message->authcid,
        .password = &message->password,
        .authzid = acts_for_himself(message) ? NULL : &message->authzid,
    };

    return verifier_check(verifier, sparams, oparams, &login);
}

static int receive_message(struct verifier *verifier, const char *text, unsigned length,
                           sasl_server_params_t *sparams, sasl_out_params_t *oparams)
{
    struct message message = {.whole = {.bytes = NULL}};
    int result = split(&message, text, length);

    if (result == SASL_OK)
        result = check(verifier, &message, sparams, oparams);
    else if (result == SASL_BADPROT)
        result = verifier_refuse_message(verifier, sparams, plain_mechanism.mech_name,
                                         "the message does not hold two NULs");
    if (result == SASL_OK)
        mechanisms_done(oparams);
    secret_wipe(&message.whole);
    return result;
}

static int mech_step(void *conn_context, sasl_server_params_t *sparams, const char *text,
                     unsigned length, const char **reply, unsigned *reply_length,
                     sasl_out_params_t *oparams)
{
    struct exchange *exchange = conn_context;

    if (!mechanisms_begin_step(exchange, text, &length, reply, reply_length))
        return SASL_BADPROT;
    switch (exchange->state) {
    case EXPECT_MESSAGE:
        exchange->state = EXPECT_NOTHING;
        return receive_message(exchange->verifier, text, length, sparams, oparams);
    case EXPECT_NOTHING:
        break;
    }
    return SASL_BADPROT;
}

const sasl_server_plug_t plain_mechanism = {
    .mech_name = "PLAIN",
    .security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS,
    .features = SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY,
    .mech_new = mech_new,
    .mech_step = mech_step,
    .mech_dispose = mech_dispose,
};
