/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_PARSER_H
#define SQLCRYPT_SQL_PARSER_H

/*
 * The position of the parser of a SQL template, and what all of its parts share. Only
 * sql_template_parser.c and sql_quoted.c use it. Functions return false once the reason is
 * set.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql_template_parser.h"

struct sql_parser {
    const char *start;
    const char *at;
    const char *word;  /* right before `at`, except for blanks and comments; or NULL */
    bool is_qualified; /* it is the last part of a name with dots */
    bool is_after_dot;
    size_t name_start; /* of the whole name, in the last piece of the statement */
    enum sql_template_kind kind;
    const struct sql_dialect *dialect;
    struct parsed_template *parsed;
    struct reason *reason;
    const char *parameter_end; /* of the latest one; NULL before there is one */
};

/* Refuses the template because of what is at `at`. */
bool sql_parser_refuse(const struct sql_parser *parser, const char *at, const char *why);

/* Refuses it for lack of memory, unless `done` is true. */
bool sql_parser_checked(const struct sql_parser *parser, bool done);

/* Copies `length` characters to the statement unchanged. */
bool sql_parser_copy(struct sql_parser *parser, size_t length);

/* Reads what a percent sign starts, and adds it to both; `other` may be NULL. */
bool sql_parser_read_macro(struct sql_parser *parser, struct sql_pieces *one,
                           struct sql_pieces *other);

/* Whether a percent sign stands for itself, as it does before anything but a
 * letter: LIKE '%@x'. */
bool sql_parser_is_percent_alone(const char *percent);

const char *sql_parser_skip_blanks(const char *text);

/* The length of the word that starts there; 0 if there is none. */
size_t sql_parser_word_length(const char *text);

#endif
