/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLITE_WORLD_H
#define SQLITE_WORLD_H

/*
 * A database of SQLite in a directory of its own, with a session of the driver and a separate
 * connection.
 */

#include <limits.h>
#include <sqlite3.h>

#include "sql/sql_driver.h"
#include "support/engine_open.h"
#include "support/unit.h"

struct world {
    const void *row; /* of a table of cases */
    char directory[PATH_MAX];
    char path[PATH_MAX + 32];
    sqlite3 *beside;
    struct sql_target target;
    struct sql_driver driver;
    struct sql_session *session;
    struct secret value;
    struct reason reason;
};

static inline void name_path(struct world *world, const char *name)
{
    snprintf(world->path, sizeof(world->path), "%s/%s", world->directory, name);
    world->target.database = world->path;
}

static inline bool execute(sqlite3 *database, const char *statements)
{
    char *message = NULL;
    bool done = sqlite3_exec(database, statements, NULL, NULL, &message) == SQLITE_OK;

    if (!done)
        print_error("%s: %s\n", statements, message);
    sqlite3_free(message);
    return done;
}

static inline int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    if (world == NULL)
        return -1;
    world->row = *state;
    *state = world;
    test_directory(world->directory, sizeof(world->directory));
    name_path(world, "users.db");
    world->target.user = world->target.password = "";
    world->target.ssl_ca = world->target.ssl_cert = world->target.ssl_key = "";
    jail_note_root(&world->target.jail);
    if (sqlite3_open(world->path, &world->beside) != SQLITE_OK ||
        !execute(world->beside, "PRAGMA synchronous = OFF;"
                                "CREATE TABLE users (name TEXT, secret TEXT);"
                                "INSERT INTO users VALUES ('alice', 'wonderland')"))
        return -1;
    return sql_driver_load(&world->driver, sql_engine_kind_find("sqlite3"),
                           test_environment("TEST_ENGINE_DIR"), &world->reason)
               ? 0
               : -1;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;

    if (world->session != NULL)
        world->driver.engine->close(world->session);
    sql_driver_unload(&world->driver);
    sqlite3_close(world->beside);
    secret_wipe(&world->value);
    test_directory_remove(world->directory);
    free(world);
    return 0;
}

static inline bool try_open(struct world *world, enum sql_access access)
{
    static char none[] = "";
    static const struct sql_host host = {none, 0, none};
    const struct deadline deadline = deadline_after(60000);

    enum lookup result;

    world->reason.text[0] = '\0';
    result = engine_open(world->driver.engine, &world->target, &host, access, &deadline,
                         &world->session, &world->reason);
    assert_lookup(result, world->session != NULL ? LOOKUP_DONE : LOOKUP_UNAVAILABLE);
    return world->session != NULL;
}

static inline void open_session(struct world *world, enum sql_access access)
{
    if (!try_open(world, access)) {
        print_error("%s\n", world->reason.text);
        fail();
    }
}

static inline void close_session(struct world *world)
{
    world->driver.engine->close(world->session);
    world->session = NULL;
}

static inline enum lookup select_within(struct world *world, const char *text,
                                        unsigned milliseconds)
{
    const struct sql_statement statement = {text, NULL, 0};
    const struct deadline deadline = deadline_after(milliseconds);

    world->reason.text[0] = '\0';
    return engine_select(world->driver.engine, world->session, &statement, &deadline, &world->value,
                         &world->reason);
}

#define ALICE "SELECT secret FROM users WHERE name = 'alice'"

static inline enum lookup select_alice(struct world *world)
{
    return select_within(world, ALICE, 60000);
}

static inline enum lookup store_within(struct world *world, const char *text, unsigned milliseconds)
{
    const struct sql_statement statement = {text, NULL, 0};
    const struct deadline deadline = deadline_after(milliseconds);

    world->reason.text[0] = '\0';
    return world->driver.engine->store(world->session, &statement, &deadline, &world->reason);
}

static inline enum lookup step_within(struct world *world, enum sql_transaction which,
                                      unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);

    world->reason.text[0] = '\0';
    return world->driver.engine->transaction(world->session, which, &deadline, &world->reason);
}

static inline void write_file(const char *path, const char *text, unsigned times)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    while (times-- > 0)
        assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void create_other(struct world *world, char *path, size_t size)
{
    sqlite3 *other = NULL;
    bool done;

    snprintf(path, size, "%s/other.db", world->directory);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    done = execute(other, "CREATE TABLE users (name TEXT, secret TEXT);"
                          "INSERT INTO users VALUES ('alice', 'other')");
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_true(done);
}

#define ADD(list, function)                                                                        \
    do {                                                                                           \
        struct CMUnitTest *test_ = TEST_ADD(list, function);                                       \
        test_->setup_func = set_up;                                                                \
        test_->teardown_func = tear_down;                                                          \
    } while (0)

#define ADD_ROWS(list, function, rows)                                                             \
    do {                                                                                           \
        size_t row_;                                                                               \
        for (row_ = 0; row_ < COUNT(rows); row_++) {                                               \
            struct CMUnitTest *test_ =                                                             \
                test_add(list, function, &(rows)[row_], #function, (rows)[row_].name);             \
            test_->setup_func = set_up;                                                            \
            test_->teardown_func = tear_down;                                                      \
        }                                                                                          \
    } while (0)

#endif
