/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_rows.h"

bool sql_rows_overflow(struct sql_rows *rows)
{
    if (rows->count < rows->room)
        return false;
    rows->has_more = true;
    return true;
}

bool sql_rows_add(struct sql_rows *rows, const char *bytes, size_t length)
{
    if (sql_rows_overflow(rows))
        return true;
    if (bytes != NULL && !secret_set(&rows->values[rows->count], bytes, length))
        return false;
    rows->count++;
    return true;
}

void sql_rows_wipe(struct sql_rows *rows)
{
    while (rows->count > 0)
        secret_wipe(&rows->values[--rows->count]);
    rows->has_more = false;
}

static void say_too_many(const struct sql_rows *rows, struct reason *reason)
{
    if (rows->room == 1)
        reason_set(reason, "more than one row for one user");
    else
        reason_set(reason, "more than %zu rows for one user", rows->room);
}

enum lookup sql_rows_judge(const struct sql_rows *rows, enum lookup result, struct reason *reason)
{
    struct reason too_many;

    if (!rows->has_more || result == LOOKUP_NONE)
        return result;
    say_too_many(rows, &too_many);
    if (result != LOOKUP_FOUND) {
        reason_append(reason, ": %s", too_many.text);
        return result;
    }
    *reason = too_many;
    return LOOKUP_SEVERAL;
}
