/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of users, set up and queried by a program that is not a plug-in: it is linked with
 * common/ and nothing else. */

#include "sql/sql_backend.h"

#include <fcntl.h>

#include "sql/sql_request.h"
#include "support/unit.h"

/* --- options */

struct setting {
    const char *name;
    const char *value;
};

static const char *look_up(void *context, const char *name)
{
    const struct setting *setting = context;

    for (; setting->name != NULL; setting++)
        if (strcmp(setting->name, name) == 0)
            return setting->value;
    return NULL;
}

static char warned[400];

static void keep_warning(void *context, const char *text)
{
    assert_ptr_equal(context, warned);
    assert_string_equal(warned, "");
    snprintf(warned, sizeof(warned), "%s", text);
}

static struct sql_backend *set_up(const struct setting *settings, const char *directory,
                                  struct reason *reason)
{
    const struct options options = {look_up, (void *)(uintptr_t)settings};
    const struct sql_backend_warnings warnings = {keep_warning, warned};

    warned[0] = '\0';
    reason_clear(reason);
    return sql_backend_new(&options, directory, &warnings, reason);
}

/* --- a table of SQLite, which takes an empty file for an empty database */

struct table {
    char directory[100];
    char path[120];
    struct setting settings[5];
    struct sql_backend *backend;
};

static struct deadline soon(void)
{
    return deadline_after(10000);
}

/* As sql_task. */
static enum lookup make_users(void *context, struct sql_session *session, enum lookup *fate,
                              struct reason *reason)
{
    static const char *const statements[] = {
        "CREATE TABLE users (name TEXT, password TEXT)",
        "INSERT INTO users VALUES ('ann', 'secret'), ('ben', NULL)",
    };
    const struct table *table = context;
    const struct deadline deadline = soon();
    enum lookup result = LOOKUP_UNAVAILABLE;
    size_t i;

    (void)fate;
    for (i = 0; i < COUNT(statements); i++) {
        const struct sql_statement statement = {statements[i], NULL, 0};

        result = table->backend->driver.engine->store(session, &statement, &deadline, reason);
    }
    return result;
}

static int make_table(void **state)
{
    struct table *table = calloc(1, sizeof(*table));
    const struct deadline deadline = soon();
    struct sql_route route;
    struct reason reason;
    int file;

    assert_non_null(table);
    test_directory(table->directory, sizeof(table->directory));
    snprintf(table->path, sizeof(table->path), "%s/users", table->directory);
    file = open(table->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    table->settings[0] = (struct setting){"sql_engine", "sqlite3"};
    table->settings[1] = (struct setting){"sql_database", table->path};
    table->settings[2] =
        (struct setting){"sql_select", "SELECT password FROM users WHERE name = '%u'"};
    table->backend = set_up(table->settings, test_environment("TEST_ENGINE_DIR"), &reason);
    assert_string_equal(reason.text, "");
    assert_non_null(table->backend);
    assert_lookup(sql_connections_store(table->backend->connections, make_users, table, &deadline,
                                        &route, &reason),
                  LOOKUP_DONE);
    *state = table;
    return 0;
}

static int remove_table(void **state)
{
    struct table *table = *state;

    sql_backend_free(table->backend);
    test_directory_remove(table->directory);
    free(table);
    return 0;
}

static enum lookup find(const struct sql_backend *backend, const char *user, struct secret *found)
{
    const struct sql_values values = {.user = user, .realm = "", .property = "password"};
    const struct deadline deadline = soon();
    struct sql_rows rows = {.values = found, .room = 1};
    struct sql_request request;
    struct sql_route route;
    struct reason reason;
    enum lookup result;

    assert_true(sql_request_make(&request, backend->select, &values));
    result = sql_connections_select(backend->connections, &request.statement, true, &deadline,
                                    &rows, &route, &reason);
    sql_request_free(&request);
    return result;
}

static void finds_users(void **state)
{
    const struct table *table = *state;
    struct secret found = SECRET_EMPTY;

    assert_null(table->backend->insert);
    assert_null(table->backend->update);
    assert_string_equal(warned, "");
    assert_lookup(find(table->backend, "ann", &found), LOOKUP_FOUND);
    assert_string_equal(found.bytes, "secret");
    secret_wipe(&found);
    assert_lookup(find(table->backend, "ben", &found), LOOKUP_FOUND);
    assert_null(found.bytes);
    assert_lookup(find(table->backend, "ann' OR '1'='1", &found), LOOKUP_NONE);
    assert_null(found.bytes);
}

/* --- options that cannot be used, and a strange one */

static const struct refusal {
    const char *name;
    struct setting settings[4];
    const char *want;
} refusals[] = {
    {"unknown engine", {{"sql_engine", "oracle"}}, "sql_engine: \"oracle\": must be "},
    {"no statement", {{"sql_engine", "sqlite3"}}, "sql_select: position 1: the statement is empty"},
    {"statement to read",
     {{"sql_engine", "sqlite3"}, {"sql_select", "SELECT '%u"}},
     "sql_select: position 8: the quote is not closed"},
    {"statement by its old name",
     {{"sql_engine", "sqlite3"}, {"sql_statement", "SELECT '%u"}},
     "sql_select: position 8: the quote is not closed"},
    {"statement to insert",
     {{"sql_engine", "sqlite3"}, {"sql_select", "SELECT 1"}, {"sql_insert", "INSERT %q"}},
     "sql_insert: position 8: "},
    {"statement to update",
     {{"sql_engine", "sqlite3"}, {"sql_select", "SELECT 1"}, {"sql_update", "UPDATE %q"}},
     "sql_update: position 8: "},
    {"no driver",
     {{"sql_engine", "sqlite3"}, {"sql_select", "SELECT 1"}},
     "cannot load the driver: "},
};

static void refuses(void **state)
{
    const struct refusal *row = *state;
    struct reason reason;

    assert_null(set_up(row->settings, "/nonexistent", &reason));
    if (strncmp(reason.text, row->want, strlen(row->want)) != 0)
        print_error("%s\n", reason.text);
    assert_memory_equal(reason.text, row->want, strlen(row->want));
    assert_string_equal(warned, "");
}

static void warns_of_a_template(void **state)
{
    static const struct setting settings[] = {
        {"sql_engine", "pgsql"},
        {"sql_select", "SELECT password FROM t WHERE user = '%u'"},
        {NULL, NULL},
    };
    struct reason reason;

    (void)state;
    assert_null(set_up(settings, "/nonexistent", &reason));
    assert_contains(warned, "sql_select: position 30: in PostgreSQL, user is CURRENT_USER");
}

static void free_of_nothing(void **state)
{
    (void)state;
    sql_backend_free(NULL);
}

int main(void)
{
    struct test_list list = {0};
    struct CMUnitTest *test = TEST_ADD(&list, finds_users);

    test->setup_func = make_table;
    test->teardown_func = remove_table;
    TEST_ADD_CASES(&list, refuses, refusals);
    TEST_ADD(&list, warns_of_a_template);
    TEST_ADD(&list, free_of_nothing);
    return test_run("sql_backend", &list);
}
