/* SPDX-License-Identifier: BSD-3-Clause */
#include "verifier.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auxprop_check.h"
#include "foreign_check.h"
#include "password_policy.h"
#include "sasl_host.h"
#include "utf8.h"

#define AUXPROP "auxprop"

/* CANON_BUF_SIZE of libsasl2, which loses memory over a longer name. */
enum { CANONICAL_NAME_SIZE = 1024 };

struct verifier {
    int log_level;
    struct password_policy *policy; /* NULL if the configuration cannot be used */
    struct reason why_broken;
};

struct verifier *verifier_new(const sasl_utils_t *utils)
{
    struct verifier *verifier = calloc(1, sizeof(*verifier));
    const char *format = sasl_host_option(utils, "password_format");

    if (verifier == NULL)
        return NULL;
    verifier->log_level = sasl_host_log_level(utils);
    verifier->policy = password_policy_new(format != NULL ? format : "plain",
                                           sasl_host_option(utils, "password_store_scheme"),
                                           &verifier->why_broken);
    if (verifier->policy == NULL)
        sasl_host_log(utils, verifier->log_level, SASL_LOG_ERR, "pwverify: %s",
                      verifier->why_broken.text);
    return verifier;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    password_policy_free(verifier->policy);
    free(verifier);
}

/* One login on its way through the methods. */
struct check {
    struct verifier *verifier;
    sasl_server_params_t *sparams;
    sasl_out_params_t *oparams;
    const struct login *login;
    int lookup_result;  /* what canon_user said after the auxprop plug-ins were asked */
    bool outage_logged; /* by libsqlcrypt */
};

/* The next method of the list, copied into `method`; false at its end. */
static bool next_method(const char **list, char *method, size_t size)
{
    size_t length = 0;

    while (isspace((unsigned char)**list))
        (*list)++;
    for (; **list != '\0' && !isspace((unsigned char)**list); (*list)++)
        if (length + 1 < size)
            method[length++] = **list;
    method[length] = '\0';
    return length > 0;
}

static const char *methods(const struct check *check)
{
    const char *list = sasl_host_option(check->sparams->utils, "pwcheck_method");

    return list != NULL ? list : AUXPROP;
}

static bool lists_auxprop(const struct check *check)
{
    const char *list = methods(check);
    char method[64];

    while (next_method(&list, method, sizeof(method)))
        if (strcasecmp(method, AUXPROP) == 0)
            return true;
    return false;
}

/* What no back end needs to be asked about. */
static bool is_well_formed(const struct check *check, struct reason *reason)
{
    const struct login *login = check->login;
    const struct secret *user = login->user;
    const char *nul = memchr(user->bytes, '\0', user->length);
    const char *realm = check->sparams->user_realm;
    size_t blanks = 0;

    while (blanks < user->length && isspace((unsigned char)user->bytes[blanks]))
        blanks++;
    if (blanks == user->length)
        reason_set(reason, "the user name is empty");
    else if (user->length + strlen(realm != NULL ? realm : "") + sizeof("@") > CANONICAL_NAME_SIZE)
        reason_set(reason, "the user name is too long");
    else if (nul != NULL || !utf8_valid(user->bytes, user->length))
        reason_set(reason, "the user name is not UTF-8");
    else if (login->password->length == 0)
        reason_set(reason, "the password is empty");
    else if (memchr(login->password->bytes, '\0', login->password->length) != NULL)
        reason_set(reason, "the password holds a NUL");
    else
        return true;
    return false;
}

/* Lets libsasl2 make the user canonical and ask the auxprop plug-ins. Returns
 * false with a verdict if there is no canonical name. */
static bool canonicalise(struct check *check, enum verdict *verdict, struct reason *reason)
{
    const sasl_utils_t *utils = check->sparams->utils;
    const struct login *login = check->login;
    int result;

    if (lists_auxprop(check) && !auxprop_check_request(check->sparams)) {
        reason_set(reason, "out of memory");
        *verdict = VERDICT_NO_MEMORY;
        return false;
    }
    check->oparams->authid = NULL;
    result =
        check->sparams->canon_user(utils->conn, login->user->bytes, (unsigned)login->user->length,
                                   SASL_CU_AUTHID | login->canon_flags, check->oparams);
    check->lookup_result = result;
    if (check->oparams->authid != NULL)
        return true;

    reason_set(reason, "canon_user: %s", sasl_errstring(result, NULL, NULL));
    switch (result) {
    case SASL_BADPROT:
    case SASL_BADPARAM:
    case SASL_BUFOVER:
    case SASL_NOUSER:
        *verdict = VERDICT_MALFORMED;
        break;
    case SASL_NOMEM:
        *verdict = VERDICT_NO_MEMORY;
        break;
    default:
        *verdict = VERDICT_UNAVAILABLE;
    }
    return false;
}

static enum verdict check_method(struct check *check, const char *method, struct reason *reason)
{
    if (strcasecmp(method, AUXPROP) == 0)
        return auxprop_check(check->sparams, check->verifier->policy, check->lookup_result,
                             check->login->password, &check->outage_logged, reason);
    return foreign_check(check->sparams, method, check->oparams->authid, check->login->password,
                         reason);
}

/* Goes through the methods. Without a yes, the verdict is the one that comes
 * first in its enum: an outage outranks a wrong password. */
static enum verdict check_methods(struct check *check, struct reason *reason)
{
    const char *list = methods(check);
    enum verdict verdict = VERDICT_UNAVAILABLE;
    bool any = false;
    char method[64];

    if (foreign_check_callback(check->sparams, check->oparams->authid, check->login->password))
        return VERDICT_MATCH;
    reason_set(reason, "pwcheck_method lists no method");
    while (next_method(&list, method, sizeof(method))) {
        struct reason why;
        enum verdict next = check_method(check, method, &why);

        sasl_host_log(check->sparams->utils, check->verifier->log_level, SASL_LOG_DEBUG,
                      "pwverify: %s by %s: %s", check->login->mechanism, method,
                      next == VERDICT_MATCH ? "the password is right" : why.text);
        if (next == VERDICT_MATCH)
            return next;
        if (!any || next < verdict) {
            verdict = next;
            *reason = why;
        }
        any = true;
    }
    return verdict;
}

static int log_level_of(const struct check *check, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_MATCH:
        return SASL_LOG_NOTE;
    case VERDICT_UNAVAILABLE:
        return check->outage_logged ? SASL_LOG_NOTE : SASL_LOG_ERR;
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

static enum verdict check_login(struct check *check, struct reason *reason)
{
    enum verdict verdict = VERDICT_MALFORMED;

    if (check->verifier->policy == NULL) {
        *reason = check->verifier->why_broken;
        return VERDICT_UNAVAILABLE;
    }
    if (!is_well_formed(check, reason))
        return VERDICT_MALFORMED;
    if (canonicalise(check, &verdict, reason))
        verdict = check_methods(check, reason);
    auxprop_check_erase(check->sparams);
    return verdict;
}

int verifier_check(struct verifier *verifier, sasl_server_params_t *sparams,
                   sasl_out_params_t *oparams, const struct login *login)
{
    const sasl_utils_t *utils = sparams->utils;
    struct check check = {
        .verifier = verifier, .sparams = sparams, .oparams = oparams, .login = login};
    struct reason reason = {""};
    enum verdict verdict = check_login(&check, &reason);

    sasl_host_log(utils, verifier->log_level, log_level_of(&check, verdict),
                  "%s: user \"%.64s\": %s", login->mechanism, login->user->bytes,
                  verdict == VERDICT_MATCH ? "authenticated" : reason.text);
    if (verdict != VERDICT_MATCH)
        utils->seterror(utils->conn, SASL_NOLOG, "authentication failed");
    return sasl_host_result(verdict);
}

int verifier_refuse_message(const struct verifier *verifier, const sasl_server_params_t *sparams,
                            const char *mechanism, const char *why)
{
    sasl_host_log(sparams->utils, verifier->log_level, SASL_LOG_FAIL, "%s: %s", mechanism, why);
    sparams->utils->seterror(sparams->utils->conn, SASL_NOLOG, "authentication failed");
    return SASL_BADPROT;
}
