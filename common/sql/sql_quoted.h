/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_QUOTED_H
#define SQLCRYPT_SQL_QUOTED_H

/*
 * Reads a quoted text of a SQL template both ways: `value` is what it means, `verbatim` how
 * it is written, from the opening quote to the closing one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql_parser.h"

struct sql_quoted {
    const char *start;
    struct sql_pieces value;
    struct sql_pieces verbatim;
    const char *unclear_escape; /* the first escape whose meaning is not known here */
    bool is_unicode;            /* U&'...', where a backslash names a character */
};

/* Reads up to and including `close`. A doubled quote stands for itself; a doubled bracket does
 * not. The caller frees `quoted` in either case. */
bool sql_quoted_read(struct sql_parser *parser, struct sql_quoted *quoted, size_t open_length,
                     const char *close, bool backslash_escapes);

/* Whether something in it differs from login to login. */
bool sql_quoted_has_variable(const struct sql_quoted *quoted);

void sql_quoted_free(struct sql_quoted *quoted);

#endif
