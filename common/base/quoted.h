/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_QUOTED_H
#define SQLCRYPT_QUOTED_H

/*
 * Puts a name that a client has sent in quotes, for a line of the log in which it must
 * not pass for anything else.
 */

#include <stddef.h>

/* The longest part of a name that is shown, in bytes. */
enum { QUOTED_MAX = 64 };

struct quoted {
    char text[2 * QUOTED_MAX + sizeof("\"\"...")];
};

/* Writes the `length` bytes at `name` in double quotes, each quote and backslash behind
 * a backslash. A longer name is cut between two characters, one with a NUL before that
 * (it may be the message of another mechanism, with a password), and "..." follows the
 * closing quote. Brackets become '?': fail2ban and others look for the address of a
 * client in them, and nobody is to be banned for what a stranger calls himself.
 * Control characters are left to reason.h. */
void quoted_set(struct quoted *quoted, const char *name, size_t length);

#endif
