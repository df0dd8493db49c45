/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_VERDICT_H
#define SQLCRYPT_VERDICT_H

/*
 * What became of one check of a password. Zero never means yes.
 */

enum verdict {
    VERDICT_UNAVAILABLE, /* nobody can tell now: the client should try again */
    VERDICT_NO_MEMORY,   /* likewise, for lack of memory */
    VERDICT_MALFORMED,   /* what the client sent cannot belong to any user */
    VERDICT_LOCKED,      /* NULL, nothing, or a mark that locks the account is stored */
    VERDICT_UNUSABLE,    /* a value is stored that the scheme cannot read */
    VERDICT_MISMATCH,    /* the password is wrong */
    VERDICT_NO_USER,     /* there is no such user: anybody else may know more */
    VERDICT_MATCH        /* the password is right */
};

#endif
