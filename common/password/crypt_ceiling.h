/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CRYPT_CEILING_H
#define SQLCRYPT_CRYPT_CEILING_H

/*
 * Limits how much work a hash of crypt(3) may ask for. The stored text itself
 * sets the rounds and the memory, and some values would keep a process busy for
 * days.
 */

enum crypt_fit {
    CRYPT_MALFORMED, /* the parameters cannot be read */
    CRYPT_TOO_MUCH,
    CRYPT_FITS
};

/* Judge what follows the prefix of a hash, or of the start of one, for each method. Some text
 * that fits is still not a hash: crypt(3) then says so without doing any work. For scrypt and
 * its relatives, the whole text is checked. */
enum crypt_fit crypt_ceiling_none(const char *text);
enum crypt_fit crypt_ceiling_bcrypt(const char *text);
enum crypt_fit crypt_ceiling_sha(const char *text);
enum crypt_fit crypt_ceiling_sha1(const char *text);
enum crypt_fit crypt_ceiling_sun_md5(const char *text);
enum crypt_fit crypt_ceiling_bsdi(const char *text);
enum crypt_fit crypt_ceiling_scrypt(const char *text);
enum crypt_fit crypt_ceiling_yescrypt(const char *text);

#endif
