/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_UTF8_H
#define SQLCRYPT_UTF8_H

/*
 * Tells whether a text is UTF-8, as RFC 3629 defines it.
 */

#include <stdbool.h>
#include <stddef.h>

/* False for truncated or overlong sequences, surrogates and code points above
 * U+10FFFF. NUL is a character like any other. */
bool utf8_valid(const char *text, size_t length);

#endif
