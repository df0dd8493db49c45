/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PASSWORD_POLICY_H
#define SQLCRYPT_PASSWORD_POLICY_H

/*
 * A site's choices for its stored passwords (password_format, password_store_scheme,
 * password_store_cost), and the rules that hold for every scheme: what never matches, and that
 * all refusals cost the same, unless the user's hash costs more than a new one would.
 *
 * Several threads may use a policy at once. A NUL follows each typed password:
 * crypt(3) takes strings.
 */

#include <stdbool.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/verdict.h"

struct password_policy;

/* Reads `format` (password_format), `store_scheme` (password_store_scheme, NULL for the
 * best one) and `store_cost` (password_store_cost, NULL for libcrypt's default). Returns
 * NULL with a reason if one is not known. The caller frees the policy. */
struct password_policy *password_policy_new(const char *format, const char *store_scheme,
                                            const char *store_cost, struct reason *reason);
void password_policy_free(struct password_policy *policy);

/* Judges a typed password. `stored` is BYTES_NONE if the database holds NULL.
 * Returns any verdict but VERDICT_NO_USER; each one but VERDICT_MATCH comes with a reason. */
enum verdict password_policy_judge(struct password_policy *policy, struct bytes stored,
                                   struct bytes password, struct reason *reason);

/* Does the same work if there is no such user, and returns VERDICT_NO_USER with a reason. */
enum verdict password_policy_refuse(struct password_policy *policy, struct bytes password,
                                    struct reason *reason);

/* Whether all of `password` can be stored. Returns false with a reason. */
bool password_policy_takes(const struct password_policy *policy, struct bytes password,
                           struct reason *reason);

/* Makes the text to store for `password`. Returns false with a reason; if the password can be
 * stored, only when out of memory or random numbers. */
bool password_policy_store(const struct password_policy *policy, struct bytes password,
                           struct secret *out, struct reason *reason);

/* Whether the stored texts are passwords in clear text. */
bool password_policy_is_clear_text(const struct password_policy *policy);

#endif
