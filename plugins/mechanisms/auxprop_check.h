/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUXPROP_CHECK_H
#define SQLCRYPT_AUXPROP_CHECK_H

/*
 * The method "auxprop" of `pwcheck_method`: judges a password by the properties
 * that auxprop plug-ins, ours or others, have for the user.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/verdict.h"
#include "password/password_policy.h"

/* Asks for the properties: canon_user, which comes next, makes libsasl2 look
 * them up. Returns false when out of memory. */
bool auxprop_check_request(const sasl_server_params_t *sparams);

/* What libsqlcrypt did during a login. */
struct auxprop_trace {
    bool outage_logged; /* it could not read its table, and has logged why */
    bool looked_up;     /* it has looked the user up */
    bool by_realm;      /* the realm was part of the lookup */
};

/* Judges `password`, which a NUL follows, by the properties that have been looked up.
 * `lookup_result` is what canon_user has returned.
 * Any verdict but VERDICT_MATCH comes with a reason. */
enum verdict auxprop_check(const sasl_server_params_t *sparams, struct password_policy *policy,
                           int lookup_result, struct bytes password, struct auxprop_trace *trace,
                           struct reason *reason);

/* Erases the properties, whatever the outcome of the login. */
void auxprop_check_erase(const sasl_server_params_t *sparams);

#endif
