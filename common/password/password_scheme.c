/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_scheme.h"

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

/* How many of the first bytes are `allowed`. */
static size_t span(struct bytes text, const char *allowed)
{
    size_t i = 0;

    while (i < text.length && text.start[i] != '\0' && strchr(allowed, text.start[i]) != NULL)
        i++;
    return i;
}

static struct bytes without_start(struct bytes text, size_t length)
{
    return (struct bytes){text.start + length, text.length - length};
}

/* What no hash can hold, and may stand around one. */
static bool is_outside(char byte)
{
    return byte <= ' ' || byte > '~';
}

static struct bytes visible_part(struct bytes text)
{
    while (text.length > 0 && is_outside(text.start[0]))
        text = without_start(text, 1);
    while (text.length > 0 && is_outside(text.start[text.length - 1]))
        text.length--;
    return text;
}

/* "{SCHEME}", as LDAP servers and Dovecot write, and what may follow it. */
static bool has_scheme_prefix(struct bytes text)
{
    size_t name;

    if (text.length == 0 || text.start[0] != '{')
        return false;
    text = without_start(text, 1);
    name = span(text, LETTERS DIGITS ".-");
    if (name == 0 || name == text.length || text.start[name] != '}')
        return false;
    text = visible_part(without_start(text, name + 1));
    return text.length >= SHORTEST_DIGEST && span(text, LETTERS DIGITS HASH_SIGNS) == text.length;
}

/* "$id$", as crypt(3) and its relatives write, and what may follow it. */
static bool has_id_prefix(struct bytes text)
{
    size_t id;

    if (text.length < SHORTEST_CRYPT || text.start[0] != '$')
        return false;
    id = span(without_start(text, 1), LETTERS DIGITS "-,=");
    return id > 0 && 1 + id < text.length && text.start[1 + id] == '$' &&
           span(text, LETTERS DIGITS HASH_SIGNS) == text.length;
}

bool password_scheme_is_hash(struct bytes stored)
{
    static const char scram[] = "SCRAM-SHA-";
    const size_t length = strlen(scram);
    const struct bytes text = visible_part(stored);

    return (text.length >= length && memcmp(text.start, scram, length) == 0) ||
           has_scheme_prefix(text) || has_id_prefix(text);
}
