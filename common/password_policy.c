/* SPDX-License-Identifier: BSD-3-Clause */
#include "password_policy.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "password_scheme.h"
#include "stored_text.h"

struct password_policy {
    const struct password_scheme *scheme;
    char *store_method;

    /* What to judge against for the work alone: until a hash has been judged, */
    struct secret first_sample;

    /* and from then on the start of the last one, which takes as long as the site's
     * own hashes do. NULL while a thread has taken it out: a lock could be held by
     * another thread while the process forks. */
    _Atomic(struct secret *) last_sample;
};

struct password_policy *password_policy_new(const char *format, const char *store_scheme,
                                            struct reason *reason)
{
    const struct password_scheme *scheme = password_scheme_find(format);
    struct password_policy *policy;
    const char *sample;
    struct reason why;
    char *setting;

    if (scheme == NULL) {
        reason_set(reason, "password_format: \"%s\" is not known", format);
        return NULL;
    }
    if (scheme->is_available != NULL && !scheme->is_available(reason))
        return NULL;
    setting = scheme_crypt.new_setting(store_scheme, &why);
    if (setting == NULL) {
        reason_set(reason, "password_store_scheme: %s", why.text);
        return NULL;
    }
    sample = scheme->sample != NULL ? scheme->sample : setting;
    policy = calloc(1, sizeof(*policy));
    if (policy != NULL) {
        policy->scheme = scheme;
        if (store_scheme != NULL)
            policy->store_method = strdup(store_scheme);
        if (!secret_set(&policy->first_sample, sample, strlen(sample)) ||
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

static void free_sample(struct secret *sample)
{
    if (sample != NULL)
        secret_wipe(sample);
    free(sample);
}

void password_policy_free(struct password_policy *policy)
{
    if (policy == NULL)
        return;
    free_sample(atomic_load(&policy->last_sample));
    secret_wipe(&policy->first_sample);
    free(policy->store_method);
    free(policy);
}

/* Copies the last sample, or the first one where the last is not at hand. */
static bool copy_sample(struct password_policy *policy, struct secret *copy)
{
    struct secret *last = atomic_exchange(&policy->last_sample, NULL), *none = NULL;
    const struct secret *sample = last != NULL ? last : &policy->first_sample;
    bool copied = secret_set(copy, sample->bytes, sample->length);

    /* Another thread may have put a newer one there. */
    if (last != NULL && !atomic_compare_exchange_strong(&policy->last_sample, &none, last))
        free_sample(last);
    return copied;
}

static bool has_nul(const char *bytes, size_t length)
{
    return memchr(bytes, '\0', length) != NULL;
}

/* Whether the scheme takes such a password at all. */
static bool is_possible(const struct password_policy *policy, const struct secret *password,
                        struct reason *reason)
{
    if (password->length > policy->scheme->longest)
        reason_set(reason, "the password is longer than %zu bytes", policy->scheme->longest);
    else if (password->length == 0 || has_nul(password->bytes, password->length))
        reason_set(reason, "the password is empty or holds a NUL");
    else
        return true;
    return false;
}

/* Does the work of judging a password, which may depend on its length, and forgets
 * the outcome. Another one stands in for a password that is not possible. */
static void judge_sample(struct password_policy *policy, const struct secret *password)
{
    static char any[] = "any password";
    const struct secret stand_in = {any, sizeof(any) - 1};
    struct secret sample = SECRET_EMPTY;
    struct reason ignored;

    if (!is_possible(policy, password, &ignored))
        password = &stand_in;
    /* Without memory there is no sample, and no work for it. */
    if (copy_sample(policy, &sample))
        policy->scheme->judge(&sample, password, &ignored);
    secret_wipe(&sample);
}

static void remember_sample(struct password_policy *policy, const struct secret *stored)
{
    struct secret *sample;

    if (policy->scheme->setting_length == NULL)
        return;
    sample = calloc(1, sizeof(*sample));
    if (sample != NULL && secret_set(sample, stored->bytes, policy->scheme->setting_length(stored)))
        free_sample(atomic_exchange(&policy->last_sample, sample));
    else
        free_sample(sample);
}

bool password_is_locked(const struct secret *stored)
{
    const struct stored_text text = stored_text_trim(stored);

    return text.length == 0 || text.bytes[0] == '!' || text.bytes[0] == '*';
}

/* Names what looks like a lock, but comes from a function of MySQL. */
static enum verdict refuse_locked(const struct secret *stored, struct reason *reason)
{
    if (stored_text_is_mysql_hash(stored_text_trim(stored))) {
        reason_set(reason, "the stored hash is one of MySQL's PASSWORD(), which is not supported");
        return VERDICT_UNUSABLE;
    }
    reason_set(reason, "the account has no password or is locked");
    return VERDICT_LOCKED;
}

/* What the scheme is to see: padding is no part of a hash. */
static struct stored_text text_of(const struct password_policy *policy, const struct secret *stored)
{
    return policy->scheme->clear_text ? stored_text_without_nuls(stored) : stored_text_trim(stored);
}

/* Whether there is anything that the scheme could read. */
static bool is_readable(const struct password_policy *policy, struct stored_text text,
                        struct reason *reason)
{
    if (has_nul(text.bytes, text.length))
        reason_set(reason, "the stored value holds a NUL");
    else if (!policy->scheme->clear_text && stored_text_may_be_old_mysql_hash(text))
        reason_set(reason, "the stored value looks like a hash of MySQL's OLD_PASSWORD(), "
                           "which is not supported");
    else
        return true;
    return false;
}

static enum verdict judge_text(struct password_policy *policy, struct stored_text text,
                               const struct secret *password, struct reason *reason)
{
    struct secret copy = SECRET_EMPTY;
    enum verdict verdict = VERDICT_NO_MEMORY;

    if (!secret_set(&copy, text.bytes, text.length)) {
        reason_set(reason, "out of memory");
        return verdict;
    }
    verdict = policy->scheme->judge(&copy, password, reason);
    if (verdict == VERDICT_MISMATCH)
        reason_set(reason, "wrong password");
    if (verdict == VERDICT_MISMATCH || verdict == VERDICT_MATCH)
        remember_sample(policy, &copy);
    secret_wipe(&copy);
    return verdict;
}

enum verdict password_policy_judge(struct password_policy *policy, const struct secret *stored,
                                   const struct secret *password, struct reason *reason)
{
    enum verdict verdict = VERDICT_UNUSABLE;

    if (stored == NULL) {
        reason_set(reason, "no such user");
        verdict = VERDICT_NO_USER;
    } else if (password_is_locked(stored)) {
        verdict = refuse_locked(stored, reason);
    } else if (!is_readable(policy, text_of(policy, stored), reason)) {
        verdict = VERDICT_UNUSABLE;
    } else if (!is_possible(policy, password, reason)) {
        verdict = VERDICT_MISMATCH;
    } else {
        verdict = judge_text(policy, text_of(policy, stored), password, reason);
        if (verdict == VERDICT_MISMATCH || verdict == VERDICT_MATCH)
            return verdict;
    }
    judge_sample(policy, password);
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
