/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "support/unit.h"

enum { SHORT = 50, LONG = 60000, SLACK = 1000 }; /* milliseconds */

static const uint64_t UNLIMITED = UINT64_MAX / 2;

static int ends[2];
static struct watchdog watchdog;

static int set_up(void **state)
{
    (void)state;
    watchdog = WATCHDOG_IDLE;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static int tear_down(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void set(unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);

    assert_true(watchdog_set(&watchdog, ends[0], &deadline, UNLIMITED));
}

static bool is_shut_down(int timeout)
{
    struct pollfd other = {.fd = ends[1], .events = POLLRDHUP};

    return poll(&other, 1, timeout) == 1;
}

/* --- what fails, or happens meanwhile, by the linker's --wrap */

static bool no_memory, no_thread;
static void (*meanwhile)(void);

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);

void *__wrap_calloc(size_t count, size_t size)
{
    void (*run)(void) = meanwhile;

    meanwhile = NULL;
    if (run != NULL)
        run();
    return no_memory ? NULL : __real_calloc(count, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return no_thread ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}

static unsigned open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* A thread that waits for the socket is woken up, in time. */
static void ends_a_wait(void **state)
{
    const struct deadline earliest = deadline_after(SHORT - 5);
    const struct deadline latest = deadline_after(SHORT + SLACK);
    char byte;

    (void)state;
    set(SHORT);
    assert_int_equal(recv(ends[0], &byte, 1, 0), 0);
    assert_int_equal(deadline_remaining(&earliest), 0);
    assert_int_not_equal(deadline_remaining(&latest), 0);
    assert_true(is_shut_down(0));
    watchdog_call_off(&watchdog);
}

static void does_nothing_if_called_off(void **state)
{
    const struct deadline latest = deadline_after(SLACK);

    (void)state;
    set(LONG);
    watchdog_call_off(&watchdog);
    assert_int_not_equal(deadline_remaining(&latest), 0);
    assert_false(watchdog.runs);
    set(SHORT);
    watchdog_call_off(&watchdog);
    assert_false(is_shut_down(2 * SHORT));
    assert_int_equal(send(ends[0], "x", 1, MSG_NOSIGNAL), 1);
}

/* The number of the socket may belong to another one by then. */
static void knows_its_socket(void **state)
{
    int number = ends[0], other[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
    set(SHORT);
    assert_int_equal(dup2(other[0], number), number);
    assert_true(is_shut_down(LONG));
    watchdog_call_off(&watchdog);
    assert_int_equal(send(number, "x", 1, MSG_NOSIGNAL), 1);
    close(other[0]);
    close(other[1]);
}

static void leaves_no_descriptor(void **state)
{
    unsigned before = open_descriptors(), i;

    (void)state;
    for (i = 0; i < 20; i++) {
        set(i % 2 == 0 ? LONG : 1);
        watchdog_call_off(&watchdog);
    }
    assert_int_equal(open_descriptors(), before);
}

static void needs_a_socket(void **state)
{
    const struct deadline deadline = deadline_after(LONG);

    (void)state;
    assert_false(watchdog_set(&watchdog, -1, &deadline, UNLIMITED));
    assert_false(watchdog.runs);
    watchdog_call_off(&watchdog);
}

/* It shuts down once, and then waits to be called off. */
static void barks_once(void **state)
{
    (void)state;
    set(SHORT);
    assert_true(is_shut_down(LONG));
    poll(NULL, 0, SHORT);
    assert_false(watchdog_is_flooded(&watchdog));
    assert_true(watchdog.runs);
    watchdog_call_off(&watchdog);
    assert_false(watchdog.runs);
}

/* --- in a process that has none yet */

static void in_child(bool (*holds)(void))
{
    int status = 0;
    pid_t child = test_fork();

    assert_true(child >= 0);
    if (child == 0)
        exit(holds() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool try_set(struct watchdog *other)
{
    const struct deadline deadline = deadline_after(SHORT);

    return watchdog_set(other, ends[0], &deadline, UNLIMITED);
}

/* And it works as soon as it has what it needs. */
static bool fails_without(bool *missing)
{
    const unsigned before = open_descriptors();
    bool failed;

    *missing = true;
    failed = !try_set(&watchdog) && !watchdog.runs && open_descriptors() == before;
    *missing = false;
    watchdog_call_off(&watchdog);
    return failed && try_set(&watchdog) && is_shut_down(LONG);
}

static bool fails_without_memory(void)
{
    return fails_without(&no_memory);
}

static void needs_memory(void **state)
{
    (void)state;
    in_child(fails_without_memory);
}

static bool fails_without_thread(void)
{
    return fails_without(&no_thread);
}

static void needs_a_thread(void **state)
{
    (void)state;
    in_child(fails_without_thread);
}

static struct watchdog faster;

static void *set_faster(void *context)
{
    return try_set(&faster) ? context : NULL;
}

static void set_in_other_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, set_faster, NULL) == 0)
        pthread_join(thread, NULL);
}

/* Both threads start, and one comes first: one keeper looks after both. */
static bool shares_what_another_has_made(void)
{
    meanwhile = set_in_other_thread;
    if (!try_set(&watchdog) || !faster.runs || faster.kennel != watchdog.kennel)
        return false;
    watchdog_call_off(&faster);
    return is_shut_down(LONG);
}

static void another_thread_is_faster(void **state)
{
    (void)state;
    in_child(shares_what_another_has_made);
}

static void time_is_up_already(void **state)
{
    (void)state;
    set(0);
    assert_true(is_shut_down(LONG));
    watchdog_call_off(&watchdog);
    watchdog_call_off(&watchdog);
}

/* Two ends of a TCP connection. */
static bool connect_by_tcp(int pair[2])
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(here);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bool done;

    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    done = bind(listener, (struct sockaddr *)&here, size) == 0 && listen(listener, 1) == 0 &&
           getsockname(listener, (struct sockaddr *)&here, &size) == 0 &&
           connect(pair[0], (struct sockaddr *)&here, size) == 0;
    pair[1] = accept(listener, NULL, NULL);
    close(listener);
    return done && pair[1] >= 0;
}

/* What arrived before it was set does not count. */
static void ends_a_flood(void **state)
{
    enum { MOST = 100000, MUCH = 3 * MOST };
    const struct deadline deadline = deadline_after(LONG);
    static char bytes[MUCH];
    struct pollfd hangup = {.events = POLLRDHUP};
    int pair[2];

    (void)state;
    assert_true(connect_by_tcp(pair));
    assert_int_equal(send(pair[1], bytes, MOST - 1, 0), MOST - 1);
    assert_int_equal(recv(pair[0], bytes, MOST - 1, MSG_WAITALL), MOST - 1);
    assert_true(watchdog_set(&watchdog, pair[0], &deadline, MOST));
    hangup.fd = pair[1];
    assert_int_equal(send(pair[1], bytes, MOST - 1, 0), MOST - 1);
    assert_int_equal(recv(pair[0], bytes, MOST - 1, MSG_WAITALL), MOST - 1);
    assert_int_equal(poll(&hangup, 1, SHORT), 0);
    assert_false(watchdog_is_flooded(&watchdog));
    send(pair[1], bytes, MUCH, MSG_NOSIGNAL | MSG_DONTWAIT);
    assert_int_equal(poll(&hangup, 1, LONG), 1);
    assert_true(watchdog_is_flooded(&watchdog));
    watchdog_call_off(&watchdog);
    assert_false(watchdog_is_flooded(&watchdog));
    close(pair[0]);
    close(pair[1]);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Before this process has one itself, which its children would leave alone. */
        CASE(needs_memory),
        CASE(needs_a_thread),
        CASE(another_thread_is_faster),
        CASE(ends_a_wait),
        CASE(does_nothing_if_called_off),
        CASE(knows_its_socket),
        CASE(leaves_no_descriptor),
        CASE(needs_a_socket),
        CASE(time_is_up_already),
        CASE(ends_a_flood),
        CASE(barks_once),
    };

    alarm(120);
    return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
