/* SPDX-License-Identifier: BSD-3-Clause */

/* SQLite for test_engines.c: a file in a directory of its own. */

#include <limits.h>
#include <sqlite3.h>

#include "test_engines.h"
#include "test_support.h"

static char directory[PATH_MAX];
static char path[PATH_MAX + 16];
static sqlite3 *beside;

static bool start(struct sql_target *target)
{
    test_directory(directory, sizeof(directory));
    snprintf(path, sizeof(path), "%s/mail.db", directory);
    target->hostnames = target->user = target->password = "";
    target->database = path;
    jail_note_root(&target->jail);
    return sqlite3_open(path, &beside) == SQLITE_OK &&
           sqlite3_exec(beside, "PRAGMA synchronous = OFF; VACUUM", NULL, NULL, NULL) == SQLITE_OK;
}

static void stop(void)
{
    sqlite3_close(beside);
    beside = NULL;
    test_directory_remove(directory);
}

static bool execute(const char *statements)
{
    char *message = NULL;
    bool done = sqlite3_exec(beside, statements, NULL, NULL, &message) == SQLITE_OK;

    if (!done)
        print_error("%s: %s\n", statements, message);
    sqlite3_free(message);
    return done;
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

const struct engine_fixture test_engines_sqlite3 = {
    .text_type = "TEXT",
    .blob_type = "BLOB",
    .blob = "x'00ff27fe00'",
    .want_blob = "\0\377'\376\0",
    .want_blob_length = 5,
    .start = start,
    .stop = stop,
    .execute = execute,
    .query = query,
};
