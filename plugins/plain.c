/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * PLAIN, RFC 4616: [authzid] NUL authcid NUL passwd, in one message.
 */

#include <string.h>

#include "mechanisms.h"
#include "secret.h"
#include "verifier.h"

static int mech_new(void *glob_context, sasl_server_params_t *sparams, const char *challenge,
                    unsigned challenge_length, void **conn_context)
{
    (void)sparams, (void)challenge, (void)challenge_length;
    *conn_context = glob_context;
    return SASL_OK;
}

static void mech_dispose(void *conn_context, const sasl_utils_t *utils)
{
    (void)conn_context, (void)utils;
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
    const char *end = text + length;
    unsigned nuls = 0;
    char *at;

    for (; text < end; text++)
        nuls += *text == '\0';
    if (nuls != 2)
        return SASL_BADPROT;
    if (!secret_set(&message->whole, end - length, length))
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
        .mechanism = mechanism_plain.mech_name,
        .user = &message->authcid,
        .password = &message->password,
        .authzid = acts_for_himself(message) ? NULL : &message->authzid,
    };

    return verifier_check(verifier, sparams, oparams, &login);
}

static int mech_step(void *conn_context, sasl_server_params_t *sparams, const char *text,
                     unsigned length, const char **reply, unsigned *reply_length,
                     sasl_out_params_t *oparams)
{
    struct message message = {.whole = SECRET_EMPTY};
    int result;

    *reply = NULL;
    *reply_length = 0;
    result = split(&message, text != NULL ? text : "", text != NULL ? length : 0);
    if (result == SASL_OK)
        result = check(conn_context, &message, sparams, oparams);
    else if (result == SASL_BADPROT)
        result = verifier_refuse_message(conn_context, sparams, mechanism_plain.mech_name,
                                         "the message does not hold two NULs");
    if (result == SASL_OK)
        mechanism_done(oparams);
    secret_wipe(&message.whole);
    return result;
}

const sasl_server_plug_t mechanism_plain = {
    .mech_name = "PLAIN",
    .security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS,
    .features = SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY,
    .mech_new = mech_new,
    .mech_step = mech_step,
    .mech_dispose = mech_dispose,
};
