/* SPDX-License-Identifier: BSD-3-Clause */

/* Templates with PostgreSQL: a parameter has the same result as the literal it replaces, in
 * every way in which the driver runs statements. Without a server, nothing runs. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "sql/sql_driver.h"
#include "sql/sql_template.h"
#include "support/engine_open.h"
#include "support/engine_runs.h"

enum { LONG_TIME = 60000 }; /* milliseconds */

#define USER "alice"
#define REALM "example.com"
#define ADDRESS "192.0.2.1"
#define SECRET "wonderland"

static struct {
    struct sql_target target;
    struct sql_host host;
    struct sql_host by_address;
    struct sql_driver driver;
    struct sql_session *session;
    struct secret value;
    struct reason reason;
} world;

static const char users[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, local CHAR(20), address INET,"
    "                    made TIMESTAMP DEFAULT now(), secret TEXT);"
    "INSERT INTO users VALUES (42, '" USER "@" REALM "', '" USER "', '" ADDRESS "', DEFAULT,"
    "                          '" SECRET "');"
    "INSERT INTO users SELECT i, 'user' || i, 'user' || i, '192.0.2.2', now(), 'x'"
    "    FROM generate_series(1000, 3000) AS i;"
    "INSERT INTO users VALUES (1, 'twin', 'twin', NULL, DEFAULT, 'one'),"
    "                         (2, 'twin', 'twin', NULL, DEFAULT, 'two');"
    "ANALYZE users;"
    "CREATE FUNCTION secret_of(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
    "    DECLARE told TEXT;"
    "    BEGIN SELECT secret INTO STRICT told FROM users WHERE username = who;"
    "    RETURN told; END $$;"
    "CREATE FUNCTION refuse(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
    "    BEGIN RAISE EXCEPTION 'not %', who; END $$;"
    "CREATE FUNCTION pretend(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
    "    BEGIN RAISE EXCEPTION 'no table %', who USING ERRCODE = 'undefined_table'; END $$;"
    "CREATE FUNCTION divide(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
    "    DECLARE told TEXT;"
    "    BEGIN EXECUTE 'SELECT id / 0 FROM users WHERE username <> $1' INTO told USING who;"
    "    RETURN told; END $$;"
    "CREATE PROCEDURE tell(who TEXT, INOUT told TEXT) LANGUAGE plpgsql AS $$"
    "    BEGIN SELECT secret INTO told FROM users WHERE username = who; END $$;"
    "CREATE PROCEDURE tell_nothing(who TEXT) LANGUAGE plpgsql AS $$ BEGIN PERFORM who; END $$;"
    "CREATE DOMAIN short_name AS TEXT CHECK (length(VALUE) < 4);"
    "CREATE FUNCTION of_short(who short_name) RETURNS TEXT LANGUAGE sql AS 'SELECT who::text';"
    "CREATE TABLE stale (x INTEGER);"
    /* A separate statement for each user; also for a number. */
    "CREATE FUNCTION does(statement TEXT, who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
    "    DECLARE told TEXT;"
    "    BEGIN EXECUTE statement INTO told USING who; RETURN told; END $$;"
    "CREATE FUNCTION does(statement TEXT, who INTEGER) RETURNS TEXT LANGUAGE plpgsql AS $$"
    "    DECLARE told TEXT;"
    "    BEGIN EXECUTE statement INTO told USING who; RETURN told; END $$;";

static int set_up(void **state)
{
    const struct run *run = *state;

    memset(&world, 0, sizeof(world));
    if (!run->fixture->start(&world.target, &world.host, &world.by_address) ||
        !run->fixture->execute(users))
        return -1;
    if (sql_driver_load(&world.driver, sql_engine_kind_find("pgsql"),
                        test_environment("TEST_ENGINE_DIR"), &world.reason))
        return 0;
    print_error("%s\n", world.reason.text);
    return -1;
}

static void close_session(void)
{
    if (world.session != NULL)
        world.driver.engine->close(world.session);
    world.session = NULL;
}

static int tear_down(void **state)
{
    const struct run *run = *state;

    close_session();
    sql_driver_unload(&world.driver);
    secret_wipe(&world.value);
    run->fixture->stop();
    return 0;
}

static void open_session(enum sql_access access)
{
    const struct deadline deadline = deadline_after(LONG_TIME);

    close_session();
    assert_lookup(engine_open(world.driver.engine, &world.target, &world.host, access, &deadline,
                              &world.session, &world.reason),
                  LOOKUP_DONE);
}

static enum lookup step(enum sql_transaction which)
{
    const struct deadline deadline = deadline_after(LONG_TIME);

    return world.driver.engine->transaction(world.session, which, &deadline, &world.reason);
}

/* Runs a template, to look up or to store. */
static enum lookup run_template(const char *text, enum sql_template_kind kind, const char *user)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    const struct bytes value = bytes_of("new");
    const struct sql_values values = {user, REALM, "secret", ADDRESS, value};
    struct sql_template *template =
        sql_template_parse(text, kind, &sql_dialect_pgsql, &world.reason);
    struct secret parameters[8];
    struct bytes views[COUNT(parameters)];
    struct sql_statement statement = {.parameters = views};
    char *spelt;
    enum lookup result;
    size_t i;

    if (template == NULL)
        print_error("%s\n", world.reason.text);
    assert_non_null(template);
    spelt = sql_template_text(template, "secret");
    statement.text = spelt;
    statement.parameter_count = sql_template_parameter_count(template);
    assert_true(statement.parameter_count <= COUNT(parameters));
    assert_true(sql_template_bind(template, &values, parameters));
    for (i = 0; i < statement.parameter_count; i++)
        views[i] = secret_bytes(&parameters[i]);
    strcpy(world.reason.text, "(none)");
    result = kind == SQL_TEMPLATE_SELECT
                 ? engine_select(world.driver.engine, world.session, &statement, &deadline,
                                 &world.value, &world.reason)
                 : world.driver.engine->store(world.session, &statement, &deadline, &world.reason);
    for (i = 0; i < statement.parameter_count; i++)
        secret_wipe(&parameters[i]);
    free(spelt);
    sql_template_free(template);
    return result;
}

static enum lookup look_up(const char *text, const char *user)
{
    return run_template(text, SQL_TEMPLATE_SELECT, user);
}

/* --- the same as a literal */

#define FROM_USERS "SELECT secret FROM users WHERE "

static const struct looking {
    const char *name;
    const char *template;
    enum lookup want;
    const char *want_value; /* SECRET if NULL */
    const char *user;       /* USER if NULL */
} lookings[] = {
    {"column", FROM_USERS "username = '%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"concat", FROM_USERS "username = CONCAT('%u','@','%r')", LOOKUP_FOUND, NULL, NULL},
    {"concat_ws", FROM_USERS "username = concat_ws('@', '%u', '%r')", LOOKUP_FOUND, NULL, NULL},
    {"concat_ws of the separator", FROM_USERS "username = concat_ws('@', '%u', NULL, %r)",
     LOOKUP_FOUND, NULL, NULL},
    {"format", FROM_USERS "username = format('%%s@%%s', '%u', '%r')", LOOKUP_FOUND, NULL, NULL},
    {"format by a macro", "SELECT format('%u: %%s', '%r')", LOOKUP_FOUND, USER ": " REALM, NULL},
    {"count", "SELECT count('%u')", LOOKUP_FOUND, "1", NULL},
    {"count beside a number", "SELECT count('%u') || '%r'", LOOKUP_FOUND, "1" REALM, NULL},
    {"IS NOT NULL", FROM_USERS "username = '%u@%r' AND '%r' IS NOT NULL", LOOKUP_FOUND, NULL, NULL},
    {"IS NULL", FROM_USERS "'%u' IS NULL", LOOKUP_NONE, NULL, NULL},
    {"IN of two types", FROM_USERS "'%u@%r' IN (local, username)", LOOKUP_FOUND, NULL, NULL},
    {"IN of a padded type", FROM_USERS "'%u' IN (local, username)", LOOKUP_FOUND, NULL, NULL},
    {"IN of constants", "SELECT '%u' IN ('alice', 'bob')", LOOKUP_FOUND, "t", NULL},
    {"json_build_object", "SELECT json_build_object('u', '%u')->>'u'", LOOKUP_FOUND, USER, NULL},
    {"concatenated", FROM_USERS "username = '%u' || '@' || '%r'", LOOKUP_FOUND, NULL, NULL},
    {"all at once",
     FROM_USERS "username = concat('%u', '@', '%r') AND id = '42' AND"
                " address = '%a' AND '%u' IS NOT NULL",
     LOOKUP_FOUND, NULL, NULL},
    {"text", FROM_USERS "username = text '%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"text without a blank", FROM_USERS "username = text'%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"text of the schema", FROM_USERS "username = pg_catalog.text '%u@%r'", LOOKUP_FOUND, NULL,
     NULL},
    {"text in quotes", FROM_USERS "username = \"text\" /* a */ '%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"inet", FROM_USERS "address = inet '%a'", LOOKUP_FOUND, NULL, NULL},
    {"date", "SELECT date '%u' + 1", LOOKUP_FOUND, "2001-02-04", "2001-02-03"},
    {"interval of the schema", "SELECT '2001-02-03'::timestamp + pg_catalog.interval '%u'",
     LOOKUP_FOUND, "2001-02-04 00:00:00", "1 day"},
    {"timestamp", FROM_USERS "id = 42 AND made > timestamp '%u'", LOOKUP_FOUND, NULL, "2001-02-03"},
    {"integer", FROM_USERS "id = integer '%u'", LOOKUP_FOUND, NULL, "42"},
    {"varchar", FROM_USERS "username = varchar '%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"boolean", "SELECT NOT boolean '%u'", LOOKUP_FOUND, "f", "yes"},
    {"uuid", "SELECT uuid '%u'", LOOKUP_FOUND, "6b0a6a50-0000-4000-8000-000000000000",
     "6b0a6a50000040008000000000000000"},
    {"Unicode literal", FROM_USERS "username = U&'%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"E literal", FROM_USERS "username = text E'%u\\@%r'", LOOKUP_FOUND, NULL, NULL},
    {"dollar quotes", FROM_USERS "username = text $a$%u@%r$a$", LOOKUP_FOUND, NULL, NULL},
    {"LIKE", FROM_USERS "username LIKE '%u@%%'", LOOKUP_FOUND, NULL, NULL},
    {"NOT ILIKE and ESCAPE", "SELECT 'b' NOT ILIKE '%ux' ESCAPE '%u'", LOOKUP_FOUND, "t", "!"},
    {"SIMILAR TO", FROM_USERS "username SIMILAR TO '%u@%%'", LOOKUP_FOUND, NULL, NULL},
    {"BETWEEN", FROM_USERS "username BETWEEN '%u@%r' AND '%u@%r'", LOOKUP_FOUND, NULL, NULL},
    {"AND, OR, NOT", FROM_USERS "'f' OR NOT '%u' AND id = 42", LOOKUP_FOUND, NULL, "f"},
    {"CASE", "SELECT CASE '%u' WHEN '%u' THEN '%r' ELSE '%a' END", LOOKUP_FOUND, REALM, NULL},
    {"CASE WHEN", "SELECT CASE WHEN '%u' = '%r' THEN '%r' ELSE '%a' END", LOOKUP_FOUND, ADDRESS,
     NULL},
    {"IS DISTINCT FROM", "SELECT 'x' IS DISTINCT FROM '%u'", LOOKUP_FOUND, "t", NULL},
    {"SELECT DISTINCT", "SELECT DISTINCT '%u'", LOOKUP_FOUND, USER, NULL},
    {"SELECT and alias", "SELECT '%u'AS a", LOOKUP_FOUND, USER, NULL},
    {"substring", "SELECT substring('%u' FROM '%u' FOR '#')", LOOKUP_FOUND, "a", "a"},
    {"trim", "SELECT trim(LEADING '%u' FROM 'aab')", LOOKUP_FOUND, "b", "a"},
    {"position", "SELECT position('%u' IN 'xalice')", LOOKUP_FOUND, "2", NULL},
    {"AT TIME ZONE", "SELECT timestamptz '2001-02-03 12:00+00' AT TIME ZONE '%u'", LOOKUP_FOUND,
     "2001-02-03 12:00:00", "UTC"},
    {"LIMIT and OFFSET", FROM_USERS "id = 42 LIMIT '%u' OFFSET '0'", LOOKUP_FOUND, NULL, "1"},
    {"HAVING", "SELECT min(secret) FROM users WHERE id = 42 HAVING '%u' = min(local)", LOOKUP_FOUND,
     NULL, NULL},
    {"DISTINCT ON", "SELECT DISTINCT ON (id) '%u' FROM users WHERE id = 42", LOOKUP_FOUND, USER,
     NULL},
    {"CAST", FROM_USERS "made > CAST('%u' AS timestamp) AND id = 42", LOOKUP_FOUND, NULL,
     "2001-02-03"},
    {"number", FROM_USERS "id = '%u'", LOOKUP_FOUND, NULL, "42"},
    {"number beside text", FROM_USERS "id = '%u' AND concat('%r') <> ''", LOOKUP_FOUND, NULL, "42"},
    {"function", "SELECT secret_of('%u@%r')", LOOKUP_FOUND, NULL, NULL},
    {"procedure", "CALL tell('%u@%r', NULL)", LOOKUP_FOUND, NULL, NULL},
};

static void assert_looked_up(const struct looking *row)
{
    assert_lookup(look_up(row->template, row->user != NULL ? row->user : USER), row->want);
    if (row->want == LOOKUP_FOUND)
        assert_string_equal(world.value.bytes, row->want_value != NULL ? row->want_value : SECRET);
}

/* The template as a statement with literals. */
static void spell(char *out, size_t size, const struct looking *row)
{
    const char *at = row->template;
    size_t length = 0;

    for (; *at != '\0'; at++) {
        const char *value = NULL;
        bool bare = at[0] == '%' && at[1] != '%' && at[-1] == ' ';

        if (at[0] == '%')
            value = at[1] == 'u'   ? (row->user != NULL ? row->user : USER)
                    : at[1] == 'r' ? REALM
                    : at[1] == 'a' ? ADDRESS
                                   : "%";
        if (value != NULL)
            at++;
        length += value == NULL ? (size_t)snprintf(out + length, size - length, "%c", *at)
                                : (size_t)snprintf(out + length, size - length, "%s%s%s",
                                                   bare ? "'" : "", value, bare ? "'" : "");
        assert_true(length < size);
    }
}

static void is_as_with_a_literal(void **state)
{
    const struct run *run = *state;
    const struct looking *row = run->row;
    char statement[512], *got;

    spell(statement, sizeof(statement), row);
    got = run->fixture->query(statement);
    assert_int_equal(got != NULL, row->want == LOOKUP_FOUND);
    if (got != NULL)
        assert_string_equal(got, row->want_value != NULL ? row->want_value : SECRET);
    free(got);
}

static void looked_up_by_name(void **state)
{
    const struct run *run = *state;
    unsigned i;

    open_session(SQL_ACCESS_READ);
    for (i = 0; i < 3; i++)
        assert_looked_up(run->row);
    /* Forgotten once, and then twice in a row, after which it runs by its text. */
    for (i = 0; i < 3; i++) {
        look_up("DEALLOCATE ALL", USER);
        assert_looked_up(run->row);
        assert_looked_up(run->row);
    }
}

#define INSERT "INSERT INTO users (id, username, secret) VALUES (7, concat('%u', '@'), '%v')"
#define UPDATE "UPDATE users SET secret = concat('%v', '-er') WHERE concat('%u', '@') = username"

/* What was stored before it and is stored after it is not lost. */
static void looked_up_in_a_transaction(void **state)
{
    const struct run *run = *state;
    char *got;

    open_session(SQL_ACCESS_WRITE);
    assert_looked_up(run->row);
    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(run_template(INSERT, SQL_TEMPLATE_STORE, "bob"), LOOKUP_DONE);
    assert_looked_up(run->row);
    assert_looked_up(run->row);
    assert_lookup(run_template(UPDATE, SQL_TEMPLATE_STORE, "bob"), LOOKUP_DONE);
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
    got = run->fixture->query("SELECT secret FROM users WHERE username = 'bob@'");
    assert_non_null(got);
    assert_string_equal(got, "new-er");
    free(got);
}

/* --- what is not found */

static const struct looking missings[] = {
    {"no number", FROM_USERS "id = '%u'", LOOKUP_NONE, NULL, NULL},
    {"no number beside text", FROM_USERS "id = '%u' AND concat('%r') <> ''", LOOKUP_NONE, NULL,
     NULL},
    {"no address", FROM_USERS "address = inet '%u'", LOOKUP_NONE, NULL, NULL},
    {"concat", FROM_USERS "username = concat('%u', '@')", LOOKUP_NONE, NULL, NULL},
    {"function without a row", "SELECT secret_of('%u')", LOOKUP_NONE, NULL, NULL},
    {"function with several rows", "SELECT secret_of('%u')", LOOKUP_SEVERAL, NULL, "twin"},
    {"procedure with NULL", "CALL tell('%u', NULL)", LOOKUP_FOUND, "", NULL},
    {"procedure without a result", "CALL tell_nothing('%u')", LOOKUP_NONE, NULL, NULL},
    {"exception on purpose", "SELECT refuse('%u')", LOOKUP_REJECTED, NULL, NULL},
    {"function that fails over its own parameter", "SELECT divide('%u')", LOOKUP_REJECTED, NULL,
     NULL},
    {"row that fails", "SELECT id / 0 FROM users WHERE username <> '%u'", LOOKUP_REJECTED, NULL,
     NULL},
    {"row that is no JSON", "SELECT '{ $1'::text::json FROM users WHERE username <> '%u'",
     LOOKUP_REJECTED, NULL, NULL},
    {"name that is no JSON", "SELECT json '%u'", LOOKUP_NONE, NULL, NULL},
    {"exception that passes for the server's own", "SELECT pretend('%u')", LOOKUP_UNREADY, NULL,
     NULL},
    {"statement without a result", "SET search_path = work", LOOKUP_REJECTED, NULL, NULL},
    {"IN of types that do not compare", FROM_USERS "'%u' IN (id, username)", LOOKUP_REJECTED, NULL,
     NULL},
    {"time with time zone", "SELECT timestamp with time zone '%u'", LOOKUP_REJECTED, NULL, NULL},

    /* The server cannot read the parameter. */
    {"integer out of range", FROM_USERS "id = '%u'", LOOKUP_NONE, NULL, "99999999999"},
    {"smallint out of range", "SELECT smallint '%u'", LOOKUP_NONE, NULL, "99999"},
    {"no address of a column", FROM_USERS "address = '%u'", LOOKUP_NONE, NULL, NULL},
    {"no uuid", "SELECT uuid '%u'", LOOKUP_NONE, NULL, NULL},
    {"no date", "SELECT date '%u'", LOOKUP_NONE, NULL, NULL},
    {"date out of range", "SELECT date '%u'", LOOKUP_NONE, NULL, "2001-02-30"},
    {"no timestamp of a column", FROM_USERS "made = '%u'", LOOKUP_NONE, NULL, NULL},
    {"no boolean", "SELECT boolean '%u'", LOOKUP_NONE, NULL, NULL},
    {"no JSON", "SELECT json '%u' ->> 'a'", LOOKUP_NONE, NULL, NULL},
    {"no text search query", "SELECT tsquery '%u'", LOOKUP_NONE, NULL, "alice in"},
    {"no name of a table", "SELECT regclass '%u'", LOOKUP_UNREADY, NULL, NULL},
    {"no name of a function", "SELECT regproc '%u'", LOOKUP_REJECTED, NULL, NULL},
    {"no name of a role", "SELECT regrole '%u'", LOOKUP_REJECTED, NULL, NULL},
    {"too long for a domain", "SELECT short_name '%u'", LOOKUP_NONE, NULL, NULL},
    {"too long for a function of a domain", "SELECT of_short('%u')", LOOKUP_NONE, NULL, NULL},
    {"no number for a function", "SELECT does('SELECT 1 / 0', integer '%u')", LOOKUP_NONE, NULL,
     NULL},
    {"second one of two", FROM_USERS "username = '%u' OR id = '%r'", LOOKUP_NONE, NULL, NULL},

    /* The statement fails for every user. */
    {"function: no number", "SELECT does('SELECT ( $1 || ''x'')::integer', text '%u')",
     LOOKUP_REJECTED, NULL, NULL},
    {"function: out of range", "SELECT does('SELECT 2147483647 + length( $1)', text '%u')",
     LOOKUP_REJECTED, NULL, NULL},
    {"function: division", "SELECT does('SELECT length( $1) / 0', text '%u')", LOOKUP_REJECTED,
     NULL, NULL},
    {"function: division of a number", "SELECT does('SELECT $1 / 0', integer '%u')",
     LOOKUP_REJECTED, NULL, "42"},
    {"function: argument",
     "SELECT does('SELECT count(*) FROM generate_series(1, length( $1), 0)', text '%u')",
     LOOKUP_REJECTED, NULL, NULL},
    {"function: domain", "SELECT does('SELECT ( $1 || ''long'')::short_name', text '%u')",
     LOOKUP_REJECTED, NULL, NULL},
    {"function: encoding", "SELECT convert_to(text '%u', 'LATIN1')", LOOKUP_REJECTED, NULL,
     "\316\251mega"},
    {"function: syntax", "SELECT does('SELECT $1 FORM users', text '%u')", LOOKUP_REJECTED, NULL,
     NULL},
    {"division", "SELECT 1 / (length('%u') - length('%u'))", LOOKUP_REJECTED, NULL, NULL},
    {"constant", "SELECT 'x'::integer + length('%u')", LOOKUP_REJECTED, NULL, NULL},
    {"cast of a text", "SELECT '%u'::text::integer", LOOKUP_REJECTED, NULL, NULL},
    {"no parameter", "SELECT 1 / 0", LOOKUP_REJECTED, NULL, NULL},
};

/* After this, the session has no names for statements any more. */
static void take_the_names(const struct run *run)
{
    assert_lookup(look_up("SELECT x FROM stale WHERE x = '%u'", "1"), LOOKUP_NONE);
    assert_true(run->fixture->execute("ALTER TABLE stale ALTER x TYPE TEXT"));
    assert_lookup(look_up("SELECT x FROM stale WHERE x = '%u'", "1"), LOOKUP_NONE);
}

static void not_found(void **state)
{
    const struct run *run = *state;
    const struct looking *row = run->row;
    const char *user = row->user != NULL ? row->user : USER;
    unsigned i;

    for (i = 0; i < 8; i++) {
        if (i % 2 == 0)
            open_session(i == 4 ? SQL_ACCESS_WRITE : SQL_ACCESS_READ);
        if (i == 2)
            take_the_names(run);
        if (i == 7)
            assert_lookup(look_up("DEALLOCATE ALL", USER), LOOKUP_REJECTED);
        secret_wipe(&world.value);
        assert_lookup(look_up(row->template, user), row->want);
        assert_int_equal(world.value.length, 0);
        assert_lacks(world.reason.text, user);
        if (row->want == LOOKUP_FOUND)
            assert_null(world.value.bytes);
        assert_lookup(look_up(FROM_USERS "username = '%u@%r'", USER), LOOKUP_FOUND);
    }
}

/* A server may add the parameters to any error. */
static void not_found_with_parameters_shown(void **state)
{
    const struct run *run = *state;

    assert_true(run->fixture->execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET log_parameter_max_length_on_error = -1',"
        "                           current_database()); END $$"));
    not_found(state);
}

/* The row is then inserted. */
static void not_found_in_a_transaction(void **state)
{
    const struct run *run = *state;
    const struct looking *row = run->row;

    if (row->want != LOOKUP_NONE)
        return;
    open_session(SQL_ACCESS_WRITE);
    assert_lookup(step(SQL_BEGIN), LOOKUP_DONE);
    assert_lookup(look_up(row->template, row->user != NULL ? row->user : USER), LOOKUP_NONE);
    assert_lookup(run_template(INSERT, SQL_TEMPLATE_STORE, "bob"), LOOKUP_DONE);
    assert_lookup(step(SQL_COMMIT), LOOKUP_DONE);
}

/* --- indexes */

static long scans(const struct run *run, const char *kind)
{
    char statement[128], *got;
    long count;

    snprintf(statement, sizeof(statement),
             "SELECT %s FROM pg_stat_user_tables WHERE relname = 'users'", kind);
    got = run->fixture->query(statement);
    assert_non_null(got);
    count = strtol(got, NULL, 10);
    free(got);
    return count;
}

/* The server counts what a session has done once it has ended, or some time later. */
static void await(const struct run *run, const char *kind, long want)
{
    const struct deadline deadline = deadline_after(LONG_TIME);

    while (scans(run, kind) < want && deadline_remaining(&deadline) > 0)
        poll(NULL, 0, 10);
    assert_true(scans(run, kind) >= want);
}

static void uses_the_index_of_a_number(void **state)
{
    const struct run *run = *state;
    long rows, by_index;
    unsigned i;

    /* The scan for the primary key comes with the rows. */
    await(run, "n_tup_ins", 1);
    rows = scans(run, "seq_tup_read");
    by_index = scans(run, "idx_scan");
    for (i = 0; i < 2; i++) {
        open_session(i == 0 ? SQL_ACCESS_READ : SQL_ACCESS_WRITE);
        assert_lookup(look_up(FROM_USERS "id = '%u' AND concat('%r') <> ''", "42"), LOOKUP_FOUND);
        assert_lookup(look_up(FROM_USERS "id = '%u'", "42"), LOOKUP_FOUND);
        close_session();
    }
    await(run, "idx_scan", by_index + 4);
    assert_int_equal(scans(run, "idx_scan"), by_index + 4);
    assert_int_equal(scans(run, "seq_tup_read"), rows);
}

static void keeps_a_statement_across_a_number(void **state)
{
    const struct run *run = *state;

    open_session(SQL_ACCESS_READ);
    assert_lookup(look_up(FROM_USERS "id = '%u'", "42"), LOOKUP_FOUND);
    assert_true(run->fixture->execute("ALTER TABLE users ALTER id TYPE TEXT"));
    assert_lookup(look_up(FROM_USERS "id = '%u'", "42"), LOOKUP_FOUND);
    assert_lookup(look_up(FROM_USERS "id = '%u'", "nobody"), LOOKUP_NONE);
}

/* --- waiting */

/* A socket takes only a part of it at once. */
static void sends_a_long_parameter(void **state)
{
    enum { LENGTH = 16 << 20 };
    char *name = malloc(LENGTH + 1);

    (void)state;
    assert_non_null(name);
    memset(name, 'x', LENGTH);
    name[LENGTH] = '\0';
    open_session(SQL_ACCESS_READ);
    assert_lookup(look_up("SELECT length('%u')", name), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "16777216");
    free(name);
}

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void waits_on_after_signals(void **state)
{
    const struct sigaction counting = {.sa_handler = count_signal};
    const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    struct sigaction before;

    (void)state;
    open_session(SQL_ACCESS_READ);
    assert_int_equal(sigaction(SIGALRM, &counting, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    assert_lookup(look_up("SELECT '%u' FROM pg_sleep(0.1)", USER), LOOKUP_FOUND);
    open_session(SQL_ACCESS_READ);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_true(signals > 2);
}

/* --- names that a database cannot express */

static void is_no_such_user_in_latin1(void **state)
{
    static const char create[] = "CREATE DATABASE %s TEMPLATE template0 ENCODING 'LATIN1'"
                                 "    LC_COLLATE 'C' LC_CTYPE 'C'";
    const struct run *run = *state;
    char name[100], statement[256];
    unsigned i;

    snprintf(name, sizeof(name), "%s_latin", world.target.database);
    snprintf(statement, sizeof(statement), create, name);
    assert_true(run->fixture->execute(statement));
    world.target.database = name;
    for (i = 0; i < 4; i++) {
        if (i % 2 == 0)
            open_session(i == 0 ? SQL_ACCESS_READ : SQL_ACCESS_WRITE);
        assert_lookup(look_up("SELECT 'x' WHERE '%u' <> ''", "J\303\266rg"), LOOKUP_FOUND);
        assert_lookup(look_up("SELECT 'x' WHERE '%u' <> ''", "\316\251mega"), LOOKUP_NONE);
    }
    close_session();
    snprintf(statement, sizeof(statement), "DROP DATABASE %s WITH (FORCE)", name);
    assert_true(run->fixture->execute(statement));
}

/* --- errors about the connection */

#define RAISING(state)                                                                             \
    "CREATE OR REPLACE FUNCTION answer(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"              \
    "    BEGIN RAISE EXCEPTION USING ERRCODE = '" state "'; END $$"

static const struct raising {
    const char *name;
    const char *function;
    enum lookup want;             /* at first */
    enum lookup want_of_good_one; /* for a statement that has worked before */
} raisings[] = {
    {"protocol_violation", RAISING("08P01"), LOOKUP_REJECTED, LOOKUP_LOST},
    {"connection_failure", RAISING("08006"), LOOKUP_UNAVAILABLE, LOOKUP_UNAVAILABLE},
    {"raise_exception", RAISING("P0001"), LOOKUP_REJECTED, LOOKUP_REJECTED},
};

static void error_of_connection(void **state)
{
    static const char good[] = "CREATE OR REPLACE FUNCTION answer(who TEXT) RETURNS TEXT"
                               "    LANGUAGE plpgsql AS $$ BEGIN RETURN who; END $$";
    const struct run *run = *state;
    const struct raising *row = run->row;
    unsigned i;

    for (i = 0; i < 4; i++) {
        open_session(i % 2 == 0 ? SQL_ACCESS_READ : SQL_ACCESS_WRITE);
        if (i >= 2) {
            assert_true(run->fixture->execute(good));
            assert_lookup(look_up("SELECT answer('%u')", USER), LOOKUP_FOUND);
        }
        assert_true(run->fixture->execute(row->function));
        assert_lookup(look_up("SELECT answer('%u')", USER),
                      i >= 2 ? row->want_of_good_one : row->want);
    }
}

/* --- a socket whose queue is full */

static void full_socket_is_busy(void **state)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[64];
    struct sql_host host = {directory, 5432, directory};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), connections[10];
    size_t count = 0;

    (void)state;
    test_directory(directory, sizeof(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", directory);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 1), 0);
    do {
        assert_true(count < COUNT(connections));
        connections[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_true(connections[count] >= 0);
    } while (connect(connections[count++], (const struct sockaddr *)&address, sizeof(address)) ==
             0);
    assert_int_equal(errno, EAGAIN);
    assert_lookup(engine_open(world.driver.engine, &world.target, &host, SQL_ACCESS_READ, &deadline,
                              &world.session, &world.reason),
                  LOOKUP_BUSY);
    while (count > 0)
        close(connections[--count]);
    close(listener);
    test_directory_remove(directory);
}

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    if (strcmp(fixture->engine, "pgsql") != 0)
        return;
    RUN_ADD_ROWS(list, fixture, is_as_with_a_literal, lookings);
    RUN_ADD_ROWS(list, fixture, looked_up_by_name, lookings);
    RUN_ADD_ROWS(list, fixture, looked_up_in_a_transaction, lookings);
    RUN_ADD_ROWS(list, fixture, not_found, missings);
    RUN_ADD_ROWS(list, fixture, not_found_with_parameters_shown, missings);
    RUN_ADD_ROWS(list, fixture, not_found_in_a_transaction, missings);
    RUN_ADD_ROWS(list, fixture, error_of_connection, raisings);
    RUN_ADD(list, fixture, uses_the_index_of_a_number);
    RUN_ADD(list, fixture, keeps_a_statement_across_a_number);
    RUN_ADD(list, fixture, sends_a_long_parameter);
    RUN_ADD(list, fixture, waits_on_after_signals);
    RUN_ADD(list, fixture, is_no_such_user_in_latin1);
    RUN_ADD(list, fixture, full_socket_is_busy);
}

int main(void)
{
    alarm(900); /* a driver that never returns is stopped here */
    return run_all("engine_pgsql", set_up, tear_down, add_all);
}
