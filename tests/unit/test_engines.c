/* SPDX-License-Identifier: BSD-3-Clause */

/* One table of cases against every engine driver that is built. Where engines
 * may differ, their fixtures say how. */

#include <pthread.h>
#include <unistd.h>

#include "sql/sql_driver.h"
#include "support/engine_open.h"
#include "support/engine_runs.h"

enum { MOST_PARAMETERS = 4, SHORT_VALUES = 600, LONG_VALUE = 64 * 1024, LONGEST_VALUE = 1 << 20 };

static char long_value[LONG_VALUE + 1];

/* --- what each test starts with and leaves behind */

static struct {
    const struct sql_engine_kind *kind;
    struct sql_target target;
    struct sql_host host;
    struct sql_host by_address; /* the same one by TCP */
    struct sql_driver driver;
    struct sql_session *sessions[2]; /* by what they are for */
    struct secret value;
    struct reason reason;
} world;

/* Replaces {text}, {bytes} and {blob}. Returns a string from malloc(3). */
static char *spell(const struct engine_fixture *fixture, const char *statements)
{
    const struct {
        const char *word;
        const char *meaning;
    } words[] = {
        {"{text}", fixture->text_type},
        {"{bytes}", fixture->blob_type},
        {"{blob}", fixture->blob},
    };
    char *out = calloc(1, 2 * strlen(statements) + LONG_VALUE);
    size_t length = 0, i;

    assert_non_null(out);
    while (*statements != '\0') {
        for (i = 0; i < COUNT(words); i++)
            if (strncmp(statements, words[i].word, strlen(words[i].word)) == 0)
                break;
        if (i == COUNT(words)) {
            out[length++] = *statements++;
        } else {
            strcpy(out + length, words[i].meaning);
            length += strlen(words[i].meaning);
            statements += strlen(words[i].word);
        }
    }
    return out;
}

/* Past the driver. */
static void execute(const struct run *run, const char *statements)
{
    char *spelt = spell(run->fixture, statements);
    bool done = run->fixture->execute(spelt);

    free(spelt);
    assert_true(done);
}

static void assert_query(const struct run *run, const char *statement, const char *want)
{
    char *got = run->fixture->query(statement);

    if (got == NULL || strcmp(got, want) != 0)
        print_error("%s: got \"%s\", want \"%s\"\n", statement, got != NULL ? got : "(none)", want);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static const char users[] =
    "CREATE TABLE users (name VARCHAR(64), secret {text}, number INTEGER, bytes {bytes});"
    "CREATE TABLE single (name VARCHAR(64) PRIMARY KEY, secret {text});"
    "INSERT INTO users VALUES ('alice', 'wonderland', 42, {blob});"
    "INSERT INTO users VALUES ('bob', 'builder', -7, {blob});"
    "INSERT INTO users VALUES ('twin', 'one', 1, NULL), ('twin', 'two', 2, NULL);"
    "INSERT INTO users VALUES ('null', NULL, NULL, NULL);"
    "INSERT INTO users VALUES ('empty', '', 3, NULL);"
    "INSERT INTO users VALUES ('', 'nameless', 4, NULL);"
    "INSERT INTO users VALUES ('o''brien', 'quoted', 5, NULL);"
    "INSERT INTO users VALUES ('b\303\274rgi', 'p\303\244ssw\303\266rd \360\237\224\221', 6, NULL);"
    "INSERT INTO single VALUES ('alice', 'taken');";

/* Adds a row with a value of that length. */
static bool add_long(const struct engine_fixture *fixture, const char *name, size_t length)
{
    char *statement = malloc(length + 128);
    int start;
    bool done;

    if (statement == NULL)
        return false;
    start = sprintf(statement, "INSERT INTO users VALUES ('%s', '", name);
    memset(statement + start, 'v', length);
    strcpy(statement + start + length, "', 7, NULL)");
    done = fixture->execute(statement);
    free(statement);
    return done;
}

static enum lookup try_open(enum sql_access access)
{
    const struct deadline deadline = deadline_after(60000);
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    world.sessions[access] = (struct sql_session *)&world;
    result = engine_open(world.driver.engine, &world.target, &world.host, access, &deadline,
                         &world.sessions[access], &world.reason);
    if ((result == LOOKUP_DONE) != (world.sessions[access] != NULL))
        abort();
    return result;
}

static bool open_session(enum sql_access access)
{
    enum lookup result = try_open(access);

    if (result != LOOKUP_DONE)
        print_error("%s: %s\n", lookup_name(result), world.reason.text);
    return result == LOOKUP_DONE;
}

static void close_session(enum sql_access access)
{
    if (world.sessions[access] != NULL)
        world.driver.engine->close(world.sessions[access]);
    world.sessions[access] = NULL;
}

static int set_up(void **state)
{
    const struct run *run = *state;
    const struct engine_fixture *fixture = run->fixture;
    char *spelt;
    bool done;

    memset(&world, 0, sizeof(world));
    world.kind = sql_engine_kind_find(fixture->engine);
    if (!fixture->start(&world.target, &world.host, &world.by_address))
        return -1;
    spelt = spell(fixture, users);
    done = fixture->execute(spelt) && add_long(fixture, "long", LONG_VALUE) &&
           sql_driver_load(&world.driver, world.kind, test_environment("TEST_ENGINE_DIR"),
                           &world.reason);
    free(spelt);
    if (!done)
        print_error("%s\n", world.reason.text);
    return done && open_session(SQL_ACCESS_READ) && open_session(SQL_ACCESS_WRITE) ? 0 : -1;
}

static int tear_down(void **state)
{
    const struct run *run = *state;

    close_session(SQL_ACCESS_READ);
    close_session(SQL_ACCESS_WRITE);
    sql_driver_unload(&world.driver);
    secret_wipe(&world.value);
    run->fixture->stop();
    return 0;
}

/* --- requests */

/* Writes out each ^ of a statement as the engine's placeholder. */
static char *with_placeholders(const char *statement)
{
    char *out = calloc(1, 4 * strlen(statement) + 1);
    size_t length = 0, number = 0;

    assert_non_null(out);
    for (; *statement != '\0'; statement++)
        if (*statement != '^')
            out[length++] = *statement;
        else if (world.kind->dialect->placeholder == PLACEHOLDER_DOLLAR)
            length += (size_t)sprintf(out + length, "$%zu", ++number);
        else
            out[length++] = '?';
    return out;
}

static size_t lend_parameters(const char *const *texts, struct bytes *parameters)
{
    size_t count = 0;

    for (; count < MOST_PARAMETERS && texts[count] != NULL; count++)
        parameters[count] = bytes_of(texts[count]);
    return count;
}

enum { LONG_TIME = 60000 }; /* milliseconds */

static enum lookup select_within(enum sql_access access, const char *text,
                                 const struct bytes *parameters, size_t count,
                                 unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);
    char *spelt = with_placeholders(text);
    const struct sql_statement statement = {spelt, parameters, count};
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = engine_select(world.driver.engine, world.sessions[access], &statement, &deadline,
                           &world.value, &world.reason);
    free(spelt);
    return result;
}

static enum lookup select_over(enum sql_access access, const char *text, const char *const *texts)
{
    struct bytes parameters[MOST_PARAMETERS];
    size_t count = lend_parameters(texts, parameters);

    return select_within(access, text, parameters, count, LONG_TIME);
}

/* As a lookup of a login is done. */
static enum lookup select_value(const char *text, const char *const *texts)
{
    return select_over(SQL_ACCESS_READ, text, texts);
}

static enum lookup store_within(const char *text, const struct bytes *parameters, size_t count,
                                unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);
    char *spelt = with_placeholders(text);
    const struct sql_statement statement = {spelt, parameters, count};
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = world.driver.engine->store(world.sessions[SQL_ACCESS_WRITE], &statement, &deadline,
                                        &world.reason);
    free(spelt);
    return result;
}

static enum lookup store(const char *text, const char *const *texts)
{
    struct bytes parameters[MOST_PARAMETERS];
    size_t count = lend_parameters(texts, parameters);

    return store_within(text, parameters, count, LONG_TIME);
}

static enum lookup step(enum sql_transaction which)
{
    const struct deadline deadline = deadline_after(LONG_TIME);

    return world.driver.engine->transaction(world.sessions[SQL_ACCESS_WRITE], which, &deadline,
                                            &world.reason);
}

#define NAMES(...) ((const char *const[MOST_PARAMETERS]){__VA_ARGS__})
#define BY_NAME "SELECT secret FROM users WHERE name = ^"

/* --- lookups */

struct looking {
    const char *name;
    const char *statement;
    const char *parameters[MOST_PARAMETERS];
    enum lookup want;
    const char *want_value; /* of LOOKUP_FOUND; NULL stands for NULL */
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

/* What a server lacks another one may have; a file is alone. */
static enum lookup or_rejected(enum lookup want)
{
    return (want == LOOKUP_UNREADY || want == LOOKUP_CONFLICT) && !world.kind->has_hosts
               ? LOOKUP_REJECTED
               : want;
}

/* Both kinds of sessions find, though a driver may run statements in other ways. */
static const enum sql_access accesses[] = {SQL_ACCESS_READ, SQL_ACCESS_WRITE};

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
    /* Whatever it was, the session goes on. */
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

/* A name that the column cannot hold, whatever the reason. */
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

/* Values are not shortened: they are whole or refused. */
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

/* More statements in turns than a driver may want to keep. */
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

/* A server that has forgotten what the session prepared, as one behind a pooler
 * has: nobody notices. */
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

/* --- statements that store */

#define UPDATE "UPDATE users SET secret = ^ WHERE name = ^"
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

/* The row is there, which is what counts. */
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
    /* The empty string is no NULL, and what is kept of a statement is no value. */
    assert_lookup(store(UPDATE, NAMES("", "alice")), LOOKUP_DONE);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret IS NULL AND name = 'alice'", "0");
}

/* Stored whole or not at all. */
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

/* Not shortened in silence, where the engine knows lengths at all. */
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
    /* And once more, by the same session. */
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

/* A transaction in which a statement fails comes to nothing, whatever follows. */
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

/* What is said to be committed is there, and nothing else. Engines differ in
 * whether a statement that fails spoils those before it. */
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

/* A session for lookups finds, and changes nothing: of a file. What it may do at
 * a server is up to the rights of the database's user. */
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

/* --- deadlines */

enum { SHORT_TIME = 300, MOST_WAITED = 5000 }; /* milliseconds */

static struct deadline start_of_time;

static void start_clock(void)
{
    start_of_time = deadline_after(600000);
}

/* Time was up when it should have been. Elsewhere it is measured more closely:
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

/* The caller tries to roll back then, and closes: neither takes long. */
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

/* The first row is refused, and the others still come: in PostgreSQL small ones,
 * without a column. */
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

/* Servers take their time to notice. */
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

/* What nobody waits for any more does not keep the server busy. */
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

/* --- servers that take none */

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

/* Too many sessions are no outage: one may end at any moment. */
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

static void add_all_of_any(struct test_list *list, const struct engine_fixture *fixture)
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
    RUN_ADD(list, fixture, locked_lookup_ends);
    RUN_ADD(list, fixture, rows_without_end_end);
    RUN_ADD(list, fixture, locked_store_ends);
    RUN_ADD(list, fixture, passed_deadline_ends_a_lookup);
    RUN_ADD(list, fixture, waits_for_a_lock);
}

static void add_all_of_servers(struct test_list *list, const struct engine_fixture *fixture)
{
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

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    add_all_of_any(list, fixture);
    if (!fixture->is_file)
        add_all_of_servers(list, fixture);
}

int main(void)
{
    memset(long_value, 'v', LONG_VALUE);
    alarm(900); /* a driver that waits for ever ends here */
    return run_all("engines", set_up, tear_down, add_all);
}
