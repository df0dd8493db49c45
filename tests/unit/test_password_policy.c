/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_policy.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "password/stored_text.h"

#include "support/watched_crypt.h"

/* --- formats and names of methods */

static const struct options {
    const char *name;
    const char *format;
    const char *store_scheme;
    const char *want_reason; /* NULL: they are accepted */
    const char *store_cost;
} options[] = {
    {"plain", "plain", NULL, NULL, NULL},
    {"crypt", "crypt", NULL, NULL, NULL},
    {"crypt_trad", "crypt_trad", NULL, NULL, NULL},
    {"md5", "md5", NULL, NULL, NULL},
    {"letter case", "CRYPT", "sha512-crypt", NULL, NULL},
    {"unknown format", "rot13", NULL, "password_format: \"rot13\"", NULL},
    {"no format", "", NULL, "password_format: \"\"", NULL},
    {"format with a blank", "crypt ", NULL, "password_format: \"crypt \"", NULL},
    {"unknown store scheme", "crypt", "ROT13", "password_store_scheme: ", NULL},
    {"no store scheme", "crypt", "", "password_store_scheme: ", NULL},
    {"prefix as store scheme", "crypt", "$6$", "password_store_scheme: ", NULL},
    {"unknown store scheme, plain", "plain", "ROT13", "password_store_scheme: ", NULL},
    {"unknown store scheme, crypt_trad", "crypt_trad", "ROT13", "password_store_scheme: ", NULL},
    {"unknown store scheme, md5", "md5", "ROT13", "password_store_scheme: ", NULL},
    {"cost", "crypt", "BLF-CRYPT", NULL, "12"},
    {"least cost", "crypt", "YESCRYPT", NULL, "1"},
    {"cost of the best scheme", "crypt", NULL, NULL, "2"},
    {"most rounds", "crypt", "SHA512-CRYPT", NULL, "5000000"},
    {"cost over the ceiling", "crypt", "BLF-CRYPT", "password_store_cost: BLF-CRYPT takes 4 to 15",
     "16"},
    {"less cost than there is", "crypt", "BLF-CRYPT", "password_store_cost: BLF-CRYPT takes", "3"},
    {"cost in another unit", "crypt", "SHA512-CRYPT",
     "password_store_cost: SHA512-CRYPT takes 1000 to 5000000", "12"},
    {"cost without a choice", "crypt", "MD5-CRYPT",
     "password_store_cost: MD5-CRYPT has no choice of cost", "1000"},
    {"cost of zero", "crypt", "BLF-CRYPT", "password_store_cost: must be", "0"},
    {"leading zero", "crypt", "BLF-CRYPT", "password_store_cost: must be", "012"},
    {"negative cost", "crypt", "BLF-CRYPT", "password_store_cost: must be", "-12"},
    {"cost that is no number", "crypt", "BLF-CRYPT", "password_store_cost: must be", "high"},
    {"cost and more", "crypt", "BLF-CRYPT", "password_store_cost: must be", "12 rounds"},
    {"no cost", "crypt", "BLF-CRYPT", "password_store_cost: must be", ""},
    {"cost beyond any number", "crypt", "SHA512-CRYPT", "password_store_cost: must be",
     "18446744073709551617000"},
};

static void new (void **state)
{
    const struct options *row = *state;
    struct reason reason = {""};
    struct password_policy *policy =
        password_policy_new(row->format, row->store_scheme, row->store_cost, &reason);

    password_policy_free(policy);
    if (row->want_reason == NULL) {
        assert_non_null(policy);
    } else {
        assert_null(policy);
        assert_contains(reason.text, row->want_reason);
        if (row->store_scheme != NULL && strstr(row->want_reason, "must be") == NULL)
            assert_contains(reason.text, row->store_scheme);
    }
}

static void free_of_nothing(void **state)
{
    (void)state;
    password_policy_free(NULL);
}

/* --- the verdicts */

static const struct judgement {
    const char *name;
    const char *format;
    const char *stored;
    size_t stored_length;
    const char *password;
    size_t password_length;
    enum verdict want;
} judgements[] = {
    {"plain: right", "plain", TEXT("hunter2"), TEXT("hunter2"), VERDICT_MATCH},
    {"plain: wrong", "plain", TEXT("hunter2"), TEXT("hunter3"), VERDICT_MISMATCH},
    {"plain: hash typed", "plain", TEXT(MD5_HASH), TEXT(MD5_HASH), VERDICT_UNUSABLE},
    {"plain: password of a hash", "plain", TEXT(MD5_HASH), TEXT(PHRASE), VERDICT_UNUSABLE},
    {"plain: NUL in the password", "plain", TEXT("hunter2"), TEXT("hunter2\0"), VERDICT_MISMATCH},
    {"plain: NUL in both", "plain", TEXT("hun\0ter2"), TEXT("hun\0ter2"), VERDICT_UNUSABLE},
    {"plain: NUL at the end of what is stored", "plain", TEXT("hunter2\0"), TEXT("hunter2"),
     VERDICT_MATCH},
    {"plain: NULs of BINARY(n)", "plain", TEXT("hunter2\0\0\0"), TEXT("hunter2"), VERDICT_MATCH},
    {"plain: NULs of BINARY(n), wrong", "plain", TEXT("hunter2\0\0\0"), TEXT("hunter3"),
     VERDICT_MISMATCH},
    {"plain: NULs of BINARY(n), typed", "plain", TEXT("hunter2\0\0\0"), TEXT("hunter2\0\0\0"),
     VERDICT_MISMATCH},
    {"plain: NUL in front", "plain", TEXT("\0hunter2"), TEXT("hunter2"), VERDICT_UNUSABLE},
    {"plain: blanks belong to the password", "plain", TEXT(" hunter2 "), TEXT(" hunter2 "),
     VERDICT_MATCH},
    {"plain: blanks are not left out", "plain", TEXT("hunter2 "), TEXT("hunter2"),
     VERDICT_MISMATCH},
    {"plain: blank and NULs", "plain", TEXT("hunter2 \0\0"), TEXT("hunter2 "), VERDICT_MATCH},
    {"plain: padded hash typed", "plain", TEXT(MD5_HASH "  "), TEXT(MD5_HASH "  "),
     VERDICT_UNUSABLE},
    {"plain: hash and line feed typed", "plain", TEXT(MD5_HASH "\n"), TEXT(MD5_HASH "\n"),
     VERDICT_UNUSABLE},
    {"plain: hash without its padding typed", "plain", TEXT(" " MD5_HASH "\r\n"), TEXT(MD5_HASH),
     VERDICT_UNUSABLE},
    {"plain: hash with NULs typed", "plain", TEXT(MD5_HASH "\0\0"), TEXT(MD5_HASH),
     VERDICT_UNUSABLE},
    {"plain: password of a padded hash", "plain", TEXT(MD5_HASH "  "), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"plain: no-break space and hash typed", "plain", TEXT("\302\240" MD5_HASH),
     TEXT("\302\240" MD5_HASH), VERDICT_UNUSABLE},
    {"plain: byte order mark and hash typed", "plain", TEXT("\357\273\277" MD5_HASH),
     TEXT("\357\273\277" MD5_HASH), VERDICT_UNUSABLE},
    {"plain: prefix, blank and hash typed", "plain", TEXT("{CRYPT} " DES_HASH " "),
     TEXT("{CRYPT} " DES_HASH " "), VERDICT_UNUSABLE},
    {"plain: OLD_PASSWORD() cannot be told", "plain", TEXT(OLD_MYSQL_HASH), TEXT(OLD_MYSQL_HASH),
     VERDICT_MATCH},
    {"plain: PASSWORD() typed", "plain", TEXT(MYSQL_HASH), TEXT(MYSQL_HASH), VERDICT_UNUSABLE},
    {"plain: empty password", "plain", TEXT("hunter2"), TEXT(""), VERDICT_MISMATCH},
    {"plain: lock in the middle", "plain", TEXT("hunter!*"), TEXT("hunter!*"), VERDICT_MATCH},

    {"crypt: right", "crypt", TEXT(MD5_HASH), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: right, DES", "crypt", TEXT(DES_HASH), TEXT("Tr0ub4d"), VERDICT_MATCH},
    {"crypt: wrong", "crypt", TEXT(MD5_HASH), TEXT("hunter2"), VERDICT_MISMATCH},
    {"crypt: hash typed", "crypt", TEXT(MD5_HASH), TEXT(MD5_HASH), VERDICT_MISMATCH},
    {"crypt: hash and prefix typed", "crypt", TEXT("{CRYPT}" MD5_HASH), TEXT("{CRYPT}" MD5_HASH),
     VERDICT_MISMATCH},
    {"crypt: prefix", "crypt", TEXT("{cRypT}" MD5_HASH), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: clear text", "crypt", TEXT("hunter2"), TEXT("hunter2"), VERDICT_UNUSABLE},
    {"crypt: NUL in the password", "crypt", TEXT(MD5_HASH), TEXT(PHRASE "\0x"), VERDICT_MISMATCH},
    {"crypt: NUL ends the password", "crypt", TEXT(MD5_HASH), TEXT(PHRASE "\0"), VERDICT_MISMATCH},
    {"crypt: NUL behind the hash", "crypt", TEXT(MD5_HASH "\0"), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: NULs of BINARY(n)", "crypt", TEXT(MD5_HASH "\0\0\0\0\0\0"), TEXT(PHRASE),
     VERDICT_MATCH},
    {"crypt: NULs of BINARY(n), wrong", "crypt", TEXT(MD5_HASH "\0\0"), TEXT("hunter2"),
     VERDICT_MISMATCH},
    {"crypt: NUL and more behind the hash", "crypt", TEXT(MD5_HASH "\0x"), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"crypt: NUL in front of the hash", "crypt", TEXT("\0" MD5_HASH), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"crypt: empty password", "crypt", TEXT(MD5_HASH), TEXT(""), VERDICT_MISMATCH},
    {"crypt: empty password whose hash is stored", "crypt",
     TEXT("$1$abcdefgh$M55TzYaaccxVGbptZWaxX/"), TEXT(""), VERDICT_MISMATCH},
    {"crypt: truncated", "crypt", TEXT("$1$ab$BGweqrca.3UvnWSg8yFZd"), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"crypt: trailing blank", "crypt", TEXT(MD5_HASH " "), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: blanks of CHAR(n)", "crypt", TEXT(MD5_HASH "          "), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: blanks of CHAR(n), DES", "crypt", TEXT(DES_HASH "          "), TEXT("Tr0ub4d"),
     VERDICT_MATCH},
    {"crypt: blanks of CHAR(n), wrong", "crypt", TEXT(MD5_HASH "  "), TEXT("hunter2"),
     VERDICT_MISMATCH},
    {"crypt: blanks of CHAR(n), typed", "crypt", TEXT(MD5_HASH "  "), TEXT(MD5_HASH "  "),
     VERDICT_MISMATCH},
    {"crypt: end of a line", "crypt", TEXT(MD5_HASH "\r\n"), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: tab and blank in front", "crypt", TEXT("\t " MD5_HASH), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: padded, prefixed, padded", "crypt", TEXT(" {CRYPT} " MD5_HASH "\n\0"), TEXT(PHRASE),
     VERDICT_MATCH},
    {"crypt: no-break spaces", "crypt", TEXT("\302\240" MD5_HASH "\302\240"), TEXT(PHRASE),
     VERDICT_MATCH},
    {"crypt: byte order mark", "crypt", TEXT("\357\273\277" MD5_HASH), TEXT(PHRASE), VERDICT_MATCH},
    {"crypt: letter beyond ASCII in front", "crypt", TEXT("\303\244" MD5_HASH), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"crypt: blank inside", "crypt", TEXT("$1$ab $BGweqrca.3UvnWSg8yFZd1"), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"crypt: padded and truncated", "crypt", TEXT("$1$ab$BGweqrca.3UvnWSg8yFZd "), TEXT(PHRASE),
     VERDICT_UNUSABLE},
    {"crypt: PASSWORD()", "crypt", TEXT(MYSQL_HASH), TEXT("hunter2"), VERDICT_UNUSABLE},
    {"crypt: PASSWORD(), padded", "crypt", TEXT(MYSQL_HASH "  "), TEXT(MYSQL_HASH),
     VERDICT_UNUSABLE},
    {"crypt: OLD_PASSWORD()", "crypt", TEXT(OLD_MYSQL_HASH), TEXT("hunter2"), VERDICT_UNUSABLE},
    {"crypt: locked behind the prefix", "crypt", TEXT("{CRYPT}!" MD5_HASH), TEXT(PHRASE),
     VERDICT_UNUSABLE},

    {"crypt_trad: right", "crypt_trad", TEXT(DES_HASH), TEXT("Tr0ub4d"), VERDICT_MATCH},
    {"crypt_trad: right, prefixed", "crypt_trad", TEXT("{crypt}" DES_HASH), TEXT("Tr0ub4d"),
     VERDICT_MATCH},
    {"crypt_trad: wrong", "crypt_trad", TEXT(DES_HASH), TEXT("Tr0ub4x"), VERDICT_MISMATCH},
    {"crypt_trad: hash typed", "crypt_trad", TEXT(DES_HASH), TEXT(DES_HASH), VERDICT_MISMATCH},
    {"crypt_trad: other hash", "crypt_trad", TEXT(MD5_HASH), TEXT(PHRASE), VERDICT_UNUSABLE},
    {"crypt_trad: NUL ends the password", "crypt_trad", TEXT(DES_HASH), TEXT("Tr0ub4d\0"),
     VERDICT_MISMATCH},
    {"crypt_trad: NUL behind the hash", "crypt_trad", TEXT(DES_HASH "\0"), TEXT("Tr0ub4d"),
     VERDICT_MATCH},
    {"crypt_trad: white space around it", "crypt_trad", TEXT(" " DES_HASH "\n"), TEXT("Tr0ub4d"),
     VERDICT_MATCH},
    {"crypt_trad: white space after the prefix", "crypt_trad", TEXT("{CRYPT} " DES_HASH "  "),
     TEXT("Tr0ub4d"), VERDICT_MATCH},
    {"crypt_trad: white space around it, wrong", "crypt_trad", TEXT(" " DES_HASH " "),
     TEXT("Tr0ub4x"), VERDICT_MISMATCH},
    {"crypt_trad: truncated", "crypt_trad", TEXT("abhqWgdm30m6"), TEXT("Tr0ub4d"),
     VERDICT_UNUSABLE},
    {"crypt_trad: trailing garbage", "crypt_trad", TEXT(DES_HASH "x"), TEXT("Tr0ub4d"),
     VERDICT_UNUSABLE},
    {"crypt_trad: empty password", "crypt_trad", TEXT(DES_HASH), TEXT(""), VERDICT_MISMATCH},

    {"md5: right", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661"), TEXT("a"), VERDICT_MATCH},
    {"md5: right, capital digits", "md5", TEXT("0CC175B9C0F1B6A831C399E269772661"), TEXT("a"),
     VERDICT_MATCH},
    {"md5: wrong", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661"), TEXT("b"), VERDICT_MISMATCH},
    {"md5: digest typed", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661"),
     TEXT("0cc175b9c0f1b6a831c399e269772661"), VERDICT_MISMATCH},
    {"md5: NUL ends the password", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661"), TEXT("a\0"),
     VERDICT_MISMATCH},
    {"md5: password with a NUL whose digest is stored", "md5",
     TEXT("4144e195f46de78a3623da7364d04f11"), TEXT("a\0"), VERDICT_MISMATCH},
    {"md5: NUL in the place of a digit", "md5", TEXT("0cc175b9c0f1b6a831c399e26977266\0"),
     TEXT("a"), VERDICT_UNUSABLE},
    {"md5: NUL behind", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661\0"), TEXT("a"),
     VERDICT_MATCH},
    {"md5: truncated", "md5", TEXT("0cc175b9c0f1b6a831c399e26977266"), TEXT("a"), VERDICT_UNUSABLE},
    {"md5: trailing garbage", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661x"), TEXT("a"),
     VERDICT_UNUSABLE},
    {"md5: blanks of CHAR(n)", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661   "), TEXT("a"),
     VERDICT_MATCH},
    {"md5: white space around it", "md5", TEXT("\n0cc175b9c0f1b6a831c399e269772661\r\n"), TEXT("a"),
     VERDICT_MATCH},
    {"md5: blanks of CHAR(n), wrong", "md5", TEXT("0cc175b9c0f1b6a831c399e269772661 "), TEXT("b"),
     VERDICT_MISMATCH},
    {"md5: OLD_PASSWORD()", "md5", TEXT(OLD_MYSQL_HASH), TEXT("a"), VERDICT_UNUSABLE},
    {"md5: empty password whose digest is stored", "md5", TEXT("d41d8cd98f00b204e9800998ecf8427e"),
     TEXT(""), VERDICT_MISMATCH},
};

static void judge_row(void **state)
{
    const struct judgement *row = *state;
    const struct bytes stored = {row->stored, row->stored_length};
    const struct bytes password = {row->password, row->password_length};
    struct password_policy *policy = new_policy(row->format);
    enum verdict verdict = judge(policy, stored, password);

    password_policy_free(policy);
    assert_verdict(verdict, row->want);
}

/* --- what never matches, in any format */

static const struct mark {
    const char *name;
    bool no_user;
    const char *stored;
    enum verdict want;
} marks[] = {
    {"no such user", true, NULL, VERDICT_NO_USER},
    {"NULL", false, NULL, VERDICT_LOCKED},
    {"empty", false, "", VERDICT_LOCKED},
    {"exclamation mark", false, "!", VERDICT_LOCKED},
    {"two exclamation marks", false, "!!", VERDICT_LOCKED},
    {"exclamation mark, text", false, "!hunter2", VERDICT_LOCKED},
    {"exclamation mark, MD5 hash", false, "!" MD5_HASH, VERDICT_LOCKED},
    {"exclamation mark, DES hash", false, "!" DES_HASH, VERDICT_LOCKED},
    {"exclamation mark, prefix, hash", false, "!{CRYPT}" MD5_HASH, VERDICT_LOCKED},
    {"star", false, "*", VERDICT_LOCKED},
    {"star zero, a failure of crypt", false, "*0", VERDICT_LOCKED},
    {"star one, a failure of crypt", false, "*1", VERDICT_LOCKED},
    {"star, text", false, "*LK*", VERDICT_LOCKED},
    {"star, MD5 hash", false, "*" MD5_HASH, VERDICT_LOCKED},
    {"blanks alone", false, "    ", VERDICT_LOCKED},
    {"line feed alone", false, "\n", VERDICT_LOCKED},
    {"no-break space alone", false, "\302\240", VERDICT_LOCKED},
    {"exclamation mark, blanks", false, "!   ", VERDICT_LOCKED},
    {"blank, exclamation mark, hash", false, " !" MD5_HASH, VERDICT_LOCKED},
    {"byte order mark, star, text", false, "\357\273\277*LK*", VERDICT_LOCKED},
    {"PASSWORD() of MySQL", false, MYSQL_HASH, VERDICT_UNUSABLE},
    {"PASSWORD() of MySQL, small letters", false, "*2470c0c06dee42fd1618bb99005adca2ec9d1e19",
     VERDICT_UNUSABLE},
    {"PASSWORD() of MySQL, padded", false, " " MYSQL_HASH "\n", VERDICT_UNUSABLE},
    {"PASSWORD() of MySQL, cut off", false, "*2470C0C06DEE42FD1618BB99005ADC", VERDICT_LOCKED},
};

static void never_matches(void **state)
{
    const struct mark *row = *state;
    const struct bytes stored = bytes_of(row->stored);
    static const char *const typed[] = {"",   "x",       "!",       "*",   "*0",
                                        "*1", "hunter2", "Tr0ub4d", PHRASE};
    size_t format, i;

    if (row->stored != NULL)
        assert_true(stored_text_is_locked(stored_text_trim(stored)));
    for (format = 0; format < COUNT(formats); format++) {
        struct password_policy *policy = new_policy(formats[format]);

        for (i = 0; i < COUNT(typed); i++) {
            const struct bytes password = bytes_of(typed[i]);

            assert_verdict(row->no_user ? refuse(policy, password)
                                        : judge(policy, stored, password),
                           row->want);
        }
        if (row->stored != NULL)
            assert_verdict(judge(policy, stored, stored), row->want);
        password_policy_free(policy);
    }
}

/* --- the longest password */

static const struct length {
    const char *name;
    const char *format;
    size_t length;
    bool want_stored;
} lengths[] = {
    {"plain: 512 bytes", "plain", 512, true},
    {"plain: 513 bytes", "plain", 513, false},
    {"crypt: 1 byte", "crypt", 1, true},
    {"crypt: 511 bytes", "crypt", 511, true},
    {"crypt: 512 bytes, one more than libcrypt takes", "crypt", 512, false},
    {"crypt: 513 bytes", "crypt", 513, false},
    {"crypt: 100000 bytes", "crypt", 100000, false},
    {"md5: 512 bytes", "md5", 512, true},
    {"md5: 513 bytes", "md5", 513, false},
};

static void longest_password(void **state)
{
    const struct length *row = *state;
    struct password_policy *policy = new_policy(row->format);
    char *bytes = malloc(row->length + 1);
    struct bytes password = {bytes, row->length};
    struct secret stored = SECRET_EMPTY;
    struct reason reason = {""};
    bool done;

    assert_non_null(bytes);
    memset(bytes, 'p', row->length);
    bytes[row->length] = '\0';
    done = password_policy_store(policy, password, &stored, &reason);
    if (done != row->want_stored)
        print_error("store: %s\n", reason.text);
    assert_int_equal(done, row->want_stored);
    if (row->want_stored) {
        assert_verdict(judge(policy, secret_bytes(&stored), password), VERDICT_MATCH);
    } else {
        assert_contains(reason.text, "longer");
        assert_null(stored.bytes);
        /* Not even if it is stored in full, or a shorter one is. */
        if (password_policy_is_clear_text(policy))
            assert_verdict(judge(policy, password, password), VERDICT_MISMATCH);
        password.length = PASSWORD_MAX - 1;
        bytes[password.length] = '\0';
        assert_true(password_policy_store(policy, password, &stored, &reason));
        assert_verdict(judge(policy, secret_bytes(&stored), password), VERDICT_MATCH);
        bytes[password.length] = 'p';
        password.length = row->length;
        assert_verdict(judge(policy, secret_bytes(&stored), password), VERDICT_MISMATCH);
    }
    secret_wipe(&stored);
    free(bytes);
    password_policy_free(policy);
}

/* A password that a method would truncate silently is not stored. */
static const struct capacity {
    const char *name;
    const char *format;
    const char *method;
    size_t length;
    bool want_stored;
} capacities[] = {
    {"crypt_trad: 8 bytes", "crypt_trad", NULL, 8, true},
    {"crypt_trad: 9 bytes", "crypt_trad", NULL, 9, false},
    {"DES-CRYPT: 8 bytes", "crypt", "DES-CRYPT", 8, true},
    {"DES-CRYPT: 9 bytes", "crypt", "DES-CRYPT", 9, false},
    {"BLF-CRYPT: 72 bytes", "crypt", "BLF-CRYPT", 72, true},
    {"BLF-CRYPT: 73 bytes", "crypt", "BLF-CRYPT", 73, false},
};

static void capacity_of_methods(void **state)
{
    const struct capacity *row = *state;
    struct reason reason = {""};
    struct password_policy *policy = password_policy_new(row->format, row->method, NULL, &reason);
    char bytes[100];
    const struct bytes password = {bytes, row->length};
    struct secret stored = SECRET_EMPTY;

    assert_non_null(policy);
    memset(bytes, 'p', sizeof(bytes));
    bytes[row->length] = '\0';
    assert_int_equal(password_policy_store(policy, password, &stored, &reason), row->want_stored);
    if (row->want_stored)
        assert_verdict(judge(policy, secret_bytes(&stored), password), VERDICT_MATCH);
    else
        assert_contains(reason.text, "uses only the first");
    secret_wipe(&stored);
    password_policy_free(policy);
}

/* --- making new texts */

static const struct making {
    const char *name;
    const char *format;
    const char *store_scheme;
    const char *want_prefix;
    size_t want_length; /* 0: varies */
} makings[] = {
    {"plain", "plain", NULL, "hunter2", 7},
    {"crypt, YESCRYPT", "crypt", "YESCRYPT", "$y$", 0},
    {"crypt, SHA512-CRYPT", "crypt", "SHA512-CRYPT", "$6$", 0},
    {"crypt, GOST-YESCRYPT", "crypt", "GOST-YESCRYPT", "$gy$", 0},
    {"crypt, SCRYPT-CRYPT", "crypt", "SCRYPT-CRYPT", "$7$", 0},
    {"crypt, BLF-CRYPT", "crypt", "BLF-CRYPT", "$2y$", 60},
    {"crypt, SHA256-CRYPT", "crypt", "SHA256-CRYPT", "$5$", 0},
    {"crypt, MD5-CRYPT", "crypt", "MD5-CRYPT", "$1$", 34},
    {"crypt, DES-CRYPT", "crypt", "DES-CRYPT", "", 13},
    {"crypt, small letters", "crypt", "md5-crypt", "$1$", 34},
    {"crypt, the best", "crypt", NULL, "$y$", 0},
    {"crypt_trad", "crypt_trad", NULL, "", 13},
    {"md5", "md5", NULL, "2ab96390c7dbe3439de74d0c9b0b1767", 32},
};

static void store(void **state)
{
    const struct making *row = *state;
    const struct bytes password = bytes_of("hunter2"), wrong = bytes_of("hunter3");
    struct password_policy *policy;
    struct secret stored = SECRET_EMPTY;
    struct reason reason = {""};

    if (row->want_prefix[0] == '$' && crypt_checksalt(row->want_prefix) == CRYPT_SALT_INVALID)
        skip();
    policy = password_policy_new(row->format, row->store_scheme, NULL, &reason);
    assert_non_null(policy);
    assert_true(password_policy_store(policy, password, &stored, &reason));
    assert_non_null(stored.bytes);
    assert_int_equal(strlen(stored.bytes), stored.length);
    if (row->want_length != 0)
        assert_int_equal(stored.length, row->want_length);
    assert_memory_equal(stored.bytes, row->want_prefix, strlen(row->want_prefix));
    assert_verdict(judge(policy, secret_bytes(&stored), password), VERDICT_MATCH);
    assert_verdict(judge(policy, secret_bytes(&stored), wrong), VERDICT_MISMATCH);
    if (strcmp(row->format, "plain") != 0)
        assert_verdict(judge(policy, secret_bytes(&stored), secret_bytes(&stored)),
                       VERDICT_MISMATCH);
    secret_wipe(&stored);
    password_policy_free(policy);
}

static void store_takes_a_new_salt_each_time(void **state)
{
    const struct bytes password = bytes_of("hunter2");
    struct password_policy *policy = new_policy("crypt");
    struct secret first = SECRET_EMPTY, second = SECRET_EMPTY;
    struct reason reason;

    (void)state;
    assert_true(password_policy_store(policy, password, &first, &reason));
    assert_true(password_policy_store(policy, password, &second, &reason));
    assert_string_not_equal(first.bytes, second.bytes);
    secret_wipe(&first);
    secret_wipe(&second);
    password_policy_free(policy);
}

static const struct unstorable {
    const char *name;
    const char *bytes;
    size_t length;
} unstorables[] = {
    {"empty", TEXT("")},
    {"NUL inside", TEXT("hunter2\0hunter2")},
    {"NUL at the end", TEXT("hunter2\0")},
};

static void store_refuses(void **state)
{
    const struct unstorable *row = *state;
    const struct bytes password = {row->bytes, row->length};
    size_t format;

    for (format = 0; format < COUNT(formats); format++) {
        struct password_policy *policy = new_policy(formats[format]);
        struct secret stored = SECRET_EMPTY;
        struct reason reason = {""};

        assert_false(password_policy_store(policy, password, &stored, &reason));
        assert_null(stored.bytes);
        assert_string_not_equal(reason.text, "");
        assert_hidden(&reason, password);
        password_policy_free(policy);
    }
}

static void clear_text_is_plain_alone(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(formats); i++) {
        struct password_policy *policy = new_policy(formats[i]);

        assert_int_equal(password_policy_is_clear_text(policy), strcmp(formats[i], "plain") == 0);
        password_policy_free(policy);
    }
}

/* --- several threads at once */

enum { THREADS = 4, ROUNDS = 40 };

struct work {
    struct password_policy *policy;
    unsigned wrong_verdicts;
};

static void *judge_much(void *context)
{
    struct work *work = context;
    const struct bytes stored = bytes_of(DES_HASH), other = bytes_of(MD5_HASH),
                       right = bytes_of("Tr0ub4d");
    struct reason reason;
    unsigned i;

    for (i = 0; i < ROUNDS; i++) {
        work->wrong_verdicts +=
            password_policy_judge(work->policy, stored, right, &reason) != VERDICT_MATCH;
        work->wrong_verdicts +=
            password_policy_judge(work->policy, other, right, &reason) != VERDICT_MISMATCH;
        work->wrong_verdicts +=
            password_policy_refuse(work->policy, right, &reason) != VERDICT_NO_USER;
    }
    return NULL;
}

static void threads_share_a_policy(void **state)
{
    struct password_policy *policy = new_policy("crypt");
    struct work works[THREADS];
    pthread_t threads[THREADS];
    size_t i;

    (void)state;
    watching = false;
    for (i = 0; i < THREADS; i++) {
        works[i] = (struct work){policy, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, judge_much, &works[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    watching = true;
    for (i = 0; i < THREADS; i++)
        assert_int_equal(works[i].wrong_verdicts, 0);
    password_policy_free(policy);
}

struct pausing {
    struct password_policy *policy;
    unsigned frees;
    bool has_paused;
};

static void *judge_with_a_pause(void *context)
{
    struct pausing *pausing = context;
    const struct bytes stored = bytes_of(DES_HASH), password = bytes_of("wrong");
    struct reason reason;

    frees_to_pause = pausing->frees;
    password_policy_judge(pausing->policy, stored, password, &reason);
    pausing->has_paused = frees_to_pause == 0;
    frees_to_pause = 0;
    if (!pausing->has_paused)
        sem_post(&paused);
    return NULL;
}

/* A child has only one thread: what the others have locked stays locked. Tools
 * that watch the child exit would take what they hold for a leak. */
static bool child_judges(struct password_policy *policy)
{
    const struct bytes stored = bytes_of(DES_HASH), right = bytes_of("Tr0ub4d");
    struct reason reason;
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        alarm(10);
        if (password_policy_judge(policy, stored, right, &reason) == VERDICT_MATCH &&
            password_policy_refuse(policy, right, &reason) == VERDICT_NO_USER)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL;
}

/* Wherever another thread is in its work. */
static void child_shares_no_lock(void **state)
{
    struct password_policy *policy = new_policy("crypt");
    struct pausing pausing = {.policy = policy, .has_paused = true};
    unsigned bad = 0;

    (void)state;
    watching = false;
    assert_int_equal(sem_init(&paused, 0, 0), 0);
    assert_int_equal(sem_init(&resumed, 0, 0), 0);
    while (pausing.has_paused) {
        pthread_t thread;

        pausing.frees++;
        assert_int_equal(pthread_create(&thread, NULL, judge_with_a_pause, &pausing), 0);
        sem_wait(&paused);
        bad += !child_judges(policy);
        sem_post(&resumed);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    watching = true;
    assert_true(pausing.frees > 2);
    assert_int_equal(bad, 0);
    password_policy_free(policy);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, new, options);
    TEST_ADD(&list, free_of_nothing);
    TEST_ADD_CASES(&list, judge_row, judgements);
    TEST_ADD_CASES(&list, never_matches, marks);
    TEST_ADD_CASES(&list, longest_password, lengths);
    TEST_ADD_CASES(&list, capacity_of_methods, capacities);
    TEST_ADD_CASES(&list, store, makings);
    TEST_ADD(&list, store_takes_a_new_salt_each_time);
    TEST_ADD_CASES(&list, store_refuses, unstorables);
    TEST_ADD(&list, clear_text_is_plain_alone);
    TEST_ADD(&list, threads_share_a_policy);
    TEST_ADD(&list, child_shares_no_lock);
    return test_run("password_policy", &list);
}
