/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHORIZATION_H
#define SQLCRYPT_AUTHORIZATION_H

/*
 * Lets a user whose password was right act for another user.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/verdict.h"

/* Makes `authzid`, which a NUL follows, the canonical user whose rights are used; libsasl2 lets
 * the program decide whether the authenticated user may have them. Returns false with a verdict
 * and a reason if there can be no such user. */
bool authorization_grant(sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                         struct bytes authzid, enum verdict *verdict, struct reason *reason);

#endif
