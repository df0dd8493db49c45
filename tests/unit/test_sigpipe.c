/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "support/unit.h"

/* Each test is a separate process, which has all its signals to itself, and
 * dies of SIGPIPE if it arrives. */
static void in_child(bool (*holds)(void))
{
    int status = 0;
    pid_t child = test_fork();

    assert_true(child >= 0);
    if (child == 0)
        exit(holds() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        print_error("died of signal %d\n", WTERMSIG(status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Whether writing fails as it does without a reader. */
static bool write_to_nobody(void)
{
    int ends[2];
    ssize_t written;
    int error;

    if (pipe(ends) != 0)
        return false;
    close(ends[0]);
    written = write(ends[1], "x", 1);
    error = errno;
    close(ends[1]);
    return written < 0 && error == EPIPE;
}

static bool is_blocked(void)
{
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, SIGPIPE) == 1;
}

static bool is_pending(void)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, SIGPIPE) == 1;
}

static void set_disposition(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    sigaction(SIGPIPE, &action, NULL);
}

static bool has_disposition(void (*handler)(int))
{
    struct sigaction action;

    sigaction(SIGPIPE, NULL, &action);
    return action.sa_handler == handler;
}

/* Whether a signal should arrive just while the guard looks for its own. */
static bool interrupted;

int __real_sigtimedwait(const sigset_t *set, siginfo_t *information, const struct timespec *time);
int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *information, const struct timespec *time);

int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *information, const struct timespec *time)
{
    if (!interrupted)
        return __real_sigtimedwait(set, information, time);
    interrupted = false;
    errno = EINTR;
    return -1;
}

static bool survives(void)
{
    struct sigpipe_guard guard;
    bool done;

    set_disposition(SIG_DFL);
    sigpipe_block(&guard);
    done = is_blocked() && write_to_nobody() && write_to_nobody();
    sigpipe_release(&guard);
    return done && !is_blocked() && !is_pending() && has_disposition(SIG_DFL);
}

static void write_under_guard(void **state)
{
    (void)state;
    in_child(survives);
}

static bool survives_interrupted(void)
{
    interrupted = true;
    return survives() && !interrupted;
}

static void release_that_is_interrupted(void **state)
{
    (void)state;
    in_child(survives_interrupted);
}

static bool leaves_nothing(void)
{
    struct sigpipe_guard guard;

    set_disposition(SIG_DFL);
    sigpipe_block(&guard);
    sigpipe_release(&guard);
    return !is_blocked() && !is_pending() && has_disposition(SIG_DFL);
}

/* It does not wait for a signal that has not arrived. */
static void guard_of_nothing(void **state)
{
    (void)state;
    in_child(leaves_nothing);
}

static volatile sig_atomic_t caught;

static void count_signal(int number)
{
    (void)number;
    caught++;
}

static bool handler_hears_of_its_own_alone(void)
{
    struct sigpipe_guard guard;

    set_disposition(count_signal);
    sigpipe_block(&guard);
    write_to_nobody();
    sigpipe_release(&guard);
    if (caught != 0 || !has_disposition(count_signal))
        return false;
    write_to_nobody();
    return caught == 1;
}

static void handler_of_the_host(void **state)
{
    (void)state;
    in_child(handler_hears_of_its_own_alone);
}

static bool stays_ignored(void)
{
    struct sigpipe_guard guard;

    set_disposition(SIG_IGN);
    sigpipe_block(&guard);
    write_to_nobody();
    sigpipe_release(&guard);
    return has_disposition(SIG_IGN) && !is_blocked() && !is_pending();
}

static void host_that_ignores(void **state)
{
    (void)state;
    in_child(stays_ignored);
}

static void block(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool stays_blocked(void)
{
    struct sigpipe_guard guard;

    block();
    sigpipe_block(&guard);
    write_to_nobody();
    sigpipe_release(&guard);
    return is_blocked() && !is_pending();
}

static void host_that_blocks(void **state)
{
    (void)state;
    in_child(stays_blocked);
}

static bool keeps_what_is_pending(void)
{
    struct sigpipe_guard guard;

    block();
    write_to_nobody();
    if (!is_pending())
        return false;
    sigpipe_block(&guard);
    write_to_nobody();
    sigpipe_release(&guard);
    return is_blocked() && is_pending();
}

/* A pending signal of the host is still pending. */
static void host_that_has_one_pending(void **state)
{
    (void)state;
    in_child(keeps_what_is_pending);
}

static bool nests(void)
{
    struct sigpipe_guard outer, inner;
    bool held;

    set_disposition(SIG_DFL);
    sigpipe_block(&outer);
    write_to_nobody();
    sigpipe_block(&inner);
    write_to_nobody();
    sigpipe_release(&inner);
    held = is_blocked();
    write_to_nobody();
    sigpipe_release(&outer);
    return held && !is_blocked() && !is_pending();
}

static void guard_in_a_guard(void **state)
{
    (void)state;
    in_child(nests);
}

static void *tell_whether_blocked(void *context)
{
    bool *blocked = context;

    *blocked = is_blocked();
    return NULL;
}

static bool is_up_to_the_thread(void)
{
    struct sigpipe_guard guard;
    bool blocked = true;
    pthread_t thread;

    set_disposition(SIG_DFL);
    sigpipe_block(&guard);
    sigpipe_release(&guard);
    if (pthread_create(&thread, NULL, tell_whether_blocked, &blocked) != 0)
        return false;
    pthread_join(thread, NULL);
    return !blocked;
}

static void other_threads(void **state)
{
    (void)state;
    in_child(is_up_to_the_thread);
}

/* The tests would notice. */
static bool writes_without_guard(void)
{
    set_disposition(SIG_DFL);
    return write_to_nobody();
}

static void write_without_guard(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(writes_without_guard() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPIPE);
}

int main(void)
{
    struct test_list list = {0};

    alarm(60);
    TEST_ADD(&list, write_without_guard);
    TEST_ADD(&list, write_under_guard);
    TEST_ADD(&list, release_that_is_interrupted);
    TEST_ADD(&list, guard_of_nothing);
    TEST_ADD(&list, handler_of_the_host);
    TEST_ADD(&list, host_that_ignores);
    TEST_ADD(&list, host_that_blocks);
    TEST_ADD(&list, host_that_has_one_pending);
    TEST_ADD(&list, guard_in_a_guard);
    TEST_ADD(&list, other_threads);
    return test_run("sigpipe", &list);
}
