/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_REASON_H
#define SQLCRYPT_REASON_H

/*
 * Why something failed, in one printable line for the operator. Code below
 * the plug-ins never logs: it fills in a reason and returns a result.
 * A reason never holds a password, a stored value or a bound value.
 */

struct reason {
    char text[320];
};

/* Writes the line, as printf(3) does. Control characters become '?'; a line
 * that is too long ends in "...". */
void reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
