/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/utf8.h"

/* One row per form in the table of RFC 3629, section 4: the first byte lies in
 * first_low..first_high, the second in second_low..second_high, and all that
 * follow, `length` bytes in total, in 80..BF. The form of one byte, ASCII, is left out. */
static const struct form {
    unsigned char first_low, first_high, second_low, second_high;
    size_t length;
} forms[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct form *form_of(unsigned char first)
{
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (first >= forms[i].first_low && first <= forms[i].first_high)
            return &forms[i];
    return NULL;
}

size_t utf8_character(const char *text, size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;
    const struct form *form;
    size_t i;

    if (length > 0 && byte[0] < 0x80)
        return 1;
    form = length > 0 ? form_of(byte[0]) : NULL;
    if (form == NULL || length < form->length || byte[1] < form->second_low ||
        byte[1] > form->second_high)
        return 0;
    for (i = 2; i < form->length; i++)
        if (byte[i] < 0x80 || byte[i] > 0xbf)
            return 0;
    return form->length;
}

bool utf8_valid(const char *text, size_t length)
{
    const char *end = text + length;

    while (text < end) {
        size_t step = utf8_character(text, (size_t)(end - text));

        if (step == 0)
            return false;
        text += step;
    }
    return true;
}

bool utf8_holds_control(const char *text, size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t i;

    for (i = 0; i < length; i++)
        if (byte[i] < ' ' || byte[i] == 0x7f ||
            (byte[i] == 0xc2 && i + 1 < length && byte[i + 1] < 0xa0))
            return true;
    return false;
}

size_t utf8_cut(const char *text, size_t length)
{
    size_t at;

    for (at = length; length - at <= 3; at--) {
        if (((unsigned char)text[at] & 0xc0) != 0x80)
            return at;
        if (at == 0)
            break;
    }
    return length; /* it is not UTF-8 anyway */
}
