/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STORED_TEXT_H
#define SQLCRYPT_STORED_TEXT_H

/*
 * What a column holds besides the stored password: the blanks of CHAR(n), the
 * NULs of BINARY(n), the line break of an import, the white space of a copy and
 * paste. Also what a stored value looks like, whichever scheme is expected.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* The text without white space at either end and NULs at the end: for
 * everything but passwords in clear text. */
struct bytes stored_text_trim(struct bytes stored);

/* The text without NULs at the end, which no password can have: for clear text,
 * where a blank may belong to the password. */
struct bytes stored_text_without_nuls(struct bytes stored);

/* How many of the first bytes are white space, in ASCII or UTF-8, in the widest
 * sense: no-break spaces and the byte order mark count, too. */
size_t stored_text_space(struct bytes text);

/* Whether no password can match: NULL, empty, or starting with the '!' or '*' that locks an
 * account, whatever padding is around it. */
bool stored_text_is_locked(struct bytes stored);

/* Whether the text is so clearly a hash, of any kind, that it cannot be meant as a password in
 * clear text: "$id$...", "{SCHEME}..." or a SCRAM verifier, with any padding around it. A hash
 * without such a mark, of DES or hexadecimal digits, looks like a password. */
bool stored_text_is_hash(struct bytes stored);

/* Whether it is what MySQL's PASSWORD() makes: '*' and 40 hexadecimal digits. */
bool stored_text_is_mysql_hash(struct bytes text);

/* Or its OLD_PASSWORD(): 16 hexadecimal digits, which may also be a password. */
bool stored_text_may_be_old_mysql_hash(struct bytes text);

#endif
