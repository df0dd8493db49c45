/* SPDX-License-Identifier: BSD-3-Clause */

/* The MD5 digest (RFC 1321) of the password as 32 hexadecimal digits, which is
 * what MD5() of MySQL and md5() of PostgreSQL return. */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "password/password_scheme.h"

enum { SIZE = 16 };

/* Leaves nothing in libcrypto's error queue, which belongs to the program: SSL_read(3) on its
 * TLS connections would take it for an error of its own. */
static enum password_made make(struct bytes stored, struct bytes password, struct secret *out,
                               struct reason *reason)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool done;

    (void)stored, (void)reason;
    ERR_set_mark();
    done = EVP_Digest(password.start, password.length, digest, NULL, EVP_md5(), NULL) == 1;
    ERR_pop_to_mark();
    done = done && secret_set(out, (const char *)digest, SIZE);
    explicit_bzero(digest, sizeof(digest));
    return done ? PASSWORD_MADE : PASSWORD_NO_MEMORY;
}

/* A libcrypto that is restricted to FIPS methods has no MD5, and reports that with the same
 * result as lack of memory. If MD5 works at the start, a later failure is a lack of memory. */
static bool is_available(struct reason *reason)
{
    struct secret digest = SECRET_EMPTY;
    const bool done = make(BYTES_NONE, bytes_of("any password"), &digest, reason) == PASSWORD_MADE;

    if (!done)
        reason_set(reason, "password_format: md5: libcrypto makes no MD5 digest: it is restricted "
                           "to FIPS methods, or out of memory");
    secret_wipe(&digest);
    return done;
}

const struct password_scheme scheme_md5 = {
    .name = "md5",
    .strength = PASSWORD_WEAK,
    .longest = PASSWORD_MAX,
    .encoding = PASSWORD_IN_HEX,
    .size = SIZE,
    .description = "an MD5 digest of 32 hexadecimal digits",
    .is_available = is_available,
    .make = make,
    .sample = "00000000000000000000000000000000",
};
