/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_quoted.h"

#include <string.h>

void sql_quoted_free(struct sql_quoted *quoted)
{
    sql_pieces_free(&quoted->value);
    sql_pieces_free(&quoted->verbatim);
}

bool sql_quoted_has_variable(const struct sql_quoted *quoted)
{
    return sql_pieces_have(&quoted->value, PIECE_USER) ||
           sql_pieces_have(&quoted->value, PIECE_REALM) ||
           sql_pieces_have(&quoted->value, PIECE_ADDRESS) ||
           sql_pieces_have(&quoted->value, PIECE_VALUE);
}

/* Reads a backslash and the character after it, but leaves a percent sign: it
 * may start a macro. */
static bool read_escape(struct sql_parser *parser, struct sql_quoted *quoted)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *escape = parser->at;
    size_t length = escape[1] == '%' ? 1 : 2;
    const char *letter;
    char meaning = escape[length - 1];

    if (escape[1] == '\0')
        return sql_parser_refuse(parser, quoted->start, "the quote is not closed");
    if (strchr("01234567xuUZ%_", escape[1]) != NULL && quoted->unclear_escape == NULL)
        quoted->unclear_escape = escape;
    letter = strchr(letters, meaning);
    if (letter != NULL)
        meaning = meanings[letter - letters];
    parser->at += length;
    return sql_parser_checked(parser, sql_pieces_add_text(&quoted->value, &meaning, 1) &&
                                          sql_pieces_add_text(&quoted->verbatim, escape, length));
}

bool sql_quoted_read(struct sql_parser *parser, struct sql_quoted *quoted, size_t open_length,
                     const char *close, bool backslash_escapes)
{
    size_t close_length = strlen(close);

    quoted->start = parser->at;
    if (!sql_parser_checked(parser,
                            sql_pieces_add_text(&quoted->verbatim, parser->at, open_length)))
        return false;
    parser->at += open_length;
    for (;;) {
        const char *at = parser->at;

        if (*at == '\0')
            return sql_parser_refuse(parser, quoted->start, "the quote is not closed");
        if (strncmp(at, close, close_length) == 0) {
            bool doubled = close_length == 1 && *close != ']' && at[1] == *close;

            parser->at += doubled ? 2 : close_length;
            if (!sql_parser_checked(
                    parser, sql_pieces_add_text(&quoted->verbatim, at, (size_t)(parser->at - at))))
                return false;
            if (!doubled)
                return true;
            if (!sql_parser_checked(parser, sql_pieces_add_text(&quoted->value, at, 1)))
                return false;
        } else if (*at == '\\' && backslash_escapes) {
            if (!read_escape(parser, quoted))
                return false;
        } else if (*at == '%') {
            if (!sql_parser_read_macro(parser, &quoted->value, &quoted->verbatim))
                return false;
        } else {
            if (*at == '\\' && quoted->is_unicode && quoted->unclear_escape == NULL)
                quoted->unclear_escape = at;
            parser->at++;
            if (!sql_parser_checked(parser, sql_pieces_add_text(&quoted->value, at, 1) &&
                                                sql_pieces_add_text(&quoted->verbatim, at, 1)))
                return false;
        }
    }
}
