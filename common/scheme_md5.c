/* SPDX-License-Identifier: BSD-3-Clause */

/* The MD5 digest (RFC 1321) of the password as 32 hexadecimal digits, which is
 * what MD5() of MySQL and md5() of PostgreSQL return. */

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#include "password_scheme.h"

enum { HEX_LENGTH = 32 };

/* Writes lower-case digits and a NUL. Fails where libcrypto refuses MD5. */
static bool digest(const struct secret *password, char hex[HEX_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char binary[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    unsigned i;
    bool done =
        EVP_Digest(password->bytes, password->length, binary, &length, EVP_md5(), NULL) == 1;

    for (i = 0; i < length && i < HEX_LENGTH / 2; i++) {
        hex[2 * i] = digits[binary[i] >> 4];
        hex[2 * i + 1] = digits[binary[i] & 15];
    }
    hex[HEX_LENGTH] = '\0';
    explicit_bzero(binary, sizeof(binary));
    return done;
}

static enum verdict judge(const struct secret *stored, const struct secret *password,
                          struct reason *reason)
{
    char expected[HEX_LENGTH + 1] = "", computed[HEX_LENGTH + 1] = "";
    enum verdict verdict = VERDICT_UNUSABLE;
    size_t i;

    if (stored->length != HEX_LENGTH ||
        strspn(stored->bytes, "0123456789abcdefABCDEF") != HEX_LENGTH) {
        reason_set(reason, "the stored value is not an MD5 digest of 32 hexadecimal digits");
    } else if (!digest(password, computed)) {
        reason_set(reason, "libcrypto of this system refuses MD5");
        verdict = VERDICT_UNAVAILABLE;
    } else {
        for (i = 0; i < HEX_LENGTH; i++)
            expected[i] = (char)tolower((unsigned char)stored->bytes[i]);
        verdict = secret_equal(expected, HEX_LENGTH, computed, HEX_LENGTH) ? VERDICT_MATCH
                                                                           : VERDICT_MISMATCH;
    }
    explicit_bzero(expected, sizeof(expected));
    explicit_bzero(computed, sizeof(computed));
    return verdict;
}

static bool store(const char *method, const struct secret *password, struct secret *out,
                  struct reason *reason)
{
    char hex[HEX_LENGTH + 1];
    bool done = digest(password, hex);

    (void)method;
    if (!done)
        reason_set(reason, "libcrypto of this system refuses MD5");
    else if (!(done = secret_set(out, hex, HEX_LENGTH)))
        reason_set(reason, "out of memory");
    explicit_bzero(hex, sizeof(hex));
    return done;
}

const struct password_scheme scheme_md5 = {
    .name = "md5",
    .longest = PASSWORD_MAX,
    .judge = judge,
    .store = store,
    .sample = "00000000000000000000000000000000",
};
