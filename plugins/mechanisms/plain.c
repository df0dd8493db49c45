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

/* The parts of a message. */
struct message {
    struct bytes authzid, authcid, password;
};

/* Takes the part up to the next NUL, and steps over the NUL. The last part ends
 * in the NUL that follows a secret. */
static struct bytes take_field(const char **at)
{
    const struct bytes field = {*at, strlen(*at)};

    *at += field.length + 1;
    return field;
}

static bool is_message(struct bytes text)
{
    unsigned nuls = 0;
    size_t i;

    for (i = 0; i < text.length; i++)
        nuls += text.start[i] == '\0';
    return nuls == 2;
}

/* Returns views of the parts of `whole`. */
static struct message split(const struct secret *whole)
{
    const char *at = whole->bytes;
    struct message message;

    message.authzid = take_field(&at);
    message.authcid = take_field(&at);
    message.password = take_field(&at);
    return message;
}

static bool acts_for_himself(const struct message *message)
{
    return message->authzid.length == 0 ||
           strcmp(message->authzid.start, message->authcid.start) == 0;
}

static int check(struct verifier *verifier, const struct message *message,
                 sasl_server_params_t *sparams, sasl_out_params_t *oparams)
{
    const struct login login = {
        .mechanism = plain_mechanism.mech_name,
        .user = message->authcid,
        .password = message->password,
        .authzid = acts_for_himself(message) ? BYTES_NONE : message->authzid,
    };
    const int result = verifier_check(verifier, sparams, oparams, &login);

    if (result == SASL_OK)
        mechanisms_done(oparams);
    return result;
}

static int receive_message(struct verifier *verifier, struct bytes text,
                           sasl_server_params_t *sparams, sasl_out_params_t *oparams)
{
    struct secret whole = SECRET_EMPTY;
    int result = SASL_NOMEM;

    if (!is_message(text))
        return verifier_refuse_message(verifier, sparams, plain_mechanism.mech_name,
                                       "malformed message: PLAIN needs two NULs");
    if (secret_set(&whole, text.start, text.length)) {
        const struct message message = split(&whole);

        result = check(verifier, &message, sparams, oparams);
    }
    secret_wipe(&whole);
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
        return receive_message(exchange->verifier, (struct bytes){text, length}, sparams, oparams);
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
