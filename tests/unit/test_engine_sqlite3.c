/* SPDX-License-Identifier: BSD-3-Clause */

/* What only SQLite has: files that are missing, damaged, locked or replaced,
 * and the limits that its driver sets. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/sqlite_world.h"

/* --- files that are not databases */

static void missing_file_is_not_created(void **state)
{
    static const enum sql_access accesses[] = {SQL_ACCESS_READ, SQL_ACCESS_WRITE};
    struct world *world = *state;
    size_t i;

    name_path(world, "missing.db");
    for (i = 0; i < COUNT(accesses); i++) {
        assert_false(try_open(world, accesses[i]));
        assert_contains(world->reason.text, "missing.db");
        assert_contains(world->reason.text, strerror(ENOENT));
        assert_lacks(world->reason.text, "jail");
        assert_int_equal(access(world->path, F_OK), -1);
    }
}

static void missing_directory(void **state)
{
    struct world *world = *state;

    name_path(world, "none/users.db");
    assert_false(try_open(world, SQL_ACCESS_READ));
    assert_contains(world->reason.text, "none/users.db");
}

static void database_is_not_set(void **state)
{
    struct world *world = *state;

    world->target.database = "";
    assert_false(try_open(world, SQL_ACCESS_READ));
    assert_contains(world->reason.text, "sql_database");
}

/* Neither an unknown user nor a wrong statement: an outage. */
static void assert_no_answer(struct world *world)
{
    enum lookup result;

    if (!try_open(world, SQL_ACCESS_READ)) {
        assert_contains(world->reason.text, world->path);
        return;
    }
    result = select_alice(world);
    if (result != LOOKUP_UNAVAILABLE)
        assert_lookup(result, LOOKUP_LOST);
    assert_contains(world->reason.text, world->path);
}

static void directory_in_the_place_of_a_file(void **state)
{
    struct world *world = *state;

    name_path(world, "directory.db");
    assert_int_equal(mkdir(world->path, 0700), 0);
    assert_no_answer(world);
}

static void not_a_database(void **state)
{
    struct world *world = *state;

    name_path(world, "text.db");
    write_file(world->path, "alice:wonderland:1000:1000::/home/alice:/bin/sh\n", 100);
    assert_no_answer(world);
}

static void damaged_database(void **state)
{
    struct world *world = *state;
    FILE *file;

    assert_int_equal(sqlite3_close(world->beside), SQLITE_OK);
    world->beside = NULL;
    file = fopen(world->path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    while (ftell(file) < 4096)
        fputc(0xee, file);
    assert_int_equal(fclose(file), 0);
    assert_no_answer(world);
}

static void empty_file_has_no_table(void **state)
{
    struct world *world = *state;

    name_path(world, "empty.db");
    write_file(world->path, "", 0);
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_REJECTED);
    assert_contains(world->reason.text, "no such table");
}

/* --- locks */

static void locked_until_the_deadline(void **state)
{
    struct world *world = *state;
    struct deadline start;
    int waited;

    open_session(world, SQL_ACCESS_READ);
    assert_true(execute(world->beside, "BEGIN EXCLUSIVE"));
    start = deadline_after(60000);
    assert_lookup(select_within(world, ALICE, 200), LOOKUP_UNAVAILABLE);
    waited = 60000 - deadline_remaining(&start);
    assert_in_range(waited, 150, 30000);
    assert_contains(world->reason.text, "locked");
    assert_true(execute(world->beside, "COMMIT"));
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "wonderland");
}

/* The statement is already kept, which is another path to the lock. */
static void locked_after_a_first_lookup(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_true(execute(world->beside, "BEGIN EXCLUSIVE"));
    assert_lookup(select_within(world, ALICE, 200), LOOKUP_UNAVAILABLE);
    assert_contains(world->reason.text, "locked");
    assert_true(execute(world->beside, "COMMIT"));
    assert_lookup(select_alice(world), LOOKUP_FOUND);
}

static void locked_when_storing(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_WRITE);
    assert_true(execute(world->beside, "BEGIN IMMEDIATE"));
    assert_lookup(store_within(world, "DELETE FROM users", 200), LOOKUP_UNAVAILABLE);
    assert_lookup(step_within(world, SQL_BEGIN, 200), LOOKUP_UNAVAILABLE);
    assert_true(execute(world->beside, "COMMIT"));
    assert_lookup(step_within(world, SQL_BEGIN, 60000), LOOKUP_DONE);
    assert_lookup(store_within(world, "DELETE FROM users", 60000), LOOKUP_DONE);
    assert_lookup(step_within(world, SQL_ROLLBACK, 60000), LOOKUP_DONE);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
}

static void *commit_soon(void *context)
{
    struct world *world = context;
    const struct timespec nap = {0, 100 * 1000 * 1000};

    nanosleep(&nap, NULL);
    return execute(world->beside, "COMMIT") ? context : NULL;
}

static void lock_that_goes_away(void **state)
{
    struct world *world = *state;
    enum lookup result;
    pthread_t thread;
    void *done = NULL;

    open_session(world, SQL_ACCESS_READ);
    assert_true(execute(world->beside, "BEGIN EXCLUSIVE; UPDATE users SET secret = 'new'"));
    assert_int_equal(pthread_create(&thread, NULL, commit_soon, world), 0);
    result = select_within(world, ALICE, 60000);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    assert_lookup(result, LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "new");
}

/* A lookup leaves no lock behind. */
static void lookup_locks_nobody_out(void **state)
{
    struct world *world = *state;

    assert_true(execute(world->beside, "INSERT INTO users VALUES ('alice', 'second')"));
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_SEVERAL);
    assert_true(execute(world->beside, "BEGIN EXCLUSIVE; DELETE FROM users; COMMIT"));
    assert_lookup(select_alice(world), LOOKUP_NONE);
    assert_true(execute(world->beside, "BEGIN EXCLUSIVE; DROP TABLE users; COMMIT"));
    assert_lookup(select_alice(world), LOOKUP_REJECTED);
    assert_true(execute(world->beside, "BEGIN EXCLUSIVE; COMMIT"));
}

/* --- the deadline of a statement */

#define ENDLESS                                                                                    \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

static void endless_query_stops(void **state)
{
    struct world *world = *state;
    struct deadline start = deadline_after(600000);

    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_within(world, ENDLESS, 200), LOOKUP_UNAVAILABLE);
    assert_in_range(600000 - deadline_remaining(&start), 150, 60000);
    assert_contains(world->reason.text, "too long");
    assert_lookup(select_alice(world), LOOKUP_FOUND);
}

/* The first row comes at once, and the second never comes. */
static void endless_search_for_a_second_row_stops(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_within(world,
                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                "SELECT i FROM n WHERE i = 1",
                                200),
                  LOOKUP_UNAVAILABLE);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
}

static void endless_store_stops(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_WRITE);
    assert_lookup(store_within(world, "UPDATE users SET secret = (" ENDLESS ")", 200),
                  LOOKUP_UNAVAILABLE);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "wonderland");
}

/* --- files that change */

static void replaced_file(void **state)
{
    struct world *world = *state;
    char other[sizeof(world->path)];

    create_other(world, other, sizeof(other));
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_int_equal(rename(other, world->path), 0);
    assert_lookup(select_alice(world), LOOKUP_LOST);
    assert_contains(world->reason.text, world->path);
    assert_contains(world->reason.text, "replaced");
    close_session(world);
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "other");
}

static void file_replaced_before_the_first_lookup(void **state)
{
    struct world *world = *state;
    char other[sizeof(world->path)];

    create_other(world, other, sizeof(other));
    open_session(world, SQL_ACCESS_READ);
    assert_int_equal(rename(other, world->path), 0);
    assert_lookup(select_alice(world), LOOKUP_LOST);
}

static void removed_file(void **state)
{
    struct world *world = *state;

    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_int_equal(unlink(world->path), 0);
    assert_lookup(select_alice(world), LOOKUP_LOST);
    close_session(world);
    assert_false(try_open(world, SQL_ACCESS_READ));
}

/* --- what a session for lookups may do */

static void read_session_cannot_write(void **state)
{
    static const char *const statements[] = {
        "UPDATE users SET secret = 'new'",
        "UPDATE users SET secret = 'new' RETURNING secret",
        "INSERT INTO users VALUES ('carol', 'x')",
        "DELETE FROM users",
        "DROP TABLE users",
        "CREATE TABLE other (a)",
        "PRAGMA user_version = 7",
        "VACUUM",
    };
    struct world *world = *state;
    size_t i;

    open_session(world, SQL_ACCESS_READ);
    for (i = 0; i < COUNT(statements); i++) {
        enum lookup selected = select_within(world, statements[i], 60000);
        enum lookup stored = store_within(world, statements[i], 60000);

        if (selected == LOOKUP_FOUND || stored == LOOKUP_DONE)
            print_error("%s: %s, %s\n", statements[i], lookup_name(selected), lookup_name(stored));
        assert_true(selected != LOOKUP_FOUND && stored != LOOKUP_DONE);
    }
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "wonderland");
    assert_lookup(select_within(world, "SELECT COUNT(*) FROM users", 60000), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "1");
    assert_lookup(select_within(world, "PRAGMA user_version", 60000), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "0");
}

/* There is no way to create files elsewhere. */
static void read_session_creates_no_file(void **state)
{
    struct world *world = *state;
    char attach[sizeof(world->path) + 64];

    open_session(world, SQL_ACCESS_READ);
    snprintf(attach, sizeof(attach), "ATTACH '%s/attached.db' AS other", world->directory);
    store_within(world, attach, 60000);
    store_within(world, "CREATE TABLE other.t (a)", 60000);
    snprintf(attach, sizeof(attach), "%s/attached.db", world->directory);
    assert_int_equal(access(attach, F_OK), -1);
}

/* --- values */

static const struct length {
    const char *name;
    const char *statement;
    enum lookup want;
    size_t want_length;
} lengths[] = {
    {"a million bytes", "SELECT secret FROM big WHERE size = 1000000", LOOKUP_FOUND, 1000000},
    {"1 MiB beside 2 MiB", "SELECT secret FROM big WHERE size = 1048576", LOOKUP_FOUND, 1048576},
    {"a byte more than 1 MiB", "SELECT secret FROM big WHERE size = 1048577", LOOKUP_REJECTED, 0},
    {"2 MiB", "SELECT secret FROM big WHERE size = 2097152", LOOKUP_REJECTED, 0},
    {"2 MiB made on the way", "SELECT hex(zeroblob(1048576))", LOOKUP_REJECTED, 0},
    {"empty blob", "SELECT x''", LOOKUP_FOUND, 0},
    {"empty text", "SELECT ''", LOOKUP_FOUND, 0},
    {"real number", "SELECT 1.5", LOOKUP_FOUND, 3},
    {"largest integer", "SELECT 9223372036854775807", LOOKUP_FOUND, 19},
};

static void value_length(void **state)
{
    struct world *world = *state;
    const struct length *row = world->row;
    enum lookup result;

    assert_true(execute(world->beside,
                        "CREATE TABLE big (size INTEGER, note TEXT, secret TEXT);"
                        "INSERT INTO big SELECT 1000000, '', printf('%.1000000c', 'x');"
                        "INSERT INTO big SELECT 1048576, printf('%.2097152c', 'n'),"
                        "                       printf('%.1048576c', 'x');"
                        "INSERT INTO big SELECT 1048577, '', printf('%.1048577c', 'x');"
                        "INSERT INTO big SELECT 2097152, '', printf('%.2097152c', 'x')"));
    open_session(world, SQL_ACCESS_READ);
    result = select_within(world, row->statement, 60000);
    assert_lookup(result, row->want);
    if (result == LOOKUP_FOUND) {
        assert_non_null(world->value.bytes);
        assert_int_equal(world->value.length, row->want_length);
    } else {
        assert_string_not_equal(world->reason.text, "");
    }
}

static void utf16_database(void **state)
{
    struct world *world = *state;
    sqlite3 *other = NULL;
    bool done;

    name_path(world, "utf16.db");
    assert_int_equal(sqlite3_open(world->path, &other), SQLITE_OK);
    done = execute(other, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE users (name, secret);"
                          "INSERT INTO users VALUES ('alice', 'p\303\244ssw\303\266rd')");
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_true(done);
    open_session(world, SQL_ACCESS_READ);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    assert_string_equal(world->value.bytes, "p\303\244ssw\303\266rd");
    assert_int_equal(world->value.length, 10);
}

/* --- descriptors: programs that the host starts must not inherit them */

/* Counts the descriptors of files in our directory, and those among them that
 * stay open across exec(2). */
static void count_descriptors(const struct world *world, unsigned *open_ones, unsigned *inherited)
{
    DIR *descriptors = opendir("/proc/self/fd");
    const struct dirent *entry;

    *open_ones = *inherited = 0;
    if (descriptors == NULL)
        skip();
    while ((entry = readdir(descriptors)) != NULL) {
        char target[PATH_MAX + 32];
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target) - 1);
        int flags = fcntl(atoi(entry->d_name), F_GETFD);

        if (length < 0)
            continue;
        target[length] = '\0';
        if (strncmp(target, world->directory, strlen(world->directory)) != 0)
            continue;
        ++*open_ones;
        if (flags == -1 || (flags & FD_CLOEXEC) == 0) {
            print_error("%s is inherited\n", target);
            ++*inherited;
        }
    }
    closedir(descriptors);
}

static const struct mode {
    const char *name;
    const char *pragma;
} modes[] = {
    {"rollback journal", "PRAGMA journal_mode = DELETE"},
    {"write-ahead log", "PRAGMA journal_mode = WAL"},
};

static void descriptors_are_closed_on_exec(void **state)
{
    struct world *world = *state;
    const struct mode *row = world->row;
    unsigned open_ones, inherited;

    assert_true(execute(world->beside, row->pragma));
    assert_int_equal(sqlite3_close(world->beside), SQLITE_OK);
    world->beside = NULL;

    open_session(world, SQL_ACCESS_WRITE);
    assert_lookup(select_alice(world), LOOKUP_FOUND);
    count_descriptors(world, &open_ones, &inherited);
    assert_true(open_ones > 0);
    assert_int_equal(inherited, 0);

    assert_lookup(step_within(world, SQL_BEGIN, 60000), LOOKUP_DONE);
    assert_lookup(store_within(world, "UPDATE users SET secret = 'new'", 60000), LOOKUP_DONE);
    count_descriptors(world, &open_ones, &inherited);
    assert_true(open_ones > 1);
    assert_int_equal(inherited, 0);
    assert_lookup(step_within(world, SQL_ROLLBACK, 60000), LOOKUP_DONE);

    close_session(world);
    count_descriptors(world, &open_ones, &inherited);
    assert_int_equal(open_ones, 0);
}

static void failed_open_leaves_no_descriptor(void **state)
{
    struct world *world = *state;
    unsigned open_ones, inherited;

    sqlite3_close(world->beside);
    world->beside = NULL;
    name_path(world, "missing.db");
    assert_false(try_open(world, SQL_ACCESS_READ));
    count_descriptors(world, &open_ones, &inherited);
    assert_int_equal(open_ones, 0);
}

/* --- in a jail */

enum answer { ANSWER_HINT = 10, ANSWER_NO_HINT, ANSWER_OPENED, ANSWER_NO_CHROOT };

static void hint_in_a_jail(void **state)
{
    struct world *world = *state;
    int status = 0;
    pid_t child;

    sqlite3_close(world->beside);
    world->beside = NULL;
    child = fork();
    if (child == 0) {
        if (chroot(world->directory) != 0 || chdir("/") != 0)
            _exit(ANSWER_NO_CHROOT);
        if (try_open(world, SQL_ACCESS_READ))
            _exit(ANSWER_OPENED);
        _exit(strstr(world->reason.text, "chroot jail") != NULL ? ANSWER_HINT : ANSWER_NO_HINT);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == ANSWER_NO_CHROOT)
        skip();
    assert_int_equal(WEXITSTATUS(status), ANSWER_HINT);
}

int main(void)
{
    struct test_list list = {0};

    alarm(600); /* a driver that never returns is stopped here */
    ADD(&list, missing_file_is_not_created);
    ADD(&list, missing_directory);
    ADD(&list, database_is_not_set);
    ADD(&list, directory_in_the_place_of_a_file);
    ADD(&list, not_a_database);
    ADD(&list, damaged_database);
    ADD(&list, empty_file_has_no_table);
    ADD(&list, locked_until_the_deadline);
    ADD(&list, locked_after_a_first_lookup);
    ADD(&list, locked_when_storing);
    ADD(&list, lock_that_goes_away);
    ADD(&list, lookup_locks_nobody_out);
    ADD(&list, endless_query_stops);
    ADD(&list, endless_search_for_a_second_row_stops);
    ADD(&list, endless_store_stops);
    ADD(&list, replaced_file);
    ADD(&list, file_replaced_before_the_first_lookup);
    ADD(&list, removed_file);
    ADD(&list, read_session_cannot_write);
    ADD(&list, read_session_creates_no_file);
    ADD_ROWS(&list, value_length, lengths);
    ADD(&list, utf16_database);
    ADD_ROWS(&list, descriptors_are_closed_on_exec, modes);
    ADD(&list, failed_open_leaves_no_descriptor);
    ADD(&list, hint_in_a_jail);
    return test_run("engine_sqlite3", &list);
}
