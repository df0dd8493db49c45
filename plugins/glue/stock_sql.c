/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/stock_sql.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "glue/sasl_glue.h"
#include "sql/sql_settings.h"

static const char stock_name[] = "sql";

/* The plug-ins in the order in which libsasl2 asks them. */
struct walk {
    const void *ours; /* the glob_context of our own */
    const char *word; /* of auxprop_plugin; NULL stands for any */
    bool ours_seen, stock_seen, stock_seen_last;
};

static void visit(sasl_auxprop_plug_t *plugin, sasl_info_callback_stage_t stage, void *context)
{
    struct walk *walk = context;

    if (stage != SASL_INFO_LIST_MECH || plugin->name == NULL ||
        (walk->word != NULL && strcasecmp(plugin->name, walk->word) != 0))
        return;
    if (walk->ours != NULL && plugin->glob_context == walk->ours) {
        walk->ours_seen = true;
    } else if (strcasecmp(plugin->name, stock_name) == 0) {
        walk->stock_seen = true;
        walk->stock_seen_last = walk->ours_seen;
    }
}

/* Walks as libsasl2 does, which knows no name of an option with "sasl_" in front. */
static struct walk walk_plugins(const sasl_utils_t *utils, const void *ours)
{
    struct walk walk = {.ours = ours};
    const char *plugins = NULL;
    char word[64];

    if (utils->getopt(utils->getopt_context, NULL, "auxprop_plugin", &plugins, NULL) != SASL_OK ||
        plugins == NULL) {
        auxprop_plugin_info(NULL, visit, &walk);
        return walk;
    }
    /* Most lists hold no such name, and this is done at each login. */
    if (!sasl_glue_has_word(plugins, stock_name))
        return walk;
    walk.word = word;
    while (sasl_glue_next_word(&plugins, word, sizeof(word)))
        auxprop_plugin_info(NULL, visit, &walk);
    walk.word = NULL;
    return walk;
}

bool stock_sql_is_asked(const sasl_utils_t *utils, const void *ours)
{
    return walk_plugins(utils, ours).stock_seen;
}

bool stock_sql_comes_last(const sasl_utils_t *utils, const void *ours)
{
    return walk_plugins(utils, ours).stock_seen_last;
}

/* --- silence */

static bool is_idiom_used(const sasl_utils_t *utils)
{
    return sql_settings_dummy(sasl_glue_sql_option, (void *)(uintptr_t)utils) &&
           sasl_glue_option(utils, "auxprop_plugin") == NULL;
}

static void add_other(sasl_auxprop_plug_t *plugin, sasl_info_callback_stage_t stage, void *list)
{
    char **others = list, *longer;

    if (stage != SASL_INFO_LIST_MECH || plugin->name == NULL || *others == NULL ||
        strcasecmp(plugin->name, stock_name) == 0)
        return;
    if (asprintf(&longer, "%s %s", *others, plugin->name) < 0)
        longer = NULL;
    free(*others);
    *others = longer;
}

/* Other options are for those behind it to know. */
static int name_others(void *others, const char *plugin, const char *option, const char **value,
                       unsigned *length)
{
    (void)plugin;
    if (strcmp(option, "auxprop_plugin") != 0)
        return SASL_FAIL;
    *value = others;
    if (length != NULL)
        *length = (unsigned)strlen(*value);
    return SASL_OK;
}

/* libsasl2 reads auxprop_plugin by the callbacks of the connection that the plug-ins
 * are shown: that is another one for the time being. */
void stock_sql_silence(struct stock_sql_silence *silence, sasl_server_params_t *sparams)
{
    *silence = (struct stock_sql_silence){.original = sparams->utils};
    if (!is_idiom_used(sparams->utils) || !stock_sql_is_asked(sparams->utils, NULL))
        return;
    /* A list that is empty would stand for all: "none" is the name of none. */
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

void stock_sql_end_silence(struct stock_sql_silence *silence, sasl_server_params_t *sparams)
{
    sparams->utils = silence->original;
    sasl_dispose(&silence->connection);
    free(silence->callbacks);
    free(silence->others);
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
