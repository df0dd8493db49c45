/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/stock_silence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "glue/activation.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"

static bool is_idiom_used(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);

    return activation_has_dummy_select(utils) &&
           options_set(&options, OPTION_AUXPROP_PLUGIN) == NULL;
}

static void add_other(sasl_auxprop_plug_t *plugin, sasl_info_callback_stage_t stage, void *list)
{
    char **others = list, *longer;

    if (stage != SASL_INFO_LIST_MECH || plugin->name == NULL || *others == NULL ||
        strcasecmp(plugin->name, STOCK_SQL_NAME) == 0)
        return;
    if (asprintf(&longer, "%s %s", *others, plugin->name) < 0)
        longer = NULL;
    free(*others);
    *others = longer;
}

/* The callbacks after this one handle other options. */
static int name_others(void *others, const char *plugin, const char *option, const char **value,
                       unsigned *length)
{
    (void)plugin;
    if (strcmp(option, options_name(OPTION_AUXPROP_PLUGIN)) != 0)
        return SASL_FAIL;
    *value = others;
    if (length != NULL)
        *length = (unsigned)strlen(*value);
    return SASL_OK;
}

/* libsasl2 reads auxprop_plugin with the callbacks of the connection that the plug-ins are
 * given: until the end, that is another connection. */
void stock_silence_begin(struct stock_silence *silence, sasl_server_params_t *sparams)
{
    *silence = (struct stock_silence){.original = sparams->utils};
    if (!is_idiom_used(sparams->utils) || !stock_sql_is_asked(sparams->utils, NULL))
        return;
    /* An empty list would mean all plug-ins; none has the name "none". */
    silence->others = strdup("none");
    auxprop_plugin_info(NULL, add_other, &silence->others);
    silence->callbacks = sasl_glue_callbacks(
        sparams,
        &(sasl_callback_t){SASL_CB_GETOPT, (sasl_callback_ft)(any_function)name_others,
                           silence->others},
        1);
    if (silence->others == NULL || silence->callbacks == NULL ||
        sasl_server_new(sparams->service, sparams->serverFQDN, sparams->user_realm,
                        sparams->iplocalport, sparams->ipremoteport, silence->callbacks, 0,
                        &silence->connection) != SASL_OK)
        return;
    silence->utils = *silence->original;
    silence->utils.conn = silence->connection;
    sparams->utils = &silence->utils;
}

void stock_silence_end(struct stock_silence *silence, sasl_server_params_t *sparams)
{
    sparams->utils = silence->original;
    sasl_dispose(&silence->connection);
    free(silence->callbacks);
    free(silence->others);
}
