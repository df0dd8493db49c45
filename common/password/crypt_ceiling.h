/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CRYPT_CEILING_H
#define SQLCRYPT_CRYPT_CEILING_H

/*
 * How much work a hash of crypt(3) may ask for. Rounds and memory are the stored
 * text's own choice, and some can be written that keep a process busy for days.
 */

enum crypt_fit {
    CRYPT_MALFORMED, /* the parameters cannot be read */
    CRYPT_TOO_MUCH,
    CRYPT_FITS
};

/* What follows the prefix of a hash, or of the start of one, by its method. Some text that
 * fits is no hash all the same: crypt(3) then says so without any work. But of scrypt and
 * its kin, all of the text is read. */
enum crypt_fit crypt_ceiling_none(const char *text);
enum crypt_fit crypt_ceiling_bcrypt(const char *text);
enum crypt_fit crypt_ceiling_sha(const char *text);
enum crypt_fit crypt_ceiling_sha1(const char *text);
enum crypt_fit crypt_ceiling_sun_md5(const char *text);
enum crypt_fit crypt_ceiling_bsdi(const char *text);
enum crypt_fit crypt_ceiling_scrypt(const char *text);
enum crypt_fit crypt_ceiling_yescrypt(const char *text);

#endif
