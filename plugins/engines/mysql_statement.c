/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_statement.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\n\v\f\r";

/* Skips blanks and comments. */
static const char *first_word(const char *text)
{
    for (;;) {
        const char *end;

        text += strspn(text, blanks);
        if (strncmp(text, "/*", 2) == 0)
            end = strstr(text + 2, "*/");
        else if (text[0] == '#' || strncmp(text, "--", 2) == 0)
            end = strchr(text, '\n');
        else
            return text;
        if (end == NULL)
            return text + strlen(text);
        text = end + (end[0] == '*' ? 2 : 1);
    }
}

bool mysql_statement_is_call(const char *text)
{
    static const char call[] = "CALL";
    const char *word = first_word(text), *end;

    if (strncasecmp(word, call, strlen(call)) != 0)
        return false;
    end = word + strlen(call);
    return strspn(end, blanks) > 0 || end[0] == '`' || end[0] == '/';
}

static bool is_ascii(char byte)
{
    return (unsigned char)byte < 0x80;
}

/* In UTF-8, a byte that belongs to the previous character. */
static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

bool mysql_statement_is_ascii(const struct sql_statement *statement)
{
    size_t i, at;

    for (i = 0; i < statement->parameter_count; i++)
        for (at = 0; at < statement->parameters[i].length; at++)
            if (!is_ascii(statement->parameters[i].start[at]))
                return false;
    return true;
}

static bool copy_as_ascii(struct bytes parameter, struct secret *copy)
{
    size_t length = 0, at;

    if (!secret_set(copy, parameter.start, parameter.length))
        return false;
    for (at = 0; at < copy->length; at++)
        if (!is_continuation(copy->bytes[at]))
            copy->bytes[length++] = is_ascii(copy->bytes[at]) ? copy->bytes[at] : 'x';
    explicit_bzero(copy->bytes + length, copy->length - length);
    copy->length = length;
    return true;
}

bool mysql_statement_to_ascii(const struct sql_statement *statement, struct mysql_ascii *ascii)
{
    const size_t count = statement->parameter_count;
    size_t i;

    ascii->copies = calloc(count + 1, sizeof(*ascii->copies));
    ascii->parameters = calloc(count + 1, sizeof(*ascii->parameters));
    ascii->statement = (struct sql_statement){statement->text, ascii->parameters, count};
    if (ascii->copies == NULL || ascii->parameters == NULL)
        return false;
    for (i = 0; i < count; i++) {
        if (statement->parameters[i].start == NULL)
            continue;
        if (!copy_as_ascii(statement->parameters[i], &ascii->copies[i]))
            return false;
        ascii->parameters[i] = secret_bytes(&ascii->copies[i]);
    }
    return true;
}

void mysql_statement_free_ascii(struct mysql_ascii *ascii)
{
    size_t i;

    for (i = 0; ascii->copies != NULL && i < ascii->statement.parameter_count; i++)
        secret_wipe(&ascii->copies[i]);
    free(ascii->copies);
    free(ascii->parameters);
}
