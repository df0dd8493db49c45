/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_STOCK_SQL_H
#define SQLCRYPT_STOCK_SQL_H

/*
 * Whether the stock "sql" plug-in has a say. It reads the same options as ours and hands out
 * a hash as if it were the password, which would then log in by CRAM-MD5 and the like.
 * libsasl2 also asks it if `auxprop_plugin` names it or is not set, in whichever order the two
 * are loaded or named.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* Its name among the auxprop plug-ins. */
#define STOCK_SQL_NAME "sql"

/* Whether the stock plug-in is also asked. `ours` is the glob_context of our
 * own plug-in, which may have the same name; NULL if it is not registered. */
bool stock_sql_is_asked(const sasl_utils_t *utils, const void *ours);

/* Whether it is asked after our own plug-in: what it stores would replace what we store. */
bool stock_sql_comes_last(const sasl_utils_t *utils, const void *ours);

#endif
