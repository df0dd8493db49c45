/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_dialect.h"

#include <ctype.h>

/* https://www.postgresql.org/docs/current/sql-syntax-lexical.html,
 * with standard_conforming_strings on */
const struct sql_dialect sql_dialect_pgsql = {
    .double_quotes = DOUBLE_QUOTES_IDENTIFIER,
    .placeholder = PLACEHOLDER_DOLLAR,
    .escape_literals = true,
    .dollar_quotes = true,
    .nested_comments = true,
    .user_is_current_user = true,
};

/* https://dev.mysql.com/doc/refman/8.0/en/string-literals.html,
 * without ANSI_QUOTES and NO_BACKSLASH_ESCAPES in sql_mode */
const struct sql_dialect sql_dialect_mysql = {
    .double_quotes = DOUBLE_QUOTES_LITERAL,
    .placeholder = PLACEHOLDER_QUESTION,
    .backslash_escapes = true,
    .backtick_identifiers = true,
    .hash_comments = true,
    .dash_needs_space = true,
    .executable_comments = true,
};

/* https://www.sqlite.org/lang_keywords.html, lang_expr.html#varparam */
const struct sql_dialect sql_dialect_sqlite3 = {
    .double_quotes = DOUBLE_QUOTES_EITHER,
    .placeholder = PLACEHOLDER_QUESTION,
    .backtick_identifiers = true,
    .bracket_identifiers = true,
    .named_parameters = true,
};

bool sql_starts_word(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}
