/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CANONICAL_H
#define SQLCRYPT_CANONICAL_H

/*
 * Makes names canonical. libsasl2 does so, and at the same time asks the auxprop plug-ins for
 * the properties of the user that have been requested.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/verdict.h"

/* Whether libsasl2 can make a name of that length canonical. */
bool canonical_fits(const sasl_server_params_t *sparams, size_t length);

/* Sets the canonical name of the user who authenticates and, if `is_for_both`, of the user
 * whose rights are used. Returns false with a verdict and a reason if there is none; else
 * `*lookup_result` is what libsasl2 returned after asking the plug-ins. A NUL follows the
 * name. */
bool canonical_user(sasl_server_params_t *sparams, sasl_out_params_t *oparams, struct bytes name,
                    bool is_for_both, int *lookup_result, enum verdict *verdict,
                    struct reason *reason);

/* Sets the canonical name of the user whose rights are used. Returns false with a verdict and
 * a reason if there is no such user. */
bool canonical_authorization(sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                             struct bytes name, enum verdict *verdict, struct reason *reason);

#endif
