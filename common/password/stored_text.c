/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/stored_text.h"

#include <ctype.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define HASH_SIGNS "+/=.,$-_:"

enum {
    SHORTEST_DIGEST = 13, /* of DES */
    SHORTEST_CRYPT = 26   /* "$1$" with an empty salt, "$" and 22 characters of hash */
};

enum { MYSQL_DIGITS = 40, OLD_MYSQL_DIGITS = 16 };

/* --- padding */

/* Unicode's White_Space in UTF-8, and the characters without width that editors
 * and web pages leave behind. */
static const char *const spaces[] = {
    " ",
    "\t",
    "\n",
    "\v",
    "\f",
    "\r",
    "\302\205",
    "\302\240",
    "\341\232\200",
    "\342\200\200",
    "\342\200\201",
    "\342\200\202",
    "\342\200\203",
    "\342\200\204",
    "\342\200\205",
    "\342\200\206",
    "\342\200\207",
    "\342\200\210",
    "\342\200\211",
    "\342\200\212",
    "\342\200\213",
    "\342\200\250",
    "\342\200\251",
    "\342\200\257",
    "\342\201\237",
    "\342\201\240",
    "\343\200\200",
    "\357\273\277",
};

/* Whether it is a visible ASCII character; no space contains such a byte. */
static bool is_visible(char byte)
{
    return byte > ' ' && byte <= '~';
}

/* The length of the space that the text starts or ends with; 0 if there is none. */
static size_t space_at(struct bytes text, bool at_end)
{
    size_t i;

    if (text.length == 0 || is_visible(text.start[at_end ? text.length - 1 : 0]))
        return 0;
    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t size = strlen(spaces[i]);

        if (size <= text.length &&
            memcmp(at_end ? text.start + text.length - size : text.start, spaces[i], size) == 0)
            return size;
    }
    return 0;
}

static struct bytes without_space(struct bytes text)
{
    size_t size;

    while ((size = space_at(text, false)) > 0)
        text = bytes_after(text, size);
    return text;
}

size_t stored_text_space(struct bytes text)
{
    return text.length - without_space(text).length;
}

struct bytes stored_text_without_nuls(struct bytes stored)
{
    while (stored.length > 0 && stored.start[stored.length - 1] == '\0')
        stored.length--;
    return stored;
}

struct bytes stored_text_trim(struct bytes stored)
{
    size_t size;

    /* There may be both: a line break in a column of fixed width. */
    while (stored.length > 0) {
        size = stored.start[stored.length - 1] == '\0' ? 1 : space_at(stored, true);
        if (size == 0)
            break;
        stored.length -= size;
    }
    return without_space(stored);
}

bool stored_text_is_locked(struct bytes stored)
{
    const struct bytes text = stored_text_trim(stored);

    return text.length == 0 || text.start[0] == '!' || text.start[0] == '*';
}

/* --- hashes of MySQL */

static bool is_hexadecimal(struct bytes text)
{
    size_t i;

    for (i = 0; i < text.length; i++)
        if (!isxdigit((unsigned char)text.start[i]))
            return false;
    return true;
}

bool stored_text_is_mysql_hash(struct bytes text)
{
    return text.length == 1 + MYSQL_DIGITS && text.start[0] == '*' &&
           is_hexadecimal(bytes_after(text, 1));
}

bool stored_text_may_be_old_mysql_hash(struct bytes text)
{
    return text.length == OLD_MYSQL_DIGITS && is_hexadecimal(text);
}

/* --- other hashes */

/* How many of the first bytes are `allowed`. */
static size_t span(struct bytes text, const char *allowed)
{
    size_t i = 0;

    while (i < text.length && text.start[i] != '\0' && strchr(allowed, text.start[i]) != NULL)
        i++;
    return i;
}

/* The others can surround a hash, but not be part of it. */
static struct bytes visible_part(struct bytes text)
{
    while (text.length > 0 && !is_visible(text.start[0]))
        text = bytes_after(text, 1);
    while (text.length > 0 && !is_visible(text.start[text.length - 1]))
        text.length--;
    return text;
}

/* "{SCHEME}", as LDAP servers and Dovecot write it, and what may follow. */
static bool has_scheme_prefix(struct bytes text)
{
    size_t name;

    if (text.length == 0 || text.start[0] != '{')
        return false;
    text = bytes_after(text, 1);
    name = span(text, LETTERS DIGITS ".-");
    if (name == 0 || name == text.length || text.start[name] != '}')
        return false;
    text = visible_part(bytes_after(text, name + 1));
    return text.length >= SHORTEST_DIGEST && span(text, LETTERS DIGITS HASH_SIGNS) == text.length;
}

/* "$id$", as crypt(3) and its relatives write it, and what may follow. */
static bool has_id_prefix(struct bytes text)
{
    size_t id;

    if (text.length < SHORTEST_CRYPT || text.start[0] != '$')
        return false;
    id = span(bytes_after(text, 1), LETTERS DIGITS "-,=");
    return id > 0 && 1 + id < text.length && text.start[1 + id] == '$' &&
           span(text, LETTERS DIGITS HASH_SIGNS) == text.length;
}

bool stored_text_is_hash(struct bytes stored)
{
    static const char scram[] = "SCRAM-SHA-";
    const size_t length = strlen(scram);
    const struct bytes text = visible_part(stored);

    return (text.length >= length && memcmp(text.start, scram, length) == 0) ||
           has_scheme_prefix(text) || has_id_prefix(text);
}
