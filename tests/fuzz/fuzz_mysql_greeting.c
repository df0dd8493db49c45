/* SPDX-License-Identifier: BSD-3-Clause */

/* Any bytes as a greeting: a result stays true when more bytes come, and does not depend on what
 * follows the packet. */

#include "fuzz/fuzz_target.h"

#include <string.h>

#include "engines/mysql_greeting.h"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("\x4a\0\0\0\x0a"
              "8.0.36\0\1\2\3\4challeng\0\xff\xff\xff\2\0\xff\xdf\x15"),
    FUZZ_TEXT("\x4a\0\0\0\x0a"
              "5.5.5-10.11.6-MariaDB\0\1\2\3\4challeng\0\xfe\xf7\x2d"),
    FUZZ_TEXT("\x17\0\0\0\xff\x10\x04Too many connections"),
    FUZZ_TEXT("\x17\0\0\0\xff\xff\xff\1\2\3\4"),
    FUZZ_TEXT(""),
    {NULL, 0},
};

const struct fuzz_text fuzz_words[] = {
    FUZZ_TEXT("\0"),   FUZZ_TEXT("\x0a"),     FUZZ_TEXT("\xff"), FUZZ_TEXT("\xff\xff"),
    FUZZ_TEXT("\x16"), FUZZ_TEXT("\0\0\0\0"), {NULL, 0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Of exactly this size, so that reading on is noticed. */
    unsigned char *bytes = calloc(1, size > 0 ? size : 1);
    enum mysql_greeting whole, part;
    size_t length, packet;

    FUZZ_ASSERT(bytes != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    whole = mysql_greeting_read(bytes, size);
    for (length = 0; length < size; length++) {
        part = mysql_greeting_read(bytes, length);
        FUZZ_ASSERT(part == GREETING_UNFINISHED || part == whole);
    }
    packet = size >= 4 ? 4 + (size_t)(bytes[0] | bytes[1] << 8 | bytes[2] << 16) : 0;
    if (whole == GREETING_WITH_SSL || whole == GREETING_WITHOUT_SSL)
        FUZZ_ASSERT(mysql_greeting_read(bytes, packet < size ? packet : size) == whole);
    free(bytes);
    return 0;
}
