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

/* crypt(3) takes one byte less than its buffer has. */
enum { CRYPT_METHOD_LONGEST = CRYPT_MAX_PASSPHRASE_SIZE - 1 };

/* Whether crypt(3) may be called with `setting`, a whole hash or the start of one.
 * Returns false with a reason if it asks for too much, if its parameters cannot be
 * read, or if the method is not known. */
bool crypt_method_allows(const char *setting, struct reason *reason);

/* Whether the method is one for which crypt(3) allocates memory. If there is none to be
 * had, crypt(3) of libxcrypt fails with EINVAL, as for text that is no hash. But of such a
 * method, whatever is allowed above is a hash, or the start of one: if this libcrypt has
 * the method (crypt_checksalt(3)), it has no other reason to fail. */
bool crypt_method_needs_memory(const char *setting);

/* Whether a hash can be made by the method of that name, letter case ignored, or by the
 * best one if it is NULL, at `cost`, in libcrypt's units, or 0 for the default. Returns
 * false with a reason. */
bool crypt_method_is_known(const char *name, unsigned long cost, struct reason *reason);

/* The start of such a hash, from malloc(3); NULL with a reason, also when out of memory or
 * random numbers. */
char *crypt_method_new_setting(const char *name, unsigned long cost, struct reason *reason);

/* Whether the method of that name uses all of the password. Returns false with a reason. */
bool crypt_method_takes(const char *name, struct bytes password, struct reason *reason);

#endif
