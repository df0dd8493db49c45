/* SPDX-License-Identifier: BSD-3-Clause */
#include "reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reason_set(struct reason *reason, const char *format, ...)
{
    static const char cut[] = "...";
    va_list arguments;
    int length;
    char *c;

    va_start(arguments, format);
    length = vsnprintf(reason->text, sizeof(reason->text), format, arguments);
    va_end(arguments);
    if (length < 0)
        reason->text[0] = '\0';
    else if ((size_t)length >= sizeof(reason->text))
        memcpy(reason->text + sizeof(reason->text) - sizeof(cut), cut, sizeof(cut));
    for (c = reason->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '\177')
            *c = '?';
}
