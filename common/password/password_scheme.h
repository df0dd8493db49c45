/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PASSWORD_SCHEME_H
#define SQLCRYPT_PASSWORD_SCHEME_H

/*
 * One way of storing passwords: how to judge a typed password against a
 * stored text, and how to make a new text. The table in password_scheme.c
 * lists all of them; each lives in a scheme_*.c of its own.
 *
 * A scheme does not know about locked accounts, unknown users or forbidden
 * passwords: password_policy.h stands in front of it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/verdict.h"

/* The longest password that any scheme takes, in bytes. */
#define PASSWORD_MAX 512

struct password_scheme {
    /* as `password_format` names it */
    const char *name;

    /* whether `stored` is the password itself, and other mechanisms may have it */
    bool clear_text;

    /* The longest password that can match, in bytes. */
    size_t longest;

    /* Whether this system can do it at all; if not, with a reason. NULL if that needs no
     * question. */
    bool (*is_available)(struct reason *reason);

    /* Judges `password` (not empty, no NUL inside, not too long, a NUL follows) against
     * `stored` (not empty, no NUL inside, a NUL follows, no padding unless it is clear text):
     * VERDICT_MATCH, VERDICT_MISMATCH, VERDICT_NO_MEMORY, or VERDICT_UNUSABLE
     * with a reason. */
    enum verdict (*judge)(struct bytes stored, struct bytes password, struct reason *reason);

    /* Whether a text that `method` makes stands for all of the password: the rest would not
     * count, and nobody would be told. False with a reason. NULL: it always does. */
    bool (*takes)(const char *method, struct bytes password, struct reason *reason);

    /* Puts a new text for `password` into `out`. `method` is a name from
     * `password_store_scheme`, or NULL for the best one; `cost` is in its unit, or 0 for
     * libcrypt's default. A scheme with one method ignores them. Returns false with a
     * reason when out of memory or random numbers. */
    bool (*store)(const char *method, unsigned long cost, struct bytes password, struct secret *out,
                  struct reason *reason);

    /* What to judge against, for the work alone. NULL if the cost is the stored text's
     * own choice. */
    const char *sample;

    /* For such a scheme: the start of a new text by `method` and `cost`, from
     * malloc(3); NULL with a reason if there is no such method or cost, or no memory. */
    char *(*new_setting)(const char *method, unsigned long cost, struct reason *reason);
};

extern const struct password_scheme scheme_plain;
extern const struct password_scheme scheme_crypt;
extern const struct password_scheme scheme_crypt_trad;
extern const struct password_scheme scheme_md5;

/* The scheme of that name, letter case ignored; NULL if there is none. */
const struct password_scheme *password_scheme_find(const char *name);

/* Whether `stored` is so surely a hash, of whatever kind, that it cannot be meant
 * as a password in clear text: "$id$...", "{SCHEME}..." or a SCRAM verifier,
 * whatever padding is around it. A hash without such a mark, of DES or hexadecimal
 * digits, looks like a password. */
bool password_scheme_is_hash(struct bytes stored);

#endif
