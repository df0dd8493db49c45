/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_statement.h"

#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\n\v\f\r";

/* Past blanks and comments. */
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

/* In UTF-8, a byte that belongs to the character before. */
static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

bool mysql_statement_is_ascii(const struct sql_statement *statement)
{
    size_t i, at;

    for (i = 0; i < statement->parameter_count; i++)
        for (at = 0; at < statement->parameters[i].length; at++)
            if (!is_ascii(statement->parameters[i].bytes[at]))
                return false;
    return true;
}

static bool copy_as_ascii(const struct secret *parameter, struct secret *copy)
{
    size_t length = 0, at;

    if (parameter->bytes == NULL)
        return true;
    if (!secret_set(copy, parameter->bytes, parameter->length))
        return false;
    for (at = 0; at < copy->length; at++)
        if (!is_continuation(copy->bytes[at]))
            copy->bytes[length++] = is_ascii(copy->bytes[at]) ? copy->bytes[at] : 'x';
    explicit_bzero(copy->bytes + length, copy->length - length);
    copy->length = length;
    return true;
}

bool mysql_statement_to_ascii(const struct sql_statement *statement, struct secret *copies)
{
    size_t i;

    for (i = 0; i < statement->parameter_count; i++)
        if (!copy_as_ascii(&statement->parameters[i], &copies[i]))
            return false;
    return true;
}
