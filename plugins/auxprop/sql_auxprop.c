/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libsqlcrypt.so: what libsasl2 sees of the auxprop plug-in. sql_plugin.c
 * sets it up, sql_lookup.c and sql_store.c do its work.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdint.h>
#include <strings.h>

#include "auxprop/sql_lookup.h"
#include "auxprop/sql_plugin.h"
#include "auxprop/sql_store.h"
#include "glue/activation.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"

/* libsasl2 silently drops a plug-in that has no lookup; it logs an error for every other way
 * of declining. */
static sasl_auxprop_plug_t declined = {.name = NULL};

/* With a libsasl2 that it was not built for, the plug-in uses nothing of it. But it keeps its
 * name in auxprop_plugin: if the name were missing, passwords would seem wrong. */
static int fail_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                       const char *user, unsigned length)
{
    (void)glob_context, (void)sparams, (void)flags, (void)user, (void)length;
    return SASL_UNAVAIL;
}

static int fail_store(void *glob_context, sasl_server_params_t *sparams, struct propctx *ctx,
                      const char *user, unsigned length)
{
    (void)glob_context, (void)sparams, (void)ctx, (void)user, (void)length;
    return SASL_UNAVAIL;
}

static sasl_auxprop_plug_t misfit = {
    .auxprop_lookup = fail_lookup,
    .auxprop_store = fail_store,
};

/* Has no context while libsasl2 is not using it. */
static sasl_auxprop_plug_t plugin = {
    .auxprop_lookup = sql_lookup,
    .auxprop_store = sql_store,
};

static void free_plugin(void *glob_context, const sasl_utils_t *utils)
{
    (void)utils;
    plugin.glob_context = NULL;
    sql_plugin_free(glob_context);
}

/* The stock plug-in, if it is installed, is asked too. */
static void warn_of_name(const sasl_utils_t *utils, const char *name)
{
    if (strcasecmp(name, STOCK_SQL_NAME) == 0)
        sasl_glue_log(utils, sasl_glue_log_level(utils), SASL_LOG_WARN,
                      "sqlcrypt: auxprop_plugin: %s means this plug-in, as password_format is not "
                      "plain; write sqlcrypt, which does not ask the stock plug-in as well",
                      name);
}

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                           sasl_auxprop_plug_t **plug, const char *plugname);

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                           sasl_auxprop_plug_t **plug, const char *plugname)
{
    const char *name;

    (void)plugname;
    if (utils == NULL || out_version == NULL || plug == NULL)
        return SASL_BADPARAM;
    if (max_version < SASL_AUXPROP_PLUG_VERSION)
        return SASL_BADVERS;
    *out_version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &declined;

    name = activation_auxprop(utils);
    /* If a directory is in the search path twice, the plug-in is loaded twice. */
    if (name == NULL || plugin.glob_context != NULL)
        return SASL_OK;
    if (!sasl_glue_fits(utils)) {
        sasl_glue_log_misfit("sqlcrypt");
        misfit.name = (char *)(uintptr_t)name;
        *plug = &misfit;
        return SASL_OK;
    }
    plugin.glob_context = sql_plugin_new(utils);
    if (plugin.glob_context == NULL)
        return SASL_NOMEM;
    warn_of_name(utils, name);
    plugin.name = (char *)(uintptr_t)name;
    plugin.auxprop_free = free_plugin;
    *plug = &plugin;
    return SASL_OK;
}
