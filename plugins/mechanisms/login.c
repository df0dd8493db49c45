/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * LOGIN, draft-murchison-sasl-login-00: the server prompts for the user name,
 * unless the client has sent it as its initial response, and then for the
 * password.
 */

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mechanisms/mechanisms.h"
#include "mechanisms/verifier.h"

static const char user_prompt[] = "Username:";
static const char password_prompt[] = "Password:";

enum state { EXPECT_INITIAL, EXPECT_USER, EXPECT_PASSWORD, EXPECT_NOTHING };

struct exchange {
    struct verifier *verifier;
    enum state state;
    struct secret user;
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
    exchange->state = EXPECT_INITIAL;
    return SASL_OK;
}

static void mech_dispose(void *conn_context, const sasl_utils_t *utils)
{
    struct exchange *exchange = conn_context;

    (void)utils;
    if (exchange == NULL)
        return;
    secret_wipe(&exchange->user);
    free(exchange);
}

static int prompt(const char *text, const char **reply, unsigned *reply_length)
{
    *reply = text;
    *reply_length = (unsigned)strlen(text);
    return SASL_CONTINUE;
}

static int receive_user(struct exchange *exchange, const char *text, unsigned length,
                        const char **reply, unsigned *reply_length)
{
    if (!secret_set(&exchange->user, text, length))
        return SASL_NOMEM;
    exchange->state = EXPECT_PASSWORD;
    return prompt(password_prompt, reply, reply_length);
}

static int check(const struct exchange *exchange, const char *text, unsigned length,
                 sasl_server_params_t *sparams, sasl_out_params_t *oparams)
{
    struct secret password = SECRET_EMPTY;
    struct login login = {
        .mechanism = login_mechanism.mech_name,
        .user = secret_bytes(&exchange->user),
    };
    int result = SASL_NOMEM;

    if (secret_set(&password, text, length)) {
        login.password = secret_bytes(&password);
        result = verifier_check(exchange->verifier, sparams, oparams, &login);
    }
    secret_wipe(&password);
    if (result == SASL_OK)
        mechanisms_done(oparams);
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
    case EXPECT_INITIAL:
        if (length == 0) {
            exchange->state = EXPECT_USER;
            return prompt(user_prompt, reply, reply_length);
        }
        /* fall through */
    case EXPECT_USER:
        return receive_user(exchange, text, length, reply, reply_length);
    case EXPECT_PASSWORD:
        return check(exchange, text, length, sparams, oparams);
    case EXPECT_NOTHING:
        break;
    }
    return SASL_BADPROT;
}

const sasl_server_plug_t login_mechanism = {
    .mech_name = "LOGIN",
    .security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS,
    .mech_new = mech_new,
    .mech_step = mech_step,
    .mech_dispose = mech_dispose,
};
