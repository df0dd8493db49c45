/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_DIALECT_H
#define SQLCRYPT_SQL_DIALECT_H

/*
 * What an engine reads as a literal, an identifier, a comment or a parameter:
 * everything that the SQL template needs to know about it.
 */

#include <stdbool.h>
#include <stddef.h>

enum double_quotes {
    DOUBLE_QUOTES_IDENTIFIER, /* standard SQL */
    DOUBLE_QUOTES_LITERAL,    /* MySQL without ANSI_QUOTES */
    DOUBLE_QUOTES_EITHER      /* SQLite: a literal where no such column exists */
};

enum placeholder {
    PLACEHOLDER_QUESTION, /* ? */
    PLACEHOLDER_DOLLAR    /* $1 */
};

struct sql_dialect {
    enum double_quotes double_quotes;
    enum placeholder placeholder;
    bool backslash_escapes;    /* in every literal (MySQL) */
    bool escape_literals;      /* E'...' (PostgreSQL) */
    bool dollar_quotes;        /* $tag$...$tag$ (PostgreSQL) */
    bool unicode_literals;     /* U&'...' (PostgreSQL) */
    bool typed_literals;       /* any type can precede a literal (PostgreSQL) */
    bool backtick_identifiers; /* `...` */
    bool bracket_identifiers;  /* [...] (SQLite) */
    bool hash_comments;        /* # to the end of the line (MySQL) */
    bool dash_needs_space;     /* "--" opens a comment only before white space (MySQL) */
    bool nested_comments;      /* (PostgreSQL) */
    bool executable_comments;  /* the text of a comment that opens with an exclamation mark
                                  is code (MySQL) */
    bool named_parameters;     /* :name @name $name (SQLite) */
    bool user_is_current_user; /* the word user, without quotes (PostgreSQL) */
};

/* Whether an expression can follow this word of PostgreSQL's grammar. Before a literal, any
 * other word is a type. */
bool sql_dialect_precedes_expression(const char *word, size_t length);

/* Whether this word, before a literal, is or ends a type that means something else in a
 * cast, or takes several words. */
bool sql_dialect_ends_special_type(const char *word, size_t length);

/* Whether a word, such as a name, can start with this character in any dialect. */
bool sql_dialect_starts_word(char c);

extern const struct sql_dialect sql_dialect_pgsql;
extern const struct sql_dialect sql_dialect_mysql;
extern const struct sql_dialect sql_dialect_sqlite3;

#endif
