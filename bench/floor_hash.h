/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FLOOR_HASH_H
#define FLOOR_HASH_H

/*
 * What a floor does with the text that it gets: crypt(3) for a hash, a
 * comparison for clear text.
 */

#include <stdbool.h>
#include <string.h>

#include <crypt.h>

static inline bool floor_matches(const char *stored, const char *password)
{
    static struct crypt_data scratch;
    const char *hash = password;

    if (stored[0] == '$')
        hash = crypt_r(password, stored, &scratch);
    return strcmp(hash, stored) == 0;
}

#endif
