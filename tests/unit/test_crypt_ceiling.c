/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/crypt_method.h"

#include <crypt.h>

#include "support/unit.h"

#define NOT_READ "truncated or malformed"
#define UNKNOWN "not a hash of a crypt(3) method known here"
#define TOO_MUCH "exceeds the cost limit"
#define BCRYPT_SALT "abcdefghijklmnopqrstuu"
#define SALT_21 "LdJMENpBABJJ3hIHjB1BLdJMENpB"
#define SALT_63 SALT_21 SALT_21 SALT_21

static const struct setting {
    const char *name;
    const char *setting;
    const char *want_reason; /* NULL: it is allowed */
} settings[] = {
    {"bcrypt, least", "$2b$04$" BCRYPT_SALT, NULL},
    {"bcrypt, at the ceiling", "$2b$15$" BCRYPT_SALT, NULL},
    {"bcrypt, over it", "$2b$16$" BCRYPT_SALT, "(bcrypt: cost 15)"},
    {"bcrypt, most", "$2y$31$" BCRYPT_SALT, TOO_MUCH},
    {"bcrypt 2a, over it", "$2a$16$" BCRYPT_SALT, TOO_MUCH},
    {"bcrypt 2x, over it", "$2x$16$" BCRYPT_SALT, TOO_MUCH},
    {"bcrypt, more than it has", "$2y$99$" BCRYPT_SALT, TOO_MUCH},
    {"bcrypt, three digits", "$2b$004$" BCRYPT_SALT, NOT_READ},
    {"bcrypt, one digit", "$2b$4$" BCRYPT_SALT, NOT_READ},
    {"bcrypt, digits that follow 9", "$2b$0:$" BCRYPT_SALT, NOT_READ},
    {"bcrypt, no cost", "$2b$", NOT_READ},
    {"bcrypt, half a cost", "$2b$1", NOT_READ},
    {"bcrypt, without a letter", "$2$04$" BCRYPT_SALT, UNKNOWN},

    {"SHA-256, default", "$5$salt", NULL},
    {"SHA-512, default", "$6$salt$", NULL},
    {"SHA-512, at the ceiling", "$6$rounds=5000000$salt$", NULL},
    {"SHA-512, over it", "$6$rounds=5000001$salt$", "(SHA-crypt: 5000000 rounds)"},
    {"SHA-256, over it", "$5$rounds=5000001$salt$", TOO_MUCH},
    {"SHA-512, most", "$6$rounds=999999999$salt$", TOO_MUCH},
    {"SHA-512, 2^32 + 1000", "$6$rounds=4294968296$salt$", TOO_MUCH},
    {"SHA-512, 2^64 + 1000", "$6$rounds=18446744073709552616$salt$", TOO_MUCH},
    {"SHA-512, a hundred digits",
     "$6$rounds=1000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000$salt",
     TOO_MUCH},
    {"SHA-512, leading zero", "$6$rounds=05000$salt$", NOT_READ},
    {"SHA-512, sign", "$6$rounds=+5000$salt$", NOT_READ},
    {"SHA-512, negative", "$6$rounds=-1$salt$", NOT_READ},
    {"SHA-512, no number", "$6$rounds=$salt$", NOT_READ},
    {"SHA-512, number without an end", "$6$rounds=5000", NOT_READ},
    {"SHA-512, hexadecimal", "$6$rounds=0x1000$salt$", NOT_READ},
    {"SHA-512, blank in front", "$6$rounds= 5000$salt$", NOT_READ},
    {"SHA-512, letter case", "$6$Rounds=999999999$salt$", NULL}, /* a salt */
    {"sm3crypt, at the ceiling", "$sm3$rounds=5000000$salt$", NULL},
    {"sm3crypt, over it", "$sm3$rounds=5000001$salt$", TOO_MUCH},

    {"SHA-1, at the ceiling", "$sha1$2000000$salt$", NULL},
    {"SHA-1, over it", "$sha1$2000001$salt$", "(sha1crypt: 2000000 rounds)"},
    {"SHA-1, 2^64", "$sha1$18446744073709551616$salt$", TOO_MUCH},
    {"SHA-1, negative", "$sha1$-1$salt$", NOT_READ},
    {"SHA-1, leading zero", "$sha1$0480$salt$", NOT_READ},
    {"SHA-1, no rounds", "$sha1$$salt$", NOT_READ},
    {"SHA-1, letters", "$sha1$abc$salt$", NOT_READ},
    {"SHA-1, more behind the name", "$sha1x$480$salt$", NOT_READ},

    {"Sun MD5, default", "$md5$salt$", NULL},
    {"Sun MD5, at the ceiling", "$md5,rounds=2000000$salt$", NULL},
    {"Sun MD5, over it", "$md5,rounds=2000001$salt$", "(SunMD5: 2000000 rounds)"},
    {"Sun MD5, over it behind the other sign", "$md5$rounds=2000001$salt$", TOO_MUCH},
    {"Sun MD5, 2^32 - 1", "$md5,rounds=4294967295$salt$", TOO_MUCH},
    {"Sun MD5, leading zero", "$md5,rounds=0904$salt$", NOT_READ},
    {"Sun MD5, comma without rounds", "$md5,salt$", NOT_READ},
    {"Sun MD5, more behind the name", "$md5x$salt$", NOT_READ},

    {"BSDi, least", "_....salt", NULL},
    {"BSDi, at the ceiling", "_.h2Hsalt", NULL}, /* 5000000 */
    {"BSDi, over it", "_/h2Hsalt", "(BSDi: 5000000 rounds)"},
    {"BSDi, most", "_zzzzsalt", TOO_MUCH},
    {"BSDi, no rounds", "_", NOT_READ},
    {"BSDi, three digits", "_zzz", NOT_READ},
    {"BSDi, not a digit", "_zz-zsalt", NOT_READ},

    {"scrypt, 256 MiB", "$7$EU..../....SodiumChloride", NULL},
    {"scrypt, 512 MiB by N", "$7$FU..../....SodiumChloride", "(scrypt: 256 MiB"},
    {"scrypt, 264 MiB by r", "$7$EV..../....SodiumChloride", TOO_MUCH},
    {"scrypt, 1 GiB in four passes", "$7$EU....2....SodiumChloride", NULL},
    {"scrypt, five passes", "$7$EU....3....SodiumChloride", TOO_MUCH},
    {"scrypt, small in many passes", "$7$C6....E....SodiumChloride", NULL},
    {"scrypt, small table, 2^29 passes", "$7$0/........U", TOO_MUCH},
    {"scrypt, buffers larger than the table", "$7$0..U../....SodiumChloride", TOO_MUCH},
    {"scrypt, most by N", "$7$z/..../....SodiumChloride", TOO_MUCH},
    {"scrypt, most by r", "$7$0zzzzz/....SodiumChloride", TOO_MUCH},
    {"scrypt, most of all", "$7$zzzzzzzzzzzSodiumChloride", TOO_MUCH},
    {"scrypt, no parameters", "$7$", NOT_READ},
    {"scrypt, cut off", "$7$EU....", NOT_READ},
    {"scrypt, not a digit", "$7$EU..-./....SodiumChloride", NOT_READ},

    {"yescrypt, default", "$y$j9T$LdJMENpBABJJ3hIHjB1B", NULL},
    {"yescrypt, 256 MiB", "$y$jDT$LdJMENpBABJJ3hIHjB1B", NULL},
    {"yescrypt, 512 MiB by N", "$y$jET$LdJMENpBABJJ3hIHjB1B", "(yescrypt: 256 MiB"},
    {"yescrypt, 264 MiB by r", "$y$jDU$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, t of 3", "$y$jDT/0$LdJMENpBABJJ3hIHjB1B", NULL},
    {"yescrypt, t of 4", "$y$jDT/1$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, p of 4", "$y$jDT.0$LdJMENpBABJJ3hIHjB1B", NULL},
    {"yescrypt, p of 5", "$y$jDT.1$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, p of 2 and t of 1", "$y$jDT0..$LdJMENpBABJJ3hIHjB1B", NULL},
    {"yescrypt, p of 2 and t of 2", "$y$jDT0./$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, t of 10^9", "$y$j55/zuYcTD$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, r of 10^9", "$y$j5zuYcTD$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, p of 10^9", "$y$j55.zuYcTC$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, N of 2^63", "$y$jkC.$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, hash upgrades", "$y$j9T1.$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, a ROM", "$y$j9T5D$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, classic scrypt", "$y$.DT$LdJMENpBABJJ3hIHjB1B", NULL},
    {"yescrypt, classic scrypt of 512 MiB", "$y$.ET$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, write once, t of 4", "$y$/DT/1$LdJMENpBABJJ3hIHjB1B", TOO_MUCH},
    {"yescrypt, flavour before the known one", "$y$i9T$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, flavour after it", "$y$k.9T$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, last flavour", "$y$nF9T$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, no parameters", "$y$", NOT_READ},
    {"yescrypt, flavour alone", "$y$j", NOT_READ},
    {"yescrypt, without r", "$y$j9$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, without the end of a number", "$y$jz", NOT_READ},
    {"yescrypt, without a salt", "$y$j9T", NOT_READ},
    {"yescrypt, more parameters than are announced", "$y$j9T/00$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"gost-yescrypt, 256 MiB", "$gy$jDT$LdJMENpBABJJ3hIHjB1B", NULL},
    {"gost-yescrypt, 512 MiB", "$gy$jET$LdJMENpBABJJ3hIHjB1B", "(gost-yescrypt: 256 MiB"},
    {"sm3-yescrypt, 512 MiB", "$sm3y$jET$LdJMENpBABJJ3hIHjB1B", "(sm3-yescrypt: 256 MiB"},

    {"yescrypt, N of 2", "$y$j.T$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, more threads than N has room for", "$y$j1..1$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, classic scrypt with a t", "$y$.5T/.$LdJMENpBABJJ3hIHjB1B", NOT_READ},
    {"yescrypt, no salt", "$y$j9T$", NULL},
    {"yescrypt, no salt, a hash", "$y$j9T$$hash", NULL},
    {"yescrypt, half a byte of salt", "$y$j9T$L", NOT_READ},
    {"yescrypt, one byte of salt", "$y$j9T$L1$", NULL},
    {"yescrypt, one byte and a bit of salt", "$y$j9T$L2$", NOT_READ},
    {"yescrypt, two bytes of salt", "$y$j9T$LLD$", NULL},
    {"yescrypt, two bytes and a bit of salt", "$y$j9T$LLE$", NOT_READ},
    {"yescrypt, not a digit of salt", "$y$j9T$LdJM-NpBABJJ3hIHjB1B$", NOT_READ},
    {"yescrypt, two salts", "$y$j9T$LdJM$LdJM$hash", NOT_READ},
    {"yescrypt, 64 bytes of salt", "$y$j9T$" SALT_63 "L1$", NULL},
    {"yescrypt, 65 bytes of salt", "$y$j9T$" SALT_63 "LLD$", NOT_READ},
    {"yescrypt, longer than a hash can be", "$y$j9T$LdJM$" SALT_63 SALT_63 SALT_63 SALT_63,
     "too long"},
    {"gost-yescrypt, damaged salt", "$gy$j9T$LdJMENpBABJJ3hIHjB1B2$hash", NOT_READ},
    {"scrypt, N of 2", "$7$//..../....SodiumChloride", NOT_READ},
    {"scrypt, r of 0", "$7$C...../....SodiumChloride", NOT_READ},
    {"scrypt, p of 0", "$7$C6.........SodiumChloride", NOT_READ},
    {"scrypt, no salt", "$7$C6..../....", NULL},
    {"scrypt, dollar sign in the salt", "$7$C6..../....Sodium$Chloride$", NULL},
    {"scrypt, not a digit of salt", "$7$C6..../....Sodium-Chloride", NOT_READ},
    {"scrypt, not a digit behind the salt", "$7$C6..../....SodiumChloride$-hash", NULL},
    {"scrypt, longer than a hash can be", "$7$C6..../....$" SALT_63 SALT_63 SALT_63 SALT_63,
     "too long"},

    {"MD5", "$1$saltsalt$", NULL},
    {"MD5, rounds are a salt", "$1$rounds=999999999$", NULL},
    {"NT", "$3$$", NULL},
    {"DES", "ab", NULL},
    {"DES of many blocks", "abhfCpXqd4GrIatlJWV.Y872j79ay.DzBsAH3LRqLoARLU", NULL},
    {"DES, half a salt", "a", UNKNOWN},
    {"DES, not a salt", "a-", UNKNOWN},
    {"another method", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", UNKNOWN},
    {"dollar sign", "$", UNKNOWN},
    {"nothing", "", UNKNOWN},
};

static void allows(void **state)
{
    const struct setting *row = *state;
    struct reason reason = {""};
    /* Exactly this size, so that a read beyond the end shows under ASan. */
    char *copy = strdup(row->setting);
    bool got;

    assert_non_null(copy);
    got = crypt_method_allows(copy, &reason);
    free(copy);
    if (got != (row->want_reason == NULL))
        print_error("%s: %s\n", row->setting, got ? "allowed" : reason.text);
    assert_int_equal(got, row->want_reason == NULL);
    if (row->want_reason != NULL)
        assert_contains(reason.text, row->want_reason);
    if (strlen(row->setting) > 10)
        assert_lacks(reason.text, row->setting);
}

/* For methods that allocate, libcrypt takes exactly the allowed texts for hashes: its EINVAL
 * then means that there was no memory. All of these are cheap. */
static const struct attempt {
    const char *name;
    const char *setting;
    bool want;
} attempts[] = {
    {"yescrypt", "$y$j/.$LdJMENpBABJJ3hIHjB1B", true},
    {"yescrypt, N of 2", "$y$j..$LdJMENpBABJJ3hIHjB1B", false},
    {"yescrypt, p of 4", "$y$j1..0$LdJMENpBABJJ3hIHjB1B", true},
    {"yescrypt, p of 5", "$y$j1..1$LdJMENpBABJJ3hIHjB1B", false},
    {"yescrypt, t of 1", "$y$j/./.$LdJMENpBABJJ3hIHjB1B", true},
    {"yescrypt, hash upgrades", "$y$j/.1.$LdJMENpBABJJ3hIHjB1B", false},
    {"yescrypt, classic scrypt", "$y$./.$LdJMENpBABJJ3hIHjB1B", true},
    {"yescrypt, classic scrypt with a t", "$y$./././$LdJMENpBABJJ3hIHjB1B", false},
    {"yescrypt, write once with a t", "$y$//./.$LdJMENpBABJJ3hIHjB1B", true},
    {"yescrypt, another flavour", "$y$i/.$LdJMENpBABJJ3hIHjB1B", false},
    {"yescrypt, no salt", "$y$j/.$", true},
    {"yescrypt, one byte of salt", "$y$j/.$L1", true},
    {"yescrypt, a bit more", "$y$j/.$L2", false},
    {"yescrypt, 64 bytes of salt", "$y$j/.$" SALT_63 "L1$", true},
    {"yescrypt, 65 bytes of salt", "$y$j/.$" SALT_63 "LLD$", false},
    {"yescrypt, not a digit of salt", "$y$j/.$LdJM-NpBABJJ3hIHjB1B", false},
    {"gost-yescrypt", "$gy$j/.$LdJMENpBABJJ3hIHjB1B", true},
    {"gost-yescrypt, damaged salt", "$gy$j/.$LdJMENpBABJJ3hIHjB1B2", false},
    {"scrypt", "$7$0/..../....SodiumChloride", true},
    {"scrypt, r of 0", "$7$0...../....SodiumChloride", false},
    {"scrypt, not a digit of salt", "$7$0/..../....Sodium-Chloride", false},
    {"scrypt, not a digit behind it", "$7$0/..../....SodiumChloride$-hash", true},
};

static void allows_what_libcrypt_takes(void **state)
{
    const struct attempt *row = *state;
    struct reason reason;
    struct crypt_data *scratch;
    const char *result;

    if (crypt_checksalt(row->setting) == CRYPT_SALT_INVALID)
        skip();
    scratch = calloc(1, sizeof(*scratch));
    assert_non_null(scratch);
    result = crypt_r("x", row->setting, scratch);
    assert_int_equal(result != NULL && result[0] != '*', row->want);
    free(scratch);
    assert_int_equal(crypt_method_allows(row->setting, &reason), row->want);
    assert_true(crypt_method_needs_memory(row->setting));
}

static void needs_memory(void **state)
{
    (void)state;
    assert_true(crypt_method_needs_memory("$y$"));
    assert_true(crypt_method_needs_memory("$gy$"));
    assert_true(crypt_method_needs_memory("$sm3y$"));
    assert_true(crypt_method_needs_memory("$7$"));
    assert_false(crypt_method_needs_memory("$6$salt$"));
    assert_false(crypt_method_needs_memory("$2b$04$" BCRYPT_SALT));
    assert_false(crypt_method_needs_memory("abhqWgdm30m6k"));
    assert_false(crypt_method_needs_memory("$argon2id$"));
    assert_false(crypt_method_needs_memory(""));
}

/* libcrypt writes the parameters, with its own numbers. */
static const struct made {
    const char *name;
    const char *prefix;
    unsigned long first, last, last_allowed;
} mades[] = {
    {"bcrypt", "$2b$", 4, 31, 15},
    {"bcrypt, 2a", "$2a$", 4, 31, 15},
    {"bcrypt, 2y", "$2y$", 4, 31, 15},
    {"yescrypt", "$y$", 1, 11, 9},
    {"gost-yescrypt", "$gy$", 1, 11, 9},
    {"scrypt", "$7$", 6, 11, 9},
    {"SHA-256", "$5$", 4999999, 5000002, 5000000},
    {"SHA-512", "$6$", 4999999, 5000002, 5000000},
    {"BSDi, all odd", "_", 4999998, 5000003, 4999999},
};

static void allows_what_libcrypt_makes(void **state)
{
    const struct made *row = *state;
    unsigned long cost;

    if (crypt_checksalt(row->prefix) == CRYPT_SALT_INVALID)
        skip();
    for (cost = row->first; cost <= row->last; cost++) {
        char *setting = crypt_gensalt_ra(row->prefix, cost, NULL, 0);
        struct reason reason;
        bool got;

        assert_non_null(setting);
        got = crypt_method_allows(setting, &reason);
        if (got != (cost <= row->last_allowed))
            print_error("%s\n", setting);
        free(setting);
        assert_int_equal(got, cost <= row->last_allowed);
    }
}

/* The settings of new hashes never exceed it. */
static void allows_the_defaults(void **state)
{
    static const char *const prefixes[] = {"$y$", "$gy$", "$7$",    "$2a$", "$2b$", "$2y$", "$6$",
                                           "$5$", "$1$",  "$sha1$", "$md5", "$3$",  "_",    ""};
    struct reason reason;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(prefixes); i++) {
        char *setting = crypt_gensalt_ra(prefixes[i], 0, NULL, 0);

        if (setting != NULL && !crypt_method_allows(setting, &reason))
            fail_msg("%s: %s", setting, reason.text);
        free(setting);
    }
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, allows, settings);
    TEST_ADD_CASES(&list, allows_what_libcrypt_takes, attempts);
    TEST_ADD(&list, needs_memory);
    TEST_ADD_CASES(&list, allows_what_libcrypt_makes, mades);
    TEST_ADD(&list, allows_the_defaults);
    return test_run("crypt_ceiling", &list);
}
