/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/user_realm.h"

#include <stdlib.h>
#include <string.h>

bool user_realm_split(struct user_realm *out, const char *name, size_t length,
                      const char *default_realm)
{
    const char *at = memchr(name, '@', length);
    size_t user_length = at != NULL ? (size_t)(at - name) : length;
    const char *realm = at != NULL ? at + 1 : default_realm;
    size_t realm_length = at != NULL ? length - user_length - 1 : strlen(default_realm);
    char *both = malloc(user_length + 1 + realm_length + 1);

    *out = (struct user_realm){NULL, NULL};
    if (both == NULL)
        return false;
    memcpy(both, name, user_length);
    both[user_length] = '\0';
    memcpy(both + user_length + 1, realm, realm_length);
    both[user_length + 1 + realm_length] = '\0';
    *out = (struct user_realm){both, both + user_length + 1};
    return true;
}

void user_realm_free(struct user_realm *names)
{
    free(names->user);
    *names = (struct user_realm){NULL, NULL};
}
