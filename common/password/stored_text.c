/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/stored_text.h"

#include <ctype.h>
#include <string.h>

enum { MYSQL_DIGITS = 40, OLD_MYSQL_DIGITS = 16 };

/* White_Space of Unicode in UTF-8, and the characters without any width that
 * editors and web pages leave behind. */
static const char *const spaces[] = {
    " ",
    "\t",
    "\n",
    "\v",
    "\f",
    "\r",
    "\302\205",
    "\302\240",
    "\341\232\200",
    "\342\200\200",
    "\342\200\201",
    "\342\200\202",
    "\342\200\203",
    "\342\200\204",
    "\342\200\205",
    "\342\200\206",
    "\342\200\207",
    "\342\200\210",
    "\342\200\211",
    "\342\200\212",
    "\342\200\213",
    "\342\200\250",
    "\342\200\251",
    "\342\200\257",
    "\342\201\237",
    "\342\201\240",
    "\343\200\200",
    "\357\273\277",
};

/* The length of the space that the text starts or ends with; 0 if with none. */
static size_t space_at(struct bytes text, bool at_end)
{
    size_t i;

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t size = strlen(spaces[i]);

        if (size <= text.length &&
            memcmp(at_end ? text.start + text.length - size : text.start, spaces[i], size) == 0)
            return size;
    }
    return 0;
}

static struct bytes without_space(struct bytes text)
{
    size_t size;

    while ((size = space_at(text, false)) > 0)
        text = (struct bytes){text.start + size, text.length - size};
    return text;
}

size_t stored_text_space(struct bytes text)
{
    return text.length - without_space(text).length;
}

struct bytes stored_text_without_nuls(struct bytes stored)
{
    while (stored.length > 0 && stored.start[stored.length - 1] == '\0')
        stored.length--;
    return stored;
}

struct bytes stored_text_trim(struct bytes stored)
{
    size_t size;

    /* Some of both: the end of a line in a column of a fixed width. */
    while (stored.length > 0) {
        size = stored.start[stored.length - 1] == '\0' ? 1 : space_at(stored, true);
        if (size == 0)
            break;
        stored.length -= size;
    }
    return without_space(stored);
}

static bool is_hexadecimal(struct bytes text)
{
    size_t i;

    for (i = 0; i < text.length; i++)
        if (!isxdigit((unsigned char)text.start[i]))
            return false;
    return true;
}

bool stored_text_is_mysql_hash(struct bytes text)
{
    return text.length == 1 + MYSQL_DIGITS && text.start[0] == '*' &&
           is_hexadecimal((struct bytes){text.start + 1, MYSQL_DIGITS});
}

bool stored_text_may_be_old_mysql_hash(struct bytes text)
{
    return text.length == OLD_MYSQL_DIGITS && is_hexadecimal(text);
}
