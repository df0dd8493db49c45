/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_REASON_H
#define SQLCRYPT_REASON_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Why something failed, in one printable line for the operator. Code below
 * the plug-ins never logs: it fills in a reason and returns a result.
 * A reason never holds a password, a stored value or a bound value.
 */

struct reason {
    char text[320];
};

static inline void reason_clear(struct reason *reason)
{
    reason->text[0] = '\0';
}

/* Writes the line, as printf(3) does. A control character (of ASCII or C1), one that
 * separates or reverses lines or has no width, and a byte that is not UTF-8 become '?';
 * a line that is too long is cut between two characters and ends in "...". */
void reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, as vprintf(3) does. */
void reason_set_list(struct reason *reason, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The same, before the existing text. */
void reason_prefix(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, after the existing text. */
void reason_append(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends one of the `count` words of a choice, whose first word has place 0. Appended one after
 * the other, they read "a, b or c". */
void reason_append_choice(struct reason *reason, const char *word, size_t place, size_t count);

/* Writes that the process is out of memory. */
void reason_no_memory(struct reason *reason);

/* Writes what the errno(3) value `error` means, in the words of strerror(3), which threads
 * cannot share in older C libraries. */
void reason_set_error(struct reason *reason, int error);

#endif
