/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_RUNS_H
#define ENGINE_RUNS_H

/*
 * Runs the same tests against every engine that is built. An engine without a
 * server is one skipped test.
 */

#include <netinet/in.h>
#include <sys/socket.h>

#include "support/engines.h"
#include "support/unit.h"

/* What a test function finds at *state. */
struct run {
    const struct engine_fixture *fixture;
    const void *row; /* of a table of cases, or NULL */
};

static inline void run_add(struct test_list *list, const struct engine_fixture *fixture,
                           CMUnitTestFunction function, const void *row, const char *what,
                           const char *name)
{
    static struct run runs[1000];
    static size_t count;
    char full[128];

    if (count == COUNT(runs))
        abort();
    runs[count] = (struct run){fixture, row};
    snprintf(full, sizeof(full), "%s%s%s", what, name[0] != '\0' ? ": " : "", name);
    test_add(list, function, &runs[count++], fixture->engine, full);
}

#define RUN_ADD(list, fixture, function) run_add(list, fixture, function, NULL, #function, "")

/* One test per row of `rows`, which have a name. */
#define RUN_ADD_ROWS(list, fixture, function, rows)                                                \
    do {                                                                                           \
        size_t row_;                                                                               \
        for (row_ = 0; row_ < COUNT(rows); row_++)                                                 \
            run_add(list, fixture, function, &(rows)[row_], #function, (rows)[row_].name);         \
    } while (0)

/* A socket at 127.0.0.1 that accepts connections if `listening`, and never
 * sends anything. Returns the descriptor. */
static inline int run_mute_socket(bool listening, unsigned *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(name);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(descriptor >= 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&name, length), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&name, &length), 0);
    if (listening)
        assert_int_equal(listen(descriptor, 8), 0);
    *port = ntohs(name.sin_port);
    return descriptor;
}

static inline void run_without_server(void **state)
{
    (void)state;
    skip();
}

/* Keeps every `count`-th of the tests from `first` on, beginning with the `turn`-th. */
static inline void run_keep_turns(struct test_list *list, size_t first, size_t turn, size_t count)
{
    size_t kept = first, i;

    for (i = first; i < list->count; i++) {
        if ((i - first) % count == turn)
            list->items[kept++] = list->items[i];
        else
            free((char *)(uintptr_t)list->items[i].name);
    }
    list->count = kept;
}

/* The number of turns of which each engine takes one, if the environment names this group in
 * TEST_TURNS, because a slow tool is at work. There are as many as engines, so that each case
 * runs with one of them; with "group:4", four times as many. */
static inline size_t run_turns(const char *group, size_t engines)
{
    const char *turns = getenv("TEST_TURNS");
    size_t length = strlen(group);

    for (; turns != NULL && *turns != '\0'; turns += strspn(turns, " ")) {
        size_t word = strcspn(turns, " ");

        if (strcspn(turns, ": ") == length && strncmp(turns, group, length) == 0)
            return engines * (turns[length] == ':' ? strtoul(turns + length + 1, NULL, 10) : 1);
        turns += word;
    }
    return 1;
}

/* Runs what `add_all` adds for each engine, each test between `set_up` and
 * `tear_down`, which may be NULL. Returns what main() returns. */
static inline int run_all(const char *group, CMFixtureFunction set_up, CMFixtureFunction tear_down,
                          void (*add_all)(struct test_list *list,
                                          const struct engine_fixture *fixture))
{
    static const struct engine_fixture *const fixtures[] = ENGINE_FIXTURES;
    const size_t turns = run_turns(group, COUNT(fixtures));
    struct test_list list = {0};
    int failed;
    size_t i, j;

    for (i = 0; i < COUNT(fixtures); i++) {
        size_t first = list.count;

        if (fixtures[i] == NULL)
            continue;
        if (!fixtures[i]->available()) {
            run_add(&list, fixtures[i], run_without_server, NULL, "no server to test against", "");
            continue;
        }
        add_all(&list, fixtures[i]);
        if (turns > 1)
            run_keep_turns(&list, first, i, turns);
        for (j = first; j < list.count; j++) {
            list.items[j].setup_func = set_up;
            list.items[j].teardown_func = tear_down;
        }
    }
    if (list.count == 0) {
        printf("1..0 # SKIP no engine driver is built\n");
        return 0;
    }
    failed = test_run(group, &list);
    for (i = 0; i < COUNT(fixtures); i++)
        if (fixtures[i] != NULL)
            fixtures[i]->finish();
    return failed;
}

#endif
