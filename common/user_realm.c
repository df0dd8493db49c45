/* SPDX-License-Identifier: BSD-3-Clause */
#include "user_realm.h"

#include <stdlib.h>
#include <string.h>

bool user_realm_split(struct user_realm *out, const char *name, size_t length,
                      const char *default_realm)
{
    const char *at = memchr(name, '@', length);
    size_t user_length = at != NULL ? (size_t)(at - name) : length;

    out->user = strndup(name, user_length);
    out->realm = at != NULL ? strndup(at + 1, length - user_length - 1) : strdup(default_realm);
    if (out->user != NULL && out->realm != NULL)
        return true;
    user_realm_free(out);
    return false;
}

void user_realm_free(struct user_realm *names)
{
    free(names->user);
    free(names->realm);
    *names = (struct user_realm){NULL, NULL};
}
