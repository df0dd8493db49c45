/* SPDX-License-Identifier: BSD-3-Clause */

/* SQLite for the tests of all engines: a file in a directory of its own. */

#include <limits.h>
#include <sqlite3.h>

#include "support/engines.h"
#include "support/unit.h"

static char directory[PATH_MAX];
static char path[PATH_MAX + 16];
static sqlite3 *beside;
static sqlite3 *locker;

static bool available(void)
{
    return true;
}

static bool start(struct sql_target *target, struct sql_host *host, struct sql_host *by_address)
{
    static char empty[] = "";

    (void)by_address;
    test_directory(directory, sizeof(directory));
    snprintf(path, sizeof(path), "%s/mail.db", directory);
    target->user = target->password = empty;
    target->database = path;
    target->ssl_ca = target->ssl_cert = target->ssl_key = empty;
    jail_note_root(&target->jail);
    *host = (struct sql_host){empty, 0, empty};
    return sqlite3_open(path, &beside) == SQLITE_OK &&
           sqlite3_exec(beside, "PRAGMA synchronous = OFF; VACUUM", NULL, NULL, NULL) ==
               SQLITE_OK &&
           sqlite3_busy_timeout(beside, 60000) == SQLITE_OK &&
           sqlite3_open(path, &locker) == SQLITE_OK;
}

static void stop(void)
{
    sqlite3_close(beside);
    sqlite3_close(locker);
    beside = locker = NULL;
    test_directory_remove(directory);
}

static void finish(void)
{
}

static bool execute_over(sqlite3 *database, const char *statements)
{
    char *message = NULL;
    bool done = sqlite3_exec(database, statements, NULL, NULL, &message) == SQLITE_OK;

    if (!done)
        print_error("%.200s: %s\n", statements, message);
    sqlite3_free(message);
    return done;
}

static bool execute(const char *statements)
{
    return execute_over(beside, statements);
}

static char *query(const char *statement)
{
    sqlite3_stmt *prepared = NULL;
    char *value = NULL;

    if (sqlite3_prepare_v2(beside, statement, -1, &prepared, NULL) == SQLITE_OK &&
        sqlite3_step(prepared) == SQLITE_ROW && sqlite3_column_text(prepared, 0) != NULL)
        value = strdup((const char *)sqlite3_column_text(prepared, 0));
    sqlite3_finalize(prepared);
    return value;
}

static char *literal(const char *text)
{
    char *spelt = sqlite3_mprintf("%Q", text);
    char *copy = spelt != NULL ? strdup(spelt) : NULL;

    sqlite3_free(spelt);
    return copy;
}

static bool lock(void)
{
    return execute_over(locker, "BEGIN EXCLUSIVE");
}

static bool unlock(void)
{
    return execute_over(locker, "ROLLBACK");
}

const struct engine_fixture test_engines_sqlite3 = {
    .engine = "sqlite3",
    .text_type = "TEXT",
    .blob_type = "BLOB",
    .blob = "x'00ff27fe00'",
    .want_blob = "\0\377'\376\0",
    .want_blob_length = 5,
    .is_file = true,
    .has_nul = true,
    .locks_threads = true,
    .available = available,
    .start = start,
    .stop = stop,
    .finish = finish,
    .execute = execute,
    .query = query,
    .literal = literal,
    .lock = lock,
    .unlock = unlock,
};
