/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_VERDICT_H
#define SQLCRYPT_VERDICT_H

/*
 * The result of one password check. Zero never means yes.
 */

enum verdict {
    VERDICT_UNAVAILABLE, /* no answer now: the client should try again */
    VERDICT_NO_MEMORY,   /* likewise, out of memory */
    VERDICT_MALFORMED,   /* what the client sent cannot belong to any user */
    VERDICT_LOCKED,      /* NULL, an empty text or a mark that locks the account is stored */
    VERDICT_UNUSABLE,    /* a value is stored that the scheme cannot read */
    VERDICT_MISMATCH,    /* the password is wrong */
    VERDICT_NO_USER,     /* there is no such user: another source may have one */
    VERDICT_MATCH        /* the password is right */
};

#endif
