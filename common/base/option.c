/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/option.h"

#include <ctype.h>
#include <string.h>

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

bool option_level(const char *text, int *level)
{
    bool digits = false;

    while (isspace((unsigned char)*text))
        text++;
    for (*level = 0; isdigit((unsigned char)*text); text++) {
        *level = *level * 10 + (*text - '0');
        *level = *level < 99 ? *level : 99;
        digits = true;
    }
    while (isspace((unsigned char)*text))
        text++;
    return digits && *text == '\0';
}

bool option_is_quoted(const char *value)
{
    size_t length = strlen(value);

    return length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0];
}
