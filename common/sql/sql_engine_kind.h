/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENGINE_KIND_H
#define SQLCRYPT_SQL_ENGINE_KIND_H

/*
 * The engines that `sql_engine` may name.
 */

#include <stdbool.h>

#include "base/reason.h"
#include "sql/sql_dialect.h"

/* What is known about an engine without its driver. */
struct sql_engine_kind {
    const char *name;
    const char *alias; /* an older name, or NULL */
    const struct sql_dialect *dialect;
    bool has_hosts;       /* reached over a network or a socket, not through a file */
    const char *packages; /* where the client library comes from */
};

/* The engine of that name, ignoring letter case; NULL if there is none. */
const struct sql_engine_kind *sql_engine_kind_find(const char *name);

/* Appends their names to a reason: "a, b or c". */
void sql_engine_kind_append_names(struct reason *reason);

#endif
