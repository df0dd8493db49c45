/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_USER_REALM_H
#define SQLCRYPT_USER_REALM_H

/*
 * Splits a login name into user (%u) and realm (%r), at the same place as the
 * stock plug-ins of libsasl2: the first '@'.
 */

#include <stdbool.h>
#include <stddef.h>

/* Owns both strings, which share one piece of memory. */
struct user_realm {
    char *user;
    char *realm;
};

/* Splits the `length` bytes at `name`, which hold no NUL. A name without '@'
 * is in `default_realm` (not NULL).
 * Returns false when out of memory; nothing is held then. */
bool user_realm_split(struct user_realm *out, const char *name, size_t length,
                      const char *default_realm);

/* Frees both strings. */
void user_realm_free(struct user_realm *names);

#endif
