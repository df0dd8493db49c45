/* SPDX-License-Identifier: BSD-3-Clause */
#include "option_values.h"

#include <ctype.h>

bool option_is_on(const char *value)
{
    return *value == '1' || *value == 'y' || *value == 't' || (*value == 'o' && value[1] == 'n');
}

bool option_seconds(const char *text, unsigned *milliseconds)
{
    const unsigned longest = 3600 * 1000;
    unsigned value = 0, unit = 1000;
    bool digits = false;

    for (; isdigit((unsigned char)*text) && value <= longest; text++) {
        value = value * 10 + (unsigned)(*text - '0') * 1000;
        digits = true;
    }
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text) && unit > 1; text++) {
            unit /= 10;
            value += (unsigned)(*text - '0') * unit;
            digits = true;
        }
    *milliseconds = value;
    return digits && *text == '\0' && value >= 1 && value <= longest;
}
