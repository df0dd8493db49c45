/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_CANONICAL_H
#define SQLCRYPT_CANONICAL_H

/*
 * Makes names canonical. libsasl2 does it, and asks the auxprop plug-ins about the user
 * meanwhile, for the properties that have been requested before.
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

/* Makes the user canonical who authenticates, and with `acts_for_himself` the one whose
 * rights are used, too. Returns false with a verdict and a reason if there is no canonical
 * name; else `*lookup_result` is what libsasl2 says after the plug-ins were asked. A NUL
 * follows the name. */
bool canonical_user(sasl_server_params_t *sparams, sasl_out_params_t *oparams, struct bytes name,
                    bool acts_for_himself, int *lookup_result, enum verdict *verdict,
                    struct reason *reason);

/* Makes the user canonical whose rights are used. Returns false with a verdict and a reason
 * if there is no such user. */
bool canonical_authorization(sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                             struct bytes name, enum verdict *verdict, struct reason *reason);

#endif
