/* SPDX-License-Identifier: BSD-3-Clause */

/* What the driver says about files and folders, and SQLite's own words do not. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/sqlite_world.h"

enum { NOBODY = 65534 };

static const struct explained {
    const char *name;
    const char *journal_mode;
    unsigned folder_mode, file_mode;
    enum sql_access access;
    const char *want;   /* a part of the reason; NULL if it works */
    const char *closed; /* the end of the name of a file beside it that only root may read */
} explained[] = {
    {"lookup", "DELETE", 0755, 0644, SQL_ACCESS_READ, NULL, NULL},
    {"lookup, WAL", "WAL", 0755, 0644, SQL_ACCESS_READ,
     "users.db: the database is in WAL mode, for which SQLite creates files beside it, and the "
     "user 65534 may not write to that folder (Permission denied): ",
     NULL},
    {"lookup, WAL, folder for all", "WAL", 0777, 0644, SQL_ACCESS_READ, NULL, NULL},
    {"lookup, closed folder", "DELETE", 0700, 0644, SQL_ACCESS_READ,
     " (mode 700) is not accessible to user 65534", NULL},
    {"lookup, closed file", "DELETE", 0755, 0600, SQL_ACCESS_READ,
     "users.db (mode 600) is not accessible to user 65534", NULL},
    {"store, file that cannot be written", "DELETE", 0777, 0644, SQL_ACCESS_WRITE,
     "users.db: the user 65534 may not write to this file: Permission denied", NULL},
    {"store, folder that cannot be written", "DELETE", 0755, 0666, SQL_ACCESS_WRITE,
     "users.db: SQLite creates a journal beside it to write, and the user 65534 may not write to "
     "that folder: Permission denied",
     NULL},
    {"store, WAL, folder that cannot be written", "WAL", 0755, 0666, SQL_ACCESS_WRITE,
     "users.db: the database is in WAL mode, ", NULL},
    {"store", "DELETE", 0777, 0666, SQL_ACCESS_WRITE, NULL, NULL},
    {"lookup, WAL, closed log", "WAL", 0777, 0644, SQL_ACCESS_READ,
     "users.db: the database is in WAL mode, and users.db-wal beside it is not accessible to user "
     "65534: Permission denied",
     "-wal"},
    {"lookup, WAL, closed index of the log", "WAL", 0777, 0644, SQL_ACCESS_READ,
     "users.db: the database is in WAL mode, and users.db-shm beside it is not accessible to user "
     "65534: Permission denied",
     "-shm"},
    {"store, WAL, closed log", "WAL", 0777, 0666, SQL_ACCESS_WRITE,
     "users.db: the database is in WAL mode, and users.db-wal beside it is not accessible", "-wal"},
    {"lookup, closed journal", "DELETE", 0777, 0644, SQL_ACCESS_READ,
     "users.db: an interrupted change must be rolled back from users.db-journal: open the file "
     "once as a user who may write to it",
     "-journal"},
    {"store, closed journal", "DELETE", 0777, 0666, SQL_ACCESS_WRITE,
     "users.db: an interrupted change must be rolled back, and users.db-journal beside it is "
     "not accessible to user 65534: Permission denied",
     "-journal"},
};

static void explains_files(void **state)
{
    struct world *world = *state;
    const struct explained *row = world->row;
    enum lookup result = LOOKUP_UNAVAILABLE;
    char pragma[64], beside[sizeof(world->path) + 16];

    if (geteuid() != 0)
        skip();
    snprintf(pragma, sizeof(pragma), "PRAGMA journal_mode = %s", row->journal_mode);
    assert_true(execute(world->beside, pragma));
    /* The last process to close the file removes those beside it. */
    sqlite3_close(world->beside);
    world->beside = NULL;
    if (row->closed != NULL) {
        snprintf(beside, sizeof(beside), "%s%s", world->path, row->closed);
        write_file(beside, "something", 1);
        assert_int_equal(chmod(beside, 0600), 0);
    }
    assert_int_equal(chmod(world->path, row->file_mode), 0);
    assert_int_equal(chmod(world->directory, row->folder_mode), 0);
    /* Before glibc 2.33, faccessat(2) checks only the real user. */
    assert_int_equal(setresuid(NOBODY, NOBODY, 0), 0);
    if (try_open(world, row->access))
        result = row->access == SQL_ACCESS_READ
                     ? select_alice(world)
                     : store_within(world, "UPDATE users SET secret = 'new'", 60000);
    assert_int_equal(setresuid(0, 0, 0), 0);
    if (row->want == NULL) {
        assert_lookup(result, row->access == SQL_ACCESS_READ ? LOOKUP_FOUND : LOOKUP_DONE);
        return;
    }
    assert_true(result == LOOKUP_UNAVAILABLE || result == LOOKUP_LOST);
    assert_contains(world->reason.text, row->want);
    assert_contains(world->reason.text, world->path);
}

/* Everything is accessible, and still the log cannot be opened. */
static void log_is_a_folder(void **state)
{
    struct world *world = *state;
    char beside[sizeof(world->path) + 16];

    assert_true(execute(world->beside, "PRAGMA journal_mode = WAL"));
    sqlite3_close(world->beside);
    world->beside = NULL;
    snprintf(beside, sizeof(beside), "%s-wal", world->path);
    assert_int_equal(mkdir(beside, 0700), 0);
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_LOST);
    assert_contains(world->reason.text, world->path);
    assert_contains(world->reason.text, strerror(EISDIR));
}

/* The user may write to the file now, but could not when it was opened. */
static void may_write_too_late(void **state)
{
    struct world *world = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(world->directory, 0777), 0);
    assert_int_equal(chmod(world->path, 0644), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    open_session(world, SQL_ACCESS_WRITE);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(world->path, 0666), 0);
    assert_lookup(store_within(world, "UPDATE users SET secret = 'new'", 60000),
                  LOOKUP_UNAVAILABLE);
    assert_contains(world->reason.text, world->path);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "wonderland");
}

/* A writer was interrupted: its change must be rolled back before anything is read. */
static void interrupted_writer(void **state)
{
    struct world *world = *state;
    char copy[sizeof(world->path) + 32], command[5 * sizeof(copy)];

    assert_true(execute(world->beside,
                        "CREATE TABLE filler (a); PRAGMA cache_size = 1; BEGIN;"
                        "UPDATE users SET secret = 'half';"
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200)"
                        " INSERT INTO filler SELECT zeroblob(1000) FROM n"));
    snprintf(copy, sizeof(copy), "%s/copy.db", world->directory);
    snprintf(command, sizeof(command), "cp '%s' '%s' && cp '%s-journal' '%s-journal'", world->path,
             copy, world->path, copy);
    assert_int_equal(system(command), 0);
    assert_true(execute(world->beside, "ROLLBACK"));
    name_path(world, "copy.db");
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_UNAVAILABLE);
    assert_contains(world->reason.text, "an interrupted change must be rolled back from "
                                        "copy.db-journal");
    close_session(world);
    /* As the reason suggests. */
    open_session(world, SQL_ACCESS_WRITE);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "wonderland");
}

/* A full disk, or a disk error: neither concerns permissions. */
static void file_too_large(void **state)
{
    struct world *world = *state;
    struct rlimit before, limit;
    enum lookup result;

    open_session(world, SQL_ACCESS_WRITE);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 16384;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    result = store_within(world, "INSERT INTO users VALUES ('carol', zeroblob(100000))", 60000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_lookup(result, LOOKUP_LOST);
    assert_contains(world->reason.text, world->path);
    assert_contains(world->reason.text, "I/O error");
}

static void database_is_full(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_WRITE);
    store_within(world, "PRAGMA max_page_count = 2", 60000);
    assert_lookup(
        store_within(world, "INSERT INTO users VALUES ('carol', zeroblob(100000))", 60000),
        LOOKUP_UNAVAILABLE);
    assert_contains(world->reason.text, "full");
    assert_lookup(select_alice(world), LOOKUP_FOUND);
}

static void stores_in_a_file_that_was_replaced(void **state)
{
    struct world *world = *state;
    char other[sizeof(world->path)];

    create_other(world, other, sizeof(other));
    open_session(world, SQL_ACCESS_WRITE);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_int_equal(rename(other, world->path), 0);
    assert_lookup(store_within(world, "UPDATE users SET secret = 'new'", 60000),
                  LOOKUP_UNAVAILABLE);
    assert_contains(world->reason.text, world->path);
    close_session(world);
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "other");
}

/* A path without a folder is relative to the working directory. */
static void path_without_a_folder(void **state)
{
    struct world *world = *state;
    char before[PATH_MAX];

    if (geteuid() != 0)
        skip();
    assert_non_null(getcwd(before, sizeof(before)));
    assert_true(execute(world->beside, "PRAGMA journal_mode = WAL"));
    sqlite3_close(world->beside);
    world->beside = NULL;
    assert_int_equal(chmod(world->directory, 0755), 0);
    assert_int_equal(chmod(world->path, 0644), 0);
    assert_int_equal(chdir(world->directory), 0);
    world->target.database = "users.db";
    assert_int_equal(setresuid(NOBODY, NOBODY, 0), 0);
    open_session(world, SQL_ACCESS_READ);
    select_alice(world);
    assert_int_equal(setresuid(0, 0, 0), 0);
    assert_int_equal(chdir(before), 0);
    assert_contains(world->reason.text, "users.db: the database is in WAL mode, for which SQLite "
                                        "creates files beside it");
}

static void database_in_memory(void **state)
{
    struct world *world = *state;

    world->target.database = ":memory:";
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_within(world, "SELECT 'x'", 60000), LOOKUP_FOUND);
    assert_lookup(select_alice(world), LOOKUP_REJECTED);
    assert_contains(world->reason.text, "no such table");
}

static void store_that_only_reads(void **state)
{
    struct world *world = *state;

    assert_true(execute(world->beside, "INSERT INTO users VALUES ('bob', 'builder')"));
    open_session(world, SQL_ACCESS_WRITE);
    assert_lookup(store_within(world, "SELECT secret FROM users", 60000), LOOKUP_NONE);
}

/* It is neither shortened nor left out of the lookup. */
static void parameter_too_long(void **state)
{
    struct world *world = *state;
    const size_t length = ((size_t)1 << 20) + 1;
    const struct deadline deadline = deadline_after(60000);
    char *bytes = malloc(length + 1);
    const struct bytes parameters[] = {{bytes, length}, bytes_of("alice")};
    const struct sql_statement statement = {"SELECT secret FROM users WHERE ? <> '' AND name = ?",
                                            parameters, COUNT(parameters)};
    enum lookup result;

    assert_non_null(bytes);
    memset(bytes, 'v', length);
    bytes[length] = '\0';
    open_session(world, SQL_ACCESS_READ);
    result = engine_select(world->driver.engine, world->session, &statement, &deadline,
                           &world->value, &world->reason);
    free(bytes);
    assert_lookup(result, LOOKUP_REJECTED);
    assert_contains(world->reason.text, "too big");
}

static void steps_in_the_wrong_order(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_WRITE);
    assert_lookup(step_within(world, SQL_COMMIT, 60000), LOOKUP_REJECTED);
    assert_string_not_equal(world->reason.text, "");
    assert_lookup(step_within(world, SQL_ROLLBACK, 60000), LOOKUP_REJECTED);
    assert_lookup(step_within(world, SQL_BEGIN, 60000), LOOKUP_DONE);
    assert_lookup(step_within(world, SQL_BEGIN, 60000), LOOKUP_REJECTED);
    assert_lookup(step_within(world, SQL_COMMIT, 60000), LOOKUP_DONE);
}

int main(void)
{
    struct test_list list = {0};

    alarm(600); /* a driver that never returns is stopped here */
    ADD_ROWS(&list, explains_files, explained);
    ADD(&list, log_is_a_folder);
    ADD(&list, may_write_too_late);
    ADD(&list, interrupted_writer);
    ADD(&list, file_too_large);
    ADD(&list, database_is_full);
    ADD(&list, stores_in_a_file_that_was_replaced);
    ADD(&list, path_without_a_folder);
    ADD(&list, database_in_memory);
    ADD(&list, store_that_only_reads);
    ADD(&list, parameter_too_long);
    ADD(&list, steps_in_the_wrong_order);
    return test_run("engine_sqlite3_files", &list);
}
