/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/sqlite_table.h"

#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[4000];

const char *folder(void)
{
    const char *parent = getenv("TMPDIR");

    if (path[0] == '\0') {
        snprintf(path, sizeof(path), "%s/sqlcrypt.XXXXXX", parent != NULL ? parent : "/tmp");
        assert_non_null(mkdtemp(path));
    }
    return path;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(name);
}

void folder_remove(void)
{
    if (path[0] != '\0')
        assert_int_equal(nftw(path, remove_one, 20, FTW_DEPTH | FTW_PHYS), 0);
    path[0] = '\0';
}

char *folder_file(const char *name)
{
    char *file;

    assert_true(asprintf(&file, "%s/%s", folder(), name) > 0);
    return file;
}

static sqlite3 *open_file(const char *file)
{
    char *name = folder_file(file);
    sqlite3 *database;

    assert_int_equal(sqlite3_open(name, &database), SQLITE_OK);
    free(name);
    return database;
}

void run_sql(const char *file, const char *format, ...)
{
    sqlite3 *database = open_file(file);
    char *statement, *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    assert_true(vasprintf(&statement, format, arguments) > 0);
    va_end(arguments);
    if (sqlite3_exec(database, statement, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", statement, message);
    free(statement);
    sqlite3_close(database);
}

char *read_sql(const char *file, const char *statement)
{
    sqlite3 *database = open_file(file);
    sqlite3_stmt *prepared;
    const unsigned char *text;
    char *copy = NULL;

    assert_int_equal(sqlite3_prepare_v2(database, statement, -1, &prepared, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(prepared), SQLITE_ROW);
    text = sqlite3_column_text(prepared, 0);
    if (text != NULL)
        copy = strdup((const char *)text);
    assert_int_equal(sqlite3_step(prepared), SQLITE_DONE);
    sqlite3_finalize(prepared);
    sqlite3_close(database);
    return copy;
}
