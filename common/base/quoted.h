/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_QUOTED_H
#define SQLCRYPT_QUOTED_H

/*
 * Quotes a name that a client has sent, so that a log line cannot show it as anything else.
 */

#include <stddef.h>

/* The longest part of a name that is shown, in bytes. */
enum { QUOTED_MAX = 64 };

struct quoted {
    char text[2 * QUOTED_MAX + sizeof("\"\"...")];
};

/* Writes the `length` bytes at `name` in double quotes, with a backslash before each quote and
 * backslash. A name that is too long is cut between two characters, and one with a NUL is cut
 * before the NUL (it may be the message of another mechanism, with a password); "..." then
 * follows the closing quote. Brackets become '?': fail2ban and others look for the address of a
 * client in them, and no one should be banned for a name that a stranger chose. reason.h
 * replaces control characters. */
void quoted_set(struct quoted *quoted, const char *name, size_t length);

#endif
