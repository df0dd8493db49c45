/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENGINE_LOADER_H
#define SQLCRYPT_SQL_ENGINE_LOADER_H

/*
 * The engines that `sql_engine` may name, and how the driver of one gets into
 * the process. Nothing that a user writes becomes a path.
 */

#include "reason.h"
#include "sql_dialect.h"
#include "sql_engine.h"

/* What is known of an engine without its driver. */
struct sql_engine_kind {
    const char *name;
    const char *alias; /* another name of old, or NULL */
    const struct sql_dialect *dialect;
    bool has_hosts;       /* it is reached over a network or a socket, not by a file */
    const char *packages; /* where the client library comes from */
};

/* The engine of that name, letter case ignored; NULL if there is none. */
const struct sql_engine_kind *sql_engine_kind_find(const char *name);

/* A driver that has been loaded. */
struct sql_driver {
    const struct sql_engine *engine;
    void *object;
};

/* Loads DIRECTORY/NAME.so. Returns false with a reason that names the file and
 * what to install. */
bool sql_driver_load(struct sql_driver *driver, const struct sql_engine_kind *kind,
                     const char *directory, struct reason *reason);

/* All sessions are closed by now. May be called without a driver loaded. */
void sql_driver_unload(struct sql_driver *driver);

#endif
