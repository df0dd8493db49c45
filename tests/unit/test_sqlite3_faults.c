/* SPDX-License-Identifier: BSD-3-Clause */

/* The driver for SQLite, linked into this program, if memory is short: the driver's, and
 * SQLite's; and what it says about files, whatever it is asked. */

#include <limits.h>
#include <sqlite3.h>

#include "engines/sqlite_files.h"
#include "support/engine_open.h"
#include "support/failing.h"
#include "support/unit.h"

extern const struct sql_engine sqlcrypt_engine;

enum { LONG_TIME = 60000 };

static struct {
    char directory[PATH_MAX];
    char path[PATH_MAX + 16];
    struct sql_target target;
    struct sql_session *session;
    struct secret value;
    struct reason reason;
} world;

static const char users[] = "CREATE TABLE users (name TEXT, number INTEGER, secret TEXT);"
                            "INSERT INTO users VALUES ('alice', 42, 'wonderland'),"
                            "                         ('twin', 1, 'one'), ('twin', 2, 'two')";

static int set_up(void **state)
{
    sqlite3 *database = NULL;
    bool done;

    (void)state;
    memset(&world, 0, sizeof(world));
    test_directory(world.directory, sizeof(world.directory));
    snprintf(world.path, sizeof(world.path), "%s/users.db", world.directory);
    world.target = (struct sql_target){.user = "",
                                       .password = "",
                                       .database = world.path,
                                       .ssl_ca = "",
                                       .ssl_cert = "",
                                       .ssl_key = ""};
    jail_note_root(&world.target.jail);
    done = sqlite3_open(world.path, &database) == SQLITE_OK &&
           sqlite3_exec(database, users, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(database);
    return done ? 0 : -1;
}

static void close_session(void)
{
    if (world.session != NULL)
        sqlcrypt_engine.close(world.session);
    world.session = NULL;
}

static int tear_down(void **state)
{
    (void)state;
    fail_no_more();
    close_session();
    secret_wipe(&world.value);
    test_directory_remove(world.directory);
    return 0;
}

static enum lookup open_session(void)
{
    static char none[] = "";
    static const struct sql_host host = {none, 0, none};
    const struct deadline deadline = deadline_after(LONG_TIME);
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = engine_open(&sqlcrypt_engine, &world.target, &host, SQL_ACCESS_WRITE, &deadline,
                         &world.session, &world.reason);
    assert_int_equal(world.session != NULL, result == LOOKUP_DONE);
    return result;
}

static enum lookup look_up(const char *text, const char *user)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    const struct bytes parameter = bytes_of(user);
    const struct sql_statement statement = {text, &parameter, 1};

    strcpy(world.reason.text, "(none)");
    return engine_select(&sqlcrypt_engine, world.session, &statement, &deadline, &world.value,
                         &world.reason);
}

static enum lookup store(const char *text, const char *user)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    const struct bytes parameter = bytes_of(user);
    const struct sql_statement statement = {text, &parameter, 1};

    strcpy(world.reason.text, "(none)");
    return sqlcrypt_engine.store(world.session, &statement, &deadline, &world.reason);
}

/* What follows continues up to the first failure, which is reported as an outage, and returns
 * whether everything succeeded. */
static bool is_as_wanted(enum lookup result, enum lookup want)
{
    if (result == LOOKUP_UNAVAILABLE || result == LOOKUP_LOST) {
        assert_contains(world.reason.text, "out of memory");
        return false;
    }
    assert_lookup(result, want);
    return true;
}

#define BY_NAME "SELECT secret FROM users WHERE name = ?"
#define NUMBER "SELECT number FROM users WHERE name = ?"
#define UPDATE "UPDATE users SET number = number WHERE name = ?"

static bool do_all(void)
{
    bool done = is_as_wanted(open_session(), LOOKUP_DONE) &&
                is_as_wanted(look_up(BY_NAME, "alice"), LOOKUP_FOUND) &&
                is_as_wanted(look_up(NUMBER, "alice"), LOOKUP_FOUND) &&
                is_as_wanted(look_up(BY_NAME, "nobody"), LOOKUP_NONE) &&
                is_as_wanted(look_up(BY_NAME, "twin"), LOOKUP_SEVERAL) &&
                is_as_wanted(store(UPDATE, "twin"), LOOKUP_DONE);

    close_session();
    return done;
}

static void allocations_fail(void **state)
{
    unsigned left, failed = 1;

    (void)state;
    for (left = 0; failed > 0; left++) {
        bool done;

        fail_allocation(left);
        done = do_all();
        failed = fail_no_more();
        assert_int_equal(done, failed == 0);
    }
    assert_true(left > 6);
}

/* A bit more each time, until it is enough. */
static void sqlite_has_no_memory(void **state)
{
    enum { STEP = 256, MOST = 1 << 20 };
    sqlite3_int64 more;
    unsigned refused = 0;
    bool done = false;

    (void)state;
    for (more = 1; more < MOST && !done; more += STEP) {
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + more);
        done = do_all();
        sqlite3_hard_heap_limit64(0);
        refused += !done;
    }
    assert_true(done);
    assert_true(refused > 10);
    assert_true(do_all());
}

/* --- what is said about files, whatever the session */

static void explains_what_is_open(void **state)
{
    (void)state;
    sqlite_files_explain_denied("/", &world.reason);
    assert_string_equal(world.reason.text, "/: Permission denied");
}

/* It existed a moment ago. */
static void explains_what_is_gone(void **state)
{
    (void)state;
    sqlite_files_explain_denied("/nonexistent/users.db", &world.reason);
    assert_string_equal(world.reason.text, "/nonexistent/users.db: Permission denied");
}

static void explains_a_path_that_is_too_long(void **state)
{
    static char path[2 * PATH_MAX];
    size_t i;

    (void)state;
    for (i = 0; i + 2 < PATH_MAX - 100; i += 2)
        memcpy(path + i, "/.", 2);
    path[i] = '/';
    memset(path + i + 1, 'x', 200);
    sqlite_files_explain_denied(path, &world.reason);
    assert_int_equal(strncmp(world.reason.text, "/./.", 4), 0);
}

static void explains_no_file(void **state)
{
    sqlite3 *database = NULL;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    strcpy(world.reason.text, "as it was");
    sqlite_files_explain(database, ":memory:", false, &world.reason);
    assert_string_equal(world.reason.text, "as it was");
    sqlite3_close(database);
}

/* A file that is too short to show whether it is in WAL mode. */
static void explains_an_empty_file(void **state)
{
    sqlite3 *database = NULL;
    char path[sizeof(world.path)];
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/empty.db", world.directory);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version", NULL, NULL, NULL), SQLITE_OK);
    strcpy(world.reason.text, "as it was");
    sqlite_files_explain(database, path, false, &world.reason);
    assert_string_equal(world.reason.text, "as it was");
    sqlite3_close(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        CASE(allocations_fail),
        CASE(sqlite_has_no_memory),
        CASE(explains_what_is_open),
        CASE(explains_what_is_gone),
        CASE(explains_a_path_that_is_too_long),
        CASE(explains_no_file),
        CASE(explains_an_empty_file),
    };

    alarm(600); /* a driver that never returns is stopped here */
    /* Otherwise SQLite has some memory of its own for small things. */
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    return cmocka_run_group_tests_name("sqlite3_faults", tests, NULL, NULL);
}
