/* SPDX-License-Identifier: BSD-3-Clause */
#include "registration.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "sasl_host.h"
#include "sql_engine_loader.h"
#include "sql_settings.h"

/* The names that `auxprop_plugin` may have for us. All but the first, of
 * old patches to libsasl2, only count if they name the engine that is set. */
static const char *const names[] = {"sqlcrypt", "pgsql", "mysql", "sqlite3", "sqlite"};

static bool names_the_engine(const sasl_utils_t *utils, const char *name)
{
    const char *engine = sasl_host_option(utils, "sql_engine");

    return sql_engine_kind_find(name) == sql_engine_kind_find(engine != NULL ? engine : "mysql");
}

static bool stores_hashes(const sasl_utils_t *utils)
{
    const char *format = sasl_host_option(utils, "password_format");

    return format != NULL && strcasecmp(format, "plain") != 0;
}

const char *registration_auxprop(const sasl_utils_t *utils)
{
    const char *name = NULL;
    char *plugins;
    size_t i;

    if (!sql_settings_wanted(sasl_host_sql_option, (void *)(uintptr_t)utils) ||
        !sasl_host_copy_option(utils, "auxprop_plugin", NULL, &plugins))
        return NULL;
    if (plugins == NULL)
        return stores_hashes(utils) ? names[0] : NULL;
    for (i = 0; i < sizeof(names) / sizeof(names[0]) && name == NULL; i++)
        if (sasl_host_has_word(plugins, names[i]) && (i == 0 || names_the_engine(utils, names[i])))
            name = names[i];
    free(plugins);
    return name;
}

bool registration_authdaemond(const sasl_utils_t *utils)
{
    const char *methods = sasl_host_option(utils, "pwcheck_method");

    return methods != NULL && sasl_host_has_word(methods, "authdaemond");
}

bool registration_mechanisms(const sasl_utils_t *utils)
{
    return stores_hashes(utils) || registration_authdaemond(utils) ||
           registration_auxprop(utils) != NULL;
}
