/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_scheme.h"

#include <strings.h>

static const struct password_scheme *const schemes[] = {
    &scheme_plain,
    &scheme_crypt,
    &scheme_crypt_trad,
    &scheme_md5,
};

enum { SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

const struct password_scheme *password_scheme_find(const char *name)
{
    size_t i;

    for (i = 0; i < SCHEMES; i++)
        if (strcasecmp(schemes[i]->name, name) == 0)
            return schemes[i];
    return NULL;
}

bool password_scheme_has_method(const char *method, unsigned long cost, struct reason *reason)
{
    size_t i;

    for (i = 0; i < SCHEMES; i++)
        if (schemes[i]->has_method != NULL && schemes[i]->has_method(method, cost, reason))
            return true;
    return false;
}

bool password_scheme_admits(const struct password_scheme *scheme, struct bytes password,
                            struct reason *reason)
{
    if (password.length > scheme->longest)
        reason_set(reason, "the password is longer than %zu bytes", scheme->longest);
    else if (password.length == 0 || bytes_have_nul(password))
        reason_set(reason, "the password is empty or holds a NUL");
    else
        return true;
    return false;
}
