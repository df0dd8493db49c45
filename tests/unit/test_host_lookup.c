/* SPDX-License-Identifier: BSD-3-Clause */

/* A name server of our own, by the linker's --wrap, answers for names in .test:
 * it takes its time, and records how it was asked. */

#include "engines/host_lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "support/unit.h"

enum { SLOW = 400, TIME_ENOUGH = 60000 }; /* milliseconds */

static atomic_uint asked;    /* how often a name server would have been */
static atomic_uint answered; /* how many of those were answered */
static atomic_bool signals_were_open;

int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);

static void nap(unsigned milliseconds)
{
    const struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};

    nanosleep(&time, NULL);
}

static void note_signals(void)
{
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    if (sigismember(&set, SIGTERM) != 1 || sigismember(&set, SIGCHLD) != 1)
        signals_were_open = true;
}

/* Appends a copy of the whole second list to the first one. freeaddrinfo(3)
 * accepts both. */
static void append(struct addrinfo **list, struct addrinfo *more)
{
    while (*list != NULL)
        list = &(*list)->ai_next;
    *list = more;
}

/* Each address `times` times. */
static int answer_many(const struct addrinfo *hints, struct addrinfo **list, unsigned times)
{
    unsigned i;

    *list = NULL;
    for (i = 0; i < (HOST_ADDRESSES_MAX + 2) * times; i++) {
        struct addrinfo *one;
        char text[32];

        snprintf(text, sizeof(text), "192.0.2.%u", i / times + 1);
        if (__real_getaddrinfo(text, NULL, hints, &one) != 0)
            return EAI_FAIL;
        append(list, one);
    }
    return 0;
}

int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    int result;

    if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0)
        return __real_getaddrinfo(name, service, hints, list);
    asked++;
    note_signals();
    if (strncmp(name, "slow.", 5) == 0)
        nap(SLOW);
    if (strcmp(name, "many.test") == 0)
        result = answer_many(hints, list, 1);
    else if (strcmp(name, "twice.test") == 0)
        result = answer_many(hints, list, 2);
    else if (strcmp(name, "one.test") == 0 || strcmp(name, "slow.test") == 0)
        result = __real_getaddrinfo("192.0.2.7", service, hints, list);
    else if (strcmp(name, "six.test") == 0)
        result = __real_getaddrinfo("2001:db8::7", service, hints, list);
    else if (strcmp(name, "again.test") == 0)
        result = EAI_AGAIN;
    else if (strcmp(name, "broken.test") == 0)
        result = EAI_SYSTEM;
    else
        result = EAI_NONAME;
    answered++;
    errno = result == EAI_SYSTEM ? EMFILE : ENOENT;
    return result;
}

/* Whether no address can be formatted. */
static atomic_bool speechless;

int __real_getnameinfo(const struct sockaddr *address, socklen_t size, char *host,
                       socklen_t host_size, char *service, socklen_t service_size, int flags);
int __wrap_getnameinfo(const struct sockaddr *address, socklen_t size, char *host,
                       socklen_t host_size, char *service, socklen_t service_size, int flags);

int __wrap_getnameinfo(const struct sockaddr *address, socklen_t size, char *host,
                       socklen_t host_size, char *service, socklen_t service_size, int flags)
{
    if (speechless)
        return EAI_MEMORY;
    return __real_getnameinfo(address, size, host, host_size, service, service_size, flags);
}

static int start(void **state)
{
    (void)state;
    asked = answered = 0;
    signals_were_open = false;
    return 0;
}

/* Threads left over end before the next test, or a leak is reported. */
static int finish(void **state)
{
    (void)state;
    while (answered < asked)
        nap(10);
    nap(20);
    return 0;
}

static _Atomic(enum host_addresses_result) last_result;

static bool find(const char *name, unsigned milliseconds, struct host_addresses *found,
                 struct reason *reason)
{
    const struct deadline deadline = deadline_after(milliseconds);
    enum host_addresses_result result;
    struct jail jail;

    jail_note_root(&jail);
    strcpy(reason->text, "(none)");
    result = host_lookup_find(name, &jail, &deadline, found, reason);
    last_result = result;
    return result == HOST_ADDRESSES_FOUND;
}

/* --- addresses */

static const struct address {
    const char *name;
    const char *text;
    const char *want;
} addresses[] = {
    {"IPv4", "192.0.2.1", "192.0.2.1"},
    {"IPv6", "2001:db8::1", "2001:db8::1"},
    {"IPv6 in full", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"loopback", "::1", "::1"},
    {"IPv4 in IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
};

/* No name server is asked, so there is no need to wait. */
static void find_address(void **state)
{
    const struct address *row = *state;
    struct host_addresses found = {.count = 99};
    struct reason reason;

    assert_true(find(row->text, 0, &found, &reason));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], row->want);
    assert_int_equal(asked, 0);
}

static void find_address_with_scope(void **state)
{
    struct host_addresses found;
    struct reason reason;

    (void)state;
    if (!find("fe80::1%lo", 0, &found, &reason))
        skip(); /* a system without IPv6 */
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "fe80::1%lo");
    assert_int_equal(asked, 0);
}

/* --- names */

static void find_name(void **state)
{
    struct host_addresses found;
    struct reason reason;

    (void)state;
    assert_true(find("one.test", TIME_ENOUGH, &found, &reason));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "192.0.2.7");
    assert_true(find("six.test", TIME_ENOUGH, &found, &reason));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "2001:db8::7");
    assert_int_equal(asked, 2);
}

static void check_many(const char *name)
{
    struct host_addresses found;
    struct reason reason;
    unsigned i;

    assert_true(find(name, TIME_ENOUGH, &found, &reason));
    assert_int_equal(found.count, HOST_ADDRESSES_MAX);
    for (i = 0; i < found.count; i++) {
        char want[32];

        snprintf(want, sizeof(want), "192.0.2.%u", i + 1);
        assert_string_equal(found.text[i], want);
    }
}

static void find_many(void **state)
{
    (void)state;
    check_many("many.test");
}

static void find_each_once(void **state)
{
    (void)state;
    check_many("twice.test");
}

static const struct failure {
    const char *name;
    const char *host;
    int error;
    int number; /* of errno(3), in place of that */
    enum host_addresses_result want;
} failures[] = {
    {"unknown", "unknown.test", EAI_NONAME, 0, HOST_ADDRESSES_UNKNOWN},
    {"no answer", "again.test", EAI_AGAIN, 0, HOST_ADDRESSES_NOT_NOW},
    {"an error of the system", "broken.test", EAI_SYSTEM, EMFILE, HOST_ADDRESSES_NOT_NOW},
};

static void find_nothing(void **state)
{
    const struct failure *row = *state;
    struct host_addresses found;
    struct reason reason;
    char want[200];

    assert_false(find(row->host, TIME_ENOUGH, &found, &reason));
    assert_int_equal(last_result, row->want);
    if (row->number != 0)
        snprintf(want, sizeof(want), "cannot look up the name: %s", strerror(row->number));
    else
        snprintf(want, sizeof(want), "%s", gai_strerror(row->error));
    assert_string_equal(reason.text, want);
    assert_lacks(reason.text, row->host);
}

static void find_what_cannot_be_spelt(void **state)
{
    struct host_addresses found;
    struct reason reason;

    (void)state;
    speechless = true;
    assert_false(find("one.test", TIME_ENOUGH, &found, &reason));
    speechless = false;
    assert_string_equal(reason.text, gai_strerror(EAI_NONAME));
    assert_true(find("one.test", TIME_ENOUGH, &found, &reason));
}

/* --- time */

static void find_in_time(void **state)
{
    struct host_addresses found;
    struct reason reason;

    (void)state;
    assert_true(find("slow.test", TIME_ENOUGH, &found, &reason));
    assert_string_equal(found.text[0], "192.0.2.7");
}

static void find_too_late(void **state)
{
    static const unsigned times[] = {0, 1, SLOW / 4};
    struct host_addresses found;
    struct reason reason;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(times); i++) {
        assert_false(find("slow.test", times[i], &found, &reason));
        assert_int_equal(last_result, HOST_ADDRESSES_NOT_NOW);
        assert_contains(reason.text, "timed out waiting for the name server");
        assert_lacks(reason.text, "slow.test");
    }
    /* It returned before the answer. */
    assert_true(answered < asked);
}

/* The name may be gone by then. */
static void forget_the_name(void **state)
{
    char *name = strdup("slow.test");
    struct host_addresses found;
    struct reason reason;

    (void)state;
    assert_non_null(name);
    assert_false(find(name, 1, &found, &reason));
    memset(name, 'x', strlen(name));
    free(name);
}

static void *find_in_thread(void *context)
{
    struct host_addresses found;
    struct reason reason;

    (void)context;
    return find("many.test", TIME_ENOUGH, &found, &reason) && found.count == HOST_ADDRESSES_MAX
               ? &asked
               : NULL;
}

static void find_in_threads(void **state)
{
    pthread_t threads[8]; /* as many as a process has sessions */
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_in_thread, NULL), 0);
    for (i = 0; i < COUNT(threads); i++) {
        void *result = NULL;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    assert_int_equal(asked, COUNT(threads));
}

/* A name server that does not answer cannot use up more and more threads. */
static void ask_no_more_for_a_while(void **state)
{
    enum { TRIES = 100 };
    struct host_addresses found;
    struct reason reason;
    unsigned started = 0, i;

    (void)state;
    for (i = 0; i < TRIES; i++) {
        assert_false(find("slow.test", 0, &found, &reason));
        started += strstr(reason.text, "other lookups") == NULL;
    }
    assert_contains(reason.text, "other lookups");
    assert_lacks(reason.text, "slow.test");
    assert_in_range(started, 1, TRIES / 2);
    /* The threads may not have reached it yet. */
    for (i = 0; i < TIME_ENOUGH && asked < started; i++)
        nap(1);
    assert_int_equal(asked, started);
    finish(NULL);
    assert_true(find("one.test", TIME_ENOUGH, &found, &reason));
}

/* --- the host's signals */

static void takes_no_signals(void **state)
{
    struct host_addresses found;
    struct reason reason;
    sigset_t before, after;

    (void)state;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_true(find("one.test", TIME_ENOUGH, &found, &reason));
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(asked, 1);
    assert_false(signals_were_open);
    assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
    assert_int_equal(sigismember(&after, SIGTERM), 0);
}

int main(void)
{
    struct test_list list = {0};
    size_t i;

    alarm(300);
    TEST_ADD_CASES(&list, find_address, addresses);
    TEST_ADD(&list, find_address_with_scope);
    TEST_ADD(&list, find_name);
    TEST_ADD(&list, find_many);
    TEST_ADD(&list, find_each_once);
    TEST_ADD_CASES(&list, find_nothing, failures);
    TEST_ADD(&list, find_what_cannot_be_spelt);
    TEST_ADD(&list, find_in_time);
    TEST_ADD(&list, find_too_late);
    TEST_ADD(&list, forget_the_name);
    TEST_ADD(&list, find_in_threads);
    TEST_ADD(&list, ask_no_more_for_a_while);
    TEST_ADD(&list, takes_no_signals);
    for (i = 0; i < list.count; i++) {
        list.items[i].setup_func = start;
        list.items[i].teardown_func = finish;
    }
    return test_run("host_addresses", &list);
}
