/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/crypt_number.h"

#include <stddef.h>
#include <string.h>

int crypt_number_digit(char character)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *found = character != '\0' ? strchr(digits, character) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

const char *crypt_number_fixed(const char *text, unsigned count, uint64_t *value)
{
    unsigned i;

    *value = 0;
    for (i = 0; i < count; i++) {
        int digit = crypt_number_digit(*text++);

        if (digit < 0)
            return NULL;
        *value |= (uint64_t)digit << (6 * i);
    }
    return text;
}

/* The first digit says how many follow it: 0 to 47
 * stand for themselves, 48 to 55 have one more, 56 to 59 two, 60 and 61 three, 62
 * four, 63 five, the highest first; each length continues counting where the previous one ended,
 * and the smallest number is `lowest`. */
const char *crypt_number_yescrypt(const char *text, uint64_t lowest, uint64_t *value)
{
    static const int first[] = {0, 48, 56, 60, 62, 63, 64};
    int digit = crypt_number_digit(*text++);
    unsigned more = 0, i;

    if (digit < 0)
        return NULL;
    *value = lowest;
    for (; digit >= first[more + 1]; more++)
        *value += (uint64_t)(first[more + 1] - first[more]) << (6 * more);
    *value += (uint64_t)(digit - first[more]) << (6 * more);
    for (i = more; i > 0; i--) {
        digit = crypt_number_digit(*text++);
        if (digit < 0)
            return NULL;
        *value += (uint64_t)digit << (6 * (i - 1));
    }
    return text;
}
