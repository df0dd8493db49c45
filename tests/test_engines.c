/* SPDX-License-Identifier: BSD-3-Clause */

/* One table of cases against every engine driver that is built. Another engine
 * is another row of `engines` and a fixture. */

#include "test_engines.h"

#include <unistd.h>

#include "sql_engine_loader.h"
#include "test_support.h"

static const struct engine {
    const char *name;
    const struct engine_fixture *fixture; /* NULL: not built */
} engines[] = {
    {"sqlite3", &test_engines_sqlite3},
};

enum { MOST_PARAMETERS = 4, LONG_VALUE = 64 * 1024 };

static char long_value[LONG_VALUE + 1];

/* --- what each test starts with and leaves behind */

struct run {
    const struct engine *engine;
    const struct sql_engine_kind *kind;
    const void *row;
};

static struct {
    bool available;
    struct sql_target target;
    struct sql_driver driver;
    struct sql_session *session;
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
    char *spelt = spell(run->engine->fixture, statements);
    bool done = run->engine->fixture->execute(spelt);

    free(spelt);
    assert_true(done);
}

static void assert_query(const struct run *run, const char *statement, const char *want)
{
    char *got = run->engine->fixture->query(statement);

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
    "INSERT INTO users VALUES ('empty', '', 0, NULL);"
    "INSERT INTO users VALUES ('', 'nameless', 0, NULL);"
    "INSERT INTO users VALUES ('o''brien', 'quoted', 0, NULL);"
    "INSERT INTO users VALUES ('b\303\274rgi', 'p\303\244ssw\303\266rd \360\237\224\221', 0, NULL);"
    "INSERT INTO single VALUES ('alice', 'taken');";

static int set_up(void **state)
{
    const struct run *run = *state;
    const struct engine_fixture *fixture = run->engine->fixture;
    const struct deadline deadline = deadline_after(60000);
    char *spelt, *with_long;
    bool done;

    memset(&world, 0, sizeof(world));
    world.available = fixture->start(&world.target);
    if (!world.available)
        return 0;
    spelt = spell(fixture, users);
    with_long = malloc(LONG_VALUE + 128);
    if (with_long == NULL)
        return -1;
    snprintf(with_long, LONG_VALUE + 128, "INSERT INTO users VALUES ('long', '%s', 0, NULL)",
             long_value);
    done = fixture->execute(spelt) && fixture->execute(with_long) &&
           sql_driver_load(&world.driver, run->kind, test_environment("TEST_ENGINE_DIR"),
                           &world.reason);
    free(spelt);
    free(with_long);
    if (!done)
        return -1;
    world.session =
        world.driver.engine->open(&world.target, SQL_ACCESS_WRITE, &deadline, &world.reason);
    if (world.session == NULL)
        print_error("%s\n", world.reason.text);
    return world.session != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    const struct run *run = *state;

    if (world.session != NULL)
        world.driver.engine->close(world.session);
    sql_driver_unload(&world.driver);
    secret_wipe(&world.value);
    run->engine->fixture->stop();
    return 0;
}

/* Every test function starts with this. */
static const struct run *started(void **state)
{
    if (!world.available)
        skip();
    return *state;
}

/* --- requests */

/* Writes out each ^ of a statement as the engine's placeholder. */
static char *with_placeholders(const struct run *run, const char *statement)
{
    char *out = calloc(1, 4 * strlen(statement) + 1);
    size_t length = 0, number = 0;

    assert_non_null(out);
    for (; *statement != '\0'; statement++)
        if (*statement != '^')
            out[length++] = *statement;
        else if (run->kind->dialect->placeholder == PLACEHOLDER_DOLLAR)
            length += (size_t)sprintf(out + length, "$%zu", ++number);
        else
            out[length++] = '?';
    return out;
}

static size_t lend_parameters(const char *const *texts, struct secret *parameters)
{
    size_t count = 0;

    for (; count < MOST_PARAMETERS && texts[count] != NULL; count++)
        parameters[count] = lend(texts[count]);
    return count;
}

static enum lookup select_value(const struct run *run, const char *text, const char *const *texts)
{
    const struct deadline deadline = deadline_after(60000);
    struct secret parameters[MOST_PARAMETERS];
    char *spelt = with_placeholders(run, text);
    const struct sql_statement statement = {spelt, parameters, lend_parameters(texts, parameters)};
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = world.driver.engine->select(world.session, &statement, &deadline, &world.value,
                                         &world.reason);
    free(spelt);
    return result;
}

static enum lookup store_parameters(const struct run *run, const char *text,
                                    const struct secret *parameters, size_t count)
{
    const struct deadline deadline = deadline_after(60000);
    char *spelt = with_placeholders(run, text);
    const struct sql_statement statement = {spelt, parameters, count};
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = world.driver.engine->store(world.session, &statement, &deadline, &world.reason);
    free(spelt);
    return result;
}

static enum lookup store(const struct run *run, const char *text, const char *const *texts)
{
    struct secret parameters[MOST_PARAMETERS];

    return store_parameters(run, text, parameters, lend_parameters(texts, parameters));
}

static enum lookup step(enum sql_transaction which)
{
    const struct deadline deadline = deadline_after(60000);

    return world.driver.engine->transaction(world.session, which, &deadline, &world.reason);
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
    {"no such table",
     "SELECT secret FROM nowhere WHERE name = ^",
     {"alice"},
     LOOKUP_REJECTED,
     NULL},
    {"no such column",
     "SELECT nothing FROM users WHERE name = ^",
     {"alice"},
     LOOKUP_REJECTED,
     NULL},
    {"no such function", "SELECT no_such_function(^)", {"alice"}, LOOKUP_REJECTED, NULL},
    {"syntax error", "SELECT secret FROM users WHERE = ^", {"alice"}, LOOKUP_REJECTED, NULL},
    {"no SQL at all", "secret of alice", {NULL}, LOOKUP_REJECTED, NULL},
    {"too few parameters",
     "SELECT secret FROM users WHERE name = ^ AND secret = ^",
     {"alice"},
     LOOKUP_REJECTED,
     NULL},
    {"too many parameters", BY_NAME, {"alice", "wonderland"}, LOOKUP_REJECTED, NULL},
};

static void look_up(void **state)
{
    const struct run *run = started(state);
    const struct looking *row = run->row;
    const struct secret want = lend(row->want_value);
    enum lookup result;

    assert_true(secret_set(&world.value, "what was there before", 21));
    result = select_value(run, row->statement, row->parameters);
    assert_lookup(result, row->want);
    if (result == LOOKUP_FOUND) {
        assert_secret(&world.value, &want);
        if (world.value.bytes != NULL)
            assert_int_equal(world.value.bytes[world.value.length], '\0');
    }
    if (result == LOOKUP_REJECTED || result == LOOKUP_SEVERAL) {
        assert_string_not_equal(world.reason.text, "(none)");
        assert_string_not_equal(world.reason.text, "");
        assert_lacks(world.reason.text, "wonderland");
        assert_lacks(world.reason.text, "alice");
    }
    /* Whatever it was, the session goes on. */
    assert_lookup(select_value(run, BY_NAME, NAMES("bob")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "builder");
    assert_lookup(select_value(run, row->statement, row->parameters), row->want);
}

static void look_up_bytes(void **state)
{
    const struct run *run = started(state);
    const struct secret want =
        lend_bytes(run->engine->fixture->want_blob, run->engine->fixture->want_blob_length);

    assert_lookup(select_value(run, "SELECT bytes FROM users WHERE name = ^", NAMES("alice")),
                  LOOKUP_FOUND);
    assert_secret(&world.value, &want);
}

/* NULL equals nothing. */
static void look_up_null(void **state)
{
    const struct run *run = started(state);
    const struct deadline deadline = deadline_after(60000);
    const struct secret null = SECRET_EMPTY;
    char *spelt = with_placeholders(run, BY_NAME);
    const struct sql_statement statement = {spelt, &null, 1};
    enum lookup result = world.driver.engine->select(world.session, &statement, &deadline,
                                                     &world.value, &world.reason);

    free(spelt);
    assert_lookup(result, LOOKUP_NONE);
}

/* More statements in turns than a driver may want to keep. */
static void look_up_by_many_statements(void **state)
{
    const struct run *run = started(state);
    char statement[64], want[16];
    unsigned round, i;

    for (round = 0; round < 3; round++)
        for (i = 0; i < 20; i++) {
            snprintf(statement, sizeof(statement), "SELECT %u FROM users WHERE name = ^", i);
            snprintf(want, sizeof(want), "%u", i);
            assert_lookup(select_value(run, statement, NAMES("alice")), LOOKUP_FOUND);
            assert_string_equal(world.value.bytes, want);
        }
}

/* One statement with other parameters each time. */
static void look_up_many_times(void **state)
{
    const struct run *run = started(state);
    unsigned i;

    for (i = 0; i < 50; i++) {
        assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "wonderland");
        assert_lookup(select_value(run, BY_NAME, NAMES("nobody")), LOOKUP_NONE);
        assert_lookup(select_value(run, BY_NAME, NAMES("twin")), LOOKUP_SEVERAL);
        assert_lookup(select_value(run, BY_NAME, NAMES("bob")), LOOKUP_FOUND);
        assert_string_equal(world.value.bytes, "builder");
    }
}

static void sees_what_others_store(void **state)
{
    const struct run *run = started(state);

    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    execute(run, "UPDATE users SET secret = 'changed' WHERE name = 'alice'");
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "changed");
    execute(run, "DELETE FROM users WHERE name = 'alice'");
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_NONE);
}

static void keeps_a_statement_across_a_new_table(void **state)
{
    const struct run *run = started(state);

    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    execute(run, "DROP TABLE users");
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_REJECTED);
    assert_contains(world.reason.text, "users");
    assert_lacks(world.reason.text, "alice");
    execute(run, "CREATE TABLE users (secret {text}, extra INTEGER, name VARCHAR(64));"
                 "INSERT INTO users VALUES ('new', 1, 'alice')");
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "new");
    execute(run, "DROP TABLE users");
    execute(run, "CREATE TABLE users (secret {text}, name VARCHAR(64));"
                 "INSERT INTO users VALUES ('newer', 'alice')");
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "newer");
}

/* --- statements that store */

#define UPDATE "UPDATE users SET secret = ^ WHERE name = ^"
#define INSERT "INSERT INTO users (name, secret) VALUES (^, ^)"

static void update(void **state)
{
    const struct run *run = started(state);

    assert_lookup(store(run, UPDATE, NAMES("n'ew\\", "alice")), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "n'ew\\");
    assert_query(run, "SELECT secret FROM users WHERE name = 'bob'", "builder");
}

static void update_of_several_rows(void **state)
{
    const struct run *run = started(state);

    assert_lookup(store(run, UPDATE, NAMES("both", "twin")), LOOKUP_FOUND);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret = 'both'", "2");
}

static void update_of_no_row(void **state)
{
    const struct run *run = started(state);

    /* Also right after one that did change something. */
    assert_lookup(store(run, UPDATE, NAMES("new", "nobody")), LOOKUP_NONE);
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
    assert_lookup(store(run, UPDATE, NAMES("new", "nobody")), LOOKUP_NONE);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret = 'new'", "1");
}

static void insert(void **state)
{
    const struct run *run = started(state);

    assert_lookup(store(run, INSERT, NAMES("carol", "christmas")), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'carol'", "christmas");
    assert_lookup(select_value(run, BY_NAME, NAMES("carol")), LOOKUP_FOUND);
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
    const struct run *run = started(state);
    const struct hostile *row = run->row;
    const struct secret want = lend(row->text);

    assert_lookup(
        store(run, "INSERT INTO users (name, secret) VALUES ('carol', ^)", NAMES(row->text)),
        LOOKUP_FOUND);
    assert_lookup(select_value(run, "SELECT name FROM users WHERE secret = ^", NAMES(row->text)),
                  row->text == long_value ? LOOKUP_SEVERAL : LOOKUP_FOUND);
    assert_lookup(select_value(run, BY_NAME, NAMES("carol")), LOOKUP_FOUND);
    assert_secret(&world.value, &want);
    assert_query(run, "SELECT secret FROM users WHERE name = 'carol'", row->text);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE name = 'alice'", "1");
}

static void store_null(void **state)
{
    const struct run *run = started(state);
    const struct secret parameters[] = {SECRET_EMPTY, lend("alice")};

    assert_lookup(store_parameters(run, UPDATE, parameters, COUNT(parameters)), LOOKUP_FOUND);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret IS NULL AND name = 'alice'", "1");
    /* The empty string is no NULL, and what is kept of a statement is no value. */
    assert_lookup(store(run, UPDATE, NAMES("", "alice")), LOOKUP_FOUND);
    assert_query(run, "SELECT COUNT(*) FROM users WHERE secret IS NULL AND name = 'alice'", "0");
}

static const struct unstorable {
    const char *name;
    const char *statement;
    const char *parameters[MOST_PARAMETERS];
} unstorables[] = {
    {"no such table", "UPDATE nowhere SET secret = ^ WHERE name = ^", {"s3cret", "alice"}},
    {"no such column", "UPDATE users SET nothing = ^ WHERE name = ^", {"s3cret", "alice"}},
    {"syntax error", "UPDATE users SET = ^ WHERE name = ^", {"s3cret", "alice"}},
    {"name is taken", "INSERT INTO single (secret, name) VALUES (^, ^)", {"s3cret", "alice"}},
    {"too few parameters", UPDATE, {"s3cret"}},
};

static void store_rejected(void **state)
{
    const struct run *run = started(state);
    const struct unstorable *row = run->row;

    assert_lookup(store(run, row->statement, row->parameters), LOOKUP_REJECTED);
    assert_string_not_equal(world.reason.text, "(none)");
    assert_lacks(world.reason.text, "s3cret");
    assert_lacks(world.reason.text, "alice");
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_query(run, "SELECT secret FROM single WHERE name = 'alice'", "taken");
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
}

static void rolls_back(void **state)
{
    const struct run *run = started(state);

    assert_lookup(step(SQL_BEGIN), LOOKUP_FOUND);
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
    assert_lookup(store(run, INSERT, NAMES("carol", "christmas")), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(step(SQL_ROLLBACK), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_query(run, "SELECT COUNT(*) FROM users WHERE name = 'carol'", "0");
}

static void commits(void **state)
{
    const struct run *run = started(state);

    assert_lookup(step(SQL_BEGIN), LOOKUP_FOUND);
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(step(SQL_COMMIT), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "new");
    /* And once more, by the same session. */
    assert_lookup(step(SQL_BEGIN), LOOKUP_FOUND);
    assert_lookup(store(run, UPDATE, NAMES("newer", "alice")), LOOKUP_FOUND);
    assert_lookup(step(SQL_COMMIT), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "newer");
}

static void commits_after_a_rollback(void **state)
{
    const struct run *run = started(state);

    assert_lookup(step(SQL_BEGIN), LOOKUP_FOUND);
    assert_lookup(store(run, "UPDATE nowhere SET a = ^", NAMES("x")), LOOKUP_REJECTED);
    assert_lookup(step(SQL_ROLLBACK), LOOKUP_FOUND);
    assert_lookup(step(SQL_BEGIN), LOOKUP_FOUND);
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
    assert_lookup(step(SQL_COMMIT), LOOKUP_FOUND);
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "new");
}

static void close_rolls_back(void **state)
{
    const struct run *run = started(state);

    assert_lookup(step(SQL_BEGIN), LOOKUP_FOUND);
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
    world.driver.engine->close(world.session);
    world.session = NULL;
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    execute(run, "UPDATE users SET secret = 'free' WHERE name = 'alice'");
}

/* A session for lookups finds, and changes nothing. */
static void read_session_changes_nothing(void **state)
{
    const struct run *run = started(state);
    const struct deadline deadline = deadline_after(60000);

    world.driver.engine->close(world.session);
    world.session =
        world.driver.engine->open(&world.target, SQL_ACCESS_READ, &deadline, &world.reason);
    assert_non_null(world.session);
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_not_equal(lookup_name(store(run, UPDATE, NAMES("new", "alice"))), "FOUND");
    assert_string_not_equal(lookup_name(store(run, "DELETE FROM users", NAMES(NULL))), "FOUND");
    assert_string_not_equal(lookup_name(store(run, "DROP TABLE users", NAMES(NULL))), "FOUND");
    assert_string_not_equal(
        lookup_name(select_value(run, "DELETE FROM users WHERE name = ^", NAMES("alice"))),
        "FOUND");
    assert_query(run, "SELECT secret FROM users WHERE name = 'alice'", "wonderland");
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

static void two_sessions_at_once(void **state)
{
    const struct run *run = started(state);
    const struct deadline deadline = deadline_after(60000);
    struct sql_session *first = world.session;
    struct sql_session *second =
        world.driver.engine->open(&world.target, SQL_ACCESS_READ, &deadline, &world.reason);

    assert_non_null(second);
    assert_lookup(store(run, UPDATE, NAMES("new", "alice")), LOOKUP_FOUND);
    world.session = second;
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "new");
    world.session = first;
    world.driver.engine->close(second);
    assert_lookup(select_value(run, BY_NAME, NAMES("alice")), LOOKUP_FOUND);
}

/* --- the list */

enum { MOST_RUNS = 200 };

static struct run runs[MOST_RUNS];
static size_t run_count;

static void add(struct test_list *list, const struct engine *engine, CMUnitTestFunction function,
                const void *row, const char *what, const char *name)
{
    struct CMUnitTest *test;
    char full[128];

    if (run_count == MOST_RUNS)
        abort();
    runs[run_count] = (struct run){engine, sql_engine_kind_find(engine->name), row};
    snprintf(full, sizeof(full), "%s%s%s", what, name[0] != '\0' ? ": " : "", name);
    test = test_add(list, function, &runs[run_count++], engine->name, full);
    test->setup_func = set_up;
    test->teardown_func = tear_down;
}

#define ADD(list, engine, function) add(list, engine, function, NULL, #function, "")

#define ADD_ROWS(list, engine, function, rows)                                                     \
    do {                                                                                           \
        size_t row_;                                                                               \
        for (row_ = 0; row_ < COUNT(rows); row_++)                                                 \
            add(list, engine, function, &(rows)[row_], #function, (rows)[row_].name);              \
    } while (0)

int main(void)
{
    struct test_list list = {0};
    size_t i;

    memset(long_value, 'v', LONG_VALUE);
    alarm(600); /* a driver that waits for ever ends here */
    for (i = 0; i < COUNT(engines); i++) {
        const struct engine *engine = &engines[i];

        if (engine->fixture == NULL)
            continue;
        ADD_ROWS(&list, engine, look_up, lookings);
        ADD(&list, engine, look_up_bytes);
        ADD(&list, engine, look_up_null);
        ADD(&list, engine, look_up_by_many_statements);
        ADD(&list, engine, look_up_many_times);
        ADD(&list, engine, sees_what_others_store);
        ADD(&list, engine, keeps_a_statement_across_a_new_table);
        ADD(&list, engine, update);
        ADD(&list, engine, update_of_several_rows);
        ADD(&list, engine, update_of_no_row);
        ADD(&list, engine, insert);
        ADD_ROWS(&list, engine, store_hostile_values, hostiles);
        ADD(&list, engine, store_null);
        ADD_ROWS(&list, engine, store_rejected, unstorables);
        ADD(&list, engine, rolls_back);
        ADD(&list, engine, commits);
        ADD(&list, engine, commits_after_a_rollback);
        ADD(&list, engine, close_rolls_back);
        ADD(&list, engine, read_session_changes_nothing);
        ADD(&list, engine, two_sessions_at_once);
    }
    if (list.count == 0) {
        printf("1..0 # SKIP no engine driver is built\n");
        return 0;
    }
    return test_run("engines", &list);
}
