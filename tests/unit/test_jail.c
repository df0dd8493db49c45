/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/jail.h"

#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

static void no_hint_outside(void **state)
{
    struct jail jail = {0};

    (void)state;
    jail_note_root(&jail);
    assert_true(jail.noted);
    assert_string_equal(jail_hint(&jail), "");
}

static void no_hint_without_a_note(void **state)
{
    struct jail jail = {.noted = false, .root_device = 0, .root_inode = 0};

    (void)state;
    assert_string_equal(jail_hint(&jail), "");
}

/* A different inode or device means a different root. */
static void hint_where_the_root_differs(void **state)
{
    struct jail jail, inode, device;

    (void)state;
    jail_note_root(&jail);
    inode = device = jail;
    inode.root_inode++;
    device.root_device++;
    assert_contains(jail_hint(&inode), "chroot");
    assert_contains(jail_hint(&device), "chroot");
}

/* There is no hint for a path that exists, or that cannot be checked. */
static void hint_for_a_missing_path_alone(void **state)
{
    struct jail jail, other;

    (void)state;
    jail_note_root(&jail);
    other = jail;
    other.root_inode++;
    assert_contains(jail_hint_for(&other, "/nonexistent/socket"), "chroot");
    assert_string_equal(jail_hint_for(&other, "/"), "");
    assert_string_equal(jail_hint_for(&other, "/dev/null/socket"), "");
    assert_string_equal(jail_hint_for(&jail, "/nonexistent/socket"), "");
}

static void hint_for_a_name(void **state)
{
    struct jail jail, other;

    (void)state;
    jail_note_root(&jail);
    other = jail;
    other.root_inode++;
    assert_contains(jail_hint_for_name(&other), "etc/resolv.conf");
    assert_string_equal(jail_hint_for_name(&jail), "");
}

enum answer { ANSWER_HINT = 10, ANSWER_NO_HINT, ANSWER_NO_CHROOT };

/* Enters `directory` in a child process and returns what it says there. */
static enum answer ask_inside(const char *directory)
{
    struct jail jail;
    int status = 0;
    pid_t child;

    jail_note_root(&jail);
    child = fork();
    if (child == 0) {
        if (chroot(directory) != 0 || chdir("/") != 0)
            _exit(ANSWER_NO_CHROOT);
        _exit(strstr(jail_hint(&jail), "chroot") != NULL ? ANSWER_HINT : ANSWER_NO_HINT);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (enum answer)WEXITSTATUS(status);
}

static void hint_inside(void **state)
{
    char directory[4096];
    enum answer answer;

    (void)state;
    test_directory(directory, sizeof(directory));
    answer = ask_inside(directory);
    test_directory_remove(directory);
    if (answer == ANSWER_NO_CHROOT)
        skip();
    assert_int_equal(answer, ANSWER_HINT);
}

static void no_hint_in_a_chroot_to_the_same_place(void **state)
{
    enum answer answer = ask_inside("/");

    (void)state;
    if (answer == ANSWER_NO_CHROOT)
        skip();
    assert_int_equal(answer, ANSWER_NO_HINT);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD(&list, no_hint_outside);
    TEST_ADD(&list, no_hint_without_a_note);
    TEST_ADD(&list, hint_where_the_root_differs);
    TEST_ADD(&list, hint_for_a_missing_path_alone);
    TEST_ADD(&list, hint_for_a_name);
    TEST_ADD(&list, hint_inside);
    TEST_ADD(&list, no_hint_in_a_chroot_to_the_same_place);
    return test_run("jail", &list);
}
