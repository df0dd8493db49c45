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

/* How many rows anybody has room for. */
enum { SQL_ROWS_MOST = 16 };

struct sql_rows {
    struct secret *values; /* the first column of each; the caller owns and wipes them */
    size_t room;           /* how many there are, 1 to SQL_ROWS_MOST; empty at first */
    size_t count;          /* of those that a row was found for */
    bool has_more;         /* rows than there is room */
};

/* To be asked for each row: whether there is no room for it, which is noted. */
bool sql_rows_overflow(struct sql_rows *rows);

/* Adds a copy of its value, if there is room; `bytes` is NULL for NULL. Returns false when
 * out of memory. */
bool sql_rows_add(struct sql_rows *rows, const char *bytes, size_t length);

/* Wipes all values: nothing was found. */
void sql_rows_wipe(struct sql_rows *rows);

/* Judges the `result` of a driver: LOOKUP_SEVERAL, with a reason, if there were more rows
 * than there is room. If the lookup failed after so many rows, its reason gets to say so,
 * too. */
enum lookup sql_rows_judge(const struct sql_rows *rows, enum lookup result, struct reason *reason);

#endif
