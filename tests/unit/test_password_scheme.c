/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_scheme.h"

#include <crypt.h>
#include <errno.h>

#include "password/crypt_method.h"
#include "password/password_policy.h"
#include "password/stored_password.h"
#include "password/stored_text.h"

#include "support/unit.h"

/* --- names */

static const struct naming {
    const char *name;
    const char *asked;
    const struct password_scheme *want;
} names[] = {
    {"plain", "plain", &scheme_plain},
    {"crypt", "crypt", &scheme_crypt},
    {"crypt_trad", "crypt_trad", &scheme_crypt_trad},
    {"md5", "md5", &scheme_md5},
    {"letter case", "CrYpT_TrAd", &scheme_crypt_trad},
    {"nothing", "", NULL},
    {"start of a name", "cryp", NULL},
    {"more than a name", "crypt_", NULL},
    {"blank in front", " crypt", NULL},
    {"blank behind", "crypt ", NULL},
    {"never heard of", "rot13", NULL},
};

static void find(void **state)
{
    const struct naming *row = *state;

    assert_ptr_equal(password_scheme_find(row->asked), row->want);
}

static void clear_text_is_plain_alone(void **state)
{
    (void)state;
    assert_true(scheme_plain.clear_text);
    assert_false(scheme_crypt.clear_text);
    assert_false(scheme_crypt_trad.clear_text);
    assert_false(scheme_md5.clear_text);
}

static void strong_is_crypt_alone(void **state)
{
    (void)state;
    assert_int_equal(scheme_plain.strength, PASSWORD_WEAK);
    assert_int_equal(scheme_crypt.strength, PASSWORD_STRONG);
    assert_int_equal(scheme_crypt_trad.strength, PASSWORD_WEAK);
    assert_int_equal(scheme_md5.strength, PASSWORD_WEAK);
}

/* --- known answers */

struct known {
    const char *name;
    const char *password;
    const char *stored;
};

#define KNOWN_CRYPT(name, password, stored) {name, password, stored},
#define KNOWN_DES(name, password, stored) {name, password, stored},
#define KNOWN_MD5(name, password, stored)
static const struct known crypt_answers[] = {
#include "support/known_answers.h"
};
#undef KNOWN_CRYPT
#undef KNOWN_DES
#undef KNOWN_MD5

#define KNOWN_CRYPT(name, password, stored)
#define KNOWN_DES(name, password, stored) {name, password, stored},
#define KNOWN_MD5(name, password, stored)
static const struct known des_answers[] = {
#include "support/known_answers.h"
};
#undef KNOWN_CRYPT
#undef KNOWN_DES
#undef KNOWN_MD5

#define KNOWN_CRYPT(name, password, stored)
#define KNOWN_DES(name, password, stored)
#define KNOWN_MD5(name, password, stored) {name, password, stored},
static const struct known md5_answers[] = {
#include "support/known_answers.h"
};
#undef KNOWN_CRYPT
#undef KNOWN_DES
#undef KNOWN_MD5

/* Another system's libcrypt may have been built without this method. */
static void skip_unless_known(const char *stored)
{
    if (crypt_checksalt(stored) == CRYPT_SALT_INVALID)
        skip();
}

/* The verdict on a text that is expected to be of the scheme. */
static enum verdict judge(const struct password_scheme *scheme, const char *stored,
                          const char *password, struct reason *reason)
{
    struct stored_password parsed;

    reason_clear(reason);
    switch (stored_password_parse(&parsed, scheme, bytes_of(stored), reason)) {
    case STORED_LOCKED:
        return VERDICT_LOCKED;
    case STORED_UNREADABLE:
        return VERDICT_UNUSABLE;
    case STORED_PASSWORD:
        break;
    }
    assert_ptr_equal(parsed.scheme, scheme);
    return stored_password_judge(&parsed, bytes_of(password), reason);
}

/* The same, without looking for padding and prefix. */
static enum verdict judge_payload(const struct password_scheme *scheme, const char *payload,
                                  const char *password, struct reason *reason)
{
    const struct stored_password stored = {scheme, scheme->encoding, bytes_of(payload)};

    reason_clear(reason);
    return stored_password_judge(&stored, bytes_of(password), reason);
}

/* Everything that can be typed for one stored text, and every way to damage it. */
static void check_known(const struct password_scheme *scheme, const struct known *row)
{
    static const char *const garbage[] = {"x", ".", " ", "\n", ":", "$", "$$", "\r\n", "="};
    struct reason reason;
    char changed[256];
    size_t length = strlen(row->stored);
    size_t i;

    assert_verdict(judge(scheme, row->stored, row->password, &reason), VERDICT_MATCH);
    assert_verdict(judge(scheme, row->stored, "wrong", &reason), VERDICT_MISMATCH);
    assert_verdict(judge(scheme, row->stored, row->stored, &reason), VERDICT_MISMATCH);
    assert_verdict(judge(scheme, row->stored, "Correct horse battery staple", &reason),
                   VERDICT_MISMATCH);

    for (i = 0; i < COUNT(garbage); i++) {
        snprintf(changed, sizeof(changed), "%s%s", row->stored, garbage[i]);
        assert_verdict(judge_payload(scheme, changed, row->password, &reason), VERDICT_UNUSABLE);
        assert_string_not_equal(reason.text, "");
        assert_lacks(reason.text, row->stored);
        snprintf(changed, sizeof(changed), "%s%s", garbage[i], row->stored);
        assert_verdict(judge_payload(scheme, changed, row->password, &reason), VERDICT_UNUSABLE);
    }

    snprintf(changed, sizeof(changed), "%.*s", (int)length - 1, row->stored);
    assert_verdict(judge(scheme, changed, row->password, &reason), VERDICT_UNUSABLE);
    assert_string_not_equal(reason.text, "");
    assert_lacks(reason.text, changed);

    /* Eleven more characters may be another block of DES, but not of this password. */
    snprintf(changed, sizeof(changed), "%sxxxxxxxxxxx", row->stored);
    assert_string_not_equal(verdict_name(judge(scheme, changed, row->password, &reason)), "MATCH");

    /* One other character in the hash: whatever that is, it does not match. */
    snprintf(changed, sizeof(changed), "%s", row->stored);
    changed[length - 3] = changed[length - 3] == '1' ? '2' : '1';
    assert_string_not_equal(verdict_name(judge(scheme, changed, row->password, &reason)), "MATCH");
}

static void known_crypt(void **state)
{
    const struct known *row = *state;

    skip_unless_known(row->stored);
    check_known(&scheme_crypt, row);
}

static void known_crypt_trad(void **state)
{
    const struct known *row = *state;

    skip_unless_known(row->stored);
    check_known(&scheme_crypt_trad, row);
}

static void known_md5(void **state)
{
    check_known(&scheme_md5, *state);
}

static const char *const prefixes[] = {"{CRYPT}", "{crypt}", "{Crypt}", "{cRyPt}"};

static void check_prefix(const struct password_scheme *scheme, const struct known *row)
{
    struct reason reason;
    char prefixed[256];
    size_t i;

    for (i = 0; i < COUNT(prefixes); i++) {
        snprintf(prefixed, sizeof(prefixed), "%s%s", prefixes[i], row->stored);
        assert_verdict(judge(scheme, prefixed, row->password, &reason), VERDICT_MATCH);
    }
    assert_verdict(judge(scheme, prefixed, "wrong", &reason), VERDICT_MISMATCH);
    assert_verdict(judge(scheme, prefixed, prefixed, &reason), VERDICT_MISMATCH);
    assert_verdict(judge(scheme, prefixed, row->stored, &reason), VERDICT_MISMATCH);
}

static void prefixed_crypt(void **state)
{
    const struct known *row = *state;

    skip_unless_known(row->stored);
    check_prefix(&scheme_crypt, row);
}

static void prefixed_crypt_trad(void **state)
{
    const struct known *row = *state;

    skip_unless_known(row->stored);
    check_prefix(&scheme_crypt_trad, row);
}

/* A hash is not the password, even if the scheme is the wrong one. */
static void hash_is_no_clear_text(void **state)
{
    const struct known *row = *state;
    const struct bytes stored = bytes_of(row->stored);
    struct reason reason;

    skip_unless_known(row->stored);
    if (row->stored[0] != '$') {
        /* It looks too much like a password to be recognised. */
        assert_false(stored_text_is_hash(stored));
        return;
    }
    assert_true(stored_text_is_hash(stored));
    assert_verdict(judge(&scheme_plain, row->stored, row->stored, &reason), VERDICT_UNUSABLE);
    assert_verdict(judge(&scheme_plain, row->stored, row->password, &reason), VERDICT_UNUSABLE);
    assert_string_not_equal(reason.text, "");
    assert_lacks(reason.text, row->stored);
}

/* --- texts that are not of the scheme */

static const struct foreign {
    const char *name;
    const struct password_scheme *scheme;
    const char *stored;
    const char *password;
    enum verdict want;
} foreign[] = {
    {"crypt: clear text", &scheme_crypt, "hunter2", "hunter2", VERDICT_UNUSABLE},
    {"crypt: clear text as long as a DES hash", &scheme_crypt, "thirteenchars", "thirteenchars",
     VERDICT_MISMATCH},
    {"crypt: DES salt alone", &scheme_crypt, "ab", "ab", VERDICT_UNUSABLE},
    {"crypt: one byte", &scheme_crypt, "a", "a", VERDICT_UNUSABLE},
    {"crypt: damaged DES salt", &scheme_crypt, "a:hqWgdm30m6k", "Tr0ub4d", VERDICT_UNUSABLE},
    {"crypt: blank in the salt", &scheme_crypt, "a hqWgdm30m6k", "Tr0ub4d", VERDICT_UNUSABLE},
    {"crypt: not ASCII in the salt", &scheme_crypt, "\303\244hqWgdm30m6k", "Tr0ub4d",
     VERDICT_UNUSABLE},
    {"crypt: prefix alone", &scheme_crypt, "{CRYPT}", "x", VERDICT_UNUSABLE},
    {"crypt: prefix and lock", &scheme_crypt, "{CRYPT}!", "x", VERDICT_UNUSABLE},
    {"crypt: prefix and star", &scheme_crypt, "{CRYPT}*", "x", VERDICT_UNUSABLE},
    {"crypt: prefix and failure token", &scheme_crypt, "{CRYPT}*0", "x", VERDICT_UNUSABLE},
    {"crypt: prefix and other failure token", &scheme_crypt, "{CRYPT}*1", "x", VERDICT_UNUSABLE},
    {"crypt: prefix twice", &scheme_crypt, "{CRYPT}{CRYPT}abhqWgdm30m6k", "Tr0ub4d",
     VERDICT_UNUSABLE},
    {"crypt: unfinished prefix", &scheme_crypt, "{CRYPTabhqWgdm30m6k", "Tr0ub4d", VERDICT_UNUSABLE},
    {"crypt: other prefix", &scheme_crypt, "{SHA}abhqWgdm30m6k", "Tr0ub4d", VERDICT_UNUSABLE},
    {"crypt: blank after the prefix", &scheme_crypt, "{CRYPT} abhqWgdm30m6k", "Tr0ub4d",
     VERDICT_MATCH},
    {"crypt: white space after the prefix", &scheme_crypt, "{crypt}\302\240\t\r\nabhqWgdm30m6k",
     "Tr0ub4d", VERDICT_MATCH},
    {"crypt: blank after the prefix, wrong", &scheme_crypt, "{CRYPT} abhqWgdm30m6k", "Tr0ub4x",
     VERDICT_MISMATCH},
    {"crypt: prefix and blanks alone", &scheme_crypt, "{CRYPT}  ", "x", VERDICT_UNUSABLE},
    {"crypt: blank in the prefix", &scheme_crypt, "{CRYPT }abhqWgdm30m6k", "Tr0ub4d",
     VERDICT_UNUSABLE},
    {"crypt: bcrypt of cost 16", &scheme_crypt,
     "$2b$16$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "x", VERDICT_UNUSABLE},
    {"crypt: setting alone", &scheme_crypt, "$6$saltstring$", "x", VERDICT_UNUSABLE},
    {"crypt: method alone", &scheme_crypt, "$6$", "x", VERDICT_UNUSABLE},
    {"crypt: bcrypt without hash", &scheme_crypt, "$2b$04$abcdefghijklmnopqrstuu", "x",
     VERDICT_UNUSABLE},
    {"crypt: bcrypt with a damaged salt", &scheme_crypt,
     "$2b$04$abcdefghij*lmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "x", VERDICT_UNUSABLE},
    {"crypt: bcrypt with a salt out of its alphabet", &scheme_crypt,
     "$2b$04$abcdefghij-lmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "x", VERDICT_UNUSABLE},
    {"crypt: bcrypt with a damaged cost", &scheme_crypt,
     "$2b$0x$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "x", VERDICT_UNUSABLE},
    {"crypt: SHA-512 with rounds that are none", &scheme_crypt,
     "$6$rounds=many$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO", "x", VERDICT_UNUSABLE},
    {"crypt: unknown method", &scheme_crypt, "$9$salt$hashhashhashhashhashhash", "x",
     VERDICT_UNUSABLE},
    {"crypt: argon2", &scheme_crypt, "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "x",
     VERDICT_UNUSABLE},
    {"crypt: SCRAM verifier", &scheme_crypt, "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5", "x",
     VERDICT_UNUSABLE},
    {"crypt: MD5 in hexadecimal digits", &scheme_crypt, "0cc175b9c0f1b6a831c399e269772661", "a",
     VERDICT_UNUSABLE},
    {"crypt_trad: MD5 of crypt", &scheme_crypt_trad, "$1$saltsalt$BsXyQbZiQujHkdhwPwdol.",
     "correct horse battery staple", VERDICT_UNUSABLE},
    {"crypt_trad: BSDi", &scheme_crypt_trad, "_v/..k/.AEpBSYugrBD6", "correct horse battery staple",
     VERDICT_UNUSABLE},
    {"crypt_trad: thirteen bytes, not all of the alphabet", &scheme_crypt_trad,
     "abhqWgdm30m6=", "Tr0ub4d", VERDICT_UNUSABLE},
    {"crypt_trad: thirteen bytes that start as another method", &scheme_crypt_trad, "$1$a$bcdefghi",
     "Tr0ub4d", VERDICT_UNUSABLE},
    {"crypt_trad: prefix alone", &scheme_crypt_trad, "{CRYPT}", "x", VERDICT_UNUSABLE},
    {"md5: capital digits", &scheme_md5, "0CC175B9C0F1B6A831C399E269772661", "a", VERDICT_MATCH},
    {"md5: other digest", &scheme_md5, "0cc175b9c0f1b6a831c399e269772660", "a", VERDICT_MISMATCH},
    {"md5: not a digit", &scheme_md5, "0cc175b9c0f1b6a831c399e26977266g", "a", VERDICT_UNUSABLE},
    {"md5: 31 digits", &scheme_md5, "0cc175b9c0f1b6a831c399e26977266", "a", VERDICT_UNUSABLE},
    {"md5: 33 digits", &scheme_md5, "0cc175b9c0f1b6a831c399e2697726611", "a", VERDICT_UNUSABLE},
    {"md5: clear text", &scheme_md5, "a", "a", VERDICT_UNUSABLE},
    {"md5: a CRYPT prefix is none of this", &scheme_md5, "{CRYPT}0cc175b9c0f1b6a831c399e269772661",
     "a", VERDICT_UNUSABLE},
    {"plain: right", &scheme_plain, "hunter2", "hunter2", VERDICT_MATCH},
    {"plain: wrong", &scheme_plain, "hunter2", "hunter3", VERDICT_MISMATCH},
    {"plain: letter case", &scheme_plain, "hunter2", "Hunter2", VERDICT_MISMATCH},
    {"plain: start of the password", &scheme_plain, "hunter2", "hunter", VERDICT_MISMATCH},
    {"plain: more than the password", &scheme_plain, "hunter2", "hunter22", VERDICT_MISMATCH},
    {"plain: blank behind", &scheme_plain, "hunter2", "hunter2 ", VERDICT_MISMATCH},
    {"plain: UTF-8", &scheme_plain, "p\303\244ssw\303\266rd", "p\303\244ssw\303\266rd",
     VERDICT_MATCH},
    {"plain: a password with dollar signs", &scheme_plain, "$1$is.my.password", "$1$is.my.password",
     VERDICT_MATCH},
    {"plain: a CRYPT hash with its prefix", &scheme_plain, "{CRYPT}abhqWgdm30m6k",
     "{CRYPT}abhqWgdm30m6k", VERDICT_UNUSABLE},
    {"plain: the same in small letters", &scheme_plain, "{crypt}abhqWgdm30m6k", "Tr0ub4d",
     VERDICT_UNUSABLE},
    {"plain: SCRAM verifier", &scheme_plain, "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5",
     "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5", VERDICT_UNUSABLE},
};

static void judge_other_text(void **state)
{
    const struct foreign *row = *state;
    struct reason reason;

    assert_verdict(judge(row->scheme, row->stored, row->password, &reason), row->want);
    if (row->want == VERDICT_UNUSABLE) {
        assert_string_not_equal(reason.text, "");
        if (strlen(row->stored) > 2)
            assert_lacks(reason.text, row->stored);
    }
}

/* libcrypt reports some texts as too long just as it does passwords. */
static void judge_endless_text(void **state)
{
    static const char *const starts[] = {"$1$",     "$5$",   "$6$", "$y$j9T$", "$7$CU..../....",
                                         "$2b$04$", "$md5$", "ab",  "_J9..",   "{CRYPT}$y$j9T$"};
    char stored[600];
    struct reason reason;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(starts); i++) {
        memset(stored, 'a', sizeof(stored) - 1);
        stored[sizeof(stored) - 1] = '\0';
        memcpy(stored, starts[i], strlen(starts[i]));
        if (judge(&scheme_crypt, stored, "hunter2", &reason) != VERDICT_UNUSABLE)
            print_error("%s...\n", starts[i]);
        assert_verdict(judge(&scheme_crypt, stored, "hunter2", &reason), VERDICT_UNUSABLE);
        assert_string_not_equal(reason.text, "");
    }
}

/* --- new settings */

static const struct method {
    const char *name;
    const char *want_prefix;
} methods[] = {
    {"YESCRYPT", "$y$"},     {"SHA512-CRYPT", "$6$"}, {"GOST-YESCRYPT", "$gy$"},
    {"SCRYPT-CRYPT", "$7$"}, {"BLF-CRYPT", "$2y$"},   {"SHA256-CRYPT", "$5$"},
    {"MD5-CRYPT", "$1$"},    {"sha512-crypt", "$6$"}, {"Yescrypt", "$y$"},
};

static void new_setting(void **state)
{
    const struct method *row = *state;
    struct reason reason;
    char *first, *second;

    if (crypt_checksalt(row->want_prefix) == CRYPT_SALT_INVALID)
        skip();
    first = crypt_method_new_setting(row->name, 0, &reason);
    second = crypt_method_new_setting(row->name, 0, &reason);
    assert_non_null(first);
    assert_non_null(second);
    assert_memory_equal(first, row->want_prefix, strlen(row->want_prefix));
    assert_string_not_equal(first, second);
    free(first);
    free(second);
}

static const struct costing {
    const char *name;
    const char *method;
    unsigned long cost;
    const char *want_start; /* NULL: refused */
} costings[] = {
    {"yescrypt, least", "YESCRYPT", 1, "$y$j75$"},
    {"yescrypt, most", "YESCRYPT", 9, "$y$jDT$"},
    {"yescrypt, more", "YESCRYPT", 10, NULL},
    {"gost-yescrypt, most", "GOST-YESCRYPT", 9, "$gy$jDT$"},
    {"gost-yescrypt, more", "GOST-YESCRYPT", 10, NULL},
    {"scrypt, less", "SCRYPT-CRYPT", 5, NULL},
    {"scrypt, least", "SCRYPT-CRYPT", 6, "$7$BU..../....$"},
    {"scrypt, most", "SCRYPT-CRYPT", 9, "$7$EU..../....$"},
    {"scrypt, more", "SCRYPT-CRYPT", 10, NULL},
    {"bcrypt, less", "BLF-CRYPT", 3, NULL},
    {"bcrypt, least", "BLF-CRYPT", 4, "$2y$04$"},
    {"bcrypt, most", "BLF-CRYPT", 15, "$2y$15$"},
    {"bcrypt, more", "BLF-CRYPT", 16, NULL},
    {"SHA-256, less", "SHA256-CRYPT", 999, NULL},
    {"SHA-256, least", "SHA256-CRYPT", 1000, "$5$rounds=1000$"},
    {"SHA-512, most", "SHA512-CRYPT", 5000000, "$6$rounds=5000000$"},
    {"SHA-512, more", "SHA512-CRYPT", 5000001, NULL},
    {"MD5", "MD5-CRYPT", 1000, NULL},
    {"DES", "DES-CRYPT", 25, NULL},
};

/* No setting is made at a cost that could not log in. */
static void new_setting_of_some_cost(void **state)
{
    const struct costing *row = *state;
    struct reason reason = {""};
    char *setting = crypt_method_new_setting(row->method, 0, &reason);

    if (setting == NULL)
        skip();
    free(setting);
    setting = crypt_method_new_setting(row->method, row->cost, &reason);
    if (row->want_start == NULL) {
        assert_null(setting);
        assert_contains(reason.text, "password_store_cost: ");
        return;
    }
    assert_non_null(setting);
    assert_memory_equal(setting, row->want_start, strlen(row->want_start) - 1);
    assert_true(crypt_method_allows(setting, &reason));
    free(setting);
}

static void new_setting_of_des(void **state)
{
    static const char alphabet[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct reason reason;
    char *setting = crypt_method_new_setting("DES-CRYPT", 0, &reason);

    (void)state;
    if (setting == NULL && crypt_checksalt("ab") == CRYPT_SALT_INVALID)
        skip();
    assert_non_null(setting);
    assert_int_equal(strlen(setting), 2);
    assert_int_equal(strspn(setting, alphabet), 2);
    free(setting);
}

static void new_setting_of_the_best(void **state)
{
    struct reason reason;
    char *setting = crypt_method_new_setting(NULL, 0, &reason);
    bool yescrypt = crypt_checksalt("$y$") != CRYPT_SALT_INVALID;

    (void)state;
    assert_non_null(setting);
    assert_memory_equal(setting, yescrypt ? "$y$" : "$6$", 3);
    free(setting);
}

/* --- the libcrypt of another system, by the linker's --wrap */

static struct {
    bool is_other;
    const char *only;    /* the prefix that it knows; NULL: none */
    int salt_error;      /* the error of making a setting; 0: none */
    const char *failure; /* what crypt_r(3) answers */
    int hash_error;      /* with this errno(3); 0: it does not fail */
} libcrypt;

int __real_crypt_checksalt(const char *setting);
int __wrap_crypt_checksalt(const char *setting);
char *__real_crypt_gensalt_ra(const char *prefix, unsigned long cost, const char *random, int size);
char *__wrap_crypt_gensalt_ra(const char *prefix, unsigned long cost, const char *random, int size);
char *__real_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);

int __wrap_crypt_checksalt(const char *setting)
{
    if (!libcrypt.is_other)
        return __real_crypt_checksalt(setting);
    return libcrypt.only != NULL && strcmp(setting, libcrypt.only) == 0 ? CRYPT_SALT_OK
                                                                        : CRYPT_SALT_INVALID;
}

char *__wrap_crypt_gensalt_ra(const char *prefix, unsigned long cost, const char *random, int size)
{
    if (libcrypt.salt_error == 0)
        return __real_crypt_gensalt_ra(prefix, cost, random, size);
    errno = libcrypt.salt_error;
    return NULL;
}

char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    if (libcrypt.hash_error == 0)
        return __real_crypt_r(phrase, setting, data);
    errno = libcrypt.hash_error;
    return (char *)(uintptr_t)libcrypt.failure;
}

static int restore_libcrypt(void **state)
{
    (void)state;
    memset(&libcrypt, 0, sizeof(libcrypt));
    return 0;
}

static void methods_of_another_libcrypt(void **state)
{
    static const struct {
        const char *only, *method;
        const char *want; /* the start of a setting, or why there is none */
    } cases[] = {
        {"$5$", NULL, "$5$"},
        {"$1$", NULL, "$1$"},
        {"ab", NULL, ""},
        {NULL, NULL, "password_store_scheme: libcrypt cannot make \"any hash\""},
        {"$5$", "SHA512-CRYPT", "password_store_scheme: libcrypt cannot make \"SHA512-CRYPT\""},
        {"$6$", "DES-CRYPT", "password_store_scheme: libcrypt cannot make \"DES-CRYPT\""},
        {"$6$", "SHA512-CRYPT", "$6$"},
    };
    size_t i;

    (void)state;
    libcrypt.is_other = true;
    for (i = 0; i < COUNT(cases); i++) {
        struct reason reason = {""};
        char *setting;

        libcrypt.only = cases[i].only;
        setting = crypt_method_new_setting(cases[i].method, 0, &reason);
        if (setting == NULL)
            assert_string_equal(reason.text, cases[i].want);
        else
            assert_memory_equal(setting, cases[i].want, strlen(cases[i].want));
        free(setting);
    }
}

/* No salt is made for a format that has none. */
static void no_salt_for_a_policy(void **state)
{
    static const char *const formats[] = {"plain", "crypt_trad", "md5", "crypt"};
    struct reason reason = {""};
    size_t i;

    (void)state;
    libcrypt.salt_error = ENOSYS;
    for (i = 0; i < COUNT(formats); i++) {
        struct password_policy *policy = password_policy_new(formats[i], NULL, NULL, &reason);

        assert_int_equal(policy != NULL, strcmp(formats[i], "crypt") != 0);
        password_policy_free(policy);
    }
    assert_string_equal(reason.text, "libcrypt cannot make a salt");
}

static void no_new_setting(void **state)
{
    static const struct {
        int error;
        const char *want;
    } cases[] = {
        {ENOMEM, "out of memory"},
        {ENOSYS, "libcrypt cannot make a salt"},
    };
    const struct bytes password = bytes_of("hunter2");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        struct secret out = SECRET_EMPTY;
        struct reason reason = {""};

        libcrypt.salt_error = cases[i].error;
        assert_null(crypt_method_new_setting("MD5-CRYPT", 0, &reason));
        assert_string_equal(reason.text, cases[i].want);
        assert_false(stored_password_make(&scheme_crypt, "MD5-CRYPT", 0, password, &out, &reason));
        assert_string_equal(reason.text, cases[i].want);
        assert_null(out.bytes);
    }
}

/* Some return NULL, others a text that is not a hash. */
static void no_hash(void **state)
{
    static const struct {
        const char *failure;
        int error;
        enum verdict want;
        const char *want_judged, *want_stored;
    } cases[] = {
        {NULL, ENOMEM, VERDICT_NO_MEMORY, "out of memory", "out of memory"},
        {"*0", ENOMEM, VERDICT_NO_MEMORY, "out of memory", "out of memory"},
        {NULL, EINVAL, VERDICT_UNUSABLE,
         "the stored value is not a hash that crypt(3) of this system knows",
         "libcrypt cannot make a hash"},
        {"*0", EPERM, VERDICT_UNUSABLE,
         "the stored value is not a hash that crypt(3) of this system knows",
         "libcrypt cannot make a hash"},
    };
    const struct bytes password = bytes_of("hunter2");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        struct secret out = SECRET_EMPTY;
        struct reason reason = {""};

        libcrypt.failure = cases[i].failure;
        libcrypt.hash_error = cases[i].error;
        assert_verdict(
            judge(&scheme_crypt, "$1$abcdefgh$WRZqCnVPd0p3k3JhOTKCA/", "hunter2", &reason),
            cases[i].want);
        assert_string_equal(reason.text, cases[i].want_judged);
        assert_false(stored_password_make(&scheme_crypt, "MD5-CRYPT", 0, password, &out, &reason));
        assert_string_equal(reason.text, cases[i].want_stored);
        assert_null(out.bytes);
    }
}

static const struct unknown {
    const char *name;
    const char *method;
} unknown_methods[] = {
    {"never heard of", "ROT13"},           {"nothing", ""},
    {"prefix instead of a name", "$6$"},   {"start of a name", "SHA512"},
    {"more than a name", "SHA512-CRYPT "},
};

static void unknown_method(void **state)
{
    const struct unknown *row = *state;
    const struct bytes password = bytes_of("hunter2");
    struct secret out = SECRET_EMPTY;
    struct reason reason = {""};

    assert_null(crypt_method_new_setting(row->method, 0, &reason));
    assert_contains(reason.text, "libcrypt cannot make");
    assert_false(stored_password_make(&scheme_crypt, row->method, 0, password, &out, &reason));
    assert_null(out.bytes);
    assert_contains(reason.text, "libcrypt cannot make");
    assert_lacks(reason.text, "hunter2");
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, find, names);
    TEST_ADD(&list, clear_text_is_plain_alone);
    TEST_ADD(&list, strong_is_crypt_alone);
    TEST_ADD_CASES(&list, known_crypt, crypt_answers);
    TEST_ADD_CASES(&list, known_crypt_trad, des_answers);
    TEST_ADD_CASES(&list, known_md5, md5_answers);
    TEST_ADD_CASES(&list, prefixed_crypt, crypt_answers);
    TEST_ADD_CASES(&list, prefixed_crypt_trad, des_answers);
    TEST_ADD_CASES(&list, hash_is_no_clear_text, crypt_answers);
    TEST_ADD_CASES(&list, judge_other_text, foreign);
    TEST_ADD(&list, judge_endless_text);
    TEST_ADD_CASES(&list, new_setting, methods);
    TEST_ADD_CASES(&list, new_setting_of_some_cost, costings);
    TEST_ADD(&list, new_setting_of_des);
    TEST_ADD(&list, new_setting_of_the_best);
    TEST_ADD_CASES(&list, unknown_method, unknown_methods);
    TEST_ADD(&list, methods_of_another_libcrypt)->teardown_func = restore_libcrypt;
    TEST_ADD(&list, no_salt_for_a_policy)->teardown_func = restore_libcrypt;
    TEST_ADD(&list, no_new_setting)->teardown_func = restore_libcrypt;
    TEST_ADD(&list, no_hash)->teardown_func = restore_libcrypt;
    return test_run("password_scheme", &list);
}
