/* SPDX-License-Identifier: BSD-3-Clause */

/* The password itself is stored. */

#include "password/password_scheme.h"
#include "password/stored_text.h"

static enum verdict judge(struct bytes stored, struct bytes password, struct reason *reason)
{
    /* Someone who has read the table must not be able to log in with what it contains. */
    if (stored_text_is_hash(stored)) {
        reason_set(reason, "the stored value is a hash, but password_format is plain");
        return VERDICT_UNUSABLE;
    }
    return secret_equal(stored, password) ? VERDICT_MATCH : VERDICT_MISMATCH;
}

static bool store(const char *method, unsigned long cost, struct bytes password, struct secret *out,
                  struct reason *reason)
{
    (void)method, (void)cost;
    if (secret_set(out, password.start, password.length))
        return true;
    reason_no_memory(reason);
    return false;
}

const struct password_scheme scheme_plain = {
    .name = "plain",
    .strength = PASSWORD_WEAK,
    .clear_text = true,
    .longest = PASSWORD_MAX,
    .judge = judge,
    .store = store,
    .sample = "x",
};
