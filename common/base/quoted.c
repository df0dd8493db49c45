/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/quoted.h"

#include <string.h>

#include "base/utf8.h"

void quoted_set(struct quoted *quoted, const char *name, size_t length)
{
    size_t whole = strnlen(name, length);
    size_t shown = whole > QUOTED_MAX ? utf8_cut(name, QUOTED_MAX) : whole, i;
    char *to = quoted->text;

    *to++ = '"';
    for (i = 0; i < shown; i++) {
        if (name[i] == '"' || name[i] == '\\')
            *to++ = '\\';
        *to++ = strchr("[]", name[i]) == NULL ? name[i] : '?';
    }
    memcpy(to, "\"...", sizeof("\"..."));
    if (shown == length)
        to[1] = '\0';
}
