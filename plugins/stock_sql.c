/* SPDX-License-Identifier: BSD-3-Clause */
#include "stock_sql.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sasl_host.h"

static const char stock_name[] = "sql";

static void notice(sasl_auxprop_plug_t *plugin, sasl_info_callback_stage_t stage, void *found)
{
    if (stage == SASL_INFO_LIST_MECH && plugin->name != NULL &&
        strcasecmp(plugin->name, stock_name) == 0)
        *(bool *)found = true;
}

bool stock_sql_is_asked(const sasl_utils_t *utils)
{
    const char *plugins = NULL;
    bool found = false;

    /* As libsasl2 reads it: it knows no name with "sasl_" in front. */
    if (utils->getopt(utils->getopt_context, NULL, "auxprop_plugin", &plugins, NULL) == SASL_OK &&
        plugins != NULL && !sasl_host_has_word(plugins, stock_name))
        return false;
    auxprop_plugin_info(NULL, notice, &found);
    return found;
}

bool stock_sql_block(const sasl_server_params_t *sparams, const struct propval *property)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[32];
    char unknown[2 * sizeof(random)];
    size_t i;

    if (getentropy(random, sizeof(random)) != 0)
        return false;
    for (i = 0; i < sizeof(random); i++) {
        unknown[2 * i] = digits[random[i] >> 4];
        unknown[2 * i + 1] = digits[random[i] & 15];
    }
    sparams->utils->prop_erase(sparams->propctx, property->name);
    sparams->utils->prop_set(sparams->propctx, property->name, unknown, sizeof(unknown));
    explicit_bzero(random, sizeof(random));
    explicit_bzero(unknown, sizeof(unknown));
    return true;
}
