/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a refusal costs.
 *
 * Whoever times a refused login must not learn whether there is such a user. The measure
 * for all of them is the standard: a hash of a setting that is made once, when the policy
 * is, as password_store_scheme and password_store_cost would have a new one. Nothing that
 * is stored and nothing that clients do changes it; what is remembered while logins come
 * and go is how long the standard takes, and that is learnt from the standard alone.
 *
 *  - A refusal that has made no hash (no such user, locked, unreadable), or one that is
 *    cheap beside the standard, does the standard's work as well: at most a CHEAP-th more
 *    than the standard.
 *  - One that has made a hash which is not that cheap, but cheaper than the standard, waits
 *    for the rest of the time, busily: of processor time, so that a machine under load
 *    stretches it as it stretches work.
 *  - A hash that is as dear as the standard, or dearer, is left alone. Users with a dearer
 *    one stand out: there is no way around it but to let everybody pay for the dearest row,
 *    which one user could then make as dear as he likes.
 *
 * A long password takes some methods longer, so the time is learnt for each length. The
 * first refusal of each length costs the standard's work once more, whoever is refused.
 * Right passwords cost their own hash.
 *
 * Why not what most of the rows cost: a process of Postfix sees some hundred logins in its
 * life, and it is clients who choose whose rows these are.
 */

#include "password/password_policy.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "password/password_scheme.h"
#include "password/stored_text.h"

struct password_policy {
    const struct password_scheme *scheme;
    char *store_method;
    unsigned long store_cost;
    struct secret standard;

    /* How long the standard takes, by the length of the password, in nanoseconds of
     * processor time; 0: not known yet. Threads learn together. No lock: another thread
     * could hold it while the process forks. */
    _Atomic(uint64_t) standard_times[PASSWORD_MAX + 1];
};

/* Digits alone, the first of which is no zero. */
static bool read_cost(const char *text, unsigned long *cost)
{
    enum { DIGITS = 9 }; /* more than any method takes */
    const size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > DIGITS || text[digits] != '\0' || text[0] == '0')
        return false;
    *cost = strtoul(text, NULL, 10);
    return true;
}

struct password_policy *password_policy_new(const char *format, const char *store_scheme,
                                            const char *store_cost, struct reason *reason)
{
    const struct password_scheme *scheme = password_scheme_find(format);
    struct password_policy *policy;
    unsigned long cost = 0;
    const char *sample;
    char *setting;

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
    setting = scheme_crypt.new_setting(store_scheme, cost, reason);
    if (setting == NULL)
        return NULL;
    sample = scheme->sample != NULL ? scheme->sample : setting;
    policy = calloc(1, sizeof(*policy));
    if (policy != NULL) {
        policy->scheme = scheme;
        policy->store_cost = cost;
        if (store_scheme != NULL)
            policy->store_method = strdup(store_scheme);
        if (!secret_set(&policy->standard, sample, strlen(sample)) ||
            (store_scheme != NULL && policy->store_method == NULL)) {
            password_policy_free(policy);
            policy = NULL;
        }
    }
    if (policy == NULL)
        reason_no_memory(reason);
    free(setting);
    return policy;
}

void password_policy_free(struct password_policy *policy)
{
    if (policy == NULL)
        return;
    secret_wipe(&policy->standard);
    free(policy->store_method);
    free(policy);
}

/* Whether the scheme takes such a password at all. */
static bool is_possible(const struct password_policy *policy, struct bytes password,
                        struct reason *reason)
{
    if (password.length > policy->scheme->longest)
        reason_set(reason, "the password is longer than %zu bytes", policy->scheme->longest);
    else if (password.length == 0 || bytes_have_nul(password))
        reason_set(reason, "the password is empty or holds a NUL");
    else
        return true;
    return false;
}

enum { NO_CLOCK = 0 };

/* Of this thread. A sandbox may have taken the clock away. */
static uint64_t processor_time(void)
{
    struct timespec time;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0)
        return NO_CLOCK;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A moving average: machines are not always equally fast. */
static void learn_time(_Atomic(uint64_t) *known, uint64_t took)
{
    const uint64_t before = atomic_load_explicit(known, memory_order_relaxed);

    atomic_store_explicit(known, before == 0 ? took : (3 * before + took) / 4,
                          memory_order_relaxed);
}

/* Does the standard's work, and forgets the outcome. Without memory, there is none. */
static void do_standard(struct password_policy *policy, struct bytes password)
{
    const uint64_t start = processor_time();
    struct reason ignored;

    if (policy->scheme->judge(secret_bytes(&policy->standard), password, &ignored) !=
        VERDICT_NO_MEMORY)
        learn_time(&policy->standard_times[password.length], processor_time() - start);
}

/* Brings what a refusal has cost since `start` to what the standard costs: see the top.
 * Another password stands in for one that is not possible. */
static void reach_standard(struct password_policy *policy, struct bytes password, uint64_t start)
{
    enum { CHEAP = 32 };
    const _Atomic(uint64_t) *time;
    struct reason ignored;
    uint64_t spent = processor_time() - start, now;

    if (!is_possible(policy, password, &ignored))
        password = bytes_of("any password");
    time = &policy->standard_times[password.length];
    if (atomic_load_explicit(time, memory_order_relaxed) == 0)
        do_standard(policy, password);
    start = processor_time() - spent;
    if (spent < atomic_load_explicit(time, memory_order_relaxed) / CHEAP)
        do_standard(policy, password);
    do
        now = processor_time();
    while (now != NO_CLOCK && now - start < atomic_load_explicit(time, memory_order_relaxed));
}

bool password_policy_is_locked(struct bytes stored)
{
    const struct bytes text = stored_text_trim(stored);

    return text.length == 0 || text.start[0] == '!' || text.start[0] == '*';
}

/* Names what looks like a lock, but comes from a function of MySQL. */
static enum verdict refuse_locked(struct bytes stored, struct reason *reason)
{
    if (stored_text_is_mysql_hash(stored_text_trim(stored))) {
        reason_set(reason, "the stored hash is one of MySQL's PASSWORD(), which is not supported");
        return VERDICT_UNUSABLE;
    }
    reason_set(reason, "the account has no password or is locked");
    return VERDICT_LOCKED;
}

/* What the scheme is to see: padding is no part of a hash. */
static struct bytes text_of(const struct password_policy *policy, struct bytes stored)
{
    return policy->scheme->clear_text ? stored_text_without_nuls(stored) : stored_text_trim(stored);
}

/* Whether there is anything that the scheme could read. */
static bool is_readable(const struct password_policy *policy, struct bytes text,
                        struct reason *reason)
{
    if (bytes_have_nul(text))
        reason_set(reason, "the stored value holds a NUL");
    else if (!policy->scheme->clear_text && stored_text_may_be_old_mysql_hash(text))
        reason_set(reason, "the stored value looks like a hash of MySQL's OLD_PASSWORD(), "
                           "which is not supported");
    else
        return true;
    return false;
}

static enum verdict judge_text(const struct password_policy *policy, struct bytes text,
                               struct bytes password, struct reason *reason)
{
    struct secret copy = SECRET_EMPTY;
    enum verdict verdict = VERDICT_NO_MEMORY;

    if (!secret_set(&copy, text.start, text.length)) {
        reason_no_memory(reason);
        return verdict;
    }
    verdict = policy->scheme->judge(secret_bytes(&copy), password, reason);
    if (verdict == VERDICT_MISMATCH)
        reason_set(reason, "wrong password");
    secret_wipe(&copy);
    return verdict;
}

static enum verdict judge(const struct password_policy *policy, struct bytes stored,
                          struct bytes password, struct reason *reason)
{
    if (password_policy_is_locked(stored))
        return refuse_locked(stored, reason);
    if (!is_readable(policy, text_of(policy, stored), reason))
        return VERDICT_UNUSABLE;
    if (!is_possible(policy, password, reason))
        return VERDICT_MISMATCH;
    return judge_text(policy, text_of(policy, stored), password, reason);
}

enum verdict password_policy_judge(struct password_policy *policy, struct bytes stored,
                                   struct bytes password, struct reason *reason)
{
    const uint64_t start = processor_time();
    const enum verdict verdict = judge(policy, stored, password, reason);

    switch (verdict) {
    case VERDICT_LOCKED:
    case VERDICT_UNUSABLE:
    case VERDICT_NO_USER:
    case VERDICT_MISMATCH:
        reach_standard(policy, password, start);
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
    const uint64_t start = processor_time();

    reason_set(reason, "no such user");
    reach_standard(policy, password, start);
    return VERDICT_NO_USER;
}

bool password_policy_takes(const struct password_policy *policy, struct bytes password,
                           struct reason *reason)
{
    return is_possible(policy, password, reason) &&
           (policy->scheme->takes == NULL ||
            policy->scheme->takes(policy->store_method, password, reason));
}

bool password_policy_store(const struct password_policy *policy, struct bytes password,
                           struct secret *out, struct reason *reason)
{
    if (!password_policy_takes(policy, password, reason))
        return false;
    return policy->scheme->store(policy->store_method, policy->store_cost, password, out, reason);
}

bool password_policy_is_clear_text(const struct password_policy *policy)
{
    return policy->scheme->clear_text;
}
