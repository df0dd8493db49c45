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
