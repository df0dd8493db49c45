/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_HEX_H
#define SQLCRYPT_HEX_H

/*
 * Bytes as hexadecimal digits.
 */

#include <stdbool.h>
#include <stddef.h>

/* Writes two lower-case digits for each of `count` bytes at `bytes` to `digits`, which has room
 * for 2 * count + 1 characters: a NUL follows. */
void hex_write(char *digits, const unsigned char *bytes, size_t count);

/* Reads `count` bytes from 2 * count digits, of either case. Returns false if one of them is not
 * a digit. */
bool hex_read(unsigned char *bytes, const char *digits, size_t count);

#endif
