/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The hashes of crypt(3): "crypt" accepts every method that the libcrypt of the
 * system knows, "crypt_trad" only traditional DES. They may start with the
 * prefix {CRYPT}, which LDAP servers and Dovecot write.
 */

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "password/crypt_method.h"
#include "password/crypt_number.h"
#include "password/password_scheme.h"

#define DES "DES-CRYPT"

/* Whether only lack of memory can have made crypt_r(3) fail. Its errno does not say so:
 * libxcrypt replaces the one of mmap(2) with EINVAL. */
static bool is_lack_of_memory(const char *setting)
{
    struct reason ignored;
    int known;

    if (!crypt_method_needs_memory(setting) || !crypt_method_allows(setting, &ignored))
        return false;
    known = crypt_checksalt(setting);
    return known != CRYPT_SALT_INVALID && known != CRYPT_SALT_METHOD_DISABLED;
}

/* Hashes `password` by the method, rounds and salt at the start of `setting`.
 * The result, with 0, ENOMEM or EINVAL, is in `out`, which is empty on failure. */
static int hash(const char *password, const char *setting, struct secret *out)
{
    /* Not on the stack: it is 32 kB, and threads may have small stacks. */
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

/* No hash contains other characters, crypt(5): libxcrypt checks that since 4.4.25, and before
 * that takes them as part of the salt. */
static bool is_printable(const char *text)
{
    size_t length = 0;

    while (text[length] > ' ' && text[length] < '\177')
        length++;
    return text[length] == '\0' && strpbrk(text, "!*:;\\") == NULL;
}

/* A salt of two characters, and eleven for each block of the password: one in
 * the traditional hash, more in that of some old systems ("bigcrypt"), where
 * the password determines the length. */
static bool is_des(struct bytes text)
{
    size_t i;

    if (text.length < 13 || (text.length - 2) % 11 != 0)
        return false;
    for (i = 0; i < text.length; i++)
        if (crypt_number_digit(text.start[i]) < 0)
            return false;
    return true;
}

/* Makes a hash by `setting`, which should be a whole hash. */
static enum password_made hash_again(const char *setting, const char *password, struct secret *out,
                                     struct reason *reason)
{
    int error;

    if (!crypt_method_allows(setting, reason))
        return PASSWORD_UNREADABLE;
    error = is_printable(setting) ? hash(password, setting, out) : EINVAL;
    if (error == ENOMEM)
        return PASSWORD_NO_MEMORY;
    if (error != 0) {
        reason_set(reason, "the stored value is not a hash that crypt(3) of this system knows");
        return PASSWORD_UNREADABLE;
    }
    if (out->length != strlen(setting) && !is_des(bytes_of(setting))) {
        reason_set(reason, "the stored hash is truncated or malformed");
        return PASSWORD_UNREADABLE;
    }
    return PASSWORD_MADE;
}

static enum password_made make_crypt(struct bytes stored, struct bytes password, struct secret *out,
                                     struct reason *reason)
{
    struct secret setting = SECRET_EMPTY; /* a string, unlike a view */
    enum password_made made = PASSWORD_NO_MEMORY;

    if (secret_set(&setting, stored.start, stored.length))
        made = hash_again(setting.bytes, password.start, out, reason);
    secret_wipe(&setting);
    return made;
}

static enum password_made make_trad(struct bytes stored, struct bytes password, struct secret *out,
                                    struct reason *reason)
{
    if (stored.length != 13 || !is_des(stored)) {
        reason_set(reason, "the stored value is not a traditional (DES) hash of crypt(3)");
        return PASSWORD_UNREADABLE;
    }
    return make_crypt(stored, password, out, reason);
}

static bool takes_trad(const char *method, struct bytes password, struct reason *reason)
{
    (void)method;
    return crypt_method_takes(DES, password, reason);
}

static bool store_crypt(const char *method, unsigned long cost, struct bytes password,
                        struct secret *out, struct reason *reason)
{
    char *setting = crypt_method_new_setting(method, cost, reason);
    int error;

    if (setting == NULL)
        return false;
    error = hash(password.start, setting, out);
    free(setting);
    if (error == ENOMEM)
        reason_no_memory(reason);
    else if (error != 0)
        reason_set(reason, "libcrypt cannot make a hash");
    return error == 0;
}

static bool store_trad(const char *method, unsigned long cost, struct bytes password,
                       struct secret *out, struct reason *reason)
{
    (void)method, (void)cost;
    return store_crypt(DES, 0, password, out, reason);
}

static const char *const aliases[] = {"CRYPT", NULL};

const struct password_scheme scheme_crypt = {
    .name = "crypt",
    .aliases = aliases,
    .strength = PASSWORD_STRONG,
    .longest = CRYPT_METHOD_LONGEST,
    .make = make_crypt,
    .has_method = crypt_method_is_known,
    .takes = crypt_method_takes,
    .store = store_crypt,
    .new_sample = crypt_method_new_setting,
};

const struct password_scheme scheme_crypt_trad = {
    .name = "crypt_trad",
    .aliases = aliases,
    .strength = PASSWORD_WEAK,
    .longest = CRYPT_METHOD_LONGEST,
    .make = make_trad,
    .takes = takes_trad,
    .store = store_trad,
    .sample = "xxxxxxxxxxxxx",
};
