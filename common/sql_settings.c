/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_settings.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *select_option(sql_option *option, void *context)
{
    const char *select = option(context, "sql_select");

    return select != NULL ? select : option(context, "sql_statement");
}

bool sql_settings_wanted(sql_option *option, void *context)
{
    const char *select = select_option(option, context);

    return select != NULL && strcasecmp(select, "dummy") != 0;
}

/* As the stock plug-ins read a switch. */
static bool is_on(const char *value)
{
    return *value == '1' || *value == 'y' || *value == 't' || (*value == 'o' && value[1] == 'n');
}

/* Seconds with up to three decimals, of which the point is a point in every
 * locale. 1 ms to an hour. */
static bool read_seconds(const char *text, unsigned *milliseconds)
{
    const unsigned longest = 3600 * 1000;
    unsigned value = 0, unit = 1000;
    bool digits = false;

    for (; isdigit((unsigned char)*text) && value <= longest; text++) {
        value = value * 10 + (unsigned)(*text - '0') * 1000;
        digits = true;
    }
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text) && unit > 1; text++) {
            unit /= 10;
            value += (unsigned)(*text - '0') * unit;
            digits = true;
        }
    *milliseconds = value;
    return digits && *text == '\0' && value >= 1 && value <= longest;
}

/* Copies the option, or "" where it is not set. Leaves NULL when out of memory. */
static char *copy_option(sql_option *option, void *context, const char *name)
{
    const char *value = option(context, name);

    return strdup(value != NULL ? value : "");
}

static char *copy_select(sql_option *option, void *context)
{
    const char *value = select_option(option, context);

    return strdup(value != NULL ? value : "");
}

struct sql_settings *sql_settings_read(sql_option *option, void *context, struct reason *reason)
{
    struct sql_settings *settings = calloc(1, sizeof(*settings));
    const char *value;

    if (settings == NULL) {
        reason_set(reason, "out of memory");
        return NULL;
    }
    settings->target.hostnames = copy_option(option, context, "sql_hostnames");
    settings->target.user = copy_option(option, context, "sql_user");
    settings->target.password = copy_option(option, context, "sql_passwd");
    settings->target.database = copy_option(option, context, "sql_database");
    settings->select = copy_select(option, context);
    settings->insert = copy_option(option, context, "sql_insert");
    settings->update = copy_option(option, context, "sql_update");
    if (settings->target.hostnames == NULL || settings->target.user == NULL ||
        settings->target.password == NULL || settings->target.database == NULL ||
        settings->select == NULL || settings->insert == NULL || settings->update == NULL) {
        reason_set(reason, "out of memory");
        goto fail;
    }

    value = option(context, "sql_usessl");
    settings->target.use_ssl = value != NULL && is_on(value);
    value = option(context, "sql_persistent");
    settings->persistent = value == NULL || is_on(value);

    value = option(context, "sql_engine");
    settings->engine = sql_engine_kind_find(value != NULL ? value : "mysql");
    if (settings->engine == NULL) {
        reason_set(reason, "sql_engine: \"%s\" is not known; pgsql, mysql and sqlite3 are", value);
        goto fail;
    }
    value = option(context, "sql_timeout");
    if (!read_seconds(value != NULL ? value : "10", &settings->timeout)) {
        reason_set(reason, "sql_timeout: \"%s\" is not a time of 0.001 to 3600 seconds", value);
        goto fail;
    }
    jail_note_root(&settings->target.jail);
    return settings;

fail:
    sql_settings_free(settings);
    return NULL;
}

/* The target lends its strings as const, but they are ours. */
static void free_target_string(const char *string)
{
    secret_free_string((char *)(uintptr_t)string);
}

void sql_settings_free(struct sql_settings *settings)
{
    if (settings == NULL)
        return;
    free_target_string(settings->target.hostnames);
    free_target_string(settings->target.user);
    free_target_string(settings->target.password);
    free_target_string(settings->target.database);
    free(settings->select);
    free(settings->insert);
    free(settings->update);
    free(settings);
}
