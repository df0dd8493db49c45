/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/methods.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include "base/option.h"
#include "glue/activation.h"
#include "glue/login_name.h"
#include "glue/sasl_glue.h"
#include "mechanisms/authdaemond_check.h"
#include "mechanisms/libsasl_check.h"

struct methods {
    int log_level;
    struct password_policy *policy;
    struct authdaemond_check *authdaemond; /* NULL if pwcheck_method does not name it */
    atomic_bool no_callback;               /* see libsasl_check_callback() */
};

struct methods *methods_new(const sasl_utils_t *utils, int log_level,
                            struct password_policy *policy, struct reason *reason)
{
    struct methods *methods = calloc(1, sizeof(*methods));

    reason_clear(reason);
    if (methods == NULL)
        return NULL;
    methods->log_level = log_level;
    methods->policy = policy;
    if (!activation_authdaemond(utils))
        return methods;
    methods->authdaemond = authdaemond_check_new(utils, reason);
    if (methods->authdaemond == NULL) {
        methods_free(methods);
        return NULL;
    }
    return methods;
}

void methods_free(struct methods *methods)
{
    if (methods == NULL)
        return;
    authdaemond_check_free(methods->authdaemond);
    free(methods);
}

static enum verdict ask_auxprop(struct methods *methods, struct methods_question *question,
                                const char *method, struct reason *reason)
{
    (void)method;
    return auxprop_check(question->sparams, methods->policy, question->lookup_result,
                         question->login->password, &question->trace, reason);
}

static enum verdict ask_authdaemond(struct methods *methods, struct methods_question *question,
                                    const char *method, struct reason *reason)
{
    const struct login *login = question->login;

    (void)method;
    if (methods->authdaemond == NULL) {
        reason_set(reason, "authdaemond was not in pwcheck_method when the program started");
        return VERDICT_UNAVAILABLE;
    }
    if (login->cram != NULL)
        return authdaemond_check_cram(methods->authdaemond, question->sparams, question->user,
                                      login->cram, reason);
    return authdaemond_check_password(methods->authdaemond, question->sparams, question->user,
                                      login->password, reason);
}

static enum verdict ask_libsasl(struct methods *methods, struct methods_question *question,
                                const char *method, struct reason *reason)
{
    (void)methods;
    return libsasl_check(question->sparams, method, question->user, question->login->password,
                         reason);
}

struct method {
    const char *name;
    bool judges_responses; /* to a challenge, too */
    bool knows_users;      /* distinguishes a wrong password from an unknown user */
    enum verdict (*ask)(struct methods *methods, struct methods_question *question,
                        const char *method, struct reason *reason);
};

static const struct method auxprop = {
    .name = "auxprop",
    .knows_users = true,
    .ask = ask_auxprop,
};

static const struct method authdaemond = {
    .name = "authdaemond",
    .judges_responses = true,
    .ask = ask_authdaemond,
};

static const struct method any_other = {.ask = ask_libsasl};

static const struct method *find_method(const char *name)
{
    if (strcasecmp(name, auxprop.name) == 0)
        return &auxprop;
    return strcasecmp(name, authdaemond.name) == 0 ? &authdaemond : &any_other;
}

bool methods_request(const struct methods_question *question)
{
    return question->login->cram != NULL || !option_has_word(question->list, auxprop.name) ||
           auxprop_check_request(question->sparams);
}

void methods_forget(const struct methods_question *question)
{
    auxprop_check_erase(question->sparams);
}

static bool is_refusal(enum verdict verdict)
{
    return verdict == VERDICT_LOCKED || verdict == VERDICT_UNUSABLE || verdict == VERDICT_NO_USER ||
           verdict == VERDICT_MISMATCH;
}

/* Adds to the reason of a refusal which user was looked up. */
static void tell_who(const struct methods_question *question, const struct method *method,
                     struct reason *reason)
{
    const struct login_name name = {question->login->user, question->user};

    if (!method->knows_users)
        login_name_tell_sent(reason, &name);
    else if (question->trace.looked_up)
        login_name_tell_table(reason, question->sparams, &name, question->trace.by_realm);
}

static enum verdict ask(struct methods *methods, struct methods_question *question,
                        const struct method *method, const char *name, struct reason *reason)
{
    const enum verdict verdict = method->ask(methods, question, name, reason);

    if (is_refusal(verdict))
        tell_who(question, method, reason);
    sasl_glue_log(question->sparams->utils, methods->log_level, SASL_LOG_DEBUG,
                  "pwverify: %s by %s: %s", question->login->mechanism, name,
                  verdict == VERDICT_MATCH ? "the password is right" : reason->text);
    return verdict;
}

/* The lower the rank, the more an answer other than yes has to say: in the order of the enum, so
 * that an outage outranks a wrong password. A refusal by a method that does not distinguish a
 * wrong password from an unknown user comes between the two. */
static unsigned rank_of(const struct method *method, enum verdict verdict)
{
    return 2 * (unsigned)verdict + (verdict == VERDICT_MISMATCH && !method->knows_users);
}

/* A callback of the program comes before all methods. */
static bool callback_says_yes(struct methods *methods, const struct methods_question *question)
{
    return question->login->cram == NULL &&
           libsasl_check_callback(question->sparams, question->user, question->login->password,
                                  &methods->no_callback);
}

enum verdict methods_ask(struct methods *methods, struct methods_question *question,
                         struct reason *reason)
{
    const char *list = question->list;
    enum verdict verdict = VERDICT_UNAVAILABLE;
    unsigned rank = UINT_MAX;
    char name[64];

    if (callback_says_yes(methods, question))
        return VERDICT_MATCH;
    while (option_next_word(&list, name, sizeof(name))) {
        const struct method *method = find_method(name);
        struct reason why;
        enum verdict next;

        if (question->login->cram != NULL && !method->judges_responses)
            continue;
        next = ask(methods, question, method, name, &why);
        if (next == VERDICT_MATCH)
            return next;
        if (rank_of(method, next) < rank) {
            verdict = next;
            rank = rank_of(method, next);
            *reason = why;
        }
    }
    if (rank == UINT_MAX)
        reason_set(reason, "pwcheck_method lists no method");
    return verdict;
}
