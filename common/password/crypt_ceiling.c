/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/crypt_ceiling.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "password/crypt_number.h"

/*
 * The parameters are read as crypt(5) and libxcrypt write them, and nothing
 * else is accepted: libcrypt is more lenient in places (a sign, leading zeros,
 * numbers that overflow), and what it makes of such text is unpredictable.
 *
 * For scrypt and its relatives, the salt is read as well, as libxcrypt reads it. These methods
 * allocate memory, and a libcrypt that gets none fails with EINVAL, as for malformed text. Text
 * that passes here has no flaw that EINVAL could mean.
 *
 * In measurements, a hash at its ceiling took up to 3 seconds of one core of a server for a
 * short password. Methods of the SHA family hash the password again in every round: a password
 * of 511 bytes takes up to nine times as long.
 */

/* The most that a hash may ask for, in the unit of its method. */
enum {
    BCRYPT_COST = 15,
    SHA_ROUNDS = 5000000,
    BSDI_ROUNDS = 5000000,
    SHA1_ROUNDS = 2000000,
    SUN_MD5_ROUNDS = 2000000,
};

/* scrypt and its relatives: memory, and how many times it is traversed. */
#define SCRYPT_MEMORY ((uint64_t)256 << 20)
#define SCRYPT_BUFFERS ((uint64_t)16 << 20) /* in addition, for odd parameters */
#define SCRYPT_WORK ((uint64_t)1 << 30)

/* A decimal number without leading zeros, followed by `end`. */
static enum crypt_fit read_rounds(const char *text, char end, uint64_t ceiling)
{
    uint64_t rounds = 0;

    if (*text == '0')
        return CRYPT_MALFORMED;
    for (; isdigit((unsigned char)*text); text++)
        if (rounds <= ceiling) /* above it, the exact value does not matter */
            rounds = 10 * rounds + (uint64_t)(*text - '0');
    if (rounds == 0 || *text != end)
        return CRYPT_MALFORMED;
    return rounds <= ceiling ? CRYPT_FITS : CRYPT_TOO_MUCH;
}

/* --- methods */

enum crypt_fit crypt_ceiling_none(const char *text)
{
    (void)text;
    return CRYPT_FITS;
}

enum crypt_fit crypt_ceiling_bcrypt(const char *text)
{
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]) || text[2] != '$')
        return CRYPT_MALFORMED;
    return 10 * (text[0] - '0') + (text[1] - '0') <= BCRYPT_COST ? CRYPT_FITS : CRYPT_TOO_MUCH;
}

static const char rounds_word[] = "rounds=";

enum crypt_fit crypt_ceiling_sha(const char *text)
{
    const size_t length = strlen(rounds_word);

    if (strncmp(text, rounds_word, length) != 0)
        return CRYPT_FITS; /* 5000 */
    return read_rounds(text + length, '$', SHA_ROUNDS);
}

enum crypt_fit crypt_ceiling_sha1(const char *text)
{
    return text[0] == '$' ? read_rounds(text + 1, '$', SHA1_ROUNDS) : CRYPT_MALFORMED;
}

/* Old systems wrote the rounds after either character. */
enum crypt_fit crypt_ceiling_sun_md5(const char *text)
{
    const size_t length = strlen(rounds_word);

    if (text[0] != '$' && text[0] != ',')
        return CRYPT_MALFORMED;
    if (strncmp(text + 1, rounds_word, length) == 0)
        return read_rounds(text + 1 + length, '$', SUN_MD5_ROUNDS);
    return text[0] == '$' ? CRYPT_FITS : CRYPT_MALFORMED;
}

enum crypt_fit crypt_ceiling_bsdi(const char *text)
{
    uint64_t rounds;

    if (crypt_number_fixed(text, 4, &rounds) == NULL)
        return CRYPT_MALFORMED;
    return rounds <= BSDI_ROUNDS ? CRYPT_FITS : CRYPT_TOO_MUCH;
}

/* A table of 128 * r * 2^log2_n bytes is traversed p * (1 + t) times at most. */
struct scrypt {
    uint64_t flavour, log2_n, r, p, t;
};

/* Classic scrypt, "write once read many", and the one flavour of yescrypt proper
 * that libxcrypt has: the cost of others is unknown. */
enum { CLASSIC = 0, WRITE_ONCE = 1, YESCRYPT = 47 };

static enum crypt_fit weigh_scrypt(const struct scrypt *scrypt)
{
    const uint64_t block = 128, per_thread = 16384, most = SCRYPT_MEMORY / block;
    uint64_t table, rest;

    /* No single one may exceed it: from here on, nothing overflows. */
    if (scrypt->log2_n >= 64 || (uint64_t)1 << scrypt->log2_n > most || scrypt->r > most ||
        scrypt->p > most || scrypt->t > most)
        return CRYPT_TOO_MUCH;
    table = block * scrypt->r << scrypt->log2_n;
    rest = block * scrypt->r * (scrypt->p + 2) + per_thread * scrypt->p;
    if (table > SCRYPT_MEMORY || rest > SCRYPT_BUFFERS ||
        table * scrypt->p > SCRYPT_WORK / (1 + scrypt->t))
        return CRYPT_TOO_MUCH;
    return CRYPT_FITS;
}

/* What yescrypt_kdf() requires of parameters that are not too large. */
static bool is_scrypt_possible(const struct scrypt *scrypt)
{
    if (scrypt->log2_n < 2 || scrypt->r < 1 || scrypt->p < 1)
        return false;
    switch (scrypt->flavour) {
    case CLASSIC:
        return scrypt->t == 0;
    case WRITE_ONCE:
        return true;
    case YESCRYPT:
        return ((uint64_t)1 << scrypt->log2_n) / scrypt->p > 3;
    default:
        return false;
    }
}

static enum crypt_fit fit_parameters(const struct scrypt *scrypt)
{
    enum crypt_fit fit = weigh_scrypt(scrypt);

    return fit == CRYPT_FITS && !is_scrypt_possible(scrypt) ? CRYPT_MALFORMED : fit;
}

/* Any text in base 64 and "$"; what follows a "$" can be anything. */
static bool is_scrypt_salt(const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++)
        if (crypt_number_digit(text[i]) < 0 && text[i] != '$')
            return i > 0 && text[i - 1] == '$';
    return true;
}

enum crypt_fit crypt_ceiling_scrypt(const char *text)
{
    struct scrypt scrypt = {.flavour = CLASSIC};

    text = crypt_number_fixed(text, 1, &scrypt.log2_n);
    if (text != NULL)
        text = crypt_number_fixed(text, 5, &scrypt.r);
    if (text != NULL)
        text = crypt_number_fixed(text, 5, &scrypt.p);
    return text != NULL && is_scrypt_salt(text) ? fit_parameters(&scrypt) : CRYPT_MALFORMED;
}

/* Up to 64 bytes in base 64, three in each four digits, lowest bits first; leftover bits are
 * zero. The salt ends at the last "$", or at the end of the text if there is no hash. */
static bool is_yescrypt_salt(const char *text)
{
    enum { LONGEST = 64 };
    const char *end = strrchr(text, '$');
    const size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
    const size_t rest = length % 4;
    size_t i;

    for (i = 0; i < length; i++)
        if (crypt_number_digit(text[i]) < 0)
            return false;
    if (rest == 1 || length / 4 * 3 + (rest > 0 ? rest - 1 : 0) > LONGEST)
        return false;
    /* The last of two digits has four bits to spare, the last of three has two. */
    return rest == 0 || crypt_number_digit(text[length - 1]) >> (rest == 2 ? 2 : 4) == 0;
}

/* Flavour, N and r; then which of p, t, g and a ROM size follow, if any. No
 * libxcrypt has accepted the last two so far. */
enum crypt_fit crypt_ceiling_yescrypt(const char *text)
{
    enum { HAS_P = 1, HAS_T = 2 };
    struct scrypt scrypt = {.p = 1};
    uint64_t has = 0;

    text = crypt_number_yescrypt(text, 0, &scrypt.flavour);
    if (text != NULL)
        text = crypt_number_yescrypt(text, 1, &scrypt.log2_n);
    if (text != NULL)
        text = crypt_number_yescrypt(text, 1, &scrypt.r);
    if (text != NULL && *text != '$')
        text = crypt_number_yescrypt(text, 1, &has);
    if (text != NULL && (has & HAS_P) != 0)
        text = crypt_number_yescrypt(text, 2, &scrypt.p);
    if (text != NULL && (has & HAS_T) != 0)
        text = crypt_number_yescrypt(text, 1, &scrypt.t);
    if (text == NULL || *text != '$' || has > (HAS_P | HAS_T) || !is_yescrypt_salt(text + 1))
        return CRYPT_MALFORMED;
    return fit_parameters(&scrypt);
}
