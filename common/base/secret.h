/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SECRET_H
#define SQLCRYPT_SECRET_H

/*
 * Holds passwords and stored hashes: one owner, one wipe, one comparison
 * whose time does not reveal how much of two values agrees.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Owns its bytes. They end in a NUL that `length` does not count; other NULs
 * may be among them. `bytes` is NULL while nothing is held. */
struct secret {
    char *bytes;
    size_t length;
};

#define SECRET_EMPTY ((struct secret){NULL, 0})

/* Wipes what was held and replaces it with a copy of `length` bytes at `bytes`
 * (may be NULL if `length` is 0). Returns false when out of memory; nothing is
 * held then. */
bool secret_set(struct secret *secret, const char *bytes, size_t length);

/* A view of what is held. A NUL follows it, if anything is held. */
static inline struct bytes secret_bytes(const struct secret *secret)
{
    return (struct bytes){secret->bytes, secret->length};
}

/* Wipes and frees what is held. May be called any number of times. */
void secret_wipe(struct secret *secret);

/* Compares two texts in a time that depends only on their lengths. */
bool secret_equal(struct bytes a, struct bytes b);

/* Wipes and frees a string from malloc(3); NULL is allowed. */
void secret_free_string(char *string);

#endif
