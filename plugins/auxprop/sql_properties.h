/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_PROPERTIES_H
#define SQLCRYPT_SQL_PROPERTIES_H

/*
 * The properties of one lookup: which are requested, and which get a value. A hash is never
 * given as a password, neither by us nor, for the same user, by the stock plug-in.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>
#include <stddef.h>

#include "auxprop/sql_plugin.h"
#include "base/bytes.h"

struct sql_properties {
    struct sql_plugin *plugin;
    sasl_server_params_t *sparams;
    unsigned flags;     /* of auxprop_lookup */
    bool beside_stock;  /* the stock plug-in is asked too */
    bool others_silent; /* and must stay silent */
};

/* All of them, ending with one that has no name. */
const struct propval *sql_properties_all(const struct sql_properties *properties);

/* Whether the lookup is about that property, and not about the other identity's. */
bool sql_properties_is_of_lookup(const struct sql_properties *properties,
                                 const struct propval *property);

/* The name of a requested property without its '*'; NULL if the lookup is not
 * about it, or if it already has a value that must be left alone. */
const char *sql_properties_wanted(const struct sql_properties *properties,
                                  const struct propval *property);

/* Whether a property of that name comes from the password's column. */
bool sql_properties_is_of_password(const char *name);

/* Whether a property of that name has no column of its own. */
bool sql_properties_is_ours(const char *name);

/* Erases values to be overridden, whether or not new ones are found. */
void sql_properties_erase_wanted(const struct sql_properties *properties);

/* Sets one property, or each requested one of that name. */
void sql_properties_set_one(const struct sql_properties *properties, const struct propval *property,
                            struct bytes value);
void sql_properties_set(const struct sql_properties *properties, const char *name,
                        struct bytes value);

/* Hands out what the password column holds. */
void sql_properties_hand_out(struct sql_properties *properties, struct bytes stored);

/* The stock plug-in hands out the stored password text under any property that it is asked for.
 * If that is a hash, only our own values may count: this erases what others have
 * set, and sql_properties_block_others() deals with what they may set later. */
void sql_properties_silence_others(struct sql_properties *properties);

/* At the end of a lookup that has silenced the others: gives each property for which we have no
 * value a useless one, so that the stock plug-in, asked after us, leaves it alone. Returns
 * false, and logs it, if no such value can be made. */
bool sql_properties_block_others(const struct sql_properties *properties);

#endif
