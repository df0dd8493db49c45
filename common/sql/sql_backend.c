/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_backend.h"

#include <stdlib.h>

/* Parses the template of one option, and warns if it probably does not mean what it says. */
static bool parse_template(const struct sql_backend *backend, enum option option, const char *text,
                           enum sql_template_kind kind, struct sql_template **template,
                           const struct sql_backend_warnings *warnings, struct reason *reason)
{
    const char *warning;
    struct reason line;

    *template = sql_template_parse(text, kind, backend->settings->engine->dialect, reason);
    if (*template == NULL) {
        reason_prefix(reason, "%s: ", options_name(option));
        return false;
    }
    warning = sql_template_warning(*template);
    if (warning != NULL) {
        reason_set(&line, "%s: %s", options_name(option), warning);
        warnings->warn(warnings->context, line.text);
    }
    return true;
}

static bool parse_templates(struct sql_backend *backend,
                            const struct sql_backend_warnings *warnings, struct reason *reason)
{
    const struct sql_settings *settings = backend->settings;

    return parse_template(backend, OPTION_SQL_SELECT, settings->select, SQL_TEMPLATE_SELECT,
                          &backend->select, warnings, reason) &&
           (settings->insert[0] == '\0' ||
            parse_template(backend, OPTION_SQL_INSERT, settings->insert, SQL_TEMPLATE_STORE,
                           &backend->insert, warnings, reason)) &&
           (settings->update[0] == '\0' ||
            parse_template(backend, OPTION_SQL_UPDATE, settings->update, SQL_TEMPLATE_STORE,
                           &backend->update, warnings, reason));
}

static bool set_up(struct sql_backend *backend, const struct options *options,
                   const char *driver_directory, const struct sql_backend_warnings *warnings,
                   struct reason *reason)
{
    backend->settings = sql_settings_read(options, reason);
    if (backend->settings == NULL || !parse_templates(backend, warnings, reason) ||
        !sql_driver_load(&backend->driver, backend->settings->engine, driver_directory, reason))
        return false;
    backend->connections = sql_connections_new(backend->driver.engine, backend->settings);
    if (backend->connections == NULL)
        reason_no_memory(reason);
    return backend->connections != NULL;
}

struct sql_backend *sql_backend_new(const struct options *options, const char *driver_directory,
                                    const struct sql_backend_warnings *warnings,
                                    struct reason *reason)
{
    struct sql_backend *backend = calloc(1, sizeof(*backend));

    if (backend == NULL) {
        reason_no_memory(reason);
        return NULL;
    }
    if (!set_up(backend, options, driver_directory, warnings, reason)) {
        sql_backend_free(backend);
        return NULL;
    }
    return backend;
}

void sql_backend_free(struct sql_backend *backend)
{
    if (backend == NULL)
        return;
    sql_connections_free(backend->connections);
    sql_driver_unload(&backend->driver);
    sql_template_free(backend->select);
    sql_template_free(backend->insert);
    sql_template_free(backend->update);
    sql_settings_free(backend->settings);
    free(backend);
}
