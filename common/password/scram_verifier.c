/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/scram_verifier.h"

#include <string.h>

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BASE64 DIGITS UPPER "abcdefghijklmnopqrstuvwxyz+/="

/* What is left to read. */
struct rest {
    const char *at, *end;
};

/* Steps over one or more characters of `allowed`. */
static bool skip_characters(struct rest *rest, const char *allowed)
{
    const char *start = rest->at;

    while (rest->at < rest->end && *rest->at != '\0' && strchr(allowed, *rest->at) != NULL)
        rest->at++;
    return rest->at > start;
}

/* The same, and then over `separator`. */
static bool skip_field(struct rest *rest, const char *allowed, char separator)
{
    return skip_characters(rest, allowed) && rest->at < rest->end && *rest->at++ == separator;
}

bool scram_verifier_valid(struct bytes text)
{
    static const char prefix[] = "SCRAM-SHA-";
    struct rest rest = {text.start, text.start + text.length};

    if (text.length < strlen(prefix) || memcmp(text.start, prefix, strlen(prefix)) != 0)
        return false;
    rest.at += strlen(prefix);
    return skip_field(&rest, DIGITS UPPER "-", '$') && skip_field(&rest, DIGITS, ':') &&
           skip_field(&rest, BASE64, '$') && skip_field(&rest, BASE64, ':') &&
           skip_characters(&rest, BASE64) && rest.at == rest.end;
}
