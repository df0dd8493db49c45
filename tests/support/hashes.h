/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_HASHES_H
#define SQLCRYPT_TESTS_HASHES_H

/*
 * Stored values for tests, made by crypt(3).
 */

/* A hash, valid until the next call. `setting` is a text such as
 * "$6$rounds=1000$salt". */
const char *hash_of(const char *password, const char *setting);

/* The same with a new salt, for a prefix and cost of crypt_gensalt(3). */
const char *new_hash(const char *password, const char *prefix, unsigned long cost);

#endif
