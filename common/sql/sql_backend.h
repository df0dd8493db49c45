/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_BACKEND_H
#define SQLCRYPT_SQL_BACKEND_H

/*
 * The table of users, as the sql_* options describe it: settings, templates, driver and
 * connections, set up once. Connections are made at the first statement.
 */

#include "base/options.h"
#include "base/reason.h"
#include "sql/sql_connections.h"
#include "sql/sql_driver.h"
#include "sql/sql_settings.h"
#include "sql/sql_template.h"

struct sql_backend {
    struct sql_settings *settings;
    struct sql_driver driver;
    struct sql_template *select;
    struct sql_template *insert; /* NULL if the option is not set */
    struct sql_template *update; /* likewise */
    struct sql_connections *connections;
};

/* Receives warnings about options that probably do not mean what they say. `text` starts with
 * the name of the option. */
struct sql_backend_warnings {
    void (*warn)(void *context, const char *text);
    void *context;
};

/* Reads the options, and loads the driver from the folder of drivers. Returns NULL with a
 * reason if they cannot be used. The caller frees the backend. */
struct sql_backend *sql_backend_new(const struct options *options, const char *driver_directory,
                                    const struct sql_backend_warnings *warnings,
                                    struct reason *reason);

/* Closes what this process has opened. */
void sql_backend_free(struct sql_backend *backend);

#endif
