/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_H
#define UNIT_H

/*
 * What the unit tests share: a list in which every row of a table of cases is
 * a test of its own name, assertions that show both values, names for results,
 * and temporary directories.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/verdict.h"
#include "sql/sql_engine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the list of tests */

struct test_list {
    struct CMUnitTest *items;
    size_t count;
};

/* `state` is what the test function finds at *state. Returns the test, so that
 * a setup and a teardown can be added. */
static inline struct CMUnitTest *test_add(struct test_list *list, CMUnitTestFunction run,
                                          const void *state, const char *group, const char *name)
{
    struct CMUnitTest *grown = realloc(list->items, (list->count + 1) * sizeof(*grown));
    size_t size = strlen(group) + strlen(name) + 3;
    char *full = malloc(size);

    if (grown == NULL || full == NULL)
        abort();
    snprintf(full, size, "%s%s%s", group, group[0] != '\0' ? ": " : "", name);
    list->items = grown;
    grown = &grown[list->count++];
    *grown = (struct CMUnitTest){
        .name = full, .test_func = run, .initial_state = (void *)(uintptr_t)state};
    return grown;
}

static inline void test_list_free(struct test_list *list)
{
    size_t i;

    for (i = 0; i < list->count; i++)
        free((char *)(uintptr_t)list->items[i].name);
    free(list->items);
    *list = (struct test_list){NULL, 0};
}

#define TEST_ADD(list, function) test_add(list, function, NULL, "", #function)

/* One test per row of `cases`, which have a name. */
#define TEST_ADD_CASES(list, function, cases)                                                      \
    do {                                                                                           \
        size_t row_;                                                                               \
        for (row_ = 0; row_ < COUNT(cases); row_++)                                                \
            test_add(list, function, &(cases)[row_], #function, (cases)[row_].name);               \
    } while (0)

/* cmocka 1.1 writes "not ok 7 # SKIP" for a test that is skipped, which reads
 * as a failure. A child process corrects that on the way to stdout. */
struct test_filter {
    pid_t child;
};

static inline void test_filter_copy(int input, FILE *output)
{
    static const char skipped[] = "# SKIP";
    FILE *lines = fdopen(input, "r");
    char line[4096];

    while (lines != NULL && fgets(line, sizeof(line), lines) != NULL) {
        unsigned number;
        int length = 0;

        if (sscanf(line, "not ok %u %n", &number, &length) == 1 &&
            strncmp(line + length, skipped, strlen(skipped)) == 0)
            fprintf(output, "ok %u %s", number, line + length);
        else
            fputs(line, output);
    }
    fflush(output);
    if (lines != NULL)
        fclose(lines);
}

static inline struct test_filter test_filter_start(struct test_list *list)
{
    struct test_filter filter = {-1};
    const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");
    int ends[2];

    if (format == NULL || strcasecmp(format, "tap") != 0 || pipe(ends) != 0)
        return filter;
    fflush(stdout);
    filter.child = fork();
    if (filter.child == 0) {
        close(ends[1]);
        test_list_free(list); /* or a leak check reports it here */
        test_filter_copy(ends[0], stdout);
        _exit(0);
    }
    if (filter.child > 0)
        dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    return filter;
}

static inline void test_filter_end(struct test_filter filter)
{
    fflush(stdout);
    if (filter.child > 0) {
        close(STDOUT_FILENO);
        waitpid(filter.child, NULL, 0);
    }
}

/* Runs and frees the list. Returns what main() returns. */
static inline int test_run(const char *group, struct test_list *list)
{
    struct test_filter filter = test_filter_start(list);
    /* What cmocka_run_group_tests_name() does with an array. */
    int failures = _cmocka_run_group_tests(group, list->items, list->count, NULL, NULL);

    test_filter_end(filter);
    test_list_free(list);
    return failures != 0;
}

/* --- values */

/* A secret that borrows a string, which is not changed. */
static inline struct secret lend(const char *text)
{
    return (struct secret){(char *)(uintptr_t)text, text != NULL ? strlen(text) : 0};
}

static inline struct secret lend_bytes(const char *bytes, size_t length)
{
    return (struct secret){(char *)(uintptr_t)bytes, length};
}

static inline const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_UNAVAILABLE:
        return "UNAVAILABLE";
    case VERDICT_NO_MEMORY:
        return "NO_MEMORY";
    case VERDICT_MALFORMED:
        return "MALFORMED";
    case VERDICT_LOCKED:
        return "LOCKED";
    case VERDICT_UNUSABLE:
        return "UNUSABLE";
    case VERDICT_NO_USER:
        return "NO_USER";
    case VERDICT_MISMATCH:
        return "MISMATCH";
    case VERDICT_MATCH:
        return "MATCH";
    }
    return "no verdict";
}

static inline const char *lookup_name(enum lookup lookup)
{
    switch (lookup) {
    case LOOKUP_UNAVAILABLE:
        return "UNAVAILABLE";
    case LOOKUP_LOST:
        return "LOST";
    case LOOKUP_BUSY:
        return "BUSY";
    case LOOKUP_UNREADY:
        return "UNREADY";
    case LOOKUP_CONFLICT:
        return "CONFLICT";
    case LOOKUP_REJECTED:
        return "REJECTED";
    case LOOKUP_DONE:
        return "DONE";
    case LOOKUP_NONE:
        return "NONE";
    case LOOKUP_SEVERAL:
        return "SEVERAL";
    case LOOKUP_FOUND:
        return "FOUND";
    }
    return "no lookup";
}

/* --- assertions */

#define assert_verdict(got, want) assert_string_equal(verdict_name(got), verdict_name(want))
#define assert_lookup(got, want) assert_string_equal(lookup_name(got), lookup_name(want))

static inline void expect_contains(const char *text, const char *part, bool want, const char *file,
                                   int line)
{
    if ((strstr(text, part) != NULL) == want)
        return;
    print_error("\"%s\" %s \"%s\"\n", text, want ? "lacks" : "holds", part);
    _fail(file, line);
}

#define assert_contains(text, part) expect_contains(text, part, true, __FILE__, __LINE__)
#define assert_lacks(text, part) expect_contains(text, part, false, __FILE__, __LINE__)

/* NULL bytes equal only NULL bytes. */
static inline void expect_secret(const struct secret *got, const struct secret *want,
                                 const char *file, int line)
{
    bool same = got->length == want->length;

    if (got->bytes == NULL || want->bytes == NULL)
        same = same && got->bytes == want->bytes;
    else
        same = same && memcmp(got->bytes, want->bytes, got->length) == 0;
    if (same)
        return;
    print_error("got %zu bytes \"%.200s\", want %zu bytes \"%.200s\"\n", got->length,
                got->bytes != NULL ? got->bytes : "(NULL)", want->length,
                want->bytes != NULL ? want->bytes : "(NULL)");
    _fail(file, line);
}

#define assert_secret(got, want) expect_secret(got, want, __FILE__, __LINE__)

/* Forks a child that may end with exit(3), which coverage counters need: no
 * pending output is written twice. */
static inline pid_t test_fork(void)
{
    fflush(NULL);
    return fork();
}

/* --- temporary directories */

static inline void test_directory(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");

    snprintf(path, size, "%s/sqlcrypt-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL)
        abort();
}

static inline int test_remove_one(const char *path, const struct stat *status, int type,
                                  struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void test_directory_remove(const char *path)
{
    (void)nftw(path, test_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A directory that "make check" passes to every program. */
static inline const char *test_environment(const char *name)
{
    const char *value = getenv(name);

    if (value == NULL || value[0] == '\0') {
        print_error("%s is not set: run this by \"make check\"\n", name);
        abort();
    }
    return value;
}

#endif
