/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hex.h"

void hex_write(char *digits, const unsigned char *bytes, size_t count)
{
    static const char digit[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < count; i++) {
        *digits++ = digit[bytes[i] >> 4];
        *digits++ = digit[bytes[i] & 15];
    }
    *digits = '\0';
}

/* Returns -1 for anything but a digit. */
static int value_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool hex_read(unsigned char *bytes, const char *digits, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const int high = value_of(digits[2 * i]), low = value_of(digits[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
