/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_SSL_FILES_H
#define SQLCRYPT_SQL_SSL_FILES_H

/*
 * The files that sql_ssl_ca, sql_ssl_cert and sql_ssl_key name. Client
 * libraries read them for each new connection, and if that fails, some do not
 * say which file it was.
 */

#include <stdbool.h>

#include "base/reason.h"
#include "sql/sql_engine.h"

/* Looks for one that this process cannot read. Returns true with a reason that
 * names it and its option, if there is one. */
bool sql_ssl_files_explain(const struct sql_target *target, struct reason *reason);

#endif
