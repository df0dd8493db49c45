/* SPDX-License-Identifier: BSD-3-Clause */

/* The MD5 digest (RFC 1321) of the password as 32 hexadecimal digits, which is
 * what MD5() of MySQL and md5() of PostgreSQL return. */

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "password/password_scheme.h"

enum { HEX_LENGTH = 32 };

/* Writes lower-case digits and a NUL. Leaves nothing in libcrypto's queue of errors, which
 * belongs to the program: SSL_read(3) of its TLS connections would stumble over it. */
static bool digest(struct bytes password, char hex[HEX_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char binary[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    unsigned i;
    bool done;

    ERR_set_mark();
    done = EVP_Digest(password.start, password.length, binary, &length, EVP_md5(), NULL) == 1;
    ERR_pop_to_mark();
    for (i = 0; i < length && i < HEX_LENGTH / 2; i++) {
        hex[2 * i] = digits[binary[i] >> 4];
        hex[2 * i + 1] = digits[binary[i] & 15];
    }
    hex[HEX_LENGTH] = '\0';
    explicit_bzero(binary, sizeof(binary));
    return done;
}

/* A libcrypto that is restricted to FIPS methods has no MD5, and says so by the same
 * result as it reports lack of memory. Where there is MD5 at the start, it is memory that
 * is missing later. */
static bool is_available(struct reason *reason)
{
    char hex[HEX_LENGTH + 1];
    bool done = digest(bytes_of("any password"), hex);

    if (!done)
        reason_set(reason, "password_format: md5: libcrypto makes no MD5 digest: it is restricted "
                           "to FIPS methods, or out of memory");
    return done;
}

static enum verdict judge(struct bytes stored, struct bytes password, struct reason *reason)
{
    char expected[HEX_LENGTH + 1] = "", computed[HEX_LENGTH + 1] = "";
    enum verdict verdict = VERDICT_UNUSABLE;
    size_t i;

    if (stored.length != HEX_LENGTH ||
        strspn(stored.start, "0123456789abcdefABCDEF") != HEX_LENGTH) {
        reason_set(reason, "the stored value is not an MD5 digest of 32 hexadecimal digits");
    } else if (!digest(password, computed)) {
        reason_no_memory(reason);
        verdict = VERDICT_NO_MEMORY;
    } else {
        for (i = 0; i < HEX_LENGTH; i++)
            expected[i] = (char)tolower((unsigned char)stored.start[i]);
        verdict =
            secret_equal(bytes_of(expected), bytes_of(computed)) ? VERDICT_MATCH : VERDICT_MISMATCH;
    }
    explicit_bzero(expected, sizeof(expected));
    explicit_bzero(computed, sizeof(computed));
    return verdict;
}

static bool store(const char *method, unsigned long cost, struct bytes password, struct secret *out,
                  struct reason *reason)
{
    char hex[HEX_LENGTH + 1];
    bool done = digest(password, hex) && secret_set(out, hex, HEX_LENGTH);

    (void)method, (void)cost;
    if (!done)
        reason_no_memory(reason);
    explicit_bzero(hex, sizeof(hex));
    return done;
}

const struct password_scheme scheme_md5 = {
    .name = "md5",
    .longest = PASSWORD_MAX,
    .is_available = is_available,
    .judge = judge,
    .store = store,
    .sample = "00000000000000000000000000000000",
};
