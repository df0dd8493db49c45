/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_TEMPLATE_PARSER_H
#define SQLCRYPT_SQL_TEMPLATE_PARSER_H

/*
 * Takes a SQL template apart, by the rules of its dialect. Only sql_template.c
 * uses it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "sql/sql_dialect.h"
#include "sql/sql_pieces.h"
#include "sql/sql_template.h"

/* The holes of the statement are PIECE_PROPERTY and, for each parameter in
 * turn, PIECE_PARAMETER. */
struct parsed_template {
    struct sql_pieces statement;
    struct sql_pieces *parameters;
    size_t parameter_count;
    struct reason warning; /* "" if there is none */
};

/* Returns false with a reason that starts with the position. The caller frees
 * what has been parsed so far in either case. */
bool sql_template_parser_take_apart(const char *text, enum sql_template_kind kind,
                                    const struct sql_dialect *dialect,
                                    struct parsed_template *parsed, struct reason *reason);

#endif
