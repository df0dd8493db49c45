/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_METHODS_H
#define SQLCRYPT_METHODS_H

/*
 * Goes through the methods of `pwcheck_method`, those that are ours and those of libsasl2,
 * until one says yes.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "base/reason.h"
#include "base/verdict.h"
#include "mechanisms/auxprop_check.h"
#include "mechanisms/verifier.h"
#include "password/password_policy.h"

struct methods;

/* Sets up what they need. `policy` stays valid until the methods are freed. If the options of a
 * method cannot be used, `reason` says why, and logins by that method fail as during an outage;
 * otherwise `reason` is empty. Returns NULL when out of memory. */
struct methods *methods_new(const sasl_utils_t *utils, int log_level,
                            struct password_policy *policy, struct reason *reason);
void methods_free(struct methods *methods);

/* One login. */
struct methods_question {
    const sasl_server_params_t *sparams;
    const struct login *login;
    const char *list;           /* pwcheck_method */
    const char *user;           /* the canonical name */
    int lookup_result;          /* what canon_user said after the auxprop plug-ins were asked */
    struct auxprop_trace trace; /* filled in: what libsqlcrypt did */
};

/* Requests the properties that the methods of the list need, before the user name is made
 * canonical. Returns false when out of memory. */
bool methods_request(const struct methods_question *question);

/* Asks the methods. If none says yes, the verdict is the one that says the most, and comes with
 * a reason. */
enum verdict methods_ask(struct methods *methods, struct methods_question *question,
                         struct reason *reason);

/* Erases the properties again, whatever the outcome of the login. */
void methods_forget(const struct methods_question *question);

#endif
