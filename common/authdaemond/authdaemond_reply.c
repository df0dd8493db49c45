/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond_reply.h"

#include <string.h>

#define FAIL "FAIL"
#define END "."
#define OPTIONS "OPTIONS="

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

static bool starts_with(const struct line *line, const char *start)
{
    return line->length >= strlen(start) && memcmp(line->text, start, strlen(start)) == 0;
}

/* A no that runs into the next line must not be the name of an attribute. */
static bool is_attribute(const struct line *line)
{
    const char *equals = memchr(line->text, '=', line->length);

    return equals != NULL && equals != line->text && !starts_with(line, FAIL);
}

/* Looks for the end of an account whose first line is whole and ends before `rest`. */
static enum authdaemond_reply judge_account(const char *text, const char *rest, const char *end)
{
    static const char last_lines[] = "\n" END "\n";
    const char *last = memmem(rest - 1, (size_t)(end - rest) + 1, last_lines, strlen(last_lines));

    if (memchr(text, '\0', (size_t)((last != NULL ? last : end) - text)) != NULL)
        return REPLY_MALFORMED;
    return last != NULL ? REPLY_ACCOUNT : REPLY_UNFINISHED;
}

/* The same for a reply that is not too long. */
static enum authdaemond_reply judge_within_limit(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    struct line first;

    if (!next_line(&at, end, &first))
        return length > 0 && memchr(text, '\0', length) != NULL ? REPLY_MALFORMED
                                                                : REPLY_UNFINISHED;
    if (is_word(&first, FAIL))
        return REPLY_FAIL;
    return is_attribute(&first) ? judge_account(text, at, end) : REPLY_MALFORMED;
}

enum authdaemond_reply authdaemond_reply_judge(const char *text, size_t length)
{
    const bool is_too_long = length > AUTHDAEMOND_REPLY_MAX;
    enum authdaemond_reply reply =
        judge_within_limit(text, is_too_long ? AUTHDAEMOND_REPLY_MAX : length);

    return is_too_long && reply == REPLY_UNFINISHED ? REPLY_MALFORMED : reply;
}

bool authdaemond_reply_options(const char *text, size_t length, const char **options,
                               size_t *options_length)
{
    const char *at = text, *end = text + length;
    bool found = false;
    struct line line;

    *options = "";
    *options_length = 0;
    while (next_line(&at, end, &line)) {
        if (is_word(&line, END))
            return at == end;
        if (found || !is_attribute(&line))
            return false;
        found = starts_with(&line, OPTIONS);
        if (found) {
            *options = line.text + strlen(OPTIONS);
            *options_length = line.length - strlen(OPTIONS);
        }
    }
    return false;
}
