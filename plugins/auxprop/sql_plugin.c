/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_plugin.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glue/option_check.h"
#include "glue/sasl_glue.h"
#include "password/password_options.h"

/* Drivers are in the folder "sqlcrypt" next to this object, wherever it was installed or
 * built. */
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

/* Where log lines go while the plug-in is set up. */
struct log {
    const sasl_utils_t *utils;
    int level;
};

/* As `warn` of sql_backend.h. */
static void warn(void *context, const char *text)
{
    const struct log *log = context;

    sasl_glue_log(log->utils, log->level, SASL_LOG_WARN, "sqlcrypt: %s", text);
}

static bool set_up(struct sql_plugin *plugin, const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);
    struct log log = {utils, plugin->log_level};
    const struct sql_backend_warnings warnings = {warn, &log};
    struct reason *reason = &plugin->why_broken;
    char directory[4096];

    plugin->policy = password_options_read(&options, reason);
    if (plugin->policy == NULL)
        return false;
    if (!driver_directory(directory, sizeof(directory))) {
        reason_set(reason, "cannot tell where this plug-in was loaded from");
        return false;
    }
    plugin->backend = sql_backend_new(&options, directory, &warnings, reason);
    return plugin->backend != NULL;
}

struct sql_plugin *sql_plugin_new(const sasl_utils_t *utils)
{
    struct sql_plugin *plugin = calloc(1, sizeof(*plugin));

    if (plugin == NULL)
        return NULL;
    plugin->log_level = sasl_glue_log_level(utils);
    option_check_sql(utils, plugin->log_level);
    if (!set_up(plugin, utils))
        sasl_glue_log(utils, plugin->log_level, SASL_LOG_ERR, "sqlcrypt: %s",
                      plugin->why_broken.text);
    return plugin;
}

void sql_plugin_free(struct sql_plugin *plugin)
{
    if (plugin == NULL)
        return;
    sql_backend_free(plugin->backend);
    password_policy_free(plugin->policy);
    free(plugin);
}
