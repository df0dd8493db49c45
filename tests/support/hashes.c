/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/hashes.h"

#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

const char *hash_of(const char *password, const char *setting)
{
    static struct crypt_data data;
    const char *hash = crypt_r(password, setting, &data);

    assert_non_null(hash);
    assert_int_not_equal(hash[0], '*');
    return hash;
}

const char *new_hash(const char *password, const char *prefix, unsigned long cost)
{
    char *setting = crypt_gensalt_ra(prefix, cost, NULL, 0);
    const char *hash;

    assert_non_null(setting);
    hash = hash_of(password, setting);
    free(setting);
    return hash;
}
