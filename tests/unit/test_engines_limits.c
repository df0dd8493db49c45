/* SPDX-License-Identifier: BSD-3-Clause */

/* Deadlines of every engine driver that is built, and servers that end sessions or accept none. */

#include <pthread.h>

#include "support/any_engine.h"

/* --- deadlines */

enum { SHORT_TIME = 300, MOST_WAITED = 5000 }; /* milliseconds */

static struct deadline start_of_time;

static void start_clock(void)
{
    start_of_time = deadline_after(600000);
}

/* The wait ended when it should have. Other tests measure it more closely:
 * here, other programs may keep the machine busy. */
static void assert_waited(enum lookup result)
{
    int waited = 600000 - deadline_remaining(&start_of_time);

    assert_lookup(result, LOOKUP_UNAVAILABLE);
    assert_string_not_equal(world.reason.text, "(none)");
    assert_lacks(world.reason.text, "alice");
    assert_in_range(waited, SHORT_TIME * 9 / 10, MOST_WAITED);
}

static void locked_lookup_ends(void **state)
{
    const struct run *run = *state;
    const struct bytes alice = bytes_of("alice");
    size_t i;

    for (i = 0; i < 2 * COUNT(accesses); i++) {
        enum sql_access access = accesses[i / 2];

        /* Once without, once with a statement that is kept. */
        if (i % 2 == 1)
            assert_lookup(select_over(access, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_true(run->fixture->lock());
        start_clock();
        assert_waited(select_within(access, BY_NAME, &alice, 1, SHORT_TIME));
        assert_true(run->fixture->unlock());
        close_session(access);
        assert_true(open_session(access));
        assert_lookup(select_over(access, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "wonderland");
    }
}

/* The caller then tries to roll back, and closes: neither takes long. */
static void locked_store_ends(void **state)
{
    const struct run *run = *state;
    const struct bytes parameters[] = {bytes_of("new"), bytes_of("alice")};
    const struct deadline passed = deadline_after(0);

    if (!run->fixture->is_file)
        assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_true(run->fixture->lock());
    start_clock();
    assert_waited(store_within(UPDATE, parameters, COUNT(parameters), SHORT_TIME));
    start_clock();
    world.driver.engine->transaction(world.sessions[SQL_ACCESS_WRITE], SQL_ROLLBACK, &passed,
                                     &world.reason);
    close_session(SQL_ACCESS_WRITE);
    assert_in_range(600000 - deadline_remaining(&start_of_time), 0, MOST_WAITED);
    assert_true(run->fixture->unlock());
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_true(open_session(SQL_ACCESS_WRITE));
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
}

static void passed_deadline_ends_a_lookup(void **state)
{
    const struct run *run = *state;
    const struct bytes alice = bytes_of("alice");
    enum lookup result;

    assert_true(run->fixture->lock());
    start_clock();
    result = select_within(SQL_ACCESS_READ, BY_NAME, &alice, 1, 0);
    assert_lookup(result, LOOKUP_UNAVAILABLE);
    assert_in_range(600000 - deadline_remaining(&start_of_time), 0, MOST_WAITED);
    assert_true(run->fixture->unlock());
}

/* A statement that has lost its WHERE, over hundreds of millions of rows. */
static enum lookup select_without_end(const char *column)
{
    enum lookup result;
    char text[200];

    snprintf(text, sizeof(text),
             "SELECT %s FROM users a, users b, users c, users d, users e,"
             " users f, users g, users h",
             column);
    start_clock();
    result = select_within(SQL_ACCESS_READ, text, NULL, 0, SHORT_TIME);
    assert_in_range(600000 - deadline_remaining(&start_of_time), 0, MOST_WAITED);
    return result;
}

static void rows_without_end_end(void **state)
{
    enum lookup result = select_without_end("a.secret");

    (void)state;
    assert_true(result == LOOKUP_SEVERAL || result == LOOKUP_UNAVAILABLE);
}

/* The first row is refused, and the others still arrive: in PostgreSQL small
 * ones, without a column. */
static void refused_rows_without_end_end(void **state)
{
    const struct run *run = *state;
    bool needs_column = strcmp(run->fixture->engine, "pgsql") != 0;
    enum lookup result = select_without_end(needs_column ? "repeat('x', 1048577)" : "");

    assert_true(result == LOOKUP_REJECTED || result == LOOKUP_UNAVAILABLE);
}

static void *unlock_soon(void *context)
{
    const struct run *run = context;
    const struct timespec nap = {0, 100 * 1000 * 1000};

    nanosleep(&nap, NULL);
    return run->fixture->unlock() ? context : NULL;
}

static void waits_for_a_lock(void **state)
{
    const struct run *run = *state;
    enum lookup result;
    pthread_t thread;
    void *done = NULL;

    assert_true(run->fixture->lock());
    assert_int_equal(pthread_create(&thread, NULL, unlock_soon, *state), 0);
    result = select_value(BY_NAME, NAMES("alice"));
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    assert_lookup(result, LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

/* --- servers that end sessions */

/* Servers take time to notice. */
static void wait_for_no_sessions(const struct run *run)
{
    const struct deadline deadline = deadline_after(20000);
    const struct timespec nap = {0, 10 * 1000 * 1000};
    char *left = run->fixture->sessions();

    while (left != NULL && left[0] != '\0' && deadline_remaining(&deadline) > 0) {
        free(left);
        nanosleep(&nap, NULL);
        left = run->fixture->sessions();
    }
    assert_non_null(left);
    if (left[0] != '\0')
        print_error("sessions are left: %s\n", left);
    assert_int_equal(left[0], '\0');
    free(left);
}

static void end_sessions(const struct run *run)
{
    assert_true(run->fixture->end_sessions());
    wait_for_no_sessions(run);
}

static void close_leaves_no_session(void **state)
{
    const struct run *run = *state;
    char *open_ones = run->fixture->sessions();

    assert_non_null(open_ones);
    assert_non_null(strchr(open_ones, ' ')); /* two of them */
    free(open_ones);
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    close_session(SQL_ACCESS_READ);
    close_session(SQL_ACCESS_WRITE);
    wait_for_no_sessions(run);
}

static void ended_session_is_lost(void **state)
{
    const struct run *run = *state;
    size_t i;

    for (i = 0; i < 2 * COUNT(accesses); i++) {
        enum sql_access access = accesses[i / 2];

        if (i % 2 == 1)
            assert_lookup(select_over(access, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        end_sessions(run);
        assert_lookup(select_over(access, BY_NAME, NAMES("alice")), LOOKUP_LOST);
        assert_string_not_equal(world.reason.text, "(none)");
        assert_lacks(world.reason.text, "alice");
        close_session(access);
        assert_true(open_session(access));
        assert_lookup(select_over(access, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "wonderland");
    }
}

static void ended_session_does_not_begin(void **state)
{
    const struct run *run = *state;

    end_sessions(run);
    assert_lookup(step(SQL_BEGIN), LOOKUP_LOST);
}

static void ended_session_does_not_store(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    end_sessions(run);
    assert_lookup(store(UPDATE, NAMES("new", "bob")), LOOKUP_LOST);
    assert_string_not_equal(lookup_name(step(SQL_COMMIT)), "DONE");
    assert_string_not_equal(lookup_name(step(SQL_ROLLBACK)), "DONE");
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_query(run, "SELECT secret FROM users WHERE name = 'bob'", "builder");
}

static void ended_session_does_not_commit(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    end_sessions(run);
    assert_string_not_equal(lookup_name(step(SQL_COMMIT)), "DONE");
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
}

static void *end_sessions_soon(void *context)
{
    const struct run *run = context;
    const struct timespec nap = {0, 200 * 1000 * 1000};

    nanosleep(&nap, NULL);
    return run->fixture->end_sessions() ? context : NULL;
}

static void ended_while_a_query_runs(void **state)
{
    const struct run *run = *state;
    enum lookup result;
    pthread_t thread;
    void *done = NULL;

    assert_true(run->fixture->lock());
    assert_int_equal(pthread_create(&thread, NULL, end_sessions_soon, *state), 0);
    result = select_value(BY_NAME, NAMES("alice"));
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    assert_lookup(result, LOOKUP_LOST);
    assert_true(run->fixture->unlock());
    close_session(SQL_ACCESS_READ);
    assert_true(open_session(SQL_ACCESS_READ));
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
}

/* A statement that nothing waits for any longer does not keep the server busy. */
static void abandoned_statement_ends_at_the_server(void **state)
{
    const struct run *run = *state;
    const struct bytes alice = bytes_of("alice");
    const struct bytes parameters[] = {bytes_of("new"), bytes_of("alice")};

    close_session(SQL_ACCESS_READ);
    close_session(SQL_ACCESS_WRITE);
    world.target.timeout = 2 * SHORT_TIME;
    assert_true(open_session(SQL_ACCESS_READ));
    assert_true(open_session(SQL_ACCESS_WRITE));
    assert_true(run->fixture->lock());
    assert_lookup(select_within(SQL_ACCESS_READ, BY_NAME, &alice, 1, SHORT_TIME),
                  LOOKUP_UNAVAILABLE);
    assert_lookup(store_within(UPDATE, parameters, COUNT(parameters), SHORT_TIME),
                  LOOKUP_UNAVAILABLE);
    close_session(SQL_ACCESS_READ);
    close_session(SQL_ACCESS_WRITE);
    wait_for_no_sessions(run);
    assert_true(run->fixture->unlock());
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
}

/* --- servers that accept none */

static void reached_by_address(void **state)
{
    const struct run *run = *state;

    close_session(SQL_ACCESS_READ);
    world.host = world.by_address;
    assert_true(open_session(SQL_ACCESS_READ));
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
    end_sessions(run);
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_LOST);
}

static void reached_by_name(void **state)
{
    static char localhost[] = "localhost";

    (void)state;
    close_session(SQL_ACCESS_READ);
    world.host = world.by_address;
    world.host.name = localhost;
    assert_true(open_session(SQL_ACCESS_READ));
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

static void assert_not_opened(enum lookup want)
{
    size_t i;

    for (i = 0; i < COUNT(accesses); i++) {
        close_session(accesses[i]);
        assert_lookup(try_open(accesses[i]), want);
        assert_string_not_equal(world.reason.text, "(none)");
        assert_string_not_equal(world.reason.text, "");
        assert_lacks(world.reason.text, world.target.password);
    }
}

static void wrong_password_opens_nothing(void **state)
{
    (void)state;
    world.target.password = "s3cret but wrong";
    assert_not_opened(LOOKUP_UNAVAILABLE);
    world.host = world.by_address;
    assert_not_opened(LOOKUP_UNAVAILABLE);
}

static void unknown_database_opens_nothing(void **state)
{
    (void)state;
    world.target.database = "no_such_database";
    assert_not_opened(LOOKUP_UNAVAILABLE);
    assert_contains(world.reason.text, "no_such_database");
}

static void missing_socket_opens_nothing(void **state)
{
    static char nowhere[] = "/nonexistent/socket";

    (void)state;
    world.host = (struct sql_host){nowhere, 0, nowhere};
    assert_not_opened(LOOKUP_LOST);
}

static void unknown_name_opens_nothing(void **state)
{
    static char unknown[] = "no-such-host.invalid";

    (void)state;
    world.host = (struct sql_host){unknown, 0, unknown};
    assert_not_opened(LOOKUP_UNAVAILABLE);
}

static int point_to_mute_socket(bool listening)
{
    static char address[] = "127.0.0.1";
    unsigned port;
    int descriptor = run_mute_socket(listening, &port);

    world.host = (struct sql_host){address, port, address};
    return descriptor;
}

static void refused_connection_opens_nothing(void **state)
{
    int descriptor;

    (void)state;
    descriptor = point_to_mute_socket(false);
    start_clock();
    assert_not_opened(LOOKUP_LOST);
    assert_in_range(600000 - deadline_remaining(&start_of_time), 0, MOST_WAITED);
    close(descriptor);
}

static void mute_server_opens_nothing(void **state)
{
    size_t i;
    int descriptor;

    (void)state;
    descriptor = point_to_mute_socket(true);
    for (i = 0; i < COUNT(accesses); i++) {
        const struct deadline deadline = deadline_after(SHORT_TIME);
        enum lookup result;

        close_session(accesses[i]);
        start_clock();
        result = engine_open(world.driver.engine, &world.target, &world.host, accesses[i],
                             &deadline, &world.sessions[accesses[i]], &world.reason);
        assert_waited(result);
        assert_null(world.sessions[accesses[i]]);
    }
    close(descriptor);
}

/* Too many sessions are not an outage: one may end at any moment. */
static void full_server_is_busy(void **state)
{
    const struct run *run = *state;
    bool filled = run->fixture->fill(&world.target);
    size_t i;

    assert_true(filled);
    for (i = 0; i < COUNT(accesses); i++) {
        close_session(accesses[i]);
        assert_lookup(try_open(accesses[i]), LOOKUP_BUSY);
        assert_string_not_equal(world.reason.text, "(none)");
    }
    assert_true(run->fixture->unfill(&world.target));
    assert_true(open_session(SQL_ACCESS_READ));
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
}

/* --- the list */

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD(list, fixture, locked_lookup_ends);
    RUN_ADD(list, fixture, rows_without_end_end);
    RUN_ADD(list, fixture, locked_store_ends);
    RUN_ADD(list, fixture, passed_deadline_ends_a_lookup);
    RUN_ADD(list, fixture, waits_for_a_lock);
    if (fixture->is_file)
        return;
    RUN_ADD(list, fixture, close_leaves_no_session);
    RUN_ADD(list, fixture, ended_session_is_lost);
    RUN_ADD(list, fixture, ended_session_does_not_begin);
    RUN_ADD(list, fixture, ended_session_does_not_store);
    RUN_ADD(list, fixture, ended_session_does_not_commit);
    RUN_ADD(list, fixture, ended_while_a_query_runs);
    RUN_ADD(list, fixture, refused_rows_without_end_end);
    RUN_ADD(list, fixture, abandoned_statement_ends_at_the_server);
    RUN_ADD(list, fixture, reached_by_address);
    RUN_ADD(list, fixture, reached_by_name);
    RUN_ADD(list, fixture, wrong_password_opens_nothing);
    RUN_ADD(list, fixture, unknown_database_opens_nothing);
    RUN_ADD(list, fixture, missing_socket_opens_nothing);
    RUN_ADD(list, fixture, unknown_name_opens_nothing);
    RUN_ADD(list, fixture, refused_connection_opens_nothing);
    RUN_ADD(list, fixture, mute_server_opens_nothing);
    RUN_ADD(list, fixture, full_server_is_busy);
}

int main(void)
{
    memset(long_value, 'v', LONG_VALUE);
    alarm(900); /* a driver that never returns is stopped here */
    return run_all("engines_limits", set_up, tear_down, add_all);
}
