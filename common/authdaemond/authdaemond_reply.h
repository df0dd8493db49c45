/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_REPLY_H
#define SQLCRYPT_AUTHDAEMOND_REPLY_H

/*
 * Reads what Courier's authdaemond answers to a question: the line "FAIL", or
 * lines of NAME=value that end with the line ".".
 *
 * The first line decides which of them it is. Values are not escaped, and some of
 * them, such as the full name, may be the user's own: a line break in one makes
 * lines of any kind, which can neither turn a no into a yes nor a yes into a no.
 * They could pretend to be options, though, or hide them: where options matter,
 * authdaemond_reply_options() takes a reply only if it cannot be misread.
 */

#include <stdbool.h>

#include "base/bytes.h"

/* The longest reply, in bytes. */
enum { AUTHDAEMOND_REPLY_MAX = 64 * 1024 };

enum authdaemond_reply {
    REPLY_UNFINISHED, /* more has to come */
    REPLY_MALFORMED,
    REPLY_FAIL,
    REPLY_ACCOUNT /* yes */
};

/* Judges what has come so far. All but REPLY_UNFINISHED is final, whatever comes after
 * it. */
enum authdaemond_reply authdaemond_reply_judge(struct bytes text);

/* Finds the options of an account in all that the daemon has sent before it closed
 * the connection, which is REPLY_ACCOUNT. They are empty if it has none.
 *
 * Returns false if the reply may not say what the daemon meant: one of its lines is
 * no attribute, something follows the line ".", or OPTIONS is not the last
 * attribute. The daemon sends it last, after the password. */
bool authdaemond_reply_options(struct bytes text, struct bytes *options);

#endif
