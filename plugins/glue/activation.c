/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/activation.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/option.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"
#include "sql/sql_engine_kind.h"
#include "sql/sql_settings.h"

static bool stores_hashes(const struct options *options)
{
    return !options_is_default(options, OPTION_PASSWORD_FORMAT);
}

/* The name by which `auxprop_plugin` asks for us: the first of our names in the list. */
static const char *find_name(const struct options *options, const char *plugins)
{
    static const char our_name[] = "sqlcrypt";
    const struct sql_engine_kind *engine;

    if (option_has_word(plugins, our_name))
        return our_name;
    /* Old patches to libsasl2 used the engine's name. Without password_format, which came with
     * those patches, such a name has never meant anything: that host does not ask for us. */
    engine = options_set(options, OPTION_PASSWORD_FORMAT) != NULL
                 ? sql_engine_kind_find(options_text(options, OPTION_SQL_ENGINE))
                 : NULL;
    if (engine != NULL && option_has_word(plugins, engine->name))
        return engine->name;
    if (engine != NULL && engine->alias != NULL && option_has_word(plugins, engine->alias))
        return engine->alias;
    if (!stores_hashes(options))
        return NULL;
    /* The stock plug-in cannot read hashes, so it cannot be meant. And libsasl2 decides which
     * plug-ins to ask by what `auxprop_plugin` says at a login: some programs have not yet read
     * it while the plug-ins are initialised. slapd then says "slapd", whatever its file says. If
     * hashes are stored, every plug-in that may be named later is thus ready. */
    return option_has_word(plugins, STOCK_SQL_NAME) ? STOCK_SQL_NAME : our_name;
}

bool activation_has_select(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);

    return sql_settings_wanted(&options);
}

bool activation_has_dummy_select(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);

    return sql_settings_dummy(&options);
}

const char *activation_auxprop(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);
    const char *name;
    char *plugins;

    if (!sql_settings_wanted(&options) || !options_copy(&options, OPTION_AUXPROP_PLUGIN, &plugins))
        return NULL;
    name = find_name(&options, plugins != NULL ? plugins : "");
    free(plugins);
    return name;
}

bool activation_authdaemond(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);

    return option_has_word(options_text(&options, OPTION_PWCHECK_METHOD), "authdaemond");
}

bool activation_mechanisms(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);

    return stores_hashes(&options) || activation_authdaemond(utils) ||
           activation_auxprop(utils) != NULL;
}
