/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/crypt_method.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "password/crypt_ceiling.h"
#include "password/crypt_number.h"

#define MEMORY ": 256 MiB, and 1 GiB in all passes"
#define ROUNDS ": 5000000 rounds"
#define FEWER_ROUNDS ": 2000000 rounds"

enum { LONGEST = CRYPT_METHOD_LONGEST };

/* Methods that can make new hashes come first, from the best to the worst. */
static const struct method {
    const char *prefix;

    /* Judges what follows the prefix; the limit in words, for the log, is NULL if all hashes
     * cost the same. */
    enum crypt_fit (*fit)(const char *text);
    const char *ceiling;

    /* If it can make new hashes: its name in password_store_scheme, as Dovecot spells it, how
     * many bytes of a password it uses, and which costs it accepts, in libcrypt's units and up
     * to our own ceiling; 0 if there is no choice. */
    const char *name;
    size_t longest;
    struct {
        unsigned long least, most;
    } cost;
} methods[] = {
    {"$y$", crypt_ceiling_yescrypt, "yescrypt" MEMORY, "YESCRYPT", LONGEST, {1, 9}},
    {"$6$", crypt_ceiling_sha, "SHA-crypt" ROUNDS, "SHA512-CRYPT", LONGEST, {1000, 5000000}},
    {"$gy$", crypt_ceiling_yescrypt, "gost-yescrypt" MEMORY, "GOST-YESCRYPT", LONGEST, {1, 9}},
    {"$7$", crypt_ceiling_scrypt, "scrypt" MEMORY, "SCRYPT-CRYPT", LONGEST, {6, 9}},
    {"$2y$", crypt_ceiling_bcrypt, "bcrypt: cost 15", "BLF-CRYPT", 72, {4, 15}},
    {"$5$", crypt_ceiling_sha, "SHA-crypt" ROUNDS, "SHA256-CRYPT", LONGEST, {1000, 5000000}},
    {"$1$", crypt_ceiling_none, NULL, "MD5-CRYPT", LONGEST, {0, 0}},
    {"", crypt_ceiling_none, NULL, "DES-CRYPT", 8, {0, 0}}, /* no prefix, but a salt */
    {"$2a$", crypt_ceiling_bcrypt, "bcrypt: cost 15", NULL, 0, {0, 0}},
    {"$2b$", crypt_ceiling_bcrypt, "bcrypt: cost 15", NULL, 0, {0, 0}},
    {"$2x$", crypt_ceiling_bcrypt, "bcrypt: cost 15", NULL, 0, {0, 0}},
    {"$sm3$", crypt_ceiling_sha, "sm3crypt" ROUNDS, NULL, 0, {0, 0}},
    {"$sm3y$", crypt_ceiling_yescrypt, "sm3-yescrypt" MEMORY, NULL, 0, {0, 0}},
    {"$sha1", crypt_ceiling_sha1, "sha1crypt" FEWER_ROUNDS, NULL, 0, {0, 0}},
    {"$md5", crypt_ceiling_sun_md5, "SunMD5" FEWER_ROUNDS, NULL, 0, {0, 0}},
    {"_", crypt_ceiling_bsdi, "BSDi" ROUNDS, NULL, 0, {0, 0}},
    {"$3$", crypt_ceiling_none, NULL, NULL, 0, {0, 0}},
};

enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

/* --- existing hashes, or the start of one */

static bool is_of(const struct method *method, const char *setting)
{
    if (method->prefix[0] == '\0')
        return crypt_number_digit(setting[0]) >= 0 && crypt_number_digit(setting[1]) >= 0;
    return strncmp(setting, method->prefix, strlen(method->prefix)) == 0;
}

static const struct method *method_of(const char *setting)
{
    size_t i;

    for (i = 0; i < METHODS; i++)
        if (is_of(&methods[i], setting))
            return &methods[i];
    return NULL;
}

static bool allocates(const struct method *method)
{
    return method->fit == crypt_ceiling_scrypt || method->fit == crypt_ceiling_yescrypt;
}

/* There must be room for the "$" and the hash after the setting, even if it already has them. */
static bool is_room_left(const char *setting)
{
    enum { HASH = 43 };

    return strlen(setting) + 1 + HASH < CRYPT_OUTPUT_SIZE;
}

/* A method that only a later libcrypt has is refused until its cost can be read here: a ceiling
 * that new methods bypass is no ceiling. A refused row affects one user and leaves a line in the
 * log; a row without a ceiling can affect everybody's mail. */
bool crypt_method_allows(const char *setting, struct reason *reason)
{
    const struct method *method = method_of(setting);

    if (method == NULL) {
        reason_set(reason, "the stored value is not a hash of a crypt(3) method known here");
        return false;
    }
    switch (method->fit(setting + strlen(method->prefix))) {
    case CRYPT_FITS:
        if (!allocates(method) || is_room_left(setting))
            return true;
        reason_set(reason, "the stored hash is too long");
        break;
    case CRYPT_TOO_MUCH:
        reason_set(reason, "the stored hash exceeds the cost limit (%s)", method->ceiling);
        break;
    case CRYPT_MALFORMED:
        reason_set(reason, "the stored hash is truncated or malformed");
        break;
    }
    return false;
}

bool crypt_method_needs_memory(const char *setting)
{
    const struct method *method = method_of(setting);

    return method != NULL && allocates(method);
}

/* --- new hashes */

/* Whether this libcrypt has it. DES has no prefix: a salt asks for it. */
static bool is_in_libcrypt(const struct method *method)
{
    return crypt_checksalt(method->prefix[0] != '\0' ? method->prefix : "ab") != CRYPT_SALT_INVALID;
}

static const struct method *method_named(const char *name)
{
    size_t i;

    for (i = 0; i < METHODS; i++)
        if (methods[i].name != NULL && strcasecmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static const struct method *best_method(void)
{
    size_t i;

    for (i = 0; i < METHODS; i++)
        if (methods[i].name != NULL && is_in_libcrypt(&methods[i]))
            return &methods[i];
    return NULL;
}

/* Whether the method accepts that cost; 0 is its default. */
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

/* The named method, or the best one without a name; NULL with a reason. */
static const struct method *choose(const char *name, unsigned long cost, struct reason *reason)
{
    const struct method *method = name != NULL ? method_named(name) : best_method();

    if (method == NULL || !is_in_libcrypt(method)) {
        reason_set(reason, "password_store_scheme: libcrypt cannot make \"%s\"",
                   name != NULL ? name : "any hash");
        return NULL;
    }
    return is_cost_possible(method, cost, reason) ? method : NULL;
}

bool crypt_method_is_known(const char *name, unsigned long cost, struct reason *reason)
{
    return choose(name, cost, reason) != NULL;
}

char *crypt_method_new_setting(const char *name, unsigned long cost, struct reason *reason)
{
    const struct method *method = choose(name, cost, reason);
    char *setting;

    if (method == NULL)
        return NULL;
    errno = 0;
    setting = crypt_gensalt_ra(method->prefix, cost, NULL, 0);
    if (setting == NULL && errno == ENOMEM)
        reason_no_memory(reason);
    else if (setting == NULL) /* otherwise it only needs random bytes from the system */
        reason_set(reason, "libcrypt cannot make a salt");
    return setting;
}

bool crypt_method_takes(const char *name, struct bytes password, struct reason *reason)
{
    const struct method *method = name != NULL ? method_named(name) : NULL;

    if (method == NULL || password.length <= method->longest)
        return true;
    reason_set(reason, "%s uses only the first %zu bytes; this password is longer", method->name,
               method->longest);
    return false;
}
