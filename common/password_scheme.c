/* SPDX-License-Identifier: BSD-3-Clause */
#include "password_scheme.h"

#include <crypt.h>
#include <string.h>
#include <strings.h>

#include "scram_verifier.h"

static const struct password_scheme *const schemes[] = {
    &scheme_plain,
    &scheme_crypt,
    &scheme_crypt_trad,
    &scheme_md5,
};

const struct password_scheme *password_scheme_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strcasecmp(schemes[i]->name, name) == 0)
            return schemes[i];
    return NULL;
}

bool password_scheme_is_hash(const struct secret *text)
{
    /* "$1$" with an empty salt, "$" and 22 characters of hash */
    const size_t shortest = 26;
    static const char crypt_prefix[] = "{CRYPT}";

    if (scram_verifier_valid(text->bytes, text->length))
        return true;
    if (text->length > strlen(crypt_prefix) &&
        strncasecmp(text->bytes, crypt_prefix, strlen(crypt_prefix)) == 0)
        return true;
    return text->length >= shortest && text->bytes[0] == '$' &&
           crypt_checksalt(text->bytes) != CRYPT_SALT_INVALID;
}
