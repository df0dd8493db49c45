/* SPDX-License-Identifier: BSD-3-Clause */

/* Lookups by every engine driver that is built: one table of cases. If engines may differ, their
 * fixtures say how. */

#include "support/any_engine.h"

/* --- lookups */

struct looking {
    const char *name;
    const char *statement;
    const char *parameters[MOST_PARAMETERS];
    enum lookup want;
    const char *want_value; /* for LOOKUP_FOUND; NULL stands for NULL */
};

static const struct looking lookings[] = {
    {"found", BY_NAME, {"alice"}, LOOKUP_FOUND, "wonderland"},
    {"no row", BY_NAME, {"nobody"}, LOOKUP_NONE, NULL},
    {"several rows", BY_NAME, {"twin"}, LOOKUP_SEVERAL, NULL},
    {"all rows", "SELECT secret FROM users", {NULL}, LOOKUP_SEVERAL, NULL},
    {"NULL", BY_NAME, {"null"}, LOOKUP_FOUND, NULL},
    {"empty string", BY_NAME, {"empty"}, LOOKUP_FOUND, ""},
    {"64 kB", BY_NAME, {"long"}, LOOKUP_FOUND, long_value},
    {"not ASCII",
     BY_NAME,
     {"b\303\274rgi"},
     LOOKUP_FOUND,
     "p\303\244ssw\303\266rd \360\237\224\221"},
    {"integer", "SELECT number FROM users WHERE name = ^", {"alice"}, LOOKUP_FOUND, "42"},
    {"negative integer", "SELECT number FROM users WHERE name = ^", {"bob"}, LOOKUP_FOUND, "-7"},
    {"first of several columns",
     "SELECT secret, number, name FROM users WHERE name = ^",
     {"alice"},
     LOOKUP_FOUND,
     "wonderland"},
    {"no parameter",
     "SELECT secret FROM users WHERE name = 'alice'",
     {NULL},
     LOOKUP_FOUND,
     "wonderland"},
    {"two parameters, in their order",
     "SELECT secret FROM users WHERE name = ^ AND secret = ^",
     {"alice", "wonderland"},
     LOOKUP_FOUND,
     "wonderland"},
    {"two parameters the other way round",
     "SELECT secret FROM users WHERE name = ^ AND secret = ^",
     {"wonderland", "alice"},
     LOOKUP_NONE,
     NULL},
    {"empty parameter", BY_NAME, {""}, LOOKUP_FOUND, "nameless"},
    {"parameter with a quote", BY_NAME, {"o'brien"}, LOOKUP_FOUND, "quoted"},
    {"parameter with a doubled quote", BY_NAME, {"o''brien"}, LOOKUP_NONE, NULL},
    {"parameter that would be true", BY_NAME, {"' OR '1'='1"}, LOOKUP_NONE, NULL},
    {"parameter that would end the statement",
     BY_NAME,
     {"'; DROP TABLE users; --"},
     LOOKUP_NONE,
     NULL},
    {"parameter with a backslash", BY_NAME, {"alice\\"}, LOOKUP_NONE, NULL},
    {"parameter with wildcards", BY_NAME, {"al%"}, LOOKUP_NONE, NULL},
    {"long parameter", BY_NAME, {long_value}, LOOKUP_NONE, NULL},
    {"no such table", "SELECT secret FROM nowhere WHERE name = ^", {"alice"}, LOOKUP_UNREADY, NULL},
    {"no such column",
     "SELECT nothing FROM users WHERE name = ^",
     {"alice"},
     LOOKUP_REJECTED,
     NULL},
    {"no such function", "SELECT no_such_function(^)", {"alice"}, LOOKUP_REJECTED, NULL},
    {"syntax error", "SELECT secret FROM users WHERE = ^", {"alice"}, LOOKUP_REJECTED, NULL},
    {"no SQL at all", "the secret of her", {NULL}, LOOKUP_REJECTED, NULL},
    {"too few parameters",
     "SELECT secret FROM users WHERE name = ^ AND secret = ^",
     {"alice"},
     LOOKUP_REJECTED,
     NULL},
    {"too many parameters", BY_NAME, {"alice", "wonderland"}, LOOKUP_REJECTED, NULL},
};

static void look_up_over(const struct looking *row, enum sql_access access)
{
    const struct secret want = lend(row->want_value);
    enum lookup result;

    assert_true(secret_set(&world.value, "what was there before", 21));
    result = select_over(access, row->statement, row->parameters);
    assert_lookup(result, or_rejected(row->want));
    if (result == LOOKUP_FOUND) {
        assert_secret(&world.value, &want);
        if (world.value.bytes != NULL)
            assert_int_equal(world.value.bytes[world.value.length], '\0');
    }
    if (result == LOOKUP_REJECTED || result == LOOKUP_UNREADY || result == LOOKUP_SEVERAL) {
        assert_string_not_equal(world.reason.text, "(none)");
        assert_string_not_equal(world.reason.text, "");
        assert_lacks(world.reason.text, "wonderland");
        assert_lacks(world.reason.text, "alice");
    }
    /* Whatever the result, the session continues. */
    assert_lookup(select_over(access, BY_NAME, NAMES("bob")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "builder");
    assert_lookup(select_over(access, row->statement, row->parameters), or_rejected(row->want));
}

static void look_up(void **state)
{
    const struct run *run = *state;
    size_t i;

    for (i = 0; i < COUNT(accesses); i++)
        look_up_over(run->row, accesses[i]);
}

static void look_up_in_its_own_way(void **state)
{
    const struct run *run = *state;
    const struct engine_case *row = run->row;
    const char *const parameters[MOST_PARAMETERS] = {row->parameter};
    size_t i;

    execute(run, row->before);
    for (i = 0; i < 2 * COUNT(accesses); i++) {
        enum lookup result;

        assert_true(secret_set(&world.value, "what was there before", 21));
        result = select_over(accesses[i / 2], row->statement, parameters);
        assert_lookup(result, row->want);
        if (result == LOOKUP_FOUND)
            assert_string_equal(world.value.bytes, "wonderland");
        if (result == LOOKUP_REJECTED) {
            assert_string_not_equal(world.reason.text, "(none)");
            assert_lacks(world.reason.text, row->parameter);
        }
        assert_lookup(select_over(accesses[i / 2], BY_NAME, NAMES("bob")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "builder");
    }
}

static void look_up_bytes(void **state)
{
    const struct run *run = *state;
    const struct secret want = lend_bytes(run->fixture->want_blob, run->fixture->want_blob_length);

    assert_lookup(select_value("SELECT bytes FROM users WHERE name = ^", NAMES("alice")),
                  LOOKUP_FOUND);
    assert_secret(&world.value, &want);
}

/* NULL equals nothing. */
static void look_up_null(void **state)
{
    const struct bytes null = BYTES_NONE;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(accesses); i++)
        assert_lookup(select_within(accesses[i], BY_NAME, &null, 1, LONG_TIME), LOOKUP_NONE);
}

/* --- rows */

static const struct crowd {
    const char *name;
    size_t rows, room;
} crowds[] = {
    {"none", 0, 1},
    {"one", 1, 1},
    {"two for one", 2, 1},
    {"three for one", 3, 1},
    {"one for two", 1, 2},
    {"two for two", 2, 2},
    {"three for two", 3, 2},
    {"most", SQL_ROWS_MOST, SQL_ROWS_MOST},
    {"more than most", SQL_ROWS_MOST + 1, SQL_ROWS_MOST},
    {"many more than most", 40, SQL_ROWS_MOST},
};

/* The first is long, the second NULL, the third empty. */
static void insert_crowd(const struct run *run, size_t count)
{
    static const char *const first[] = {"NULL", "''"};
    char statement[SHORT_VALUES + 128];
    size_t i;

    execute(run, "CREATE TABLE crowd (name VARCHAR(64), secret {text}, place INTEGER)");
    for (i = 0; i < count; i++) {
        if (i == 0)
            snprintf(statement, sizeof(statement), "INSERT INTO crowd VALUES ('all', '%0*d', 0)",
                     SHORT_VALUES, 0);
        else if (i <= COUNT(first))
            snprintf(statement, sizeof(statement), "INSERT INTO crowd VALUES ('all', %s, %zu)",
                     first[i - 1], i);
        else
            snprintf(statement, sizeof(statement),
                     "INSERT INTO crowd VALUES ('all', 'number %zu', %zu)", i, i);
        execute(run, statement);
    }
}

static void assert_crowd(const struct sql_rows *rows)
{
    char text[32];
    size_t i;

    for (i = 0; i < rows->count; i++) {
        snprintf(text, sizeof(text), "number %zu", i);
        if (i == 0)
            assert_int_equal(rows->values[i].length, SHORT_VALUES);
        else if (i == 1)
            assert_null(rows->values[i].bytes);
        else
            assert_string_equal(rows->values[i].bytes, i == 2 ? "" : text);
    }
}

static void hands_over_rows(void **state)
{
    const struct run *run = *state;
    const struct crowd *row = run->row;
    const bool is_more = row->rows > row->room;
    const struct bytes all = bytes_of("all");
    char *spelt =
        with_placeholders("SELECT secret, place FROM crowd WHERE name = ^ ORDER BY place");
    const struct sql_statement statement = {spelt, &all, 1};
    size_t i;

    insert_crowd(run, row->rows);
    for (i = 0; i < 2 * COUNT(accesses); i++) {
        const struct deadline deadline = deadline_after(LONG_TIME);
        struct secret values[SQL_ROWS_MOST] = {{NULL, 0}};
        struct sql_rows rows = {.values = values, .room = row->room};
        struct reason reason = {""};

        assert_lookup(world.driver.engine->select(world.sessions[accesses[i / 2]], &statement,
                                                  &deadline, &rows, &reason),
                      row->rows > 0 ? LOOKUP_FOUND : LOOKUP_NONE);
        assert_string_equal(reason.text, "");
        assert_int_equal(rows.count, is_more ? row->room : row->rows);
        assert_int_equal(rows.has_more, is_more);
        assert_crowd(&rows);
        sql_rows_wipe(&rows);
    }
    free(spelt);
}

/* A name is found as a whole or not at all. */
static void look_up_name_with_nul(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } names[] = {{"alice\0", 6}, {"alice\0bob", 9}, {"\0alice", 6}, {"\0", 1}};
    const struct run *run = *state;
    size_t i;

    for (i = 0; i < 2 * COUNT(names); i++) {
        const struct bytes name = {names[i / 2].bytes, names[i / 2].length};
        enum lookup result = select_within(accesses[i % 2], BY_NAME, &name, 1, LONG_TIME);

        assert_lookup(result, run->fixture->has_nul ? LOOKUP_NONE : LOOKUP_REJECTED);
        if (result == LOOKUP_REJECTED)
            assert_lacks(world.reason.text, "alice");
        assert_lookup(select_over(accesses[i % 2], BY_NAME, NAMES("bob")), LOOKUP_FOUND);
    }
}

/* A name that the column cannot hold, for any reason. */
static void look_up_what_does_not_fit(void **state)
{
    static const char *const names[] = {"alice", "99999999999999999999", "\303\274"};
    size_t i;

    (void)state;
    for (i = 0; i < 2 * COUNT(names); i++) {
        const char *name = names[i / 2];
        enum lookup result =
            select_over(accesses[i % 2], "SELECT secret FROM users WHERE number = ^", NAMES(name));

        assert_lookup(result, LOOKUP_NONE);
        assert_lookup(select_over(accesses[i % 2], BY_NAME, NAMES("bob")), LOOKUP_FOUND);
    }
}

/* Values are never shortened: they are complete or refused. */
static void look_up_by_length(void **state)
{
    const struct run *run = *state;
    size_t i;

    assert_true(add_long(run->fixture, "longest", LONGEST_VALUE - 1));
    assert_true(add_long(run->fixture, "longer", LONGEST_VALUE + 1));
    assert_true(add_long(run->fixture, "twice", 2 * LONGEST_VALUE));
    for (i = 0; i < COUNT(accesses); i++) {
        assert_lookup(select_over(accesses[i], BY_NAME, NAMES("longest")), LOOKUP_FOUND);
        assert_int_equal(world.value.length, LONGEST_VALUE - 1);
        assert_int_equal(strspn(world.value.bytes, "v"), LONGEST_VALUE - 1);
        assert_lookup(select_over(accesses[i], BY_NAME, NAMES("longer")), LOOKUP_REJECTED);
        assert_lacks(world.reason.text, "vvv");
        assert_lookup(select_over(accesses[i], BY_NAME, NAMES("twice")),
                      run->fixture->reads_no_long_message ? LOOKUP_UNAVAILABLE : LOOKUP_REJECTED);
        assert_lacks(world.reason.text, "vvv");
        if (run->fixture->reads_no_long_message) {
            assert_contains(world.reason.text, "longer than");
            close_session(accesses[i]);
            assert_true(open_session(accesses[i]));
        }
        assert_lookup(select_over(accesses[i], BY_NAME, NAMES("bob")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "builder");
    }
}

static void runs_no_second_statement(void **state)
{
    const struct run *run = *state;
    size_t i;

    for (i = 0; i < COUNT(accesses); i++)
        select_over(accesses[i], "SELECT secret FROM users WHERE name = 'bob'; DELETE FROM users",
                    NAMES(NULL));
    store("UPDATE users SET secret = 'x' WHERE name = 'nobody'; DELETE FROM users", NAMES(NULL));
    assert_query(run, "SELECT COUNT(*) FROM users WHERE name IN ('alice', 'bob')", "2");
    assert_lookup(select_value(BY_NAME, NAMES("bob")), LOOKUP_FOUND);
}

/* More statements in turn than a driver may want to keep. */
static void look_up_by_many_statements(void **state)
{
    char statement[64], want[16];
    unsigned round, i;

    (void)state;
    for (round = 0; round < 3; round++)
        for (i = 0; i < 20; i++) {
            snprintf(statement, sizeof(statement), "SELECT %u FROM users WHERE name = ^", i);
            snprintf(want, sizeof(want), "%u", i);
            assert_lookup(select_value(statement, NAMES("alice")), LOOKUP_FOUND);
            assert_string_equal(world.value.bytes, want);
        }
}

/* One statement with other parameters each time. */
static void look_up_many_times(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < 50; i++) {
        assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "wonderland");
        assert_lookup(select_value(BY_NAME, NAMES("nobody")), LOOKUP_NONE);
        assert_lookup(select_value(BY_NAME, NAMES("twin")), LOOKUP_SEVERAL);
        assert_lookup(select_value(BY_NAME, NAMES("bob")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "builder");
    }
}

static void sees_what_others_store(void **state)
{
    const struct run *run = *state;

    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    execute(run, "UPDATE users SET secret = 'changed' WHERE name = 'alice'");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "changed");
    execute(run, "DELETE FROM users WHERE name = 'alice'");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_NONE);
}

static void keeps_a_statement_across_a_new_table(void **state)
{
    const struct run *run = *state;

    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    execute(run, "DROP TABLE users");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), or_rejected(LOOKUP_UNREADY));
    assert_contains(world.reason.text, "users");
    assert_lacks(world.reason.text, "alice");
    execute(run, "CREATE TABLE users (secret {text}, extra INTEGER, name VARCHAR(64));"
                 "INSERT INTO users VALUES ('new', 1, 'alice')");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "new");
    execute(run, "DROP TABLE users");
    execute(run, "CREATE TABLE users (secret {text}, name VARCHAR(64));"
                 "INSERT INTO users VALUES ('newer', 'alice')");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "newer");
}

static void keeps_a_statement_across_a_new_type(void **state)
{
    const struct run *run = *state;
    unsigned i;

    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    for (i = 0; i < 3; i++) {
        execute(run, "DROP TABLE users");
        execute(run, i % 2 == 0 ? "CREATE TABLE users (name VARCHAR(20), secret VARCHAR(32))"
                                : "CREATE TABLE users (name {text}, secret {text}, more INTEGER)");
        assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_NONE);
        execute(run, "INSERT INTO users (name, secret) VALUES ('alice', 'new')");
        assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "new");
    }
}

static void keeps_a_statement_across_a_new_name(void **state)
{
    const struct run *run = *state;

    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    execute(run, "ALTER TABLE users RENAME COLUMN secret TO passwd");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_REJECTED);
    assert_contains(world.reason.text, "secret");
    execute(run, "ALTER TABLE users RENAME COLUMN passwd TO secret");
    assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

/* A server that has forgotten what the session prepared, like one behind a
 * pooler: the caller does not notice. */
static void prepares_anew(void **state)
{
    const struct run *run = *state;
    unsigned round;

    for (round = 0; round < 3; round++) {
        assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_lookup(select_value("SELECT number FROM users WHERE name = ^", NAMES("bob")),
                      LOOKUP_FOUND);
        select_value(run->fixture->forget, NAMES(NULL));
        assert_lookup(select_value(BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "wonderland");
        assert_lookup(select_value(BY_NAME, NAMES("nobody")), LOOKUP_NONE);
        assert_lookup(select_value("SELECT number FROM users WHERE name = ^", NAMES("bob")),
                      LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "-7");
    }
    assert_lookup(store("UPDATE users SET secret = ^ WHERE name = ^", NAMES("new", "alice")),
                  LOOKUP_DONE);
    store(run->fixture->forget, NAMES(NULL));
    assert_lookup(store("UPDATE users SET secret = ^ WHERE name = ^", NAMES("newer", "alice")),
                  LOOKUP_DONE);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "newer");
}

/* --- the list */

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    const struct engine_case *own = fixture->cases;

    for (; own != NULL && own->name != NULL; own++)
        run_add(list, fixture, look_up_in_its_own_way, own, "look_up_in_its_own_way", own->name);
    RUN_ADD_ROWS(list, fixture, look_up, lookings);
    RUN_ADD_ROWS(list, fixture, hands_over_rows, crowds);
    RUN_ADD(list, fixture, look_up_bytes);
    RUN_ADD(list, fixture, look_up_null);
    RUN_ADD(list, fixture, look_up_name_with_nul);
    RUN_ADD(list, fixture, look_up_what_does_not_fit);
    RUN_ADD(list, fixture, look_up_by_length);
    RUN_ADD(list, fixture, look_up_by_many_statements);
    RUN_ADD(list, fixture, look_up_many_times);
    RUN_ADD(list, fixture, runs_no_second_statement);
    RUN_ADD(list, fixture, sees_what_others_store);
    RUN_ADD(list, fixture, keeps_a_statement_across_a_new_table);
    RUN_ADD(list, fixture, keeps_a_statement_across_a_new_type);
    RUN_ADD(list, fixture, keeps_a_statement_across_a_new_name);
    if (fixture->forget != NULL)
        RUN_ADD(list, fixture, prepares_anew);
}

int main(void)
{
    memset(long_value, 'v', LONG_VALUE);
    alarm(900); /* a driver that never returns is stopped here */
    return run_all("engines", set_up, tear_down, add_all);
}
