/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_backend.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glue/option_check.h"
#include "glue/sasl_glue.h"
#include "password/password_options.h"

/* Drivers live in the folder "sqlcrypt" beside this very object, wherever it
 * was installed or built. */
static bool driver_directory(char *path, size_t size)
{
    Dl_info self;
    const char *slash;
    int length;

    if (dladdr((void *)(uintptr_t)driver_directory, &self) == 0 || self.dli_fname == NULL)
        return false;
    slash = strrchr(self.dli_fname, '/');
    length =
        snprintf(path, size, "%.*s/sqlcrypt", slash != NULL ? (int)(slash - self.dli_fname) : 1,
                 slash != NULL ? self.dli_fname : ".");
    return length > 0 && (size_t)length < size;
}

/* Parses the template of one option, and warns of what it hardly means. */
static bool parse_template(struct sql_backend *backend, const sasl_utils_t *utils,
                           struct sql_template **template, const char *option, const char *text,
                           enum sql_template_kind kind)
{
    const char *warning;
    struct reason why;

    *template = sql_template_parse(text, kind, backend->settings->engine->dialect, &why);
    if (*template == NULL) {
        reason_set(&backend->why_broken, "%s: %s", option, why.text);
        return false;
    }
    warning = sql_template_warning(*template);
    if (warning != NULL)
        sasl_glue_log(utils, backend->log_level, SASL_LOG_WARN, "sqlcrypt: %s: %s", option,
                      warning);
    return true;
}

static bool parse_templates(struct sql_backend *backend, const sasl_utils_t *utils)
{
    const struct sql_settings *settings = backend->settings;

    return parse_template(backend, utils, &backend->select, "sql_select", settings->select,
                          SQL_TEMPLATE_SELECT) &&
           (settings->insert[0] == '\0' ||
            parse_template(backend, utils, &backend->insert, "sql_insert", settings->insert,
                           SQL_TEMPLATE_STORE)) &&
           (settings->update[0] == '\0' ||
            parse_template(backend, utils, &backend->update, "sql_update", settings->update,
                           SQL_TEMPLATE_STORE));
}

static bool load_driver(struct sql_backend *backend)
{
    char directory[4096];

    if (driver_directory(directory, sizeof(directory)))
        return sql_driver_load(&backend->driver, backend->settings->engine, directory,
                               &backend->why_broken);
    reason_set(&backend->why_broken, "cannot tell where this plug-in was loaded from");
    return false;
}

static bool set_up(struct sql_backend *backend, const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);
    struct reason *reason = &backend->why_broken;

    backend->policy = password_options_read(&options, reason);
    if (backend->policy == NULL)
        return false;
    backend->settings = sql_settings_read(&options, reason);
    if (backend->settings == NULL || !parse_templates(backend, utils) || !load_driver(backend))
        return false;
    backend->connections = sql_connections_new(backend->driver.engine, backend->settings);
    if (backend->connections == NULL)
        reason_set(reason, "out of memory");
    return backend->connections != NULL;
}

struct sql_backend *sql_backend_new(const sasl_utils_t *utils)
{
    struct sql_backend *backend = calloc(1, sizeof(*backend));

    if (backend == NULL)
        return NULL;
    backend->log_level = sasl_glue_log_level(utils);
    option_check_sql(utils, backend->log_level);
    backend->broken = !set_up(backend, utils);
    if (backend->broken)
        sasl_glue_log(utils, backend->log_level, SASL_LOG_ERR, "sqlcrypt: %s",
                      backend->why_broken.text);
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
    password_policy_free(backend->policy);
    free(backend);
}
