/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PROPERTIES_H
#define SQLCRYPT_PROPERTIES_H

/*
 * The auxiliary properties through which the two plug-ins meet. Those of the
 * user who authenticates have a leading '*' when they are requested.
 */

/* A password in clear text: the property that libsasl2 and its mechanisms
 * know. Never a hash. */
#define PROPERTY_PASSWORD "userPassword"

/* What is stored for the password, if it is not clear text. */
#define PROPERTY_HASH "userPasswordHash"

/* A SCRAM verifier, which libsasl2's SCRAM mechanisms accept. */
#define PROPERTY_SCRAM "authPassword"

/* The outcome of the lookup in the table; the codes that libsasl2 returns mix
 * the outcomes of all auxprop plug-ins. The stock "sql" plug-in may fill in any
 * requested property, even this one: other texts mean nothing. */
#define PROPERTY_OUTCOME "sqlcryptOutcome"
#define OUTCOME_FOUND "found"
#define OUTCOME_NULL "null" /* found, and NULL is stored for the password */
#define OUTCOME_NONE "none"
#define OUTCOME_BLOCKED "blocked" /* none, and the stock plug-in was kept out: see stock_sql.h */
#define OUTCOME_UNAVAILABLE "unavailable"

/* A second value of that property, if sql_select depends on the realm. */
#define OUTCOME_BY_REALM "by realm"

#endif
