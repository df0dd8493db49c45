/* SPDX-License-Identifier: BSD-3-Clause */

/* Any bytes as the reply of authdaemond: an account is one by other means, too, and
 * nothing that comes behind a reply leaves it one. */

#include "fuzz_target.h"

#include <stdbool.h>
#include <string.h>

#include "authdaemond_options.h"
#include "authdaemond_reply.h"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("UID=1000\nGID=1000\nHOME=/home/ann\nADDRESS=ann@example.com\nPASSWD=$1$a$b\n"
              "OPTIONS=disableimap=1,disablesmtp=0\n.\n"),
    FUZZ_TEXT("FAIL\n"),
    FUZZ_TEXT("A=b\n.\n"),
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

/* What a yes looks like, seen from its end. */
static bool looks_like_account(const char *text, size_t size)
{
    size_t at;

    if (size < 4 || memcmp(text + size - 3, "\n.\n", 3) != 0 || memchr(text, '\0', size) != NULL)
        return false;
    for (at = 0; at < size - 2;) {
        const char *end = memchr(text + at, '\n', size - at);
        const char *equals = memchr(text + at, '=', (size_t)(end - text) - at);

        if (equals == NULL || equals == text + at || strncmp(text + at, "FAIL", 4) == 0)
            return false;
        at = (size_t)(end - text) + 1;
    }
    return size <= AUTHDAEMOND_REPLY_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Of exactly this size, so that reading on is noticed. */
    char *text = calloc(1, size > 0 ? size : 1), *more = calloc(1, size + 1);
    enum authdaemond_reply reply;
    const char *options;
    size_t length = 0;

    FUZZ_ASSERT(text != NULL && more != NULL);
    if (size > 0) {
        memcpy(text, data, size);
        memcpy(more, data, size);
    }
    reply = authdaemond_reply_judge(text, size);
    FUZZ_ASSERT((reply == REPLY_ACCOUNT) == looks_like_account(text, size));
    FUZZ_ASSERT((reply == REPLY_FAIL) == (size == 5 && memcmp(text, "FAIL\n", 5) == 0));
    if (reply == REPLY_ACCOUNT || reply == REPLY_FAIL) {
        more[size] = "\n.xF\0"[size % 5];
        FUZZ_ASSERT(authdaemond_reply_judge(more, size + 1) == REPLY_MALFORMED);
    }
    options = authdaemond_reply_attribute(text, size, "OPTIONS", &length);
    FUZZ_ASSERT(options == NULL || (options > text && options + length < text + size));
    FUZZ_ASSERT(authdaemond_options_allow("", options, length));
    free(text);
    free(more);
    return 0;
}
