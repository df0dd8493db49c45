/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CRYPT_NUMBER_H
#define SQLCRYPT_CRYPT_NUMBER_H

/*
 * Reads the numbers that stand in hashes of crypt(3), as crypt(5) and libxcrypt write
 * them.
 */

#include <stdint.h>

/* One digit of the base 64 that crypt(3) has; -1 if it is none. */
int crypt_number_digit(char character);

/* Reads `count` digits, the lowest first. Returns what follows them; NULL if they are not
 * there. */
const char *crypt_number_fixed(const char *text, unsigned count, uint64_t *value);

/* The same of a number of yescrypt, which says itself how many digits it has. The smallest
 * is `lowest`. */
const char *crypt_number_yescrypt(const char *text, uint64_t lowest, uint64_t *value);

#endif
