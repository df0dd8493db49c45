/* SPDX-License-Identifier: BSD-3-Clause */
#include "scram_verifier.h"

#include <string.h>

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BASE64 DIGITS UPPER "abcdefghijklmnopqrstuvwxyz+/="

/* Steps over one or more characters of `allowed` and then `end`. */
static bool skip_field(const char **text, const char *allowed, char end)
{
    size_t length = strspn(*text, allowed);

    if (length == 0 || (*text)[length] != end)
        return false;
    *text += length;
    if (end != '\0')
        (*text)++;
    return true;
}

bool scram_verifier_valid(const char *text, size_t length)
{
    static const char prefix[] = "SCRAM-SHA-";
    const char *rest;

    if (strlen(text) != length || strncmp(text, prefix, strlen(prefix)) != 0)
        return false;
    rest = text + strlen(prefix);
    return skip_field(&rest, DIGITS UPPER "-", '$') && skip_field(&rest, DIGITS, ':') &&
           skip_field(&rest, BASE64, '$') && skip_field(&rest, BASE64, ':') &&
           skip_field(&rest, BASE64, '\0');
}
