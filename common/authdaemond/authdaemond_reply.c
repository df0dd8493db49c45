/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond_reply.h"

#include <string.h>

#define FAIL "FAIL"
#define END "."
#define OPTIONS "OPTIONS="

/* Takes the next whole line off the text, without its line break. Returns false if
 * there is none. */
static bool next_line(struct bytes *text, struct bytes *line)
{
    const char *newline = text->length > 0 ? memchr(text->start, '\n', text->length) : NULL;

    if (newline == NULL)
        return false;
    *line = (struct bytes){text->start, (size_t)(newline - text->start)};
    *text = bytes_after(*text, line->length + 1);
    return true;
}

/* A line that starts with FAIL is not an attribute: it may be a no that runs into the next line. */
static bool is_attribute(struct bytes line)
{
    const char *equals = memchr(line.start, '=', line.length);

    return equals != NULL && equals != line.start && !bytes_start_with(line, bytes_of(FAIL));
}

/* Looks for the end of an account. Its first line is complete, and `rest` follows it. */
static enum authdaemond_reply judge_account(struct bytes text, struct bytes rest)
{
    static const char last_lines[] = "\n" END "\n";
    const char *last = memmem(rest.start - 1, rest.length + 1, last_lines, strlen(last_lines));

    if (last != NULL)
        text.length = (size_t)(last - text.start);
    if (bytes_have_nul(text))
        return REPLY_MALFORMED;
    return last != NULL ? REPLY_ACCOUNT : REPLY_UNFINISHED;
}

/* The same for a reply that is not too long. */
static enum authdaemond_reply judge_within_limit(struct bytes text)
{
    struct bytes rest = text, first;

    if (!next_line(&rest, &first))
        return bytes_have_nul(text) ? REPLY_MALFORMED : REPLY_UNFINISHED;
    if (bytes_equal(first, bytes_of(FAIL)))
        return REPLY_FAIL;
    return is_attribute(first) ? judge_account(text, rest) : REPLY_MALFORMED;
}

enum authdaemond_reply authdaemond_reply_judge(struct bytes text)
{
    const bool is_too_long = text.length > AUTHDAEMOND_REPLY_MAX;
    enum authdaemond_reply reply;

    if (is_too_long)
        text.length = AUTHDAEMOND_REPLY_MAX;
    reply = judge_within_limit(text);
    return is_too_long && reply == REPLY_UNFINISHED ? REPLY_MALFORMED : reply;
}

bool authdaemond_reply_options(struct bytes text, struct bytes *options)
{
    bool found = false;
    struct bytes line;

    *options = BYTES_NONE;
    while (next_line(&text, &line)) {
        if (bytes_equal(line, bytes_of(END)))
            return text.length == 0;
        if (found || !is_attribute(line))
            return false;
        found = bytes_start_with(line, bytes_of(OPTIONS));
        if (found)
            *options = bytes_after(line, strlen(OPTIONS));
    }
    return false;
}
