/* SPDX-License-Identifier: BSD-3-Clause */

/* Any text as a setting of crypt(3): one that is allowed costs no more than its
 * ceiling, even if it is read as leniently as libcrypt reads it, and in floating
 * point, where nothing overflows. For a method that allocates memory, exactly what is allowed is
 * what libcrypt makes a hash of. */

#include "fuzz/fuzz_target.h"

#include <crypt.h>
#include <math.h>
#include <string.h>

#include "password/crypt_method.h"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("$2b$15$abcdefghijklmnopqrstuu"),
    FUZZ_TEXT("$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"),
    FUZZ_TEXT("$5$rounds=5000000$saltstring$"),
    FUZZ_TEXT("$6$rounds=1400$anotherlongsalts$"),
    FUZZ_TEXT("$6$saltstring$"),
    FUZZ_TEXT("$sha1$2000000$iVdJqfSE$"),
    FUZZ_TEXT("$md5,rounds=2000000$GUBv0xjJ$$"),
    FUZZ_TEXT("$md5$rounds=904$GUBv0xjJ$$"),
    FUZZ_TEXT("_.h2HAEpB"),
    FUZZ_TEXT("$7$EU..../....SodiumChloride"),
    FUZZ_TEXT("$7$C6....E....SodiumChloride"),
    FUZZ_TEXT("$y$jDT$LdJMENpBABJJ3hIHjB1B"),
    FUZZ_TEXT("$y$j550./$LdJMENpBABJJ3hIHjB1B"),
    FUZZ_TEXT("$y$/DT/0$LdJMENpBABJJ3hIHjB1B"),
    FUZZ_TEXT("$gy$j9T5D$LdJMENpBABJJ3hIHjB1B"),
    FUZZ_TEXT("$y$j//$LdJMENpBABJJ3hIHjB1B"),
    FUZZ_TEXT("$y$j/..0$LdJMENpBABJJ3hIHjB/$"),
    FUZZ_TEXT("$y$.//$$"),
    FUZZ_TEXT("$y$///.1$Ld.$LdJMENpBAB"),
    FUZZ_TEXT("$gy$j.//.$LdJMENpBABJJ3hIHjB1BLdJMENpBABJJ3hIHjB1BLdJMENpBABJJ3hIHjB1BLdJMENpBAB"
              "JJ3hIHjB1B"),
    FUZZ_TEXT("$7$0/..../....SodiumChloride$x"),
    FUZZ_TEXT("$7$0/..../....Salt$-$"),
    FUZZ_TEXT("$1$saltsalt$"),
    FUZZ_TEXT("abhqWgdm30m6k"),
    {NULL, 0},
};

const struct fuzz_text fuzz_words[] = {
    FUZZ_TEXT("$2y$"),       FUZZ_TEXT("$6$"),
    FUZZ_TEXT("$sha1$"),     FUZZ_TEXT("$md5"),
    FUZZ_TEXT("$7$"),        FUZZ_TEXT("$y$j"),
    FUZZ_TEXT("$gy$"),       FUZZ_TEXT("rounds="),
    FUZZ_TEXT("$"),          FUZZ_TEXT(","),
    FUZZ_TEXT("0"),          FUZZ_TEXT("9"),
    FUZZ_TEXT("-1"),         FUZZ_TEXT("+"),
    FUZZ_TEXT("4294967295"), FUZZ_TEXT("18446744073709551617"),
    FUZZ_TEXT("z"),          FUZZ_TEXT("zzzzz"),
    FUZZ_TEXT("."),          FUZZ_TEXT("/"),
    FUZZ_TEXT("_"),          {NULL, 0},
};

/* Like strtoul(3): with leading blanks, signs and zeros. */
static double lenient_number(const char *text)
{
    return (double)strtoul(text, NULL, 10);
}

static double lenient_rounds(const char *text)
{
    return strncmp(text, "rounds=", 7) == 0 ? lenient_number(text + 7) : 0;
}

/* A digit of base 64; anything else counts as the highest. */
static unsigned digit(const char **text)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *found = **text != '\0' ? strchr(digits, **text) : NULL;

    if (**text != '\0')
        (*text)++;
    return found != NULL ? (unsigned)(found - digits) : 63;
}

static double little_endian(const char **text, int count)
{
    double value = 0;
    int i;

    for (i = 0; i < count; i++)
        value += ldexp(digit(text), 6 * i);
    return value;
}

/* Each length of a number starts where the previous one ended. */
static double big_endian(const char **text)
{
    static const unsigned starts[] = {0, 48, 56, 60, 62, 63, 64};
    unsigned first = digit(text), more = 0;
    double value = 0, base = 0;
    unsigned i;

    while (first >= starts[more + 1]) {
        base += ldexp(starts[more + 1] - starts[more], 6 * (int)more);
        more++;
    }
    value = first - starts[more];
    for (i = 0; i < more; i++)
        value = 64 * value + digit(text);
    return base + value;
}

static double share_of_scrypt(double log2_n, double r, double p, double t)
{
    double table = 128 * r * pow(2, log2_n);
    double memory = table + 128 * r * (p + 2) + 16384 * p;

    return fmax(memory / ((256 + 16) * 1048576.0), table * p * (1 + t) / 1073741824.0);
}

static double share_of_yescrypt(const char *text)
{
    double log2_n, r, p = 1, t = 0;
    unsigned has = 0;

    big_endian(&text);
    log2_n = 1 + big_endian(&text);
    r = 1 + big_endian(&text);
    if (*text != '$')
        has = 1 + (unsigned)big_endian(&text);
    if ((has & 1) != 0)
        p = 2 + big_endian(&text);
    if ((has & 2) != 0)
        t = 1 + big_endian(&text);
    return share_of_scrypt(log2_n, r, p, t);
}

/* How much of its ceiling the setting asks for; negative if unknown. */
static double share(const char *text)
{
    double log2_n, r;

    if (strncmp(text, "$2", 2) == 0 && strlen(text) > 6)
        return lenient_number(text + 4) / 15;
    if (strncmp(text, "$5$", 3) == 0 || strncmp(text, "$6$", 3) == 0)
        return lenient_rounds(text + 3) / 5e6;
    if (strncmp(text, "$sm3$", 5) == 0)
        return lenient_rounds(text + 5) / 5e6;
    if (strncmp(text, "$sha1$", 6) == 0)
        return lenient_number(text + 6) / 2e6;
    if (strncmp(text, "$md5", 4) == 0 && text[4] != '\0')
        return lenient_rounds(text + 5) / 2e6;
    if (text[0] == '_' && text++ != NULL)
        return little_endian(&text, 4) / 5e6;
    if (strncmp(text, "$y$", 3) == 0)
        return share_of_yescrypt(text + 3);
    if (strncmp(text, "$gy$", 4) == 0)
        return share_of_yescrypt(text + 4);
    if (strncmp(text, "$sm3y$", 6) == 0)
        return share_of_yescrypt(text + 6);
    if (strncmp(text, "$7$", 3) == 0) {
        text += 3;
        log2_n = little_endian(&text, 1);
        r = little_endian(&text, 5);
        return share_of_scrypt(log2_n, r, little_endian(&text, 5), 0);
    }
    return strncmp(text, "$1$", 3) == 0 || strncmp(text, "$3$", 3) == 0 || text[0] != '$' ? 0 : -1;
}

/* Cheap enough to try. */
static bool is_cheap(const char *text)
{
    return share(text) >= 0 && share(text) < 1e-4;
}

static bool libcrypt_takes(const char *text)
{
    static struct crypt_data scratch;
    const char *result = crypt_r("x", text, &scratch);

    return result != NULL && result[0] != '*';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct reason reason = {""};

    FUZZ_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (crypt_method_needs_memory(text) && crypt_checksalt(text) != CRYPT_SALT_INVALID &&
        is_cheap(text))
        FUZZ_ASSERT(crypt_method_allows(text, &reason) == libcrypt_takes(text));
    if (crypt_method_allows(text, &reason)) {
        FUZZ_ASSERT(share(text) >= 0);
        FUZZ_ASSERT(share(text) <= 1);
    } else {
        FUZZ_ASSERT(reason.text[0] != '\0');
        /* Text that libcrypt would accept is refused only for its cost or its form. Before
         * 4.4.22, libxcrypt would accept the empty text. */
        FUZZ_ASSERT(text[0] == '\0' || crypt_checksalt(text) == CRYPT_SALT_INVALID ||
                    strstr(reason.text, "known here") == NULL);
    }
    free(text);
    return 0;
}
