/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_REPLY_H
#define SQLCRYPT_AUTHDAEMOND_REPLY_H

/*
 * Reads what Courier's authdaemond answers to a question: the line "FAIL", or
 * lines of NAME=value that end with the line ".".
 *
 * A yes must be whole and nothing else: whatever follows the last line, a NUL, or
 * a line of another kind makes the reply one that cannot be understood.
 */

#include <stdbool.h>
#include <stddef.h>

/* The longest reply, in bytes. */
enum { AUTHDAEMOND_REPLY_MAX = 64 * 1024 };

enum authdaemond_reply {
    REPLY_UNFINISHED, /* more has to come */
    REPLY_MALFORMED,
    REPLY_FAIL,
    REPLY_ACCOUNT /* yes */
};

/* Judges the `length` bytes that have come so far. Only when the daemon has
 * closed the connection, REPLY_FAIL and REPLY_ACCOUNT are final. */
enum authdaemond_reply authdaemond_reply_judge(const char *text, size_t length);

/* Finds the value of an attribute, such as "OPTIONS", in a reply that is
 * REPLY_ACCOUNT. Returns where it starts in `text`, and its length; NULL if the
 * account has no such attribute. */
const char *authdaemond_reply_attribute(const char *text, size_t length, const char *name,
                                        size_t *value_length);

#endif
