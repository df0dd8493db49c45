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
 * separates or reverses lines or has no width, and a byte that is not of UTF-8 become '?';
 * a line that is too long is cut between two characters and ends in "...". */
void reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, as vprintf(3) does. */
void reason_set_list(struct reason *reason, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The same, in front of what is there. */
void reason_prefix(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, behind what is there. */
void reason_append(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends one of the `count` words of a choice, the first of which has the place 0: written
 * one after the other, they read "a, b or c". */
void reason_append_choice(struct reason *reason, const char *word, size_t place, size_t count);

/* Writes that memory is out. */
void reason_no_memory(struct reason *reason);

/* Writes what errno(3) means by `error`: as strerror(3) says it, which threads must not
 * share in older C libraries. */
void reason_set_error(struct reason *reason, int error);

#endif
