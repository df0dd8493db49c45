/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_GREETING_H
#define SQLCRYPT_MYSQL_GREETING_H

/*
 * Reads what a MySQL or MariaDB server sends first, far enough to see whether
 * the session can be encrypted: "Protocol::HandshakeV10" of MySQL's
 * documentation.
 */

#include <stddef.h>

/* The longest useful greeting, in bytes up to the server's capabilities. */
enum { MYSQL_GREETING_MAX = 512 };

enum mysql_greeting {
    GREETING_UNFINISHED,  /* more is to come */
    GREETING_UNKNOWN,     /* nothing that a client library should be allowed to read */
    GREETING_REFUSAL,     /* an error */
    GREETING_WITHOUT_SSL, /* the server cannot encrypt */
    GREETING_WITH_SSL
};

/* Judges the `length` bytes that have arrived so far. */
enum mysql_greeting mysql_greeting_read(const unsigned char *bytes, size_t length);

#endif
