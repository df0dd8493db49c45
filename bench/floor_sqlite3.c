/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include "floor_hash.h"

#include <sqlite3.h>

static sqlite3 *file;
static sqlite3_stmt *statement;

/* Arguments: a file; a statement with ?. */
bool floor_open(int count, char **arguments)
{
    return count == 2 &&
           sqlite3_open_v2(arguments[0], &file, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(file, arguments[1], -1, &statement, NULL) == SQLITE_OK;
}

bool floor_verify(const char *user, const char *password)
{
    bool match = sqlite3_bind_text(statement, 1, user, -1, SQLITE_STATIC) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW &&
                 floor_matches((const char *)sqlite3_column_text(statement, 0), password);

    sqlite3_reset(statement);
    return match;
}
