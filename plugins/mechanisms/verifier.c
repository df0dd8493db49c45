/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/verifier.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/option.h"
#include "base/quoted.h"
#include "glue/activation.h"
#include "glue/login_name.h"
#include "glue/sasl_glue.h"
#include "mechanisms/authdaemond_check.h"
#include "mechanisms/auxprop_check.h"
#include "mechanisms/libsasl_check.h"
#include "mechanisms/stock_silence.h"
#include "password/password_options.h"
#include "password/password_policy.h"

#define AUXPROP "auxprop"
#define AUTHDAEMOND "authdaemond"

/* CANON_BUF_SIZE of libsasl2, which leaks memory on a longer name. */
enum { CANONICAL_NAME_SIZE = 1024 };

struct verifier {
    int log_level;
    struct password_policy *policy; /* NULL if the configuration cannot be used */
    struct reason why_broken;
    struct authdaemond_check *authdaemond; /* NULL if pwcheck_method does not name it */
    atomic_bool no_callback;               /* see libsasl_check_callback() */
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

    if (verifier == NULL)
        return NULL;
    verifier->log_level = sasl_glue_log_level(utils);
    verifier->policy = password_options_read(&options, &verifier->why_broken);
    if (verifier->policy == NULL)
        log_broken(verifier, utils, &verifier->why_broken);
    if (activation_authdaemond(utils)) {
        struct reason reason;

        verifier->authdaemond = authdaemond_check_new(utils, &reason);
        if (verifier->authdaemond == NULL) {
            verifier_free(verifier);
            return NULL;
        }
        if (reason.text[0] != '\0')
            log_broken(verifier, utils, &reason);
    }
    return verifier;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    password_policy_free(verifier->policy);
    authdaemond_check_free(verifier->authdaemond);
    free(verifier);
}

/* One login on its way through the methods. */
struct check {
    struct verifier *verifier;
    sasl_server_params_t *sparams;
    sasl_out_params_t *oparams;
    const struct login *login;
    char *methods;              /* pwcheck_method */
    int lookup_result;          /* what canon_user said after the auxprop plug-ins were asked */
    struct auxprop_trace trace; /* of libsqlcrypt */
};

/* Whether libsasl2 can make a name of that length canonical. */
static bool name_fits(const sasl_server_params_t *sparams, size_t length)
{
    const char *realm = sparams->user_realm != NULL ? sparams->user_realm : "";

    return length + strlen(realm) + sizeof("@") <= CANONICAL_NAME_SIZE;
}

/* What no back end needs to be asked about. */
static bool is_well_formed(const struct check *check, struct reason *reason)
{
    const struct login *login = check->login;
    const struct bytes user = login->user;
    size_t blanks = 0;

    while (blanks < user.length && isspace((unsigned char)user.start[blanks]))
        blanks++;
    if (blanks == user.length)
        reason_set(reason, "the user name is empty");
    else if (!name_fits(check->sparams, user.length))
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

/* What it means if libsasl2 cannot make a name canonical. */
static enum verdict verdict_of_canon_user(int result)
{
    switch (result) {
    case SASL_BADPROT:
    case SASL_BADPARAM:
    case SASL_BUFOVER:
    case SASL_NOUSER:
        return VERDICT_MALFORMED;
    case SASL_DISABLED:
        return VERDICT_LOCKED;
    case SASL_NOMEM:
        return VERDICT_NO_MEMORY;
    default:
        return VERDICT_UNAVAILABLE;
    }
}

static int canon_user(const struct check *check, struct bytes name, unsigned flags)
{
    sasl_server_params_t *sparams = check->sparams;
    sasl_conn_t *connection = sparams->utils->conn; /* which keeps the canonical name */
    struct stock_silence silence;
    int result;

    stock_silence_begin(&silence, sparams);
    result =
        sparams->canon_user(connection, name.start, (unsigned)name.length, flags, check->oparams);
    stock_silence_end(&silence, sparams);
    return result;
}

/* Lets libsasl2 make the user canonical and ask the auxprop plug-ins. Returns
 * false with a verdict if there is no canonical name. */
static bool canonicalise(struct check *check, enum verdict *verdict, struct reason *reason)
{
    const struct login *login = check->login;
    unsigned flags = SASL_CU_AUTHID | (login->authzid.start == NULL ? SASL_CU_AUTHZID : 0);
    int result;

    if (login->cram == NULL && option_has_word(check->methods, AUXPROP) &&
        !auxprop_check_request(check->sparams)) {
        reason_set(reason, "out of memory");
        *verdict = VERDICT_NO_MEMORY;
        return false;
    }
    check->oparams->authid = NULL;
    result = canon_user(check, login->user, flags);
    check->lookup_result = result;
    if (check->oparams->authid != NULL)
        return true;
    reason_set(reason, "canon_user: %s", sasl_errstring(result, NULL, NULL));
    *verdict = verdict_of_canon_user(result);
    return false;
}

static enum verdict ask_authdaemond(const struct check *check, struct reason *reason)
{
    const struct authdaemond_check *authdaemond = check->verifier->authdaemond;
    const char *user = check->oparams->authid;

    if (authdaemond == NULL) {
        reason_set(reason, "authdaemond was not in pwcheck_method when the program started");
        return VERDICT_UNAVAILABLE;
    }
    if (check->login->cram != NULL)
        return authdaemond_check_cram(authdaemond, check->sparams, user, check->login->cram,
                                      reason);
    return authdaemond_check_password(authdaemond, check->sparams, user, check->login->password,
                                      reason);
}

static enum verdict check_method(struct check *check, const char *method, struct reason *reason)
{
    if (strcasecmp(method, AUTHDAEMOND) == 0)
        return ask_authdaemond(check, reason);
    if (strcasecmp(method, AUXPROP) == 0)
        return auxprop_check(check->sparams, check->verifier->policy, check->lookup_result,
                             check->login->password, &check->trace, reason);
    return libsasl_check(check->sparams, method, check->oparams->authid, check->login->password,
                         reason);
}

static bool is_refusal(enum verdict verdict)
{
    return verdict == VERDICT_LOCKED || verdict == VERDICT_UNUSABLE || verdict == VERDICT_NO_USER ||
           verdict == VERDICT_MISMATCH;
}

/* Adds to the reason of a refusal who it was that the method knew, or did not know. */
static void tell_who(const struct check *check, const char *method, struct reason *reason)
{
    const struct login_name name = {check->login->user, check->oparams->authid};

    if (strcasecmp(method, AUXPROP) != 0)
        login_name_tell_sent(reason, &name);
    else if (check->trace.looked_up)
        login_name_tell_table(reason, check->sparams, &name, check->trace.by_realm);
}

/* The lower, the more an answer that is no yes has to say: in the order of the enum, an
 * outage outranks a wrong password. A refusal by a method that does not tell a wrong
 * password from an unknown user, as auxprop does, comes between the two. */
static unsigned rank_of(const char *method, enum verdict verdict)
{
    return 2 * (unsigned)verdict +
           (verdict == VERDICT_MISMATCH && strcasecmp(method, AUXPROP) != 0);
}

/* Goes through the methods. Without a yes, the verdict is the one that has most to say. */
static enum verdict check_methods(struct check *check, struct reason *reason)
{
    const char *list = check->methods;
    enum verdict verdict = VERDICT_UNAVAILABLE;
    unsigned rank = 0;
    bool any = false;
    char method[64];

    if (check->login->cram == NULL &&
        libsasl_check_callback(check->sparams, check->oparams->authid, check->login->password,
                               &check->verifier->no_callback))
        return VERDICT_MATCH;
    while (option_next_word(&list, method, sizeof(method))) {
        struct reason why;
        enum verdict next;

        /* Of the methods, authdaemond alone knows of challenges. */
        if (check->login->cram != NULL && strcasecmp(method, AUTHDAEMOND) != 0)
            continue;
        next = check_method(check, method, &why);
        if (is_refusal(next))
            tell_who(check, method, &why);
        sasl_glue_log(check->sparams->utils, check->verifier->log_level, SASL_LOG_DEBUG,
                      "pwverify: %s by %s: %s", check->login->mechanism, method,
                      next == VERDICT_MATCH ? "the password is right" : why.text);
        if (next == VERDICT_MATCH)
            return next;
        if (!any || rank_of(method, next) < rank) {
            verdict = next;
            rank = rank_of(method, next);
            *reason = why;
        }
        any = true;
    }
    if (!any)
        reason_set(reason, "pwcheck_method lists no method");
    return verdict;
}

static int log_level_of(const struct check *check, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_MATCH:
        return SASL_LOG_NOTE;
    case VERDICT_UNAVAILABLE:
        return check->trace.outage_logged ? SASL_LOG_NOTE : SASL_LOG_ERR;
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

/* Whatever the password: the work is done all the same. */
static enum verdict refuse(struct check *check, enum verdict verdict)
{
    struct reason ignored;

    if (check->login->cram == NULL)
        password_policy_refuse(check->verifier->policy, check->login->password, &ignored);
    return verdict;
}

/* An auxprop plug-in says that the account is disabled. */
static enum verdict refuse_disabled(struct check *check, struct reason *reason)
{
    reason_set(reason, "the account is disabled");
    return refuse(check, VERDICT_LOCKED);
}

/* Nobody is asked for such a name: making it canonical may trim it to that of a user. */
static enum verdict refuse_name(struct check *check, const char *flaw, struct reason *reason)
{
    reason_set(reason, "the user name %s", flaw);
    return refuse(check, VERDICT_NO_USER);
}

static enum verdict check_login(struct check *check, struct reason *reason)
{
    const struct options options = sasl_glue_options(check->sparams->utils);
    enum verdict verdict = VERDICT_MALFORMED;
    const char *flaw;

    if (check->verifier->policy == NULL) {
        *reason = check->verifier->why_broken;
        return VERDICT_UNAVAILABLE;
    }
    if (!is_well_formed(check, reason))
        return VERDICT_MALFORMED;
    flaw = login_name_flaw(check->login->user.start, check->login->user.length);
    if (flaw != NULL)
        return refuse_name(check, flaw, reason);
    if (!options_copy(&options, OPTION_PWCHECK_METHOD, &check->methods)) {
        reason_set(reason, "out of memory");
        return VERDICT_NO_MEMORY;
    }
    if (canonicalise(check, &verdict, reason))
        verdict = check->lookup_result == SASL_DISABLED ? refuse_disabled(check, reason)
                                                        : check_methods(check, reason);
    auxprop_check_erase(check->sparams);
    free(check->methods);
    return verdict;
}

/* Properties of the user whose rights are used: what the check of the password
 * has fetched without a '*' belongs to another one. */
static void erase_authorization(const sasl_server_params_t *sparams)
{
    const struct propval *property = sparams->utils->prop_get(sparams->propctx);

    for (; property != NULL && property->name != NULL; property++)
        if (property->name[0] != '*' && property->values != NULL)
            sparams->utils->prop_erase(sparams->propctx, property->name);
}

/* Makes the user canonical whose rights are used. */
static enum verdict authorize(struct check *check, struct reason *reason)
{
    const struct bytes authzid = check->login->authzid;
    const char *flaw = name_fits(check->sparams, authzid.length)
                           ? login_name_flaw(authzid.start, authzid.length)
                           : "is too long";
    int result;

    if (flaw != NULL) {
        reason_set(reason, "the authorization identity %s", flaw);
        return VERDICT_MALFORMED;
    }
    erase_authorization(check->sparams);
    check->oparams->user = NULL;
    result = canon_user(check, authzid, SASL_CU_AUTHZID);
    /* Where no plug-in of libsasl2 is relied upon, none needs to know him. */
    if (result == SASL_OK || (result == SASL_NOMECH && check->oparams->user != NULL))
        return VERDICT_MATCH;
    reason_set(reason, "authorization identity: %s", sasl_errstring(result, NULL, NULL));
    return verdict_of_canon_user(result);
}

int verifier_check(struct verifier *verifier, sasl_server_params_t *sparams,
                   sasl_out_params_t *oparams, const struct login *login)
{
    const sasl_utils_t *utils = sparams->utils;
    struct check check = {
        .verifier = verifier, .sparams = sparams, .oparams = oparams, .login = login};
    struct reason reason;
    struct quoted user;
    enum verdict verdict = check_login(&check, &reason);

    if (verdict == VERDICT_MATCH && login->authzid.start != NULL)
        verdict = authorize(&check, &reason);
    quoted_set(&user, login->user.start, login->user.length);
    sasl_glue_log(utils, verifier->log_level, log_level_of(&check, verdict), "%s: user %s: %s",
                  login->mechanism, user.text,
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
