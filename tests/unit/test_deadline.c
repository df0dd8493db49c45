/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/deadline.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "support/unit.h"

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static const struct span {
    const char *name;
    unsigned milliseconds;
    int want_most;
    int want_least; /* a slow machine may take a minute from here to there */
} spans[] = {
    {"nothing", 0, 0, 0},
    {"an hour", 3600 * 1000, 3600 * 1000, 3540 * 1000},
    {"the longest that poll takes", INT_MAX, INT_MAX, INT_MAX - 60000},
    {"longer than poll takes", UINT_MAX, INT_MAX, INT_MAX},
};

static void remaining_of_a_span(void **state)
{
    const struct span *row = *state;
    struct deadline deadline = deadline_after(row->milliseconds);

    assert_in_range(deadline_remaining(&deadline), row->want_least, row->want_most);
}

static void lies_on_the_monotonic_clock(void **state)
{
    int64_t before = now();
    struct deadline deadline = deadline_after(5000);
    int64_t after = now();

    (void)state;
    assert_in_range(deadline.at, before + 5000, after + 5000);
}

static const struct moment {
    const char *name;
    int64_t from_now;
} past[] = {
    {"just now", 0},
    {"a millisecond ago", -1},
    {"a month ago, more than poll takes", -31LL * 24 * 3600 * 1000},
};

static void remaining_after_it_passed(void **state)
{
    const struct moment *row = *state;
    struct deadline deadline = {now() + row->from_now};

    assert_int_equal(deadline_remaining(&deadline), 0);
}

static void passes(void **state)
{
    const struct timespec nap = {0, 30 * 1000 * 1000};
    struct deadline deadline = deadline_after(20);

    (void)state;
    nanosleep(&nap, NULL);
    assert_int_equal(deadline_remaining(&deadline), 0);
}

static void remaining_never_grows(void **state)
{
    struct deadline deadline = deadline_after(60000);
    int before = deadline_remaining(&deadline);
    const struct timespec nap = {0, 5 * 1000 * 1000};

    (void)state;
    nanosleep(&nap, NULL);
    assert_true(deadline_remaining(&deadline) < before);
}

static const struct share {
    const char *name;
    unsigned milliseconds;
    unsigned parts, all;
    int want_most;
    int want_least;
} shares[] = {
    {"all", 3600 * 1000, 1, 1, 3600 * 1000, 3540 * 1000},
    {"half", 3600 * 1000, 1, 2, 1800 * 1000, 1770 * 1000},
    {"a third", 3600 * 1000, 1, 3, 1200 * 1000, 1180 * 1000},
    {"two thirds", 3600 * 1000, 4, 6, 2400 * 1000, 2360 * 1000},
    {"of nothing", 0, 1, 3, 0, 0},
    {"less than a millisecond", 1, 1, 2, 0, 0},
};

static void share_of_what_is_left(void **state)
{
    const struct share *row = *state;
    struct deadline whole = deadline_after(row->milliseconds);
    struct deadline share = deadline_share(&whole, row->parts, row->all);

    assert_in_range(deadline_remaining(&share), row->want_least, row->want_most);
    assert_true(share.at <= whole.at);
}

/* A deadline that has passed leaves nothing to share, and the part is not in
 * the future. */
static void share_after_it_passed(void **state)
{
    struct deadline passed = {now() - 10000};
    struct deadline share = deadline_share(&passed, 1, 2);

    (void)state;
    assert_int_equal(deadline_remaining(&share), 0);
}

static void time_is_the_moment(void **state)
{
    static const int64_t moments[] = {0, 1, 999, 1000, 1001, 123456789};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(moments); i++) {
        const struct deadline deadline = {moments[i]};
        const struct timespec time = deadline_time(&deadline);

        assert_true(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
        assert_int_equal((int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000, moments[i]);
    }
}

static void handler(int number)
{
    (void)number;
}

/* Signals come every 2 ms: none of them ends the wait, nor makes it longer. */
static void poll_of_a_pipe(void **state)
{
    const struct sigaction action = {.sa_handler = handler};
    const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    struct deadline deadline = deadline_after(60000), start;
    struct sigaction before;
    struct pollfd wanted = {.events = POLLIN};
    int ends[2];

    (void)state;
    assert_return_code(pipe(ends), errno);
    wanted.fd = ends[0];
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    start = deadline_after(0);
    assert_int_equal(deadline_poll(&deadline, &wanted, 20), 0);
    assert_true(deadline_after(0).at - start.at >= 20);
    deadline = deadline_after(20);
    start = deadline_after(0);
    assert_int_equal(deadline_poll(&deadline, &wanted, 60000), 0);
    assert_true(deadline_after(0).at - start.at >= 20);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);

    assert_int_equal(write(ends[1], "x", 1), 1);
    deadline = deadline_after(0); /* data that has arrived needs no time */
    assert_int_equal(deadline_poll(&deadline, &wanted, 0), 1);
    assert_int_equal(wanted.revents, POLLIN);
    close(ends[0]);
    close(ends[1]);
}

static void sleep_until_it_passes(void **state)
{
    struct deadline deadline = deadline_after(60000), start = deadline_after(0);

    (void)state;
    assert_true(deadline_sleep(&deadline, 20));
    assert_true(deadline_after(0).at - start.at >= 20);
    deadline = deadline_after(20);
    assert_true(deadline_sleep(&deadline, 60000));
    assert_int_equal(deadline_remaining(&deadline), 0);
    assert_false(deadline_sleep(&deadline, 60000));
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, remaining_of_a_span, spans);
    TEST_ADD_CASES(&list, remaining_after_it_passed, past);
    TEST_ADD(&list, lies_on_the_monotonic_clock);
    TEST_ADD(&list, passes);
    TEST_ADD(&list, remaining_never_grows);
    TEST_ADD_CASES(&list, share_of_what_is_left, shares);
    TEST_ADD(&list, share_after_it_passed);
    TEST_ADD(&list, time_is_the_moment);
    TEST_ADD(&list, poll_of_a_pipe);
    TEST_ADD(&list, sleep_until_it_passes);
    return test_run("deadline", &list);
}
