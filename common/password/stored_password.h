/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STORED_PASSWORD_H
#define SQLCRYPT_STORED_PASSWORD_H

/*
 * What a stored text is. It is read once, before a password is compared with it.
 */

#include "base/bytes.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/verdict.h"
#include "password/password_scheme.h"

/* A view of a text that its owner keeps. */
struct stored_password {
    const struct password_scheme *scheme;
    enum password_encoding encoding;
    struct bytes payload; /* without padding and prefix; contains no NUL */
};

enum stored_kind {
    STORED_UNREADABLE, /* the scheme cannot read it, with a reason */
    STORED_LOCKED,     /* NULL, an empty text, or a mark that locks the account, with a reason */
    STORED_PASSWORD
};

/* Reads what the database holds, expecting a text of `scheme`; BYTES_NONE is its NULL. Only
 * judging a password shows whether the scheme can make the payload. */
enum stored_kind stored_password_parse(struct stored_password *stored,
                                       const struct password_scheme *scheme, struct bytes text,
                                       struct reason *reason);

/* Judges a password that the scheme admits: VERDICT_MATCH; or with a reason
 * VERDICT_MISMATCH, VERDICT_UNUSABLE if the payload is not one of the scheme's,
 * or VERDICT_NO_MEMORY. */
enum verdict stored_password_judge(const struct stored_password *stored, struct bytes password,
                                   struct reason *reason);

/* Makes a new text for a password that the scheme admits and takes. False with a reason
 * when out of memory or random numbers. */
bool stored_password_make(const struct password_scheme *scheme, const char *method,
                          unsigned long cost, struct bytes password, struct secret *out,
                          struct reason *reason);

#endif
