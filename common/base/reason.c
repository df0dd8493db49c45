/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/reason.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Whether a character of `length` bytes is visible as itself and leaves the others in their
 * place. These are not: control characters of ASCII and Latin 1 (C1); characters without width,
 * such as U+00AD, U+200B and tags; and those that separate or reverse lines, such as U+2028 and
 * U+202E. */
static bool is_printable(const char *at, size_t length)
{
    const unsigned char *byte = (const unsigned char *)at;
    unsigned code;

    switch (length) {
    case 1:
        return byte[0] >= ' ' && byte[0] != '\177';
    case 2:
        code = (byte[0] & 0x1fu) << 6 | (byte[1] & 0x3fu);
        return code >= 0xa0 && code != 0xad && code != 0x61c;
    case 3:
        code = (byte[0] & 0x0fu) << 12 | (byte[1] & 0x3fu) << 6 | (byte[2] & 0x3fu);
        return !((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                 (code >= 0x2060 && code <= 0x206f) || code == 0x180e || code == 0xfeff);
    case 4: /* tags, U+E0000 to U+E007F */
        return byte[0] != 0xf3 || byte[1] != 0xa0 || byte[2] > 0x81;
    default:
        return length > 0;
    }
}

static void clean(char *text)
{
    const char *end = text + strlen(text);
    char *to = text;

    while (text < end) {
        size_t length = utf8_character(text, (size_t)(end - text));
        bool printable = is_printable(text, length);

        memmove(to, printable ? text : "?", printable ? length : 1);
        to += printable ? length : 1;
        text += length > 0 ? length : 1;
    }
    *to = '\0';
}

void reason_set_list(struct reason *reason, const char *format, va_list arguments)
{
    static const char cut[] = "...";
    int length = vsnprintf(reason->text, sizeof(reason->text), format, arguments);

    if (length < 0)
        reason->text[0] = '\0';
    else if ((size_t)length >= sizeof(reason->text))
        memcpy(reason->text + utf8_cut(reason->text, sizeof(reason->text) - sizeof(cut)), cut,
               sizeof(cut));
    clean(reason->text);
}

void reason_set(struct reason *reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    reason_set_list(reason, format, arguments);
    va_end(arguments);
}

void reason_prefix(struct reason *reason, const char *format, ...)
{
    const struct reason rest = *reason;
    struct reason prefix;
    va_list arguments;

    va_start(arguments, format);
    reason_set_list(&prefix, format, arguments);
    va_end(arguments);
    reason_set(reason, "%s%s", prefix.text, rest.text);
}

void reason_append(struct reason *reason, const char *format, ...)
{
    const struct reason start = *reason;
    struct reason end;
    va_list arguments;

    va_start(arguments, format);
    reason_set_list(&end, format, arguments);
    va_end(arguments);
    reason_set(reason, "%s%s", start.text, end.text);
}

void reason_append_choice(struct reason *reason, const char *word, size_t place, size_t count)
{
    const char *separator = place + 1 == count ? " or " : ", ";

    reason_append(reason, "%s%s", place > 0 ? separator : "", word);
}

void reason_no_memory(struct reason *reason)
{
    reason_set(reason, "out of memory");
}

#ifdef STRERROR_R_CHAR_P
static const char *describe(int error, char *buffer, size_t size)
{
    return strerror_r(error, buffer, size);
}
#else
static const char *describe(int error, char *buffer, size_t size)
{
    return strerror_r(error, buffer, size) == 0 ? buffer : "unknown error";
}
#endif

void reason_set_error(struct reason *reason, int error)
{
    char buffer[sizeof(reason->text)];

    reason_set(reason, "%s", describe(error, buffer, sizeof(buffer)));
}
