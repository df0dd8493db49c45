/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_template_parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/sql_parser.h"
#include "sql/sql_quoted.h"

static bool is_word(const char *word, size_t length, const char *other)
{
    return length == strlen(other) && strncasecmp(word, other, length) == 0;
}

/* Whether the name before the next literal is its type. */
static bool is_after_type(const struct sql_parser *parser)
{
    const char *word = parser->word;

    return parser->dialect->typed_literals && word != NULL &&
           (parser->is_qualified ||
            !sql_dialect_precedes_expression(word, sql_parser_word_length(word)));
}

/* Adds the hole. A type can precede a literal, but not a parameter, which needs a cast. */
static bool add_hole(struct sql_parser *parser)
{
    struct sql_pieces *statement = &parser->parsed->statement;
    struct sql_piece *last;
    char *type;
    bool done;

    if (!is_after_type(parser))
        return sql_parser_checked(parser, sql_pieces_add(statement, PIECE_PARAMETER));
    if (!parser->is_qualified &&
        sql_dialect_ends_special_type(parser->word, sql_parser_word_length(parser->word)))
        return sql_parser_refuse(
            parser, parser->word,
            "after this type, write a literal with a % as CAST('...' AS type)");
    last = &statement->items[statement->count - 1];
    type = strndup(last->text + parser->name_start, last->length - parser->name_start);
    if (type == NULL)
        return sql_parser_checked(parser, false);
    last->length = parser->name_start;
    done = sql_pieces_add_text(statement, "CAST(", strlen("CAST(")) &&
           sql_pieces_add(statement, PIECE_PARAMETER) &&
           sql_pieces_add_text(statement, " AS ", strlen(" AS ")) &&
           sql_pieces_add_text(statement, type, strlen(type)) &&
           sql_pieces_add_text(statement, ")", 1);
    free(type);
    return sql_parser_checked(parser, done);
}

/* Adds `value` as the next parameter and takes over its pieces. */
static bool add_parameter(struct sql_parser *parser, struct sql_pieces *value)
{
    struct parsed_template *parsed = parser->parsed;
    struct sql_pieces *grown =
        realloc(parsed->parameters, (parsed->parameter_count + 1) * sizeof(*grown));

    if (grown == NULL)
        return sql_parser_checked(parser, false);
    parsed->parameters = grown;
    grown[parsed->parameter_count++] = *value;
    *value = (struct sql_pieces){NULL, 0};
    parser->parameter_end = parser->at;
    return add_hole(parser);
}

static bool refuse_prefix(const struct sql_parser *parser, const struct sql_quoted *quoted,
                          const char *prefix, size_t length)
{
    reason_set(
        parser->reason, "position %zu: %.*s'...' cannot hold a macro; write '...' without the %.*s",
        (size_t)(quoted->start - parser->start) + 1, (int)length, prefix, (int)length, prefix);
    return false;
}

/* Adds a literal: as a parameter if something in it varies, else unchanged.
 * `prefix` is the word right before it, to be dropped or kept. */
static bool add_literal(struct sql_parser *parser, struct sql_quoted *quoted, const char *prefix,
                        size_t prefix_length, bool prefix_may_go)
{
    if (!sql_quoted_has_variable(quoted) && !sql_pieces_have(&quoted->value, PIECE_PROPERTY))
        return sql_parser_checked(
            parser, sql_pieces_add_text(&parser->parsed->statement, prefix, prefix_length) &&
                        sql_pieces_append(&parser->parsed->statement, &quoted->verbatim));
    if (quoted->unclear_escape != NULL)
        return sql_parser_refuse(
            parser, quoted->unclear_escape,
            "this escape and a % cannot be in the same literal; write the character");
    if (prefix_length > 0 && !prefix_may_go)
        return refuse_prefix(parser, quoted, prefix, prefix_length);
    return add_parameter(parser, &quoted->value);
}

static bool add_identifier(struct sql_parser *parser, const struct sql_quoted *quoted)
{
    if (sql_quoted_has_variable(quoted))
        return sql_parser_refuse(
            parser, quoted->start,
            "only %p may appear in an identifier; a string takes single quotes");
    return sql_parser_checked(parser,
                              sql_pieces_append(&parser->parsed->statement, &quoted->verbatim));
}

/* A literal that opens and closes with the same character, after a prefix. */
static bool parse_literal(struct sql_parser *parser, const char *close, size_t prefix_length,
                          bool prefix_may_go, bool backslash_escapes)
{
    const char *prefix = parser->at;
    struct sql_quoted quoted = {.is_unicode = parser->dialect->unicode_literals &&
                                              prefix_length == strlen("U&")};
    bool done;

    parser->at += prefix_length;
    done = sql_quoted_read(parser, &quoted, strlen(close), close, backslash_escapes) &&
           add_literal(parser, &quoted, prefix, prefix_length, prefix_may_go);
    sql_quoted_free(&quoted);
    return done;
}

static bool parse_identifier(struct sql_parser *parser, const char *close)
{
    struct sql_quoted quoted = {0};
    bool done =
        sql_quoted_read(parser, &quoted, 1, close, false) && add_identifier(parser, &quoted);

    sql_quoted_free(&quoted);
    return done;
}

static bool parse_double_quotes(struct sql_parser *parser)
{
    struct sql_quoted quoted = {0};
    bool literal = parser->dialect->double_quotes == DOUBLE_QUOTES_LITERAL;
    bool done =
        sql_quoted_read(parser, &quoted, 1, "\"", literal && parser->dialect->backslash_escapes);

    if (parser->dialect->double_quotes == DOUBLE_QUOTES_EITHER)
        literal = sql_quoted_has_variable(&quoted);
    if (done)
        done =
            literal ? add_literal(parser, &quoted, "", 0, false) : add_identifier(parser, &quoted);
    sql_quoted_free(&quoted);
    return done;
}

/* In PostgreSQL, the name of the database role, although people mean a column.
 * After AS, and before or after a dot, it is a name. */
static bool is_current_user(const struct sql_parser *parser, const char *word, size_t length)
{
    return parser->dialect->user_is_current_user && is_word(word, length, "user") &&
           !(parser->word != NULL &&
             is_word(parser->word, sql_parser_word_length(parser->word), "as")) &&
           !parser->is_after_dot && *sql_parser_skip_blanks(word + length) != '.';
}

static void warn_of_word(struct sql_parser *parser, const char *word, size_t length)
{
    struct reason *warning = &parser->parsed->warning;

    if (warning->text[0] == '\0' && is_current_user(parser, word, length))
        reason_set(warning,
                   "position %zu: in PostgreSQL, user is CURRENT_USER; write \"user\" if it is "
                   "the name of a column or table",
                   (size_t)(word - parser->start) + 1);
}

/* A word, with the literal that it may be a prefix of. */
static bool parse_word(struct sql_parser *parser)
{
    const struct sql_dialect *dialect = parser->dialect;
    const char *word = parser->at;
    size_t length = sql_parser_word_length(word);
    bool escape_literal = dialect->escape_literals && length == 1 && (*word == 'E' || *word == 'e');
    bool other_prefix = (length == 1 && strchr("NnBbXx", *word) != NULL) ||
                        (dialect->backslash_escapes && *word == '_');

    if (dialect->unicode_literals && strncasecmp(word, "U&'", 3) == 0)
        return parse_literal(parser, "'", 2, true, false);
    if (word[length] == '\'' && (escape_literal || other_prefix))
        return parse_literal(parser, "'", length, escape_literal,
                             escape_literal || dialect->backslash_escapes);
    if (word[length] == '"' && other_prefix && dialect->double_quotes == DOUBLE_QUOTES_LITERAL)
        return parse_literal(parser, "\"", length, false, dialect->backslash_escapes);
    warn_of_word(parser, word, length);
    return sql_parser_copy(parser, length);
}

/* PostgreSQL's $$...$$ and $tag$...$tag$. */
static bool parse_dollar(struct sql_parser *parser)
{
    const char *tag = parser->at + 1;
    size_t length = 0;
    char *close;
    bool done;

    while (sql_dialect_starts_word(tag[length]) ||
           (length > 0 && isdigit((unsigned char)tag[length])))
        length++;
    if (tag[length] != '$')
        return sql_parser_refuse(parser, parser->at, "a parameter cannot be numbered here");
    close = strndup(parser->at, length + 2);
    done =
        sql_parser_checked(parser, close != NULL) && parse_literal(parser, close, 0, false, false);
    free(close);
    return done;
}

static bool parse_line_comment(struct sql_parser *parser)
{
    return sql_parser_copy(parser, strcspn(parser->at, "\n"));
}

static bool parse_block_comment(struct sql_parser *parser)
{
    const char *at = parser->at + 2;
    unsigned depth = 1;

    if (parser->dialect->executable_comments && *at == '!')
        return sql_parser_refuse(parser, parser->at, "executable comments are not supported");
    while (depth > 0) {
        if (*at == '\0')
            return sql_parser_refuse(parser, parser->at, "the comment is not closed");
        if (at[0] == '*' && at[1] == '/') {
            depth--;
            at += 2;
        } else if (parser->dialect->nested_comments && at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else {
            at++;
        }
    }
    return sql_parser_copy(parser, (size_t)(at - parser->at));
}

static bool at_line_comment(const struct sql_parser *parser)
{
    const char *at = parser->at;

    if (*at == '#')
        return parser->dialect->hash_comments;
    return at[0] == '-' && at[1] == '-' &&
           (!parser->dialect->dash_needs_space || at[2] == '\0' || isspace((unsigned char)at[2]));
}

static bool parse_percent(struct sql_parser *parser)
{
    struct sql_pieces value = {NULL, 0};
    bool done = false;

    if (parser->at[1] == 'p' || parser->at[1] == '%' || sql_parser_is_percent_alone(parser->at))
        return sql_parser_read_macro(parser, &parser->parsed->statement, NULL);
    if (sql_parser_read_macro(parser, &value, NULL))
        done = add_parameter(parser, &value);
    sql_pieces_free(&value);
    return done;
}

/* The statement ends at its semicolon, which is left out. */
static bool parse_semicolon(struct sql_parser *parser)
{
    const char *semicolon = parser->at;

    parser->at = sql_parser_skip_blanks(semicolon + 1);
    return *parser->at == '\0' ||
           sql_parser_refuse(parser, semicolon, "text after the final semicolon");
}

/* Whether the at sign is between two strings; no dialect joins strings with it. */
static bool is_at_sign_outside(const struct sql_parser *parser)
{
    const char *at = parser->at;

    return *at == '@' && parser->parameter_end != NULL &&
           sql_parser_skip_blanks(parser->parameter_end) == at &&
           strchr("'\"%", *sql_parser_skip_blanks(at + 1)) != NULL &&
           *sql_parser_skip_blanks(at + 1) != '\0';
}

static bool parse_token(struct sql_parser *parser)
{
    const struct sql_dialect *dialect = parser->dialect;
    char c = *parser->at;

    if (sql_dialect_starts_word(c))
        return parse_word(parser);
    if (at_line_comment(parser))
        return parse_line_comment(parser);
    if (c == '/' && parser->at[1] == '*')
        return parse_block_comment(parser);
    if (c == '\'')
        return parse_literal(parser, "'", 0, false, dialect->backslash_escapes);
    if (c == '"')
        return parse_double_quotes(parser);
    if (c == '`' && dialect->backtick_identifiers)
        return parse_identifier(parser, "`");
    if (c == '[' && dialect->bracket_identifiers)
        return parse_identifier(parser, "]");
    if (c == '$' && dialect->dollar_quotes)
        return parse_dollar(parser);
    if (c == '%')
        return parse_percent(parser);
    if (c == ';')
        return parse_semicolon(parser);
    if (is_at_sign_outside(parser))
        return sql_parser_refuse(parser, parser->at,
                                 "the @ belongs inside the quotes; write '%u@%r'");
    if (c == '?' && dialect->placeholder == PLACEHOLDER_QUESTION)
        return sql_parser_refuse(parser, parser->at, "'?' has no value here");
    if (dialect->named_parameters && strchr(":@$", c) != NULL)
        return sql_parser_refuse(parser, parser->at, "a parameter cannot be named here");
    return sql_parser_copy(parser, 1);
}

static bool is_comment(const char *token)
{
    return strncmp(token, "--", 2) == 0 || strncmp(token, "/*", 2) == 0;
}

/* How much text follows the last hole. */
static size_t text_length(const struct sql_pieces *pieces)
{
    const struct sql_piece *end = pieces->items + pieces->count;

    return pieces->count > 0 && end[-1].kind == PIECE_TEXT ? end[-1].length : 0;
}

/* Notes whether the token just read is a word, or a name in double quotes. `start` is its
 * position in the last piece of the statement. */
static void note_word(struct sql_parser *parser, const char *token, size_t start)
{
    size_t length = (size_t)(parser->at - token);
    bool is_name = (sql_dialect_starts_word(*token) && length == sql_parser_word_length(token)) ||
                   (*token == '"' && memchr(token, '%', length) == NULL);

    if (isspace((unsigned char)*token) || is_comment(token))
        return;
    if (is_name && !parser->is_after_dot)
        parser->name_start = start;
    parser->is_qualified = is_name && parser->is_after_dot;
    parser->is_after_dot = *token == '.' && parser->word != NULL;
    parser->word = is_name ? token : NULL;
}

bool sql_template_parser_take_apart(const char *text, enum sql_template_kind kind,
                                    const struct sql_dialect *dialect,
                                    struct parsed_template *parsed, struct reason *reason)
{
    struct sql_parser parser = {
        .start = text,
        .at = text,
        .kind = kind,
        .dialect = dialect,
        .parsed = parsed,
        .reason = reason,
    };
    bool done = true;

    if (text[strspn(text, " \t\r\n\f\v;")] == '\0')
        done = sql_parser_refuse(&parser, text, "the statement is empty");
    while (done && *parser.at != '\0') {
        const char *token = parser.at;
        size_t start = text_length(&parsed->statement);

        done = parse_token(&parser);
        note_word(&parser, token, start);
    }
    return done;
}
