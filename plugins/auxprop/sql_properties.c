/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_properties.h"

#include <limits.h>
#include <strings.h>

#include "auxprop/stock_block.h"
#include "glue/properties.h"
#include "glue/sasl_glue.h"
#include "password/scram_verifier.h"
#include "password/stored_text.h"

static bool is_named(const char *name, const char *other)
{
    return strcasecmp(name, other) == 0;
}

const struct propval *sql_properties_all(const struct sql_properties *properties)
{
    return properties->sparams->utils->prop_get(properties->sparams->propctx);
}

/* Properties of the user who authenticates are requested with a leading '*'. */
static bool is_starred(const struct propval *property)
{
    return property->name[0] == '*';
}

static const char *plain_name(const struct propval *property)
{
    return property->name + (is_starred(property) ? 1 : 0);
}

bool sql_properties_is_of_lookup(const struct sql_properties *properties,
                                 const struct propval *property)
{
    return is_starred(property) == ((properties->flags & SASL_AUXPROP_AUTHZID) == 0);
}

/* Properties that no other plug-in can know. */
static bool is_our_own(const char *name)
{
    return is_named(name, PROPERTY_HASH) || is_named(name, PROPERTY_OUTCOME);
}

bool sql_properties_is_of_password(const char *name)
{
    return is_named(name, PROPERTY_PASSWORD) || is_named(name, PROPERTY_HASH) ||
           is_named(name, PROPERTY_SCRAM);
}

bool sql_properties_is_ours(const char *name)
{
    return is_our_own(name) || is_named(name, PROPERTY_PASSWORD);
}

/* Whether this lookup replaces an existing value. */
static bool overrides(const struct sql_properties *properties, const char *name)
{
    return is_our_own(name) || (properties->flags & SASL_AUXPROP_OVERRIDE) != 0 ||
           ((properties->flags & SASL_AUXPROP_VERIFY_AGAINST_HASH) != 0 &&
            is_named(name, PROPERTY_PASSWORD));
}

const char *sql_properties_wanted(const struct sql_properties *properties,
                                  const struct propval *property)
{
    const char *name = plain_name(property);

    if (!sql_properties_is_of_lookup(properties, property))
        return NULL;
    return property->values == NULL || overrides(properties, name) ? name : NULL;
}

void sql_properties_erase_wanted(const struct sql_properties *properties)
{
    const sasl_server_params_t *sparams = properties->sparams;
    const struct propval *property = sql_properties_all(properties);

    for (; property->name != NULL; property++)
        if (property->values != NULL && sql_properties_wanted(properties, property) != NULL)
            sparams->utils->prop_erase(sparams->propctx, property->name);
}

void sql_properties_set_one(const struct sql_properties *properties, const struct propval *property,
                            struct bytes value)
{
    const sasl_server_params_t *sparams = properties->sparams;

    /* For libsasl2, a length of 0 stands for a string. */
    sparams->utils->prop_set(sparams->propctx, property->name, value.length > 0 ? value.start : "",
                             (int)value.length);
}

void sql_properties_set(const struct sql_properties *properties, const char *name,
                        struct bytes value)
{
    const struct propval *property = sql_properties_all(properties);

    for (; property->name != NULL; property++) {
        const char *wanted = sql_properties_wanted(properties, property);

        if (wanted != NULL && is_named(wanted, name))
            sql_properties_set_one(properties, property, value);
    }
}

void sql_properties_silence_others(struct sql_properties *properties)
{
    const sasl_server_params_t *sparams = properties->sparams;
    const struct propval *property = sql_properties_all(properties);

    if (!properties->beside_stock)
        return;
    properties->others_silent = true;
    for (; property->name != NULL; property++)
        if (sql_properties_is_of_lookup(properties, property) && property->values != NULL)
            sparams->utils->prop_erase(sparams->propctx, property->name);
}

bool sql_properties_block_others(const struct sql_properties *properties)
{
    const struct propval *property = sql_properties_all(properties);

    for (; property->name != NULL; property++)
        if (sql_properties_is_of_lookup(properties, property) && property->values == NULL &&
            !is_our_own(plain_name(property)) && !stock_block(properties->sparams, property)) {
            sasl_glue_log(properties->sparams->utils, properties->plugin->log_level, SASL_LOG_ERR,
                          "sqlcrypt: no random numbers to keep the stock plug-in out");
            return false;
        }
    return true;
}

/* Whether this lookup should also find that property. */
static bool is_asked_for(const struct sql_properties *properties, const char *name)
{
    const struct propval *property = sql_properties_all(properties);

    for (; property->name != NULL; property++)
        if (sql_properties_is_of_lookup(properties, property) &&
            is_named(plain_name(property), name))
            return true;
    return false;
}

/* A program that has the password may call sasl_checkpass(), which compares clear text and
 * asks no mechanism of ours: if a hash is stored, it learns only that there is no such user.
 * The log says why, once per process. */
static void warn_of_hash(const struct sql_properties *properties)
{
    struct sql_plugin *plugin = properties->plugin;

    if ((properties->flags & SASL_AUXPROP_AUTHZID) != 0 ||
        !is_asked_for(properties, PROPERTY_PASSWORD) || is_asked_for(properties, PROPERTY_HASH) ||
        atomic_exchange(&plugin->warned_of_hash, true))
        return;
    sasl_glue_log(properties->sparams->utils, plugin->log_level, SASL_LOG_WARN,
                  "sqlcrypt: a hash is stored, but this program compares clear text (by "
                  "sasl_checkpass, or a mechanism such as CRAM-MD5), which no hash matches; "
                  "sasl_checkpass can use pwcheck_method: authdaemond or saslauthd");
}

/* `text` is what is stored for the password, and is not clear text. */
static void hand_out_hash(const struct sql_properties *properties, struct bytes text)
{
    const bool is_scram = scram_verifier_valid(text);

    sql_properties_set(properties, PROPERTY_HASH, text);
    if (is_scram)
        sql_properties_set(properties, PROPERTY_SCRAM, text);
    if (!stored_text_is_locked(text) && !(is_scram && is_asked_for(properties, PROPERTY_SCRAM)))
        warn_of_hash(properties);
}

void sql_properties_hand_out(struct sql_properties *properties, struct bytes stored)
{
    const struct sql_plugin *plugin = properties->plugin;
    const bool is_password = password_policy_is_clear_text(plugin->policy) &&
                             !stored_text_is_locked(stored) && !stored_text_is_hash(stored);
    const struct bytes text =
        is_password ? stored_text_without_nuls(stored) : stored_text_trim(stored);

    if (!is_password)
        sql_properties_silence_others(properties);
    if (stored.start == NULL)
        return;
    if (text.length > INT_MAX || bytes_have_nul(text)) {
        /* libsasl2 could not even erase the password. */
        sasl_glue_log(properties->sparams->utils, plugin->log_level, SASL_LOG_ERR,
                      "sqlcrypt: %s: the stored value holds a NUL: the account is locked",
                      plugin->backend->settings->engine->name);
        sql_properties_set(properties, PROPERTY_HASH, bytes_of("*"));
        return;
    }
    if (is_password)
        sql_properties_set(properties, PROPERTY_PASSWORD, text);
    else
        hand_out_hash(properties, text);
}
