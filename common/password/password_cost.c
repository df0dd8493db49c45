/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The cost of a refusal.
 *
 * Timing a refused login should not reveal whether the user exists. The measure for all refusals
 * is the standard: a hash by a setting that is made once, along with the policy, as for a new
 * hash by password_store_scheme and password_store_cost. Nothing that is stored and nothing that
 * clients do changes it. The only thing remembered between logins is how long the standard
 * takes, which is learned from the standard alone.
 *
 *  - A refusal that has made no hash (no such user, locked, unreadable), or one that is cheap
 *    compared to the standard, does the standard's work as well: at most a CHEAP-th more
 *    than the standard.
 *  - One that has made a hash that is less cheap, but still cheaper than the standard,
 *    busy-waits for the rest of the time. That is processor time, so a machine under load
 *    stretches the wait as it stretches work.
 *  - A hash that costs as much as the standard, or more, is left alone. Users with a more
 *    expensive one stand out: the only way around it is to let everybody pay for the most
 *    expensive row, which a single user could then make as expensive as possible.
 *
 * Some methods take longer for a long password, so the time is learned for each length. The
 * first refusal of each length costs the standard's work once more, whoever is refused.
 * A right password costs its own hash.
 *
 * Why not the cost of most rows: a Postfix process sees some hundred logins in its life, and
 * clients choose whose rows these are.
 */

#include "password/password_cost.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "password/stored_password.h"

struct password_cost {
    struct secret text;
    struct stored_password standard; /* `text`, parsed */

    /* How long the standard takes, by the length of the password, in nanoseconds of
     * processor time; 0: not known yet. All threads share it. There is no lock: another thread
     * could hold it while the process forks. */
    _Atomic(uint64_t) times[PASSWORD_MAX + 1];
};

static bool set_standard(struct password_cost *cost, const struct password_scheme *scheme,
                         const char *text)
{
    if (!secret_set(&cost->text, text, strlen(text)))
        return false;
    cost->standard = (struct stored_password){scheme, scheme->encoding, secret_bytes(&cost->text)};
    return true;
}

struct password_cost *password_cost_new(const struct password_scheme *scheme, const char *method,
                                        unsigned long cost, struct reason *reason)
{
    struct password_cost *new;
    char *made = NULL;

    if (scheme->sample == NULL) {
        made = scheme->new_sample(method, cost, reason);
        if (made == NULL)
            return NULL;
    }
    new = calloc(1, sizeof(*new));
    if (new == NULL || !set_standard(new, scheme, made != NULL ? made : scheme->sample)) {
        password_cost_free(new);
        new = NULL;
        reason_no_memory(reason);
    }
    free(made);
    return new;
}

void password_cost_free(struct password_cost *cost)
{
    if (cost == NULL)
        return;
    secret_wipe(&cost->text);
    free(cost);
}

enum { NO_CLOCK = 0 };

/* Processor time of this thread. A sandbox may have taken the clock away. */
uint64_t password_cost_now(void)
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

/* Does the standard's work, and discards the outcome. Without memory, there is no work. */
static void do_standard(struct password_cost *cost, struct bytes password)
{
    const uint64_t start = password_cost_now();
    struct reason ignored;

    if (stored_password_judge(&cost->standard, password, &ignored) != VERDICT_NO_MEMORY)
        learn_time(&cost->times[password.length], password_cost_now() - start);
}

/* See the top. Another password stands in for one that the standard does not admit. */
void password_cost_reach(struct password_cost *cost, struct bytes password, uint64_t start)
{
    enum { CHEAP = 32 };
    const _Atomic(uint64_t) *time;
    struct reason ignored;
    uint64_t spent = password_cost_now() - start, now;

    if (!password_scheme_admits(cost->standard.scheme, password, &ignored))
        password = bytes_of("any password");
    time = &cost->times[password.length];
    if (atomic_load_explicit(time, memory_order_relaxed) == 0)
        do_standard(cost, password);
    start = password_cost_now() - spent;
    if (spent < atomic_load_explicit(time, memory_order_relaxed) / CHEAP)
        do_standard(cost, password);
    do
        now = password_cost_now();
    while (now != NO_CLOCK && now - start < atomic_load_explicit(time, memory_order_relaxed));
}
