/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One login from its start to its log line.
 */

#include "mechanisms/verifier.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/quoted.h"
#include "glue/login_name.h"
#include "glue/sasl_glue.h"
#include "mechanisms/authorization.h"
#include "mechanisms/canonical.h"
#include "mechanisms/methods.h"
#include "password/password_options.h"
#include "password/password_policy.h"

struct verifier {
    int log_level;
    struct password_policy *policy; /* NULL if the configuration cannot be used */
    struct reason why_broken;
    struct methods *methods;
};

static void log_broken(const struct verifier *verifier, const sasl_utils_t *utils,
                       const struct reason *why)
{
    sasl_glue_log(utils, verifier->log_level, SASL_LOG_ERR, "pwverify: %s", why->text);
}

struct verifier *verifier_new(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);
    struct verifier *verifier = calloc(1, sizeof(*verifier));
    struct reason of_methods;

    if (verifier == NULL)
        return NULL;
    verifier->log_level = sasl_glue_log_level(utils);
    verifier->policy = password_options_read(&options, &verifier->why_broken);
    if (verifier->policy == NULL)
        log_broken(verifier, utils, &verifier->why_broken);
    verifier->methods = methods_new(utils, verifier->log_level, verifier->policy, &of_methods);
    if (verifier->methods == NULL) {
        verifier_free(verifier);
        return NULL;
    }
    if (of_methods.text[0] != '\0')
        log_broken(verifier, utils, &of_methods);
    return verifier;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    methods_free(verifier->methods);
    password_policy_free(verifier->policy);
    free(verifier);
}

/* Whether the login is worth asking anything about. */
static bool is_well_formed(const struct methods_question *question, struct reason *reason)
{
    const struct login *login = question->login;
    const struct bytes user = login->user;
    size_t blanks = 0;

    while (blanks < user.length && isspace((unsigned char)user.start[blanks]))
        blanks++;
    if (blanks == user.length)
        reason_set(reason, "the user name is empty");
    else if (!canonical_fits(question->sparams, user.length))
        reason_set(reason, "the user name is too long");
    else if (login->cram != NULL)
        return true;
    else if (login->password.length == 0)
        reason_set(reason, "the password is empty");
    else if (bytes_have_nul(login->password))
        reason_set(reason, "the password holds a NUL");
    else
        return true;
    return false;
}

/* Refuses whatever the password is, after the usual work. */
static enum verdict refuse(const struct verifier *verifier, const struct login *login,
                           enum verdict verdict)
{
    struct reason ignored;

    if (login->cram == NULL)
        password_policy_refuse(verifier->policy, login->password, &ignored);
    return verdict;
}

/* Makes the user name canonical, during which libsasl2 asks the auxprop plug-ins, and then asks
 * the methods. */
static enum verdict check_user(struct verifier *verifier, struct methods_question *question,
                               sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                               struct reason *reason)
{
    const struct login *login = question->login;
    enum verdict verdict = VERDICT_NO_MEMORY;

    if (!methods_request(question)) {
        reason_no_memory(reason);
        return VERDICT_NO_MEMORY;
    }
    if (!canonical_user(sparams, oparams, login->user, login->authzid.start == NULL,
                        &question->lookup_result, &verdict, reason))
        return verdict;
    if (question->lookup_result == SASL_DISABLED) { /* an auxprop plug-in says so */
        reason_set(reason, "the account is disabled");
        return refuse(verifier, login, VERDICT_LOCKED);
    }
    question->user = oparams->authid;
    return methods_ask(verifier->methods, question, reason);
}

static enum verdict check_login(struct verifier *verifier, struct methods_question *question,
                                sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                                struct reason *reason)
{
    const struct options options = sasl_glue_options(sparams->utils);
    const struct login *login = question->login;
    enum verdict verdict;
    const char *flaw;
    char *list;

    if (verifier->policy == NULL) {
        *reason = verifier->why_broken;
        return VERDICT_UNAVAILABLE;
    }
    if (!is_well_formed(question, reason))
        return VERDICT_MALFORMED;
    /* No method is asked about such a name: making it canonical may trim it to a user's name. */
    flaw = login_name_flaw(login->user.start, login->user.length);
    if (flaw != NULL) {
        reason_set(reason, "the user name %s", flaw);
        return refuse(verifier, login, VERDICT_NO_USER);
    }
    if (!options_copy(&options, OPTION_PWCHECK_METHOD, &list)) {
        reason_no_memory(reason);
        return VERDICT_NO_MEMORY;
    }
    question->list = list;
    verdict = check_user(verifier, question, sparams, oparams, reason);
    methods_forget(question);
    free(list);
    return verdict;
}

static int log_level_of(enum verdict verdict, const struct auxprop_trace *trace)
{
    switch (verdict) {
    case VERDICT_MATCH:
        return SASL_LOG_NOTE;
    case VERDICT_UNAVAILABLE:
        return trace->outage_logged ? SASL_LOG_NOTE : SASL_LOG_ERR;
    case VERDICT_NO_MEMORY:
    case VERDICT_UNUSABLE:
        return SASL_LOG_ERR;
    case VERDICT_MALFORMED:
    case VERDICT_LOCKED:
    case VERDICT_NO_USER:
    case VERDICT_MISMATCH:
        break;
    }
    return SASL_LOG_FAIL;
}

int verifier_check(struct verifier *verifier, sasl_server_params_t *sparams,
                   sasl_out_params_t *oparams, const struct login *login)
{
    const sasl_utils_t *utils = sparams->utils;
    struct methods_question question = {.sparams = sparams, .login = login};
    struct reason reason;
    struct quoted user;
    enum verdict verdict = check_login(verifier, &question, sparams, oparams, &reason);
    enum verdict refusal;

    if (verdict == VERDICT_MATCH && login->authzid.start != NULL &&
        !authorization_grant(sparams, oparams, login->authzid, &refusal, &reason))
        verdict = refusal;
    quoted_set(&user, login->user.start, login->user.length);
    sasl_glue_log(utils, verifier->log_level, log_level_of(verdict, &question.trace),
                  "%s: user %s: %s", login->mechanism, user.text,
                  verdict == VERDICT_MATCH ? "authenticated" : reason.text);
    if (verdict != VERDICT_MATCH)
        utils->seterror(utils->conn, SASL_NOLOG, "authentication failed");
    return sasl_glue_result(verdict);
}

int verifier_refuse_message(const struct verifier *verifier, const sasl_server_params_t *sparams,
                            const char *mechanism, const char *why)
{
    sasl_glue_log(sparams->utils, verifier->log_level, SASL_LOG_FAIL, "%s: %s", mechanism, why);
    sparams->utils->seterror(sparams->utils->conn, SASL_NOLOG, "authentication failed");
    return SASL_BADPROT;
}
