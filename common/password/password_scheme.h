/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PASSWORD_SCHEME_H
#define SQLCRYPT_PASSWORD_SCHEME_H

/*
 * One way of storing passwords: how to compare a typed password with what is stored, and
 * how to make a new text. The table in password_scheme.c lists all of them; each is a row
 * in a scheme_*.c of its own.
 *
 * A scheme does not know about locked accounts, unknown users, padding or prefixes, nor
 * about forbidden passwords: stored_password.h and password_policy.h handle those first.
 * Typed passwords are not empty, hold no NUL, and are not longer than `longest`; a NUL
 * follows them, since crypt(3) takes strings.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/verdict.h"

/* The longest password that any scheme takes, in bytes. */
#define PASSWORD_MAX 512

/* Whether trying passwords against a stolen table is cheap or expensive. */
enum password_strength { PASSWORD_WEAK, PASSWORD_STRONG };

/* How a stored text encodes what a scheme makes. */
enum password_encoding {
    PASSWORD_AS_TEXT, /* as it is */
    PASSWORD_IN_HEX   /* in hexadecimal digits, of either case */
};

/* The result of making it. */
enum password_made {
    PASSWORD_NO_MEMORY,
    PASSWORD_UNREADABLE, /* the stored text is not of this scheme: with a reason */
    PASSWORD_MADE
};

struct password_scheme {
    /* as `password_format` names it */
    const char *name;

    /* The names that may appear in braces before a stored text, letter case ignored;
     * the last one is followed by NULL. NULL if there are none. */
    const char *const *aliases;

    /* of a text that it makes by default */
    enum password_strength strength;

    /* whether `stored` is the password itself, which other mechanisms may use */
    bool clear_text;

    /* The longest password that can match, in bytes. */
    size_t longest;

    /* How it is stored. If it is not text, it has `size` bytes and is called `description` in
     * the log. */
    enum password_encoding encoding;
    size_t size;
    const char *description;

    /* Whether this system supports it; if not, with a reason. NULL if every system does. */
    bool (*is_available)(struct reason *reason);

    /* Computes from `password`, in `out`, what is stored for a right one, with the parameters
     * and the salt of `stored`, if any. `stored` is decoded and not empty, or BYTES_NONE for a
     * new text. The comparison is done elsewhere. */
    enum password_made (*make)(struct bytes stored, struct bytes password, struct secret *out,
                               struct reason *reason);

    /* Replaces `make` if there is nothing to compute: VERDICT_MATCH,
     * VERDICT_MISMATCH, or VERDICT_UNUSABLE with a reason. */
    enum verdict (*judge)(struct bytes stored, struct bytes password, struct reason *reason);

    /* Whether `method`, a name from `password_store_scheme`, or NULL for the best one, can make
     * a text at `cost`, which is in its unit, or 0 for its default. False with a reason.
     * NULL: the scheme has no methods, and the functions below ignore both. */
    bool (*has_method)(const char *method, unsigned long cost, struct reason *reason);

    /* Whether a text that `method` makes covers all of the password; otherwise the rest would
     * not count, and no one would notice. False with a reason. NULL: it always does. */
    bool (*takes)(const char *method, struct bytes password, struct reason *reason);

    /* Puts a new text for `password` into `out`. Returns false with a reason when out of
     * memory or random numbers. NULL: the text is what `make` makes, encoded. */
    bool (*store)(const char *method, unsigned long cost, struct bytes password, struct secret *out,
                  struct reason *reason);

    /* A dummy text to compare with, so that failures cost the same. If its cost depends on
     * `method` and `cost`, `new_sample` makes it instead, with malloc(3): NULL with a reason
     * when out of memory or random numbers. */
    const char *sample;
    char *(*new_sample)(const char *method, unsigned long cost, struct reason *reason);
};

extern const struct password_scheme scheme_plain;
extern const struct password_scheme scheme_crypt;
extern const struct password_scheme scheme_crypt_trad;
extern const struct password_scheme scheme_md5;

/* The scheme of that name, ignoring letter case; NULL if there is none. */
const struct password_scheme *password_scheme_find(const char *name);

/* Whether any scheme has that method, at that cost: see `has_method`. */
bool password_scheme_has_method(const char *method, unsigned long cost, struct reason *reason);

/* Whether such a password can match at all. False with a reason. */
bool password_scheme_admits(const struct password_scheme *scheme, struct bytes password,
                            struct reason *reason);

#endif
