/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_SETTINGS_H
#define SQLCRYPT_SQL_SETTINGS_H

/*
 * The values of the sql_* options of smtpd.conf, checked.
 */

#include <stdbool.h>

#include "base/options.h"
#include "base/reason.h"
#include "sql/sql_engine.h"
#include "sql/sql_engine_kind.h"
#include "sql/sql_hosts.h"

struct sql_settings {
    const struct sql_engine_kind *engine;
    struct sql_hosts hosts;   /* for an engine without a network: its default host */
    struct sql_target target; /* its strings are owned by the settings */
    char *select;             /* templates; "" if the option is not set */
    char *insert;
    char *update;
    bool persistent;
    bool random_order; /* of the hosts, different in each process */
};

/* Whether `sql_select` (or `sql_statement`, its old name) says "dummy" or "dummy
 * select": the idiom for "there is no SQL", which keeps the stock plug-in from
 * missing the option. */
bool sql_settings_dummy(const struct options *options);

/* Whether it is set and does not use that idiom. */
bool sql_settings_wanted(const struct options *options);

/* Reads all options. Returns NULL with a reason that starts with the name of
 * the offending option. The caller frees the settings. */
struct sql_settings *sql_settings_read(const struct options *options, struct reason *reason);
void sql_settings_free(struct sql_settings *settings);

/* Puts the name of the file in front of a reason that is about its rows: no route says where
 * they are. Does nothing if there are hosts. */
void sql_settings_name_file(const struct sql_settings *settings, struct reason *reason);

#endif
