/* SPDX-License-Identifier: BSD-3-Clause */

/* Any bytes as the reply of authdaemond: a different method finds the same in
 * them, more bytes change nothing once the verdict is decided, and options are
 * the daemon's own. */

#include "fuzz/fuzz_target.h"

#include <stdbool.h>
#include <string.h>

#include "authdaemond/authdaemond_options.h"
#include "authdaemond/authdaemond_reply.h"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("UID=1000\nGID=1000\nHOME=/home/ann\nADDRESS=ann@example.com\nPASSWD=$1$a$b\n"
              "OPTIONS=disableimap=1,disablesmtp=0\n.\n"),
    FUZZ_TEXT("FAIL\n"),
    FUZZ_TEXT("A=b\n.\n"),
    FUZZ_TEXT("UID=1\nNAME=x\n.\nPASSWD2=p\nOPTIONS=disablesmtp=1\n.\n"),
    FUZZ_TEXT("UID=1\nNAME=x\nOPTIONS=group=staff\nPASSWD2=p\n.\n"),
    FUZZ_TEXT(".\n"),
    FUZZ_TEXT(""),
    {NULL, 0},
};

const struct fuzz_text fuzz_words[] = {
    FUZZ_TEXT("\n"),       FUZZ_TEXT("="),
    FUZZ_TEXT(".\n"),      FUZZ_TEXT("\n.\n"),
    FUZZ_TEXT("FAIL"),     FUZZ_TEXT("FAIL\n"),
    FUZZ_TEXT("\0"),       FUZZ_TEXT("A=b\n"),
    FUZZ_TEXT("OPTIONS="), FUZZ_TEXT("disablesmtp=1"),
    FUZZ_TEXT(","),        {NULL, 0},
};

static bool has_nul(const char *text, size_t size)
{
    return size > 0 && memchr(text, '\0', size) != NULL;
}

/* The length of the first line: `size` if it has no end. */
static size_t line_length(const char *text, size_t size)
{
    const char *newline = size > 0 ? memchr(text, '\n', size) : NULL;

    return newline != NULL ? (size_t)(newline - text) : size;
}

/* The same rule, implemented differently. */
static enum authdaemond_reply want_reply(const char *text, size_t size)
{
    const size_t most = size < AUTHDAEMOND_REPLY_MAX ? size : AUTHDAEMOND_REPLY_MAX;
    const size_t first = line_length(text, most);
    size_t at;

    if (first == most)
        return most < size || has_nul(text, most) ? REPLY_MALFORMED : REPLY_UNFINISHED;
    if (first == 4 && memcmp(text, "FAIL", 4) == 0)
        return REPLY_FAIL;
    if (first < 2 || text[0] == '=' || memchr(text, '=', first) == NULL ||
        (first > 4 && memcmp(text, "FAIL", 4) == 0))
        return REPLY_MALFORMED;
    for (at = first; at + 3 <= most; at++)
        if (memcmp(text + at, "\n.\n", 3) == 0)
            return has_nul(text, at) ? REPLY_MALFORMED : REPLY_ACCOUNT;
    return most < size || has_nul(text, most) ? REPLY_MALFORMED : REPLY_UNFINISHED;
}

/* What options look like, seen from the end of the text. */
static void check_options(const char *text, size_t size)
{
    struct bytes options;
    size_t at;
    const bool certain = authdaemond_reply_options((struct bytes){text, size}, &options);

    if (!certain)
        return;
    FUZZ_ASSERT(size >= 2 && memcmp(text + size - 2, ".\n", 2) == 0);
    FUZZ_ASSERT(memmem(text, size - 1, "\n.\n", 3) == NULL);
    for (at = 0; at + 2 < size; at += line_length(text + at, size - at) + 1) {
        const size_t line = line_length(text + at, size - at);

        FUZZ_ASSERT(memchr(text + at, '=', line) != NULL && text[at] != '=');
        if (line >= 8 && memcmp(text + at, "OPTIONS=", 8) == 0)
            FUZZ_ASSERT(options.start == text + at + 8 &&
                        options.start + options.length + 3 == text + size);
    }
    FUZZ_ASSERT(authdaemond_options_allow("", options));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Of exactly this size, so that reading on is noticed. */
    char *text = calloc(1, size > 0 ? size : 1), *more = calloc(1, size + 1);
    enum authdaemond_reply reply;

    FUZZ_ASSERT(text != NULL && more != NULL);
    if (size > 0) {
        memcpy(text, data, size);
        memcpy(more, data, size);
    }
    reply = authdaemond_reply_judge((struct bytes){text, size});
    FUZZ_ASSERT(reply == want_reply(text, size));
    more[size] = "\n.xF\0"[size % 5];
    if (reply != REPLY_UNFINISHED)
        FUZZ_ASSERT(authdaemond_reply_judge((struct bytes){more, size + 1}) == reply);
    if (size > 0 && authdaemond_reply_judge((struct bytes){text, size - 1}) != REPLY_UNFINISHED)
        FUZZ_ASSERT(authdaemond_reply_judge((struct bytes){text, size - 1}) == reply);
    check_options(text, size);
    free(text);
    free(more);
    return 0;
}
