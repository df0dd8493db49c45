/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_STORE_H
#define SQLCRYPT_SQL_STORE_H

/*
 * Stores properties in the table: sasl_setpass(3), saslpasswd2(8) and
 * `auto_transition` end here.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

/* The `auxprop_store` of saslplug.h. `glob_context` is a struct sql_plugin.
 *
 * Stores the properties of `ctx` without a '*' in one transaction: by sql_update for
 * a user that sql_select finds, else by sql_insert. A password is hashed as
 * password_format says; a property without a value becomes NULL.
 * Without `ctx`, says whether storing is configured.
 *
 * Returns SASL_OK, SASL_CONSTRAINT_VIOLAT if storing is not configured or there
 * is no column for a property (other plug-ins are tried then), SASL_NOUSER if there is no row to
 * delete from, SASL_BADPARAM for a password that cannot be stored, and SASL_UNAVAIL or SASL_NOMEM,
 * all with the old values left as they were. */
int sql_store(void *glob_context, sasl_server_params_t *sparams, struct propctx *ctx,
              const char *user, unsigned length);

#endif
