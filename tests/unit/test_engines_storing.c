/* SPDX-License-Identifier: BSD-3-Clause */

/* What every engine driver that is built stores. */

#include "support/any_engine.h"

/* --- statements that store */

#define INSERT "INSERT INTO users (name, secret) VALUES (^, ^)"

static void update(void **state)
{
    const struct run *run = *state;

    assert_lookup(store(UPDATE, NAMES("n'ew\\", "alice")), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "n'ew\\");
    assert_query(run, "SELECT secret FROM users WHERE name = 'bob'", "builder");
}

static void update_of_several_rows(void **state)
{
    const struct run *run = *state;

    assert_lookup(store(UPDATE, NAMES("both", "twin")), LOOKUP_DONE);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret = 'both'", "2");
}

static void update_of_no_row(void **state)
{
    const struct run *run = *state;

    /* Also right after one that did change something. */
    assert_lookup(store(UPDATE, NAMES("new", "nobody")), LOOKUP_NONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "nobody")), LOOKUP_NONE);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret = 'new'", "1");
}

/* The row exists, which is what counts. */
static void update_to_the_same_value(void **state)
{
    const struct run *run = *state;

    assert_lookup(store(UPDATE, NAMES("wonderland", "alice")), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("wonderland", "nobody")), LOOKUP_NONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
}

static void insert(void **state)
{
    const struct run *run = *state;

    assert_lookup(store(INSERT, NAMES("carol", "christmas")), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'carol'", "christmas");
    assert_lookup(select_value(BY_NAME, NAMES("carol")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "christmas");
}

static const struct hostile {
    const char *name;
    const char *text;
} hostiles[] = {
    {"quotes", "' OR ''='"},
    {"end of a statement", "'; DROP TABLE users; --"},
    {"backslash and quote", "\\'; DROP TABLE users; -- "},
    {"double quotes and backticks", "\"`\""},
    {"placeholders", "? $1 :a @b"},
    {"percent signs", "100% %s %n"},
    {"line breaks", "a\r\nb\tc"},
    {"not ASCII", "\303\274\342\202\254\360\237\224\221"},
    {"64 kB", long_value},
};

static void store_hostile_values(void **state)
{
    const struct run *run = *state;
    const struct hostile *row = run->row;
    const struct secret want = lend(row->text);

    assert_lookup(store("INSERT INTO users (name, secret) VALUES ('carol', ^)", NAMES(row->text)),
                  LOOKUP_DONE);
    assert_lookup(select_value("SELECT name FROM users WHERE secret = ^", NAMES(row->text)),
                  row->text == long_value ? LOOKUP_SEVERAL : LOOKUP_FOUND);
    assert_lookup(select_value(BY_NAME, NAMES("carol")), LOOKUP_FOUND);
    assert_secret(&world.value, &want);
    assert_query(run, "SELECT secret FROM users WHERE name = 'carol'", row->text);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE name = 'alice'", "1");
}

static void store_null(void **state)
{
    const struct run *run = *state;
    const struct bytes parameters[] = {BYTES_NONE, bytes_of("alice")};

    assert_lookup(store_within(UPDATE, parameters, COUNT(parameters), LONG_TIME), LOOKUP_DONE);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret IS NULL AND name = 'alice'", "1");
    /* The empty string is not NULL, and what is kept of a statement contains no value. */
    assert_lookup(store(UPDATE, NAMES("", "alice")), LOOKUP_DONE);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret IS NULL AND name = 'alice'", "0");
}

/* It is stored completely or not at all. */
static void store_nul(void **state)
{
    const struct run *run = *state;
    const struct bytes parameters[] = {{"one\0two", 7}, bytes_of("alice")};
    const struct secret whole = lend_bytes("one\0two", 7);
    const struct secret *want = run->fixture->has_nul ? &whole : NULL;
    const struct secret before = lend("wonderland");

    assert_lookup(store_within(UPDATE, parameters, COUNT(parameters), LONG_TIME),
                  want != NULL ? LOOKUP_DONE : LOOKUP_REJECTED);
    if (want == NULL)
        assert_lacks(world.reason.text, "one");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_secret(&world.value, want != NULL ? want : &before);
}

/* It is not shortened silently, if the engine has lengths at all. */
static void store_too_long(void **state)
{
    const struct run *run = *state;

    execute(run, "CREATE TABLE narrow (name VARCHAR(64), secret VARCHAR(8));"
                 "INSERT INTO narrow VALUES ('alice', 'short')");
    if (store("UPDATE narrow SET secret = ^ WHERE name = ^", NAMES("s3cret and long", "alice")) ==
        LOOKUP_DONE) {
        assert_query(run, "SELECT secret FROM narrow", "s3cret and long");
        return;
    }
    assert_lacks(world.reason.text, "s3cret");
    assert_query(run, "SELECT secret FROM narrow", "short");
    assert_lookup(store("UPDATE narrow SET secret = ^ WHERE name = ^", NAMES("other", "alice")),
                  LOOKUP_DONE);
}

static const struct unstorable {
    const char *name;
    const char *statement;
    const char *parameters[MOST_PARAMETERS];
    enum lookup want;
} unstorables[] = {
    {"no such table",
     "UPDATE nowhere SET secret = ^ WHERE name = ^",
     {"s3cret", "alice"},
     LOOKUP_UNREADY},
    {"no such column",
     "UPDATE users SET nothing = ^ WHERE name = ^",
     {"s3cret", "alice"},
     LOOKUP_REJECTED},
    {"syntax error", "UPDATE users SET = ^ WHERE name = ^", {"s3cret", "alice"}, LOOKUP_REJECTED},
    {"name is taken",
     "INSERT INTO single (secret, name) VALUES (^, ^)",
     {"s3cret", "alice"},
     LOOKUP_CONFLICT},
    {"too few parameters", UPDATE, {"s3cret"}, LOOKUP_REJECTED},
};

static void store_rejected(void **state)
{
    const struct run *run = *state;
    const struct unstorable *row = run->row;

    assert_lookup(store(row->statement, row->parameters), or_rejected(row->want));
    assert_string_not_equal(world.reason.text, "(none)");
    assert_lacks(world.reason.text, "s3cret");
    assert_lacks(world.reason.text, "alice");
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_query(run, "SELECT secret FROM single WHERE name = 'alice'", "taken");
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
}

static void rolls_back(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_lookup(store(INSERT, NAMES("carol", "christmas")), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(step(SQL_ROLLBACK), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_query(run, "SELECT COUNT(*) FROM users WHERE name = 'carol'", "0");
}

static void commits(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "new");
    /* And again, over the same session. */
    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("newer", "alice")), LOOKUP_DONE);
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "newer");
}

static void commits_after_a_rollback(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store("UPDATE nowhere SET a = ^", NAMES("x")), or_rejected(LOOKUP_UNREADY));
    assert_lookup(step(SQL_ROLLBACK), LOOKUP_DONE);
    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "new");
}

/* A transaction in which a statement fails stores nothing, whatever follows. */
static void failed_transaction_stores_nothing(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_lookup(store("INSERT INTO single (secret, name) VALUES (^, ^)", NAMES("x", "alice")),
                  or_rejected(LOOKUP_CONFLICT));
    assert_lookup(step(SQL_ROLLBACK), LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(select_over(SQL_ACCESS_WRITE, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

/* Exactly what is reported as committed is stored. Engines differ in whether a
 * failing statement undoes those before it. */
static void commit_tells_the_truth(void **state)
{
    const struct run *run = *state;
    enum lookup result;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_lookup(store("UPDATE nowhere SET a = ^", NAMES("x")), or_rejected(LOOKUP_UNREADY));
    result = step(SQL_COMMIT);
    if (result != LOOKUP_DONE)
        step(SQL_ROLLBACK);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'",
                 result == LOOKUP_DONE ? "new" : "wonderland");
    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
}

/* A session sees what it has stored before the others do. */
static void looks_up_in_a_transaction(void **state)
{
    (void)state;
    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_lookup(select_over(SQL_ACCESS_WRITE, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "new");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "new");
}

static void close_rolls_back(void **state)
{
    const struct run *run = *state;

    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    close_session(SQL_ACCESS_WRITE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    execute(run, "UPDATE users SET secret = 'free' WHERE name = 'alice'");
}

/* A session for lookups finds, and cannot change a file. With a server, the
 * rights of the database user decide. */
static void read_session_changes_nothing(void **state)
{
    const struct run *run = *state;
    struct sql_session *session = world.sessions[SQL_ACCESS_WRITE];

    world.sessions[SQL_ACCESS_WRITE] = world.sessions[SQL_ACCESS_READ];
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_not_equal(lookup_name(store(UPDATE, NAMES("new", "alice"))), "DONE");
    assert_string_not_equal(lookup_name(store("DELETE FROM users", NAMES(NULL))), "DONE");
    assert_string_not_equal(lookup_name(store("DROP TABLE users", NAMES(NULL))), "DONE");
    world.sessions[SQL_ACCESS_WRITE] = session;
    assert_string_not_equal(
        lookup_name(select_value("DELETE FROM users WHERE name = ^", NAMES("alice"))), "FOUND");
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

static void two_sessions_at_once(void **state)
{
    struct sql_session *first = world.sessions[SQL_ACCESS_READ];
    struct sql_session *second;

    (void)state;
    assert_lookup(store(UPDATE, NAMES("new", "alice")), LOOKUP_DONE);
    assert_true(open_session(SQL_ACCESS_READ));
    second = world.sessions[SQL_ACCESS_READ];
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "new");
    world.sessions[SQL_ACCESS_READ] = first;
    assert_lookup(select_value(BY_NAME, NAMES("bob")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "builder");
    world.driver.engine->close(second);
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
}

/* --- the list */

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD(list, fixture, update);
    RUN_ADD(list, fixture, update_of_several_rows);
    RUN_ADD(list, fixture, update_of_no_row);
    RUN_ADD(list, fixture, update_to_the_same_value);
    RUN_ADD(list, fixture, insert);
    RUN_ADD_ROWS(list, fixture, store_hostile_values, hostiles);
    RUN_ADD(list, fixture, store_null);
    RUN_ADD(list, fixture, store_nul);
    RUN_ADD(list, fixture, store_too_long);
    RUN_ADD_ROWS(list, fixture, store_rejected, unstorables);
    RUN_ADD(list, fixture, rolls_back);
    RUN_ADD(list, fixture, commits);
    RUN_ADD(list, fixture, commits_after_a_rollback);
    RUN_ADD(list, fixture, failed_transaction_stores_nothing);
    RUN_ADD(list, fixture, commit_tells_the_truth);
    RUN_ADD(list, fixture, looks_up_in_a_transaction);
    RUN_ADD(list, fixture, close_rolls_back);
    if (fixture->is_file)
        RUN_ADD(list, fixture, read_session_changes_nothing);
    RUN_ADD(list, fixture, two_sessions_at_once);
}

int main(void)
{
    memset(long_value, 'v', LONG_VALUE);
    alarm(900); /* a driver that never returns is stopped here */
    return run_all("engines_storing", set_up, tear_down, add_all);
}
