/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/activation.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "glue/sasl_glue.h"
#include "sql/sql_engine_kind.h"
#include "sql/sql_settings.h"

static bool is_sqlcrypt(const sasl_utils_t *utils, const char *name)
{
    (void)utils, (void)name;
    return true;
}

/* Old patches to libsasl2 named the engine. Without password_format, which came with
 * those patches, such a name has always meant nothing: that host does not ask for us. */
static bool is_engine(const sasl_utils_t *utils, const char *name)
{
    const char *engine = sasl_glue_option(utils, "sql_engine");

    return sasl_glue_option(utils, "password_format") != NULL &&
           sql_engine_kind_find(name) == sql_engine_kind_find(engine != NULL ? engine : "mysql");
}

static bool stores_hashes(const sasl_utils_t *utils)
{
    const char *format = sasl_glue_option(utils, "password_format");

    return format != NULL && strcasecmp(format, "plain") != 0;
}

/* The stock plug-in knows no hashes: it cannot be meant. */
static bool is_stock_with_hashes(const sasl_utils_t *utils, const char *name)
{
    (void)name;
    return stores_hashes(utils);
}

/* The names that `auxprop_plugin` may have for us, and when they do. The first that fits
 * counts. */
static const struct {
    const char *name;
    bool (*names_us)(const sasl_utils_t *utils, const char *name);
} names[] = {
    {"sqlcrypt", is_sqlcrypt}, {"pgsql", is_engine},  {"mysql", is_engine},
    {"sqlite3", is_engine},    {"sqlite", is_engine}, {"sql", is_stock_with_hashes},
};

bool activation_has_select(const sasl_utils_t *utils)
{
    return sql_settings_wanted(sasl_glue_sql_option, (void *)(uintptr_t)utils);
}

/* Whether libsasl2 asks a plug-in is up to what `auxprop_plugin` says at a login. While
 * the plug-ins are initialised, some programs have not yet read it: slapd says "slapd"
 * then, whatever its file has. Where hashes are stored, whoever is named later is there. */
const char *activation_auxprop(const sasl_utils_t *utils)
{
    const char *name = NULL;
    char *plugins;
    size_t i;

    if (!activation_has_select(utils) ||
        !sasl_glue_copy_option(utils, "auxprop_plugin", NULL, &plugins))
        return NULL;
    for (i = 0; plugins != NULL && i < sizeof(names) / sizeof(names[0]) && name == NULL; i++)
        if (sasl_glue_has_word(plugins, names[i].name) && names[i].names_us(utils, names[i].name))
            name = names[i].name;
    free(plugins);
    return name == NULL && stores_hashes(utils) ? names[0].name : name;
}

bool activation_authdaemond(const sasl_utils_t *utils)
{
    const char *methods = sasl_glue_option(utils, "pwcheck_method");

    return methods != NULL && sasl_glue_has_word(methods, "authdaemond");
}

bool activation_mechanisms(const sasl_utils_t *utils)
{
    return stores_hashes(utils) || activation_authdaemond(utils) ||
           activation_auxprop(utils) != NULL;
}
