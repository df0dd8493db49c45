/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ROWS_H
#define SQLCRYPT_SQL_ROWS_H

/*
 * The rows of one lookup: a driver fills them in, up to as many as its caller has room
 * for, and says whether there were more. Only the caller knows how many are too many.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "base/secret.h"
#include "sql/lookup.h"

/* The most rows that any caller has room for. */
enum { SQL_ROWS_MOST = 16 };

struct sql_rows {
    struct secret *values; /* the first column of each; the caller owns and wipes them */
    size_t room;           /* how many values fit, 1 to SQL_ROWS_MOST; empty at first */
    size_t count;          /* how many of them a row was found for */
    bool has_more;         /* rows than there is room for */
};

/* To be called for each row: whether there is no room for it, which is noted. */
bool sql_rows_overflow(struct sql_rows *rows);

/* Adds a copy of the row's value, if there is room; `bytes` is NULL for NULL. Returns false when
 * out of memory. */
bool sql_rows_add(struct sql_rows *rows, const char *bytes, size_t length);

/* Wipes all values: nothing was found. */
void sql_rows_wipe(struct sql_rows *rows);

/* Judges the `result` of a driver: LOOKUP_SEVERAL, with a reason, if there were more rows than
 * there is room for. If the lookup failed after that many rows, its reason says so, too. */
enum lookup sql_rows_judge(const struct sql_rows *rows, enum lookup result, struct reason *reason);

#endif
