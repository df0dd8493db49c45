/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/auxprop_check.h"

#include <stdint.h>
#include <string.h>

#include "base/quoted.h"
#include "glue/activation.h"
#include "glue/properties.h"
#include "glue/sasl_glue.h"

/* The properties that the auxprop plug-ins are asked for, and their places. */
enum { ASKED_HASH, ASKED_PASSWORD, ASKED_OUTCOME, ASKED_END };

static const char *const asked[] = {
    [ASKED_HASH] = "*" PROPERTY_HASH,
    [ASKED_PASSWORD] = "*" PROPERTY_PASSWORD,
    [ASKED_OUTCOME] = "*" PROPERTY_OUTCOME,
    [ASKED_END] = NULL,
};

bool auxprop_check_request(const sasl_server_params_t *sparams)
{
    return sparams->utils->prop_request(sparams->propctx, (const char **)(uintptr_t)asked) ==
           SASL_OK;
}

void auxprop_check_erase(const sasl_server_params_t *sparams)
{
    size_t i;

    for (i = 0; i < ASKED_END; i++)
        sparams->utils->prop_erase(sparams->propctx, asked[i]);
}

/* What is to be judged. */
struct question {
    const sasl_utils_t *utils;
    struct password_policy *policy;
    int lookup_result;
    struct bytes password;
};

/* What libsqlcrypt says about its lookup. */
enum outcome { NOT_ASKED, IS_FOUND, IS_NULL, IS_NONE, IS_BLOCKED, IS_UNAVAILABLE };

static bool has_value(const struct propval *property)
{
    return property->name != NULL && property->values != NULL && property->values[0] != NULL;
}

static enum outcome outcome_of(const struct propval *property)
{
    static const char *const words[] = {
        [IS_FOUND] = OUTCOME_FOUND,
        [IS_NULL] = OUTCOME_NULL,
        [IS_NONE] = OUTCOME_NONE,
        [IS_BLOCKED] = OUTCOME_BLOCKED,
        [IS_UNAVAILABLE] = OUTCOME_UNAVAILABLE,
    };
    enum outcome outcome;

    for (outcome = IS_FOUND; outcome <= IS_UNAVAILABLE; outcome++)
        if (has_value(property) && strcmp(property->values[0], words[outcome]) == 0)
            return outcome;
    return NOT_ASKED;
}

static bool is_by_realm(const struct propval *outcome)
{
    return outcome->values[1] != NULL && strcmp(outcome->values[1], OUTCOME_BY_REALM) == 0;
}

/* libsasl2 has found none of the plug-ins that `auxprop_plugin` names. */
static void explain_no_plugin(const sasl_utils_t *utils, struct reason *reason)
{
    const char *plugins = sasl_glue_libsasl_option(utils, OPTION_AUXPROP_PLUGIN);
    struct quoted quoted;

    if (plugins == NULL) {
        reason_set(reason, "auxprop: libsasl2 has no auxprop plug-in");
        return;
    }
    quoted_set(&quoted, plugins, strlen(plugins));
    if (!activation_has_select(utils))
        reason_set(reason,
                   "auxprop: auxprop_plugin: %s: no such plug-in; sqlcrypt needs a "
                   "sql_select",
                   quoted.text);
    else
        reason_set(reason, "auxprop: auxprop_plugin: %s: no such plug-in", quoted.text);
}

/* Whether properties other than the outcome may tell what is stored. */
static bool is_up_to_others(enum outcome outcome)
{
    return outcome != IS_NULL && outcome != IS_BLOCKED;
}

/* No plug-in has returned a password: was there a user? Without a table of
 * ours, only what libsasl2 made of all the plug-ins' answers can tell. */
static enum verdict without_value(const struct question *question, enum outcome outcome,
                                  struct reason *reason)
{
    if (outcome == NOT_ASKED && question->lookup_result == SASL_NOMECH) {
        explain_no_plugin(question->utils, reason);
        return VERDICT_UNAVAILABLE;
    }
    if (outcome == NOT_ASKED && question->lookup_result != SASL_OK &&
        question->lookup_result != SASL_NOUSER) {
        reason_set(reason, "auxprop: %s", sasl_errstring(question->lookup_result, NULL, NULL));
        return VERDICT_UNAVAILABLE;
    }
    if (outcome == IS_FOUND || outcome == IS_NULL)
        return password_policy_judge(question->policy, BYTES_NONE, question->password, reason);
    return password_policy_refuse(question->policy, question->password, reason);
}

/* Judges all values of one property: one that matches is enough. */
static enum verdict judge_values(const struct question *question, const struct propval *property,
                                 struct reason *reason)
{
    enum verdict verdict = VERDICT_MISMATCH;
    size_t i;

    for (i = 0; property->values[i] != NULL && verdict != VERDICT_MATCH; i++)
        verdict = password_policy_judge(question->policy, bytes_of(property->values[i]),
                                        question->password, reason);
    return verdict;
}

/* What the table says about a user does not depend on other plug-ins, which may
 * have read the same table in their own way. */
enum verdict auxprop_check(const sasl_server_params_t *sparams, struct password_policy *policy,
                           int lookup_result, struct bytes password, struct auxprop_trace *trace,
                           struct reason *reason)
{
    const struct question question = {sparams->utils, policy, lookup_result, password};
    struct propval values[ASKED_END + 1];
    enum outcome outcome;

    sparams->utils->prop_getnames(sparams->propctx, (const char **)(uintptr_t)asked, values);
    outcome = outcome_of(&values[ASKED_OUTCOME]);
    trace->outage_logged = outcome == IS_UNAVAILABLE;
    trace->looked_up = outcome != NOT_ASKED && outcome != IS_UNAVAILABLE;
    trace->by_realm = trace->looked_up && is_by_realm(&values[ASKED_OUTCOME]);
    if (outcome == IS_UNAVAILABLE) {
        reason_set(reason, "auxprop: the table cannot be read");
        return VERDICT_UNAVAILABLE;
    }
    if (is_up_to_others(outcome) && has_value(&values[ASKED_HASH]))
        return judge_values(&question, &values[ASKED_HASH], reason);
    if (is_up_to_others(outcome) && has_value(&values[ASKED_PASSWORD]))
        return judge_values(&question, &values[ASKED_PASSWORD], reason);
    return without_value(&question, outcome, reason);
}
