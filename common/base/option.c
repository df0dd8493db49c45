/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/option.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool option_is_on(const char *value)
{
    return *value == '1' || *value == 'y' || *value == 't' || (*value == 'o' && value[1] == 'n');
}

bool option_seconds(const char *text, unsigned least, unsigned most, unsigned *milliseconds)
{
    unsigned value = 0, unit = 1000;
    bool digits = false;

    for (; isdigit((unsigned char)*text) && value <= most; text++) {
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
    return digits && *text == '\0' && value >= least && value <= most;
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

bool option_next_word(const char **list, char *word, size_t size)
{
    size_t length = 0;

    while (isspace((unsigned char)**list))
        (*list)++;
    for (; **list != '\0' && !isspace((unsigned char)**list); (*list)++)
        if (length + 1 < size)
            word[length++] = **list;
    word[length] = '\0';
    return length > 0;
}

bool option_has_word(const char *list, const char *word)
{
    char next[64];

    while (option_next_word(&list, next, sizeof(next)))
        if (strcasecmp(next, word) == 0)
            return true;
    return false;
}
