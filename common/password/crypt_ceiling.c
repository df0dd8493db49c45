/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/crypt_ceiling.h"

#include <crypt.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

/*
 * The parameters are read as crypt(5) and libxcrypt write them, and nothing else is
 * taken: libcrypt is more lenient in places (a sign, leading zeros, numbers that
 * overflow), and what it makes of such text is not to be guessed.
 *
 * Of scrypt and its kin, the salt is read as well, as libxcrypt reads it. They are the
 * methods that allocate memory, and a libcrypt that gets none says EINVAL, as it does of
 * malformed text. What passes here has no fault that it could mean.
 *
 * A hash at its ceiling was measured to take up to 3 seconds of one core of a server
 * if the password is short. Methods of the SHA family hash the password again in every
 * round: one of 511 bytes takes them up to nine times as long.
 */

enum fit { FIT_MALFORMED, FIT_TOO_MUCH, FIT };

/* Of the rows of one method: at most this, in its own unit. */
enum {
    BCRYPT_COST = 15,
    SHA_ROUNDS = 5000000,
    BSDI_ROUNDS = 5000000,
    SHA1_ROUNDS = 2000000,
    SUN_MD5_ROUNDS = 2000000,
};

/* scrypt and its kin: memory, and how often it is gone through. */
#define SCRYPT_MEMORY ((uint64_t)256 << 20)
#define SCRYPT_BUFFERS ((uint64_t)16 << 20) /* besides, for odd parameters */
#define SCRYPT_WORK ((uint64_t)1 << 30)

/* --- numbers */

/* A decimal number without leading zeros that `end` follows. */
static enum fit read_rounds(const char *text, char end, uint64_t ceiling)
{
    uint64_t rounds = 0;

    if (*text == '0')
        return FIT_MALFORMED;
    for (; isdigit((unsigned char)*text); text++)
        if (rounds <= ceiling) /* beyond it, how far does not matter */
            rounds = 10 * rounds + (uint64_t)(*text - '0');
    if (rounds == 0 || *text != end)
        return FIT_MALFORMED;
    return rounds <= ceiling ? FIT : FIT_TOO_MUCH;
}

/* One digit of the base 64 that crypt(3) has; -1 if it is none. */
static int digit_of(char character)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *found = character != '\0' ? strchr(digits, character) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* `count` digits, the lowest first. Returns what follows them; NULL if they are not
 * there. */
static const char *read_fixed(const char *text, unsigned count, uint64_t *value)
{
    unsigned i;

    *value = 0;
    for (i = 0; i < count; i++) {
        int digit = digit_of(*text++);

        if (digit < 0)
            return NULL;
        *value |= (uint64_t)digit << (6 * i);
    }
    return text;
}

/* A number of yescrypt, as above. The first digit says how many follow it: 0 to 47
 * stand for themselves, 48 to 55 have one more, 56 to 59 two, 60 and 61 three, 62
 * four, 63 five, the highest first; each length goes on counting where the one before
 * has ended, and the smallest number is `lowest`. */
static const char *read_yescrypt(const char *text, uint64_t lowest, uint64_t *value)
{
    static const int first[] = {0, 48, 56, 60, 62, 63, 64};
    int digit = digit_of(*text++);
    unsigned more = 0, i;

    if (digit < 0)
        return NULL;
    *value = lowest;
    for (; digit >= first[more + 1]; more++)
        *value += (uint64_t)(first[more + 1] - first[more]) << (6 * more);
    *value += (uint64_t)(digit - first[more]) << (6 * more);
    for (i = more; i > 0; i--) {
        digit = digit_of(*text++);
        if (digit < 0)
            return NULL;
        *value += (uint64_t)digit << (6 * (i - 1));
    }
    return text;
}

/* --- methods: `text` is what follows the prefix */

static enum fit without_cost(const char *text)
{
    (void)text;
    return FIT;
}

static enum fit fit_bcrypt(const char *text)
{
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]) || text[2] != '$')
        return FIT_MALFORMED;
    return 10 * (text[0] - '0') + (text[1] - '0') <= BCRYPT_COST ? FIT : FIT_TOO_MUCH;
}

static const char rounds_word[] = "rounds=";

static enum fit fit_sha(const char *text)
{
    const size_t length = strlen(rounds_word);

    if (strncmp(text, rounds_word, length) != 0)
        return FIT; /* 5000 */
    return read_rounds(text + length, '$', SHA_ROUNDS);
}

static enum fit fit_sha1(const char *text)
{
    return text[0] == '$' ? read_rounds(text + 1, '$', SHA1_ROUNDS) : FIT_MALFORMED;
}

/* Old systems have written the rounds behind either character. */
static enum fit fit_sun_md5(const char *text)
{
    const size_t length = strlen(rounds_word);

    if (text[0] != '$' && text[0] != ',')
        return FIT_MALFORMED;
    if (strncmp(text + 1, rounds_word, length) == 0)
        return read_rounds(text + 1 + length, '$', SUN_MD5_ROUNDS);
    return text[0] == '$' ? FIT : FIT_MALFORMED;
}

static enum fit fit_bsdi(const char *text)
{
    uint64_t rounds;

    if (read_fixed(text, 4, &rounds) == NULL)
        return FIT_MALFORMED;
    return rounds <= BSDI_ROUNDS ? FIT : FIT_TOO_MUCH;
}

/* A table of 128 * r * 2^log2_n bytes is gone through p * (1 + t) times at most. */
struct scrypt {
    uint64_t flavour, log2_n, r, p, t;
};

/* Classic scrypt, "write once read many", and the one flavour of yescrypt proper
 * that libxcrypt has: what others cost is not known. */
enum { CLASSIC = 0, WRITE_ONCE = 1, YESCRYPT = 47 };

static enum fit weigh_scrypt(const struct scrypt *scrypt)
{
    const uint64_t block = 128, per_thread = 16384, most = SCRYPT_MEMORY / block;
    uint64_t table, rest;

    /* None alone can be more: from here on, nothing overflows. */
    if (scrypt->log2_n >= 64 || (uint64_t)1 << scrypt->log2_n > most || scrypt->r > most ||
        scrypt->p > most || scrypt->t > most)
        return FIT_TOO_MUCH;
    table = block * scrypt->r << scrypt->log2_n;
    rest = block * scrypt->r * (scrypt->p + 2) + per_thread * scrypt->p;
    if (table > SCRYPT_MEMORY || rest > SCRYPT_BUFFERS ||
        table * scrypt->p > SCRYPT_WORK / (1 + scrypt->t))
        return FIT_TOO_MUCH;
    return FIT;
}

/* What yescrypt_kdf() asks of parameters that are not too large. */
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

static enum fit fit_parameters(const struct scrypt *scrypt)
{
    enum fit fit = weigh_scrypt(scrypt);

    return fit == FIT && !is_scrypt_possible(scrypt) ? FIT_MALFORMED : fit;
}

/* Any text in base 64 and "$"; what follows a "$" can be anything. */
static bool is_scrypt_salt(const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++)
        if (digit_of(text[i]) < 0 && text[i] != '$')
            return i > 0 && text[i - 1] == '$';
    return true;
}

static enum fit fit_scrypt(const char *text)
{
    struct scrypt scrypt = {.flavour = CLASSIC};

    text = read_fixed(text, 1, &scrypt.log2_n);
    if (text != NULL)
        text = read_fixed(text, 5, &scrypt.r);
    if (text != NULL)
        text = read_fixed(text, 5, &scrypt.p);
    return text != NULL && is_scrypt_salt(text) ? fit_parameters(&scrypt) : FIT_MALFORMED;
}

/* Up to 64 bytes in base 64, three in each four digits, the lowest bits first; bits that
 * are left over are zero. It ends at the last "$", or without a hash at the end. */
static bool is_yescrypt_salt(const char *text)
{
    enum { LONGEST = 64 };
    const char *end = strrchr(text, '$');
    const size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
    const size_t rest = length % 4;
    size_t i;

    for (i = 0; i < length; i++)
        if (digit_of(text[i]) < 0)
            return false;
    if (rest == 1 || length / 4 * 3 + (rest > 0 ? rest - 1 : 0) > LONGEST)
        return false;
    /* Of two or three digits, the last one has four bits or two to spare. */
    return rest == 0 || digit_of(text[length - 1]) >> (rest == 2 ? 2 : 4) == 0;
}

/* Flavour, N and r; then which of p, t, g and the size of a ROM are there, if any
 * is. No libxcrypt has yet taken the last two. */
static enum fit fit_yescrypt(const char *text)
{
    enum { HAS_P = 1, HAS_T = 2 };
    struct scrypt scrypt = {.p = 1};
    uint64_t has = 0;

    text = read_yescrypt(text, 0, &scrypt.flavour);
    if (text != NULL)
        text = read_yescrypt(text, 1, &scrypt.log2_n);
    if (text != NULL)
        text = read_yescrypt(text, 1, &scrypt.r);
    if (text != NULL && *text != '$')
        text = read_yescrypt(text, 1, &has);
    if (text != NULL && (has & HAS_P) != 0)
        text = read_yescrypt(text, 2, &scrypt.p);
    if (text != NULL && (has & HAS_T) != 0)
        text = read_yescrypt(text, 1, &scrypt.t);
    if (text == NULL || *text != '$' || has > (HAS_P | HAS_T) || !is_yescrypt_salt(text + 1))
        return FIT_MALFORMED;
    return fit_parameters(&scrypt);
}

static const struct method {
    const char *prefix;
    enum fit (*fit)(const char *text);
    const char *ceiling; /* for the log; NULL where there is no choice */
} methods[] = {
    {"$2a$", fit_bcrypt, "bcrypt: cost 15"},
    {"$2b$", fit_bcrypt, "bcrypt: cost 15"},
    {"$2x$", fit_bcrypt, "bcrypt: cost 15"},
    {"$2y$", fit_bcrypt, "bcrypt: cost 15"},
    {"$5$", fit_sha, "SHA-crypt: 5000000 rounds"},
    {"$6$", fit_sha, "SHA-crypt: 5000000 rounds"},
    {"$sm3$", fit_sha, "sm3crypt: 5000000 rounds"},
    {"$y$", fit_yescrypt, "yescrypt: 256 MiB, and 1 GiB in all passes"},
    {"$gy$", fit_yescrypt, "gost-yescrypt: 256 MiB, and 1 GiB in all passes"},
    {"$sm3y$", fit_yescrypt, "sm3-yescrypt: 256 MiB, and 1 GiB in all passes"},
    {"$7$", fit_scrypt, "scrypt: 256 MiB, and 1 GiB in all passes"},
    {"$sha1", fit_sha1, "sha1crypt: 2000000 rounds"},
    {"$md5", fit_sun_md5, "SunMD5: 2000000 rounds"},
    {"_", fit_bsdi, "BSDi: 5000000 rounds"},
    {"$1$", without_cost, NULL},
    {"$3$", without_cost, NULL},
};

/* DES has no prefix, but a salt. */
static const struct method des = {"", without_cost, NULL};

static const struct method *find_method(const char *setting)
{
    size_t i;

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strncmp(setting, methods[i].prefix, strlen(methods[i].prefix)) == 0)
            return &methods[i];
    return digit_of(setting[0]) >= 0 && digit_of(setting[1]) >= 0 ? &des : NULL;
}

static bool allocates(const struct method *method)
{
    return method->fit == fit_scrypt || method->fit == fit_yescrypt;
}

/* The hash, and the "$" before it, have to fit behind what is there of the setting,
 * even if it has them already. */
static bool is_room_left(const char *setting)
{
    enum { HASH = 43 };

    return strlen(setting) + 1 + HASH < CRYPT_OUTPUT_SIZE;
}

/* A method that a later libcrypt may have is refused until its cost can be read
 * here: a ceiling that new methods pass by is none, and a row that is refused is one
 * user and a line in the log, while a row without a ceiling is everybody's mail. */
bool crypt_ceiling_allows(const char *setting, struct reason *reason)
{
    const struct method *method = find_method(setting);

    if (method == NULL) {
        reason_set(reason, "the stored value is not a hash of a crypt(3) method known here");
        return false;
    }
    switch (method->fit(setting + strlen(method->prefix))) {
    case FIT:
        if (!allocates(method) || is_room_left(setting))
            return true;
        reason_set(reason, "the stored hash is too long");
        break;
    case FIT_TOO_MUCH:
        reason_set(reason, "the stored hash costs more than is allowed (%s)", method->ceiling);
        break;
    case FIT_MALFORMED:
        reason_set(reason, "the stored hash is truncated or malformed");
        break;
    }
    return false;
}

bool crypt_ceiling_needs_memory(const char *setting)
{
    const struct method *method = find_method(setting);

    return method != NULL && allocates(method);
}
