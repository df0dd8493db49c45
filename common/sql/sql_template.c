/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_pieces.h"
#include "sql/sql_template_parser.h"

/* A blank, a sign, the digits of a number, and a blank. */
enum { PLACEHOLDER_SIZE = 24 };

struct sql_template {
    const struct sql_dialect *dialect;
    struct parsed_template parsed;
};

struct sql_template *sql_template_parse(const char *text, enum sql_template_kind kind,
                                        const struct sql_dialect *dialect, struct reason *reason)
{
    struct sql_template *template = calloc(1, sizeof(*template));

    if (template == NULL) {
        reason_no_memory(reason);
        return NULL;
    }
    template->dialect = dialect;
    if (sql_template_parser_take_apart(text, kind, dialect, &template->parsed, reason))
        return template;
    sql_template_free(template);
    return NULL;
}

void sql_template_free(struct sql_template *template)
{
    size_t i;

    if (template == NULL)
        return;
    for (i = 0; i < template->parsed.parameter_count; i++)
        sql_pieces_free(&template->parsed.parameters[i]);
    free(template->parsed.parameters);
    sql_pieces_free(&template->parsed.statement);
    free(template);
}

const char *sql_template_warning(const struct sql_template *template)
{
    const char *text = template->parsed.warning.text;

    return text[0] != '\0' ? text : NULL;
}

static bool has_piece(const struct sql_template *template, enum piece_kind kind)
{
    size_t i;

    for (i = 0; i < template->parsed.parameter_count; i++)
        if (sql_pieces_have(&template->parsed.parameters[i], kind))
            return true;
    return sql_pieces_have(&template->parsed.statement, kind);
}

bool sql_template_has_property(const struct sql_template *template)
{
    return has_piece(template, PIECE_PROPERTY);
}

bool sql_template_has_realm(const struct sql_template *template)
{
    return has_piece(template, PIECE_REALM);
}

bool sql_template_has_address(const struct sql_template *template)
{
    return has_piece(template, PIECE_ADDRESS);
}

bool sql_template_property_allowed(const char *property)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t length = strspn(property, allowed);

    return length > 0 && length <= 63 && property[length] == '\0' &&
           !isdigit((unsigned char)property[0]);
}

/* A statement text that is being built, in a buffer of a size computed beforehand. */
struct growing {
    char *start;
    char *end;
    bool after_placeholder;
};

static bool in_word(char c)
{
    return sql_dialect_starts_word(c) || isdigit((unsigned char)c) || c == '$';
}

/* A word and a placeholder that touch would be read as one word. */
static void append_text(struct growing *text, const char *more, size_t length)
{
    if (text->after_placeholder && length > 0 && in_word(more[0]))
        *text->end++ = ' ';
    memcpy(text->end, more, length);
    text->end += length;
    if (length > 0)
        text->after_placeholder = false;
}

static void append_placeholder(struct growing *text, enum placeholder placeholder, size_t number)
{
    char digits[PLACEHOLDER_SIZE];
    size_t length = 0;

    if (text->end > text->start && (text->after_placeholder || in_word(text->end[-1])))
        *text->end++ = ' ';
    text->after_placeholder = true;
    if (placeholder == PLACEHOLDER_QUESTION) {
        *text->end++ = '?';
        return;
    }
    do {
        digits[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    *text->end++ = '$';
    while (length > 0)
        *text->end++ = digits[--length];
}

char *sql_template_text(const struct sql_template *template, const char *property)
{
    const struct sql_pieces *statement = &template->parsed.statement;
    struct growing text = {NULL, NULL, false};
    size_t size = 1, number = 0, i;

    for (i = 0; i < statement->count; i++)
        size += statement->items[i].length + strlen(property) + PLACEHOLDER_SIZE;
    text.start = text.end = malloc(size);
    if (text.start == NULL)
        return NULL;
    for (i = 0; i < statement->count; i++) {
        const struct sql_piece *piece = &statement->items[i];

        if (piece->kind == PIECE_TEXT)
            append_text(&text, piece->text, piece->length);
        else if (piece->kind == PIECE_PROPERTY)
            append_text(&text, property, strlen(property));
        else
            append_placeholder(&text, template->dialect->placeholder, ++number);
    }
    *text.end = '\0';
    return text.start;
}

size_t sql_template_parameter_count(const struct sql_template *template)
{
    return template->parsed.parameter_count;
}

/* The text that a piece stands for; an absent value stands for NULL. */
static struct bytes piece_value(const struct sql_piece *piece, const struct sql_values *values)
{
    switch (piece->kind) {
    case PIECE_TEXT:
        return (struct bytes){piece->text, piece->length};
    case PIECE_USER:
        return bytes_of(values->user);
    case PIECE_REALM:
        return bytes_of(values->realm);
    case PIECE_PROPERTY:
        return bytes_of(values->property);
    case PIECE_ADDRESS:
        return bytes_of(values->address);
    case PIECE_VALUE:
        return values->value;
    case PIECE_PARAMETER: /* only in statements */
        break;
    }
    return BYTES_NONE;
}

static bool bind_one(const struct sql_pieces *pieces, const struct sql_values *values,
                     struct secret *parameter)
{
    size_t length = 0, i;
    char *end;

    for (i = 0; i < pieces->count; i++) {
        const struct bytes value = piece_value(&pieces->items[i], values);

        if (value.start == NULL)
            return true; /* one NULL makes all of it NULL */
        length += value.length;
    }
    end = malloc(length + 1);
    if (end == NULL)
        return false;
    *parameter = (struct secret){end, length};
    for (i = 0; i < pieces->count; i++) {
        const struct bytes value = piece_value(&pieces->items[i], values);

        memcpy(end, value.start, value.length);
        end += value.length;
    }
    *end = '\0';
    return true;
}

bool sql_template_bind(const struct sql_template *template, const struct sql_values *values,
                       struct secret *parameters)
{
    size_t i;

    for (i = 0; i < template->parsed.parameter_count; i++)
        parameters[i] = SECRET_EMPTY;
    for (i = 0; i < template->parsed.parameter_count; i++) {
        if (!bind_one(&template->parsed.parameters[i], values, &parameters[i])) {
            while (i > 0)
                secret_wipe(&parameters[--i]);
            return false;
        }
    }
    return true;
}
