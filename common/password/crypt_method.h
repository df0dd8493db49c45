/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CRYPT_METHOD_H
#define SQLCRYPT_CRYPT_METHOD_H

/*
 * The methods of crypt(3): what they are called, how much a hash may ask for, how many
 * bytes of a password they use, and which of them this libcrypt can make.
 */

#include <crypt.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/reason.h"

/* crypt(3) accepts one byte less than its buffer holds. */
enum { CRYPT_METHOD_LONGEST = CRYPT_MAX_PASSPHRASE_SIZE - 1 };

/* Whether crypt(3) may be called with `setting`, a whole hash or the start of one.
 * Returns false with a reason if it asks for too much, if its parameters cannot be
 * read, or if the method is not known. */
bool crypt_method_allows(const char *setting, struct reason *reason);

/* Whether crypt(3) allocates memory for the method. If none is available, libxcrypt's crypt(3)
 * fails with EINVAL, as for text that is not a hash. But for such a method, everything that is
 * allowed above is a hash, or the start of one: if this libcrypt has the method
 * (crypt_checksalt(3)), it has no other reason to fail. */
bool crypt_method_needs_memory(const char *setting);

/* Whether the method of that name (ignoring letter case), or the best one if it is NULL, can
 * make a hash at `cost`, in libcrypt's units, or 0 for the default. Returns false with a reason. */
bool crypt_method_is_known(const char *name, unsigned long cost, struct reason *reason);

/* The start of such a hash, from malloc(3); NULL with a reason, also when out of memory or
 * random numbers. */
char *crypt_method_new_setting(const char *name, unsigned long cost, struct reason *reason);

/* Whether the method of that name uses all of the password. Returns false with a reason. */
bool crypt_method_takes(const char *name, struct bytes password, struct reason *reason);

#endif
