/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_policy.h"

#include <stdlib.h>
#include <string.h>

#include "password/password_cost.h"
#include "password/password_scheme.h"
#include "password/stored_password.h"

struct password_policy {
    const struct password_scheme *scheme;
    char *store_method;
    unsigned long store_cost;
    struct password_cost *cost; /* of a refusal */
};

/* Reads digits only; the first is not a zero. */
static bool read_cost(const char *text, unsigned long *cost)
{
    enum { DIGITS = 9 }; /* more than any method accepts */
    const size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > DIGITS || text[digits] != '\0' || text[0] == '0')
        return false;
    *cost = strtoul(text, NULL, 10);
    return true;
}

static struct password_policy *make_policy(const struct password_scheme *scheme, const char *method,
                                           unsigned long cost, struct reason *reason)
{
    struct password_policy *policy = calloc(1, sizeof(*policy));

    reason_no_memory(reason);
    if (policy == NULL)
        return NULL;
    policy->scheme = scheme;
    policy->store_cost = cost;
    policy->store_method = method != NULL ? strdup(method) : NULL;
    if (method == NULL || policy->store_method != NULL)
        policy->cost = password_cost_new(scheme, method, cost, reason);
    if (policy->cost == NULL) {
        password_policy_free(policy);
        return NULL;
    }
    return policy;
}

struct password_policy *password_policy_new(const char *format, const char *store_scheme,
                                            const char *store_cost, struct reason *reason)
{
    const struct password_scheme *scheme = password_scheme_find(format);
    unsigned long cost = 0;

    if (scheme == NULL) {
        reason_set(reason, "password_format: \"%s\" is not known", format);
        return NULL;
    }
    if (scheme->is_available != NULL && !scheme->is_available(reason))
        return NULL;
    if (store_cost != NULL && !read_cost(store_cost, &cost)) {
        reason_set(reason, "password_store_cost: must be a whole number from 1");
        return NULL;
    }
    if (!password_scheme_has_method(store_scheme, cost, reason))
        return NULL;
    return make_policy(scheme, store_scheme, cost, reason);
}

void password_policy_free(struct password_policy *policy)
{
    if (policy == NULL)
        return;
    password_cost_free(policy->cost);
    free(policy->store_method);
    free(policy);
}

static enum verdict judge(const struct password_policy *policy, struct bytes text,
                          struct bytes password, struct reason *reason)
{
    struct stored_password stored;

    switch (stored_password_parse(&stored, policy->scheme, text, reason)) {
    case STORED_LOCKED:
        return VERDICT_LOCKED;
    case STORED_UNREADABLE:
        return VERDICT_UNUSABLE;
    case STORED_PASSWORD:
        break;
    }
    if (!password_scheme_admits(stored.scheme, password, reason))
        return VERDICT_MISMATCH;
    return stored_password_judge(&stored, password, reason);
}

enum verdict password_policy_judge(struct password_policy *policy, struct bytes stored,
                                   struct bytes password, struct reason *reason)
{
    const uint64_t start = password_cost_now();
    const enum verdict verdict = judge(policy, stored, password, reason);

    switch (verdict) {
    case VERDICT_LOCKED:
    case VERDICT_UNUSABLE:
    case VERDICT_NO_USER:
    case VERDICT_MISMATCH:
        password_cost_reach(policy->cost, password, start);
        break;
    case VERDICT_UNAVAILABLE:
    case VERDICT_NO_MEMORY:
    case VERDICT_MALFORMED:
    case VERDICT_MATCH:
        break;
    }
    return verdict;
}

enum verdict password_policy_refuse(struct password_policy *policy, struct bytes password,
                                    struct reason *reason)
{
    const uint64_t start = password_cost_now();

    reason_set(reason, "no such user");
    password_cost_reach(policy->cost, password, start);
    return VERDICT_NO_USER;
}

bool password_policy_takes(const struct password_policy *policy, struct bytes password,
                           struct reason *reason)
{
    return password_scheme_admits(policy->scheme, password, reason) &&
           (policy->scheme->takes == NULL ||
            policy->scheme->takes(policy->store_method, password, reason));
}

bool password_policy_store(const struct password_policy *policy, struct bytes password,
                           struct secret *out, struct reason *reason)
{
    return password_policy_takes(policy, password, reason) &&
           stored_password_make(policy->scheme, policy->store_method, policy->store_cost, password,
                                out, reason);
}

bool password_policy_is_clear_text(const struct password_policy *policy)
{
    return policy->scheme->clear_text;
}
