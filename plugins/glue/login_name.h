/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_LOGIN_NAME_H
#define SQLCRYPT_LOGIN_NAME_H

/*
 * The name that a user typed: whether any user can have it, its user and realm for the table,
 * and how a log line says who was looked up. A wrong realm is the most common reason why a user
 * is not found.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/user_realm.h"

/* Why no user can have that name, whatever is stored, as the rest of a sentence; NULL if a user
 * can. A control character is invisible wherever the name is shown, and database collations
 * ignore it: the name would be another spelling of another user's name. */
const char *login_name_flaw(const char *name, size_t length);

/* Splits a canonical name of `length` bytes as the stock plug-in does. The realm defaults
 * to the one of the connection, then to the host's name. Returns false when out of
 * memory; else the caller frees `names`. */
bool login_name_split(struct user_realm *names, const sasl_server_params_t *sparams,
                      const char *name, unsigned length);

/* The name as the client sent it, and what libsasl2 made of it. */
struct login_name {
    struct bytes typed;
    const char *canonical;
};

/* Adds to `reason` what %u was, and with `by_realm` what %r was, with a hint if the realm may
 * not be the intended one. Leaves the reason alone when out of memory. */
void login_name_tell_table(struct reason *reason, const sasl_server_params_t *sparams,
                           const struct login_name *name, bool by_realm);

/* Adds to `reason` the name that another source of users was asked for. */
void login_name_tell_sent(struct reason *reason, const struct login_name *name);

#endif
