/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond_reply.h"

#include <string.h>

#define FAIL "FAIL"

/* One line without its end. */
struct line {
    const char *text;
    size_t length;
};

/* Takes the next whole line and steps over it. Returns false if there is none. */
static bool next_line(const char **at, const char *end, struct line *line)
{
    const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;

    if (newline == NULL)
        return false;
    *line = (struct line){*at, (size_t)(newline - *at)};
    *at = newline + 1;
    return true;
}

static bool is_word(const struct line *line, const char *word)
{
    return line->length == strlen(word) && memcmp(line->text, word, line->length) == 0;
}

/* A no that runs into the next line must not be the name of an attribute. */
static bool is_attribute(const struct line *line)
{
    const char *equals = memchr(line->text, '=', line->length);

    return equals != NULL && equals != line->text && strncmp(line->text, FAIL, strlen(FAIL)) != 0;
}

enum authdaemond_reply authdaemond_reply_judge(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    struct line line;
    size_t attributes = 0;

    if (length > AUTHDAEMOND_REPLY_MAX || (length > 0 && memchr(text, '\0', length) != NULL))
        return REPLY_MALFORMED;
    while (next_line(&at, end, &line)) {
        bool is_last = at == end;

        if (attributes == 0 && is_word(&line, FAIL))
            return is_last ? REPLY_FAIL : REPLY_MALFORMED;
        if (attributes > 0 && is_word(&line, "."))
            return is_last ? REPLY_ACCOUNT : REPLY_MALFORMED;
        if (!is_attribute(&line))
            return REPLY_MALFORMED;
        attributes++;
    }
    return REPLY_UNFINISHED;
}

const char *authdaemond_reply_attribute(const char *text, size_t length, const char *name,
                                        size_t *value_length)
{
    const char *at = text, *end = text + length;
    size_t name_length = strlen(name);
    struct line line;

    while (next_line(&at, end, &line))
        if (line.length > name_length && memcmp(line.text, name, name_length) == 0 &&
            line.text[name_length] == '=') {
            *value_length = line.length - name_length - 1;
            return line.text + name_length + 1;
        }
    return NULL;
}
