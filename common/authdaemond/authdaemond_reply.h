/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_REPLY_H
#define SQLCRYPT_AUTHDAEMOND_REPLY_H

/*
 * Reads what Courier's authdaemond answers to a question: the line "FAIL", or
 * lines of NAME=value that end with the line ".".
 *
 * The first line decides which of the two it is. Values are not escaped, and
 * some of them, such as the full name, may be chosen by the user: a line break
 * in one makes lines of any kind. They can neither turn a no into a yes nor a
 * yes into a no. They could pose as options, though, or hide them: if options
 * matter, authdaemond_reply_options() accepts a reply only if it cannot be
 * misread.
 */

#include <stdbool.h>

#include "base/bytes.h"

/* The longest reply, in bytes. */
enum { AUTHDAEMOND_REPLY_MAX = 64 * 1024 };

enum authdaemond_reply {
    REPLY_UNFINISHED, /* more is to come */
    REPLY_MALFORMED,
    REPLY_FAIL,
    REPLY_ACCOUNT /* yes */
};

/* Judges what has arrived so far. Every result but REPLY_UNFINISHED is final, whatever arrives
 * later. */
enum authdaemond_reply authdaemond_reply_judge(struct bytes text);

/* Finds the options of an account in everything that the daemon sent before it
 * closed the connection, which must be judged REPLY_ACCOUNT. The options are
 * empty if the account has none.
 *
 * Returns false if the reply may not say what the daemon meant: one of its
 * lines is not an attribute, something follows the line ".", or OPTIONS is not
 * the last attribute. The daemon sends it last, after the password. */
bool authdaemond_reply_options(struct bytes text, struct bytes *options);

#endif
