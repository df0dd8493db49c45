/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_WATCHED_CRYPT_H
#define TESTS_WATCHED_CRYPT_H

/*
 * A policy whose work is watched, by the linker's --wrap of clock_gettime, crypt_r and
 * free.
 */

#include "password/password_policy.h"
#include "password/password_scheme.h"

#include <crypt.h>
#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include "support/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define DES_HASH "abhqWgdm30m6k"                /* of "Tr0ub4d" */
#define MD5_HASH "$1$ab$BGweqrca.3UvnWSg8yFZd1" /* of PHRASE */
#define PHRASE "correct horse battery staple"
#define MYSQL_HASH "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19" /* of "password" */
#define OLD_MYSQL_HASH "6f8c114b58f2ce9e"                      /* of "mypass" */

/* A clock of processor time, by the linker's --wrap, that advances with the work that is done:
 * each hash takes as long as its kind once took in a measurement, and longer for a long password
 * if the method hashes it again in every round. */
static struct {
    bool is_set;
    uint64_t now;
    unsigned looks; /* reads since the last hash */
} clock_of_work;

/* Reading the clock takes a moment; code that does nothing else is waiting. */
enum { MICROSECOND = 1000, LOOK = 100, LONG_LOOK = 2 * MICROSECOND, FEW_LOOKS = 20 };

static const struct price {
    const char *start;
    unsigned microseconds, letters; /* after which it takes as long again; 0: any number */
    bool is_real;                   /* whether it is computed, and not made up */
} prices[] = {
    {"$1$ab$", 105, 100, true},
    {"$1$", 105, 100, false},
    {"$5$rounds=1400$", 520, 100, false},
    {"$5$rounds=4000000$", 1500000, 100, false},
    {"$5$", 1880, 100, false},
    {"$6$truncated$", 1230, 100, true},
    {"$6$", 1230, 100, false},
    {"$2y$05$", 1700, 0, false},
    {"$2b$10$", 50700, 0, false},
    {"$2y$10$", 50700, 0, false},
    {"$y$j9T$", 19500, 0, false},
    {"", 5, 0, true}, /* DES */
};

static const struct price *price_of(const char *setting)
{
    size_t i = 0;

    while (strncmp(setting, prices[i].start, strlen(prices[i].start)) != 0)
        i++;
    return &prices[i];
}

static inline uint64_t time_of(const char *setting, size_t length)
{
    const struct price *price = price_of(setting);
    const uint64_t time = price->microseconds * (uint64_t)MICROSECOND;

    return price->letters == 0 ? time : time + time * length / price->letters;
}

static bool no_clock; /* a sandbox may take it away */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (no_clock) {
        errno = EINVAL;
        return -1;
    }
    if (!clock_of_work.is_set || clock != CLOCK_THREAD_CPUTIME_ID)
        return __real_clock_gettime(clock, time);
    clock_of_work.now += ++clock_of_work.looks > FEW_LOOKS ? LONG_LOOK : LOOK;
    time->tv_sec = (time_t)(clock_of_work.now / 1000000000);
    time->tv_nsec = (long)(clock_of_work.now % 1000000000);
    return 0;
}

/* Sees through crypt_r(3), by the linker's --wrap: how often it made a hash,
 * and from which setting the first and the last time. The scratch memory that held a password is
 * zero when it is freed. */
static struct {
    unsigned hashes, calls;
    char first[CRYPT_OUTPUT_SIZE], setting[CRYPT_OUTPUT_SIZE];
    struct crypt_data *scratch;
    unsigned dirty;
} seen;

char *__real_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
void __real_free(void *pointer);
void __wrap_free(void *pointer);

/* In one test, threads judge at the same time; it uses none of this. */
static bool watching = true;

/* Whether hashes are made up, for methods that take long. */
static bool pretending = false;

char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    char *result;

    if (pretending || (clock_of_work.is_set && !price_of(setting)->is_real)) {
        /* Another hash of the same length. */
        snprintf(data->output, sizeof(data->output), "%.*sx", (int)strlen(setting) - 1, setting);
        result = data->output;
    } else {
        result = __real_crypt_r(phrase, setting, data);
    }
    if (clock_of_work.is_set) {
        clock_of_work.now += time_of(setting, strlen(phrase));
        clock_of_work.looks = 0;
    }
    if (watching)
        seen.calls++;
    if (watching && result != NULL && result[0] != '*') {
        seen.hashes++;
        snprintf(seen.setting, sizeof(seen.setting), "%s", setting);
        if (seen.hashes == 1)
            snprintf(seen.first, sizeof(seen.first), "%s", setting);
    }
    if (watching)
        seen.scratch = data;
    return result;
}

/* A thread may pause in the middle of its work, at one of its calls of free(3). */
static _Thread_local unsigned frees_to_pause; /* 0: never */
static sem_t paused, resumed;

static inline void count_down_to_pause(void)
{
    if (frees_to_pause == 0 || --frees_to_pause > 0)
        return;
    sem_post(&paused);
    sem_wait(&resumed);
}

void __wrap_free(void *pointer)
{
    count_down_to_pause();
    if (watching && pointer != NULL && pointer == seen.scratch) {
        static const struct crypt_data zero;

        seen.dirty += memcmp(pointer, &zero, sizeof(zero)) != 0;
        seen.scratch = NULL;
    }
    __real_free(pointer);
}

/* A policy whose own hashes are cheap to make. */
static inline struct password_policy *new_policy(const char *format)
{
    struct reason reason = {""};
    struct password_policy *policy = password_policy_new(
        format, strcmp(format, "crypt") == 0 ? "MD5-CRYPT" : NULL, NULL, &reason);

    if (policy == NULL)
        print_error("%s: %s\n", format, reason.text);
    assert_non_null(policy);
    return policy;
}

static inline void assert_hidden(const struct reason *reason, struct bytes secret)
{
    /* Shorter ones may be part of any word. */
    if (secret.start != NULL && strlen(secret.start) > 5)
        assert_lacks(reason->text, secret.start);
}

/* Judges, and checks what holds for every verdict. */
static inline enum verdict judge(struct password_policy *policy, struct bytes stored,
                                 struct bytes password)
{
    struct reason reason = {""};
    enum verdict verdict = password_policy_judge(policy, stored, password, &reason);

    if (verdict != VERDICT_MATCH)
        assert_string_not_equal(reason.text, "");
    assert_hidden(&reason, stored);
    assert_hidden(&reason, password);
    assert_int_equal(seen.dirty, 0);
    return verdict;
}

/* The same if there is no such user. */
static inline enum verdict refuse(struct password_policy *policy, struct bytes password)
{
    struct reason reason = {""};
    enum verdict verdict = password_policy_refuse(policy, password, &reason);

    assert_string_equal(reason.text, "no such user");
    assert_int_equal(seen.dirty, 0);
    return verdict;
}

static const char *const formats[] = {"plain", "crypt", "crypt_trad", "md5"};

#endif
