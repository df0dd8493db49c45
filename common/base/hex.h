/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_HEX_H
#define SQLCRYPT_HEX_H

/*
 * Writes bytes as hexadecimal digits.
 */

#include <stddef.h>

/* Writes two lower-case digits for each of `count` bytes at `bytes` to `digits`, which has
 * room for 2 * count + 1: a NUL follows. */
void hex_write(char *digits, const unsigned char *bytes, size_t count);

#endif
