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

/* The length of the space that the bytes start or end with; 0 if with none. */
static size_t space_at(const char *bytes, size_t length, bool at_end)
{
    size_t i;

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t size = strlen(spaces[i]);

        if (size <= length && memcmp(at_end ? bytes + length - size : bytes, spaces[i], size) == 0)
            return size;
    }
    return 0;
}

size_t stored_text_space(const char *bytes, size_t length)
{
    size_t total = 0, size;

    while ((size = space_at(bytes + total, length - total, false)) > 0)
        total += size;
    return total;
}

struct stored_text stored_text_without_nuls(const struct secret *stored)
{
    struct stored_text text = {stored->bytes, stored->length};

    while (text.length > 0 && text.bytes[text.length - 1] == '\0')
        text.length--;
    return text.length > 0 ? text : (struct stored_text){"", 0};
}

struct stored_text stored_text_trim(const struct secret *stored)
{
    struct stored_text text = {stored->bytes, stored->length};
    size_t size;

    /* Some of both: the end of a line in a column of a fixed width. */
    while (text.length > 0) {
        size = text.bytes[text.length - 1] == '\0' ? 1 : space_at(text.bytes, text.length, true);
        if (size == 0)
            break;
        text.length -= size;
    }
    if (text.length == 0)
        return (struct stored_text){"", 0};
    size = stored_text_space(text.bytes, text.length);
    return (struct stored_text){text.bytes + size, text.length - size};
}

static bool is_hexadecimal(const char *bytes, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (!isxdigit((unsigned char)bytes[i]))
            return false;
    return true;
}

bool stored_text_is_mysql_hash(struct stored_text text)
{
    return text.length == 1 + MYSQL_DIGITS && text.bytes[0] == '*' &&
           is_hexadecimal(text.bytes + 1, MYSQL_DIGITS);
}

bool stored_text_may_be_old_mysql_hash(struct stored_text text)
{
    return text.length == OLD_MYSQL_DIGITS && is_hexadecimal(text.bytes, text.length);
}
