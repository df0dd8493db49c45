/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_dialect.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* https://www.postgresql.org/docs/current/sql-syntax-lexical.html,
 * with standard_conforming_strings on */
const struct sql_dialect sql_dialect_pgsql = {
    .double_quotes = DOUBLE_QUOTES_IDENTIFIER,
    .placeholder = PLACEHOLDER_DOLLAR,
    .escape_literals = true,
    .dollar_quotes = true,
    .unicode_literals = true,
    .typed_literals = true,
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

static bool is_one_of(const char *const *words, const char *word, size_t length)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == length && strncasecmp(*words, word, length) == 0)
            return true;
    return false;
}

/* What precedes a_expr or b_expr in PostgreSQL's src/backend/parser/gram.y */
bool sql_dialect_precedes_expression(const char *word, size_t length)
{
    static const char *const words[] = {
        "all",     "and",      "asymmetric", "between",  "both",  "by",        "case",
        "content", "default",  "distinct",   "document", "else",  "escape",    "first",
        "for",     "from",     "groups",     "having",   "ilike", "in",        "key",
        "leading", "like",     "limit",      "next",     "not",   "offset",    "on",
        "or",      "passing",  "placing",    "range",    "ref",   "returning", "rows",
        "select",  "similar",  "symmetric",  "then",     "to",    "trailing",  "using",
        "value",   "variadic", "version",    "when",     "where", "zone",      NULL,
    };

    return is_one_of(words, word, length);
}

/* From ConstTypename there: CHAR and BIT without a length have one only in a cast; a field can
 * follow INTERVAL. */
bool sql_dialect_ends_special_type(const char *word, size_t length)
{
    static const char *const words[] = {
        "bit", "char", "character", "interval", "nchar", "precision", "varying", NULL,
    };

    return is_one_of(words, word, length);
}

bool sql_dialect_starts_word(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}
