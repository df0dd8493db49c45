/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The hashes of crypt(3): "crypt" takes every method that the libcrypt of the
 * system knows, "crypt_trad" the traditional DES one alone. The prefix
 * {CRYPT}, which LDAP servers and Dovecot write, may stand in front.
 */

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "password/crypt_ceiling.h"
#include "password/password_scheme.h"
#include "password/stored_text.h"

/* crypt(3) takes one byte less than its buffer has. */
enum { LONGEST = CRYPT_MAX_PASSPHRASE_SIZE - 1 };

/* The names of password_store_scheme, best first, as Dovecot spells them, how many
 * bytes of a password each looks at, and which costs it takes: in libcrypt's units, and
 * up to our own ceiling. */
static const struct method {
    const char *name;
    const char *prefix;
    size_t longest;
    struct {
        unsigned long least, most; /* 0: there is no choice */
    } cost;
} methods[] = {
    {"YESCRYPT", "$y$", LONGEST, {1, 9}},       {"SHA512-CRYPT", "$6$", LONGEST, {1000, 5000000}},
    {"GOST-YESCRYPT", "$gy$", LONGEST, {1, 9}}, {"SCRYPT-CRYPT", "$7$", LONGEST, {6, 9}},
    {"BLF-CRYPT", "$2y$", 72, {4, 15}},         {"SHA256-CRYPT", "$5$", LONGEST, {1000, 5000000}},
    {"MD5-CRYPT", "$1$", LONGEST, {0, 0}},      {"DES-CRYPT", "", 8, {0, 0}},
};

/* The prefix with the white space that may follow it. */
static size_t prefix_length(struct bytes stored)
{
    static const char prefix[] = "{CRYPT}";
    size_t length = strlen(prefix);

    if (strncasecmp(stored.start, prefix, length) != 0)
        return 0;
    return length +
           stored_text_space((struct bytes){stored.start + length, stored.length - length});
}

/* Whether crypt_r(3) can have failed for nothing but lack of memory. Its errno does not
 * say so: libxcrypt puts EINVAL in the place of mmap(2)'s. */
static bool is_lack_of_memory(const char *setting)
{
    struct reason ignored;
    int known;

    if (!crypt_ceiling_needs_memory(setting) || !crypt_ceiling_allows(setting, &ignored))
        return false;
    known = crypt_checksalt(setting);
    return known != CRYPT_SALT_INVALID && known != CRYPT_SALT_METHOD_DISABLED;
}

/* Hashes `password` by the method, rounds and salt at the start of `setting`.
 * The result, with 0, ENOMEM or EINVAL, is in `out`, which is empty on failure. */
static int hash(const char *password, const char *setting, struct secret *out)
{
    /* Not on the stack: it is 32 kB, and threads may have small ones. */
    struct crypt_data *scratch = malloc(sizeof(*scratch));
    const char *result;
    int error = ENOMEM;

    secret_wipe(out);
    if (scratch == NULL)
        return error;
    scratch->initialized = 0; /* the rest may hold anything, crypt_r(3) */
    errno = 0;
    result = crypt_r(password, setting, scratch);
    if (result == NULL || result[0] == '*')
        error = errno == ENOMEM || is_lack_of_memory(setting) ? ENOMEM : EINVAL;
    else if (secret_set(out, result, strlen(result)))
        error = 0;
    explicit_bzero(scratch, sizeof(*scratch));
    free(scratch);
    return error;
}

/* What no hash holds, crypt(5): libxcrypt looks for it since 4.4.25, and takes it for a
 * part of the salt before. */
static bool is_printable(const char *text)
{
    size_t length = 0;

    while (text[length] > ' ' && text[length] < '\177')
        length++;
    return text[length] == '\0' && strpbrk(text, "!*:;\\") == NULL;
}

static const char des_alphabet[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* A salt of two characters, and eleven for each block of the password: one in
 * the traditional hash, more in that of some old systems ("bigcrypt"), whose
 * length is the password's own choice. */
static bool is_des(const char *text)
{
    size_t length = strlen(text);

    return length >= 13 && (length - 2) % 11 == 0 && strspn(text, des_alphabet) == length;
}

static enum verdict judge_crypt(struct bytes stored, struct bytes password, struct reason *reason)
{
    const char *expected = stored.start + prefix_length(stored);
    struct secret computed = SECRET_EMPTY;
    enum verdict verdict = VERDICT_UNUSABLE;
    int error;

    if (!crypt_ceiling_allows(expected, reason))
        return verdict;
    error = is_printable(expected) ? hash(password.start, expected, &computed) : EINVAL;
    if (error == ENOMEM) {
        reason_no_memory(reason);
        verdict = VERDICT_NO_MEMORY;
    } else if (error != 0) {
        reason_set(reason, "the stored value is not a hash that crypt(3) of this system knows");
    } else if (computed.length != strlen(expected) && !is_des(expected)) {
        reason_set(reason, "the stored hash is truncated or malformed");
    } else {
        verdict = secret_equal(secret_bytes(&computed), bytes_of(expected)) ? VERDICT_MATCH
                                                                            : VERDICT_MISMATCH;
    }
    secret_wipe(&computed);
    return verdict;
}

static enum verdict judge_trad(struct bytes stored, struct bytes password, struct reason *reason)
{
    const char *expected = stored.start + prefix_length(stored);

    if (strlen(expected) != 13 || !is_des(expected)) {
        reason_set(reason, "the stored value is not a traditional (DES) hash of crypt(3)");
        return VERDICT_UNUSABLE;
    }
    return judge_crypt(stored, password, reason);
}

static const struct method *find_method(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcasecmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

/* Whether this libcrypt has it: DES, which has no prefix, is asked for by a salt. */
static bool is_known(const struct method *method)
{
    return crypt_checksalt(method->prefix[0] != '\0' ? method->prefix : "ab") != CRYPT_SALT_INVALID;
}

/* The named method, or without a name the best one; NULL if libcrypt has it not. */
static const struct method *choose_method(const char *name)
{
    const struct method *method = name != NULL ? find_method(name) : NULL;
    size_t i;

    if (name != NULL)
        return method != NULL && is_known(method) ? method : NULL;
    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (is_known(&methods[i]))
            return &methods[i];
    return NULL;
}

/* Whether the method can be made to cost that; 0 is its default. */
static bool is_cost_possible(const struct method *method, unsigned long cost, struct reason *reason)
{
    if (cost == 0 || (cost >= method->cost.least && cost <= method->cost.most))
        return true;
    if (method->cost.most == 0)
        reason_set(reason, "password_store_cost: %s has no choice of cost", method->name);
    else
        reason_set(reason, "password_store_cost: %s takes %lu to %lu", method->name,
                   method->cost.least, method->cost.most);
    return false;
}

static char *new_setting(const char *name, unsigned long cost, struct reason *reason)
{
    const struct method *method = choose_method(name);
    char *setting;

    if (method == NULL) {
        reason_set(reason, "password_store_scheme: libcrypt cannot make \"%s\"",
                   name != NULL ? name : "any hash");
        return NULL;
    }
    if (!is_cost_possible(method, cost, reason))
        return NULL;
    errno = 0;
    setting = crypt_gensalt_ra(method->prefix, cost, NULL, 0);
    /* What else it needs is random bytes of the system. */
    if (setting == NULL)
        reason_set(reason, "%s", errno == ENOMEM ? "out of memory" : "libcrypt cannot make a salt");
    return setting;
}

static bool takes_crypt(const char *name, struct bytes password, struct reason *reason)
{
    const struct method *method = name != NULL ? find_method(name) : NULL;

    if (method == NULL || password.length <= method->longest)
        return true;
    reason_set(reason, "%s uses only the first %zu bytes; this password is longer", method->name,
               method->longest);
    return false;
}

static bool takes_trad(const char *name, struct bytes password, struct reason *reason)
{
    (void)name;
    return takes_crypt("DES-CRYPT", password, reason);
}

static bool store_crypt(const char *name, unsigned long cost, struct bytes password,
                        struct secret *out, struct reason *reason)
{
    char *setting = new_setting(name, cost, reason);
    int error;

    if (setting == NULL)
        return false;
    error = hash(password.start, setting, out);
    free(setting);
    if (error != 0)
        reason_set(reason, "%s", error == ENOMEM ? "out of memory" : "libcrypt cannot make a hash");
    return error == 0;
}

static bool store_trad(const char *method, unsigned long cost, struct bytes password,
                       struct secret *out, struct reason *reason)
{
    (void)method, (void)cost;
    return store_crypt("DES-CRYPT", 0, password, out, reason);
}

const struct password_scheme scheme_crypt = {
    .name = "crypt",
    .longest = LONGEST,
    .judge = judge_crypt,
    .takes = takes_crypt,
    .store = store_crypt,
    .new_setting = new_setting,
};

const struct password_scheme scheme_crypt_trad = {
    .name = "crypt_trad",
    .longest = LONGEST,
    .judge = judge_trad,
    .takes = takes_trad,
    .store = store_trad,
    .sample = "xxxxxxxxxxxxx",
};
