/* SPDX-License-Identifier: BSD-3-Clause */
#include "password_scheme.h"

#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define HASH_SIGNS "+/=.,$-_:"

enum {
    SHORTEST_DIGEST = 13, /* of DES */
    SHORTEST_CRYPT = 26   /* "$1$" with an empty salt, "$" and 22 characters of hash */
};

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

/* "{SCHEME}", as LDAP servers and Dovecot write, and what may follow it. */
static bool has_scheme_prefix(const char *text)
{
    size_t name = *text == '{' ? strspn(text + 1, LETTERS DIGITS ".-") : 0;
    const char *rest = text + name + 2;

    return name > 0 && rest[-1] == '}' && strlen(rest) >= SHORTEST_DIGEST &&
           strspn(rest, LETTERS DIGITS HASH_SIGNS) == strlen(rest);
}

/* "$id$", as crypt(3) and its relatives write, and what may follow it. */
static bool has_id_prefix(const char *text)
{
    size_t id = *text == '$' ? strspn(text + 1, LETTERS DIGITS "-,=") : 0;

    return id > 0 && text[id + 1] == '$' && strlen(text) >= SHORTEST_CRYPT &&
           strspn(text, LETTERS DIGITS HASH_SIGNS) == strlen(text);
}

bool password_scheme_is_hash(const struct secret *text)
{
    static const char scram[] = "SCRAM-SHA-";

    return strncmp(text->bytes, scram, strlen(scram)) == 0 || has_scheme_prefix(text->bytes) ||
           has_id_prefix(text->bytes);
}
