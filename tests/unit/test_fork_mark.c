/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/fork_mark.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

/* This program's madvise(2) replaces that of libc, and behaves like an old
 * kernel when a test says so. */
static bool kernel_is_old;

int madvise(void *start, size_t length, int advice)
{
    if (kernel_is_old) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_madvise, start, length, advice);
}

static bool holds_in_child(const struct fork_mark *mark)
{
    int status;
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(fork_mark_holds(mark) ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

static void tells_a_child(bool old)
{
    struct fork_mark mark;

    kernel_is_old = old;
    fork_mark_set(&mark);
    if (!old && mark.page == NULL)
        skip(); /* the kernel is old */
    assert_int_equal(mark.page == NULL, old);
    assert_true(fork_mark_holds(&mark));
    assert_false(holds_in_child(&mark));
    assert_true(fork_mark_holds(&mark));
    fork_mark_free(&mark);
    kernel_is_old = false;
}

static void tells_a_child_by_memory(void **state)
{
    (void)state;
    tells_a_child(false);
}

static void tells_a_child_by_process_id(void **state)
{
    (void)state;
    tells_a_child(true);
}

/* As in a separate PID namespace, where a child may have its parent's id. */
static void tells_a_child_of_the_same_id(void **state)
{
    struct fork_mark mark;
    pid_t child;
    int status;

    (void)state;
    fork_mark_set(&mark);
    if (mark.page == NULL)
        skip();
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        mark.pid = getpid();
        _exit(fork_mark_holds(&mark) ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fork_mark_free(&mark);
}

static void a_child_sets_its_own(void **state)
{
    struct fork_mark mark;
    pid_t child;
    int status;

    (void)state;
    fork_mark_set(&mark);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct fork_mark own;

        fork_mark_set(&own);
        _exit(fork_mark_holds(&own) && !fork_mark_holds(&mark) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fork_mark_free(&mark);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD(&list, tells_a_child_by_memory);
    TEST_ADD(&list, tells_a_child_by_process_id);
    TEST_ADD(&list, tells_a_child_of_the_same_id);
    TEST_ADD(&list, a_child_sets_its_own);
    return test_run("fork_mark", &list);
}
