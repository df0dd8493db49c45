/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/stored_password.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "password/stored_text.h"

/* --- what a text is */

/* The text without "{NAME}" at its start, which LDAP servers and Dovecot write, and the white
 * space that may follow it. */
static struct bytes without_prefix(struct bytes text, const char *const *aliases)
{
    for (; aliases != NULL && *aliases != NULL; aliases++) {
        const size_t length = strlen(*aliases);
        struct bytes rest;

        if (text.length < length + 2 || text.start[0] != '{' || text.start[length + 1] != '}' ||
            strncasecmp(text.start + 1, *aliases, length) != 0)
            continue;
        rest = bytes_after(text, length + 2);
        return bytes_after(rest, stored_text_space(rest));
    }
    return text;
}

/* Names a text that looks like a lock, but comes from a function of MySQL. */
static enum stored_kind refuse_locked(struct bytes text, struct reason *reason)
{
    if (stored_text_is_mysql_hash(text)) {
        reason_set(reason, "the stored hash is one of MySQL's PASSWORD(), which is not supported");
        return STORED_UNREADABLE;
    }
    reason_set(reason, "the account has no password or is locked");
    return STORED_LOCKED;
}

enum stored_kind stored_password_parse(struct stored_password *stored,
                                       const struct password_scheme *scheme, struct bytes text,
                                       struct reason *reason)
{
    const struct bytes trimmed = stored_text_trim(text);

    if (stored_text_is_locked(trimmed))
        return refuse_locked(trimmed, reason);
    /* Padding is not part of a hash. */
    text = scheme->clear_text ? stored_text_without_nuls(text) : trimmed;
    if (bytes_have_nul(text)) {
        reason_set(reason, "the stored value holds a NUL");
        return STORED_UNREADABLE;
    }
    if (!scheme->clear_text && stored_text_may_be_old_mysql_hash(text)) {
        reason_set(reason, "the stored value looks like a hash of MySQL's OLD_PASSWORD(), "
                           "which is not supported");
        return STORED_UNREADABLE;
    }
    *stored =
        (struct stored_password){scheme, scheme->encoding, without_prefix(text, scheme->aliases)};
    return STORED_PASSWORD;
}

/* --- whether a password is right */

static enum password_made decode_hex(const struct stored_password *stored, struct secret *out,
                                     struct reason *reason)
{
    const size_t size = stored->scheme->size;
    const bool fits = stored->payload.length == 2 * size;

    /* Any contents will do: this makes room for the bytes. */
    if (fits && !secret_set(out, stored->payload.start, size))
        return PASSWORD_NO_MEMORY;
    if (fits && hex_read((unsigned char *)out->bytes, stored->payload.start, size))
        return PASSWORD_MADE;
    reason_set(reason, "the stored value is not %s", stored->scheme->description);
    return PASSWORD_UNREADABLE;
}

/* `bytes` is the payload itself, or a view of `decoded`. */
static enum password_made decode(const struct stored_password *stored, struct secret *decoded,
                                 struct bytes *bytes, struct reason *reason)
{
    enum password_made result = PASSWORD_MADE;

    *bytes = stored->payload;
    switch (stored->encoding) {
    case PASSWORD_AS_TEXT:
        break;
    case PASSWORD_IN_HEX:
        result = decode_hex(stored, decoded, reason);
        *bytes = secret_bytes(decoded);
        break;
    }
    return result;
}

static enum verdict verdict_of(enum password_made made, struct bytes stored,
                               const struct secret *computed, struct reason *reason)
{
    switch (made) {
    case PASSWORD_NO_MEMORY:
        reason_no_memory(reason);
        return VERDICT_NO_MEMORY;
    case PASSWORD_UNREADABLE:
        break;
    case PASSWORD_MADE:
        return secret_equal(secret_bytes(computed), stored) ? VERDICT_MATCH : VERDICT_MISMATCH;
    }
    return VERDICT_UNUSABLE;
}

/* Makes what should be stored, and compares. */
static enum verdict compare(const struct stored_password *stored, struct bytes password,
                            struct reason *reason)
{
    struct secret decoded = SECRET_EMPTY, computed = SECRET_EMPTY;
    struct bytes bytes;
    enum password_made made = decode(stored, &decoded, &bytes, reason);
    enum verdict verdict;

    if (made == PASSWORD_MADE)
        made = stored->scheme->make(bytes, password, &computed, reason);
    verdict = verdict_of(made, bytes, &computed, reason);
    secret_wipe(&decoded);
    secret_wipe(&computed);
    return verdict;
}

enum verdict stored_password_judge(const struct stored_password *stored, struct bytes password,
                                   struct reason *reason)
{
    const enum verdict verdict = stored->scheme->judge != NULL
                                     ? stored->scheme->judge(stored->payload, password, reason)
                                     : compare(stored, password, reason);

    if (verdict == VERDICT_MISMATCH)
        reason_set(reason, "wrong password");
    return verdict;
}

/* --- new texts */

static bool encode_hex(const struct secret *made, struct secret *out)
{
    char *digits = malloc(2 * made->length + 1);
    bool done = false;

    if (digits != NULL) {
        hex_write(digits, (const unsigned char *)made->bytes, made->length);
        done = secret_set(out, digits, 2 * made->length);
    }
    secret_free_string(digits);
    return done;
}

static bool encode(enum password_encoding encoding, const struct secret *made, struct secret *out)
{
    switch (encoding) {
    case PASSWORD_AS_TEXT:
        return secret_set(out, made->bytes, made->length);
    case PASSWORD_IN_HEX:
        return encode_hex(made, out);
    }
    return false;
}

bool stored_password_make(const struct password_scheme *scheme, const char *method,
                          unsigned long cost, struct bytes password, struct secret *out,
                          struct reason *reason)
{
    struct secret made = SECRET_EMPTY;
    bool done;

    if (scheme->store != NULL)
        return scheme->store(method, cost, password, out, reason);
    done = scheme->make(BYTES_NONE, password, &made, reason) == PASSWORD_MADE &&
           encode(scheme->encoding, &made, out);
    if (!done)
        reason_no_memory(reason);
    secret_wipe(&made);
    return done;
}
