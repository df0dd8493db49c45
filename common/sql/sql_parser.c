/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_parser.h"

#include <ctype.h>
#include <string.h>

bool sql_parser_refuse(const struct sql_parser *parser, const char *at, const char *why)
{
    reason_set(parser->reason, "position %zu: %s", (size_t)(at - parser->start) + 1, why);
    return false;
}

bool sql_parser_checked(const struct sql_parser *parser, bool done)
{
    return done || sql_parser_refuse(parser, parser->at, "out of memory");
}

bool sql_parser_copy(struct sql_parser *parser, size_t length)
{
    const char *text = parser->at;

    parser->at += length;
    return sql_parser_checked(parser,
                              sql_pieces_add_text(&parser->parsed->statement, text, length));
}

const char *sql_parser_skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

bool sql_parser_is_percent_alone(const char *percent)
{
    char letter = (char)(percent[1] | ' ');

    return percent[1] != '%' && (letter < 'a' || letter > 'z');
}

/* What looks like a macro may be one from Postfix (%s, %d) or Dovecot (%n, %d). */
static bool refuse_macro(const struct sql_parser *parser, char letter)
{
    size_t position = (size_t)(parser->at - parser->start) + 1;

    if (strchr("sdnUR", letter) != NULL)
        reason_set(parser->reason,
                   "position %zu: %%%c is not known; %%u is the user, %%r the realm, and %%u@%%r "
                   "the address",
                   position, letter);
    else
        reason_set(parser->reason, "position %zu: %%%c is not known; for the text, write %%%%%c",
                   position, letter, letter);
    return false;
}

bool sql_parser_read_macro(struct sql_parser *parser, struct sql_pieces *one,
                           struct sql_pieces *other)
{
    enum piece_kind kind = PIECE_TEXT;
    char letter = parser->at[1];
    size_t length = 2;

    switch (letter) {
    case 'u':
        kind = PIECE_USER;
        break;
    case 'r':
        kind = PIECE_REALM;
        break;
    case 'p':
        kind = PIECE_PROPERTY;
        break;
    case 'a':
        kind = PIECE_ADDRESS;
        break;
    case 'v':
        if (parser->kind == SQL_TEMPLATE_SELECT)
            return sql_parser_refuse(parser, parser->at, "%v has no meaning in a SELECT");
        kind = PIECE_VALUE;
        break;
    case '%':
        break;
    default:
        if (!sql_parser_is_percent_alone(parser->at))
            return refuse_macro(parser, letter);
        length = 1;
        break;
    }
    parser->at += length;
    if (kind == PIECE_TEXT)
        return sql_parser_checked(parser,
                                  sql_pieces_add_text(one, "%", 1) &&
                                      (other == NULL || sql_pieces_add_text(other, "%", 1)));
    return sql_parser_checked(parser, sql_pieces_add(one, kind) &&
                                          (other == NULL || sql_pieces_add(other, kind)));
}

size_t sql_parser_word_length(const char *text)
{
    size_t length = 0;

    while (sql_dialect_starts_word(text[length]) || isdigit((unsigned char)text[length]) ||
           (length > 0 && text[length] == '$'))
        length++;
    return length;
}
