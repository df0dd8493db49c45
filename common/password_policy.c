/* SPDX-License-Identifier: BSD-3-Clause */
#include "password_policy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "password_scheme.h"

struct password_policy {
    const struct password_scheme *scheme;
    char *store_method;

    /* The start of the last hash that was judged. Judging against it takes as
     * long as the site's own hashes do. */
    pthread_mutex_t lock;
    struct secret sample;
};

struct password_policy *password_policy_new(const char *format, const char *store_scheme,
                                            struct reason *reason)
{
    const struct password_scheme *scheme = password_scheme_find(format);
    struct password_policy *policy;
    char *setting;
    const char *sample;

    if (scheme == NULL) {
        reason_set(reason, "password_format: \"%s\" is not known", format);
        return NULL;
    }
    setting = scheme_crypt.new_setting(store_scheme);
    if (setting == NULL) {
        reason_set(reason, "password_store_scheme: libcrypt cannot make \"%s\"",
                   store_scheme != NULL ? store_scheme : "any hash");
        return NULL;
    }
    sample = scheme->sample != NULL ? scheme->sample : setting;
    policy = calloc(1, sizeof(*policy));
    if (policy != NULL) {
        policy->scheme = scheme;
        pthread_mutex_init(&policy->lock, NULL);
        if (store_scheme != NULL)
            policy->store_method = strdup(store_scheme);
        if (!secret_set(&policy->sample, sample, strlen(sample)) ||
            (store_scheme != NULL && policy->store_method == NULL)) {
            password_policy_free(policy);
            policy = NULL;
        }
    }
    if (policy == NULL)
        reason_set(reason, "out of memory");
    free(setting);
    return policy;
}

void password_policy_free(struct password_policy *policy)
{
    if (policy == NULL)
        return;
    pthread_mutex_destroy(&policy->lock);
    secret_wipe(&policy->sample);
    free(policy->store_method);
    free(policy);
}

/* Does the work of judging, and forgets the outcome. */
static void judge_sample(struct password_policy *policy)
{
    static char typed[] = "any password";
    const struct secret password = {typed, sizeof(typed) - 1};
    struct secret sample = SECRET_EMPTY;
    struct reason ignored;
    bool copied;

    pthread_mutex_lock(&policy->lock);
    copied = secret_set(&sample, policy->sample.bytes, policy->sample.length);
    pthread_mutex_unlock(&policy->lock);
    if (copied)
        policy->scheme->judge(&sample, &password, &ignored);
    secret_wipe(&sample);
}

static void remember_sample(struct password_policy *policy, const struct secret *stored)
{
    size_t length;

    if (policy->scheme->setting_length == NULL)
        return;
    length = policy->scheme->setting_length(stored);
    pthread_mutex_lock(&policy->lock);
    /* Without memory there is no sample, and no work for it. */
    (void)secret_set(&policy->sample, stored->bytes, length);
    pthread_mutex_unlock(&policy->lock);
}

bool password_is_locked(const struct secret *stored)
{
    return stored->bytes == NULL || stored->length == 0 || stored->bytes[0] == '!' ||
           stored->bytes[0] == '*';
}

static bool has_nul(const struct secret *text)
{
    return memchr(text->bytes, '\0', text->length) != NULL;
}

/* Whether the scheme takes such a password at all. */
static bool is_possible(const struct password_policy *policy, const struct secret *password,
                        struct reason *reason)
{
    if (password->length > policy->scheme->longest)
        reason_set(reason, "the password is longer than %zu bytes", policy->scheme->longest);
    else if (password->length == 0 || has_nul(password))
        reason_set(reason, "the password is empty or holds a NUL");
    else
        return true;
    return false;
}

enum verdict password_policy_judge(struct password_policy *policy, const struct secret *stored,
                                   const struct secret *password, struct reason *reason)
{
    enum verdict verdict = VERDICT_UNAVAILABLE;

    if (stored == NULL) {
        reason_set(reason, "no such user");
        verdict = VERDICT_NO_USER;
    } else if (password_is_locked(stored)) {
        reason_set(reason, "the account has no password or is locked");
        verdict = VERDICT_LOCKED;
    } else if (has_nul(stored)) {
        reason_set(reason, "the stored value holds a NUL");
        verdict = VERDICT_UNUSABLE;
    } else if (!is_possible(policy, password, reason)) {
        verdict = VERDICT_MISMATCH;
    } else {
        verdict = policy->scheme->judge(stored, password, reason);
        if (verdict == VERDICT_MISMATCH)
            reason_set(reason, "wrong password");
        if (verdict == VERDICT_MISMATCH || verdict == VERDICT_MATCH) {
            remember_sample(policy, stored);
            return verdict;
        }
    }
    judge_sample(policy);
    return verdict;
}

bool password_policy_store(const struct password_policy *policy, const struct secret *password,
                           struct secret *out, struct reason *reason)
{
    if (!is_possible(policy, password, reason))
        return false;
    return policy->scheme->store(policy->store_method, password, out, reason);
}

bool password_policy_is_clear_text(const struct password_policy *policy)
{
    return policy->scheme->clear_text;
}
