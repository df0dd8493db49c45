/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_UTF8_H
#define SQLCRYPT_UTF8_H

/*
 * Characters in UTF-8, as RFC 3629 defines it.
 */

#include <stdbool.h>
#include <stddef.h>

/* False for truncated or overlong sequences, surrogates and code points above
 * U+10FFFF. NUL is a character like any other. */
bool utf8_valid(const char *text, size_t length);

/* How many bytes the character at `text` has; 0 if there is no complete and
 * valid one. Reads at most `length` bytes. */
size_t utf8_character(const char *text, size_t length);

/* Whether a valid text holds a control character: one of ASCII, such as a line break or a
 * NUL, or of U+0080 to U+009F (C1). */
bool utf8_holds_control(const char *text, size_t length);

/* Where to cut a text that continues at text[length], so that no character is cut in two:
 * at `length` or a little before. */
size_t utf8_cut(const char *text, size_t length);

#endif
