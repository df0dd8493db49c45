/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_DRIVER_H
#define SQLCRYPT_SQL_DRIVER_H

/*
 * Loads the driver of an engine into the process. Nothing that a user writes
 * becomes a path.
 */

#include "base/reason.h"
#include "sql/sql_engine.h"
#include "sql/sql_engine_kind.h"

/* A driver that has been loaded. */
struct sql_driver {
    const struct sql_engine *engine;
    void *object;
};

/* Loads DIRECTORY/NAME.so. Returns false with a reason that names the file and
 * what to install. */
bool sql_driver_load(struct sql_driver *driver, const struct sql_engine_kind *kind,
                     const char *directory, struct reason *reason);

/* All sessions must be closed. May be called without a driver loaded. */
void sql_driver_unload(struct sql_driver *driver);

#endif
