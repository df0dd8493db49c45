/* SPDX-License-Identifier: BSD-3-Clause */
#include "reason.h"

#include <stdio.h>
#include <string.h>

void reason_set_list(struct reason *reason, const char *format, va_list arguments)
{
    static const char cut[] = "...";
    int length = vsnprintf(reason->text, sizeof(reason->text), format, arguments);
    char *c;

    if (length < 0)
        reason->text[0] = '\0';
    else if ((size_t)length >= sizeof(reason->text))
        memcpy(reason->text + sizeof(reason->text) - sizeof(cut), cut, sizeof(cut));
    for (c = reason->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '\177')
            *c = '?';
}

void reason_set(struct reason *reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    reason_set_list(reason, format, arguments);
    va_end(arguments);
}
