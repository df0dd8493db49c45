/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/stock_sql.h"

#include <strings.h>

#include "base/option.h"
#include "glue/sasl_glue.h"

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
    } else if (strcasecmp(plugin->name, STOCK_SQL_NAME) == 0) {
        walk->stock_seen = true;
        walk->stock_seen_last = walk->ours_seen;
    }
}

/* Walks as libsasl2 does. */
static struct walk walk_plugins(const sasl_utils_t *utils, const void *ours)
{
    struct walk walk = {.ours = ours};
    const char *plugins = sasl_glue_libsasl_option(utils, OPTION_AUXPROP_PLUGIN);
    char word[64];

    if (plugins == NULL) {
        auxprop_plugin_info(NULL, visit, &walk);
        return walk;
    }
    /* Most lists lack that name, and this runs at each login. */
    if (!option_has_word(plugins, STOCK_SQL_NAME))
        return walk;
    walk.word = word;
    while (option_next_word(&plugins, word, sizeof(word)))
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
