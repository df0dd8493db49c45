/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CRYPT_NUMBER_H
#define SQLCRYPT_CRYPT_NUMBER_H

/*
 * Reads the numbers in hashes of crypt(3), as crypt(5) and libxcrypt write them.
 */

#include <stdint.h>

/* The value of one digit in the base 64 of crypt(3); -1 if it is not one. */
int crypt_number_digit(char character);

/* Reads `count` digits, the lowest first. Returns what follows them; NULL if they are missing. */
const char *crypt_number_fixed(const char *text, unsigned count, uint64_t *value);

/* The same for a number of yescrypt, which itself says how many digits it has. The smallest
 * number is `lowest`. */
const char *crypt_number_yescrypt(const char *text, uint64_t lowest, uint64_t *value);

#endif
