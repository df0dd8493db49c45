/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/sql_ssl_files.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

#define MISSING "/nonexistent/file.pem"

static char directory[PATH_MAX];
static char readable[PATH_MAX + 16];

static int make_file(void **state)
{
    FILE *file;

    (void)state;
    test_directory(directory, sizeof(directory));
    snprintf(readable, sizeof(readable), "%s/file.pem", directory);
    file = fopen(readable, "w");
    return file != NULL && fclose(file) == 0 ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    test_directory_remove(directory);
    return 0;
}

/* "+" stands for a readable file. */
static const struct naming {
    const char *name;
    const char *ca, *cert, *key;
    const char *want; /* the start of the reason; NULL: nothing to explain */
} namings[] = {
    {"none", "", "", "", NULL},
    {"all readable", "+", "+", "+", NULL},
    {"one readable", "+", "", "", NULL},
    {"no CA", MISSING, "", "", "sql_ssl_ca: " MISSING ": "},
    {"no certificate", "", MISSING, "", "sql_ssl_cert: " MISSING ": "},
    {"no key", "", "", MISSING, "sql_ssl_key: " MISSING ": "},
    {"no CA beside others", MISSING, "+", "+", "sql_ssl_ca: " MISSING ": "},
    {"no key beside others", "+", "+", MISSING, "sql_ssl_key: " MISSING ": "},
    {"no two of them", "+", MISSING, MISSING, "sql_ssl_cert: " MISSING ": "},
};

static const char *path_of(const char *text)
{
    return strcmp(text, "+") == 0 ? readable : text;
}

static struct sql_target target_of(const struct naming *row)
{
    struct sql_target target = {
        .ssl_ca = path_of(row->ca), .ssl_cert = path_of(row->cert), .ssl_key = path_of(row->key)};

    jail_note_root(&target.jail);
    return target;
}

static void explain(void **state)
{
    const struct naming *row = *state;
    const struct sql_target target = target_of(row);
    struct reason reason = {"(none)"};

    assert_int_equal(sql_ssl_files_explain(&target, &reason), row->want != NULL);
    if (row->want == NULL) {
        assert_string_equal(reason.text, "(none)");
        return;
    }
    assert_memory_equal(reason.text, row->want, strlen(row->want));
    assert_contains(reason.text, strerror(ENOENT));
    assert_lacks(reason.text, "jail");
}

/* The file may exist outside. */
static void explain_in_a_jail(void **state)
{
    const struct naming missing = {"", MISSING, "", "", NULL};
    struct sql_target target = target_of(&missing);
    struct reason reason;

    (void)state;
    target.jail.root_inode++;
    assert_true(sql_ssl_files_explain(&target, &reason));
    assert_contains(reason.text, "chroot jail");
}

/* Runs as a user who may not read it. */
static void explain_what_is_forbidden(void **state)
{
    const struct naming forbidden = {"", "", "", "+", NULL};
    const struct sql_target target = target_of(&forbidden);
    int status = 0;
    pid_t child;

    (void)state;
    assert_int_equal(chmod(readable, 0), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct reason reason = {""};

        if (geteuid() == 0 && (chmod(directory, 0755) != 0 || setuid(65534) != 0))
            _exit(2);
        _exit(sql_ssl_files_explain(&target, &reason) &&
                      strstr(reason.text, "sql_ssl_key: ") == reason.text &&
                      strstr(reason.text, strerror(EACCES)) != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    struct test_list list = {0};
    size_t i;

    TEST_ADD_CASES(&list, explain, namings);
    TEST_ADD(&list, explain_in_a_jail);
    TEST_ADD(&list, explain_what_is_forbidden);
    for (i = 0; i < list.count; i++) {
        list.items[i].setup_func = make_file;
        list.items[i].teardown_func = remove_file;
    }
    return test_run("sql_ssl_files", &list);
}
