/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CRYPT_CEILING_H
#define SQLCRYPT_CRYPT_CEILING_H

/*
 * How much work a hash of crypt(3) may ask for. Rounds and memory are the stored
 * text's own choice, and some can be written that keep a process busy for days.
 */

#include <stdbool.h>

#include "base/reason.h"

/* Whether crypt(3) may be called with `setting`, a whole hash or the start of one.
 * Returns false with a reason if it asks for too much, if its parameters cannot be
 * read, or if the method is not known. Some text that is allowed is no hash all the
 * same: crypt(3) then says so without any work. */
bool crypt_ceiling_allows(const char *setting, struct reason *reason);

/* Whether the method is one for which crypt(3) allocates memory. If there is none to be
 * had, crypt(3) of libxcrypt fails with EINVAL, as for text that is no hash. But of such a
 * method, whatever is allowed above is a hash, or the start of one: if this libcrypt has
 * the method (crypt_checksalt(3)), it has no other reason to fail. */
bool crypt_ceiling_needs_memory(const char *setting);

#endif
