/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_settings.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/option.h"

static const char *select_option(sql_option *option, void *context)
{
    const char *select = option(context, "sql_select");

    return select != NULL ? select : option(context, "sql_statement");
}

/* Returns what follows the word and white space on both sides of it; NULL if
 * another word is there. */
static const char *skip_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    while (isspace((unsigned char)*text))
        text++;
    if (strncasecmp(text, word, length) != 0)
        return NULL;
    text += length;
    if (*text != '\0' && !isspace((unsigned char)*text))
        return NULL;
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

bool sql_settings_dummy(sql_option *option, void *context)
{
    const char *rest = select_option(option, context);

    if (rest != NULL)
        rest = skip_word(rest, "dummy");
    if (rest != NULL && *rest != '\0')
        rest = skip_word(rest, "select");
    return rest != NULL && *rest == '\0';
}

bool sql_settings_wanted(sql_option *option, void *context)
{
    return select_option(option, context) != NULL && !sql_settings_dummy(option, context);
}

/* Copies the option, or "" where it is not set. Leaves NULL when out of memory. */
static char *copy_option(sql_option *option, void *context, const char *name)
{
    const char *value = option(context, name);

    return strdup(value != NULL ? value : "");
}

static char *copy_select(sql_option *option, void *context)
{
    const char *value = select_option(option, context);

    return strdup(value != NULL ? value : "");
}

/* Copies what is text alone. Returns false when out of memory. */
static bool copy_texts(sql_option *option, void *context, struct sql_settings *settings)
{
    const struct {
        const char *name;
        const char **copy;
    } of_target[] = {
        {"sql_user", &settings->target.user},         {"sql_passwd", &settings->target.password},
        {"sql_database", &settings->target.database}, {"sql_ssl_ca", &settings->target.ssl_ca},
        {"sql_ssl_cert", &settings->target.ssl_cert}, {"sql_ssl_key", &settings->target.ssl_key},
    };
    bool copied = true;
    size_t i;

    for (i = 0; i < sizeof(of_target) / sizeof(of_target[0]); i++) {
        *of_target[i].copy = copy_option(option, context, of_target[i].name);
        copied = copied && *of_target[i].copy != NULL;
    }
    settings->select = copy_select(option, context);
    settings->insert = copy_option(option, context, "sql_insert");
    settings->update = copy_option(option, context, "sql_update");
    return copied && settings->select != NULL && settings->insert != NULL &&
           settings->update != NULL;
}

static bool read_engine(sql_option *option, void *context, struct sql_settings *settings,
                        struct reason *reason)
{
    const char *value = option(context, "sql_engine");

    settings->engine = sql_engine_kind_find(value != NULL ? value : "mysql");
    if (settings->engine == NULL)
        reason_set(reason, "sql_engine: \"%s\" is not known; pgsql, mysql and sqlite3 are", value);
    return settings->engine != NULL;
}

static bool read_hosts(sql_option *option, void *context, struct sql_settings *settings,
                       struct reason *reason)
{
    const char *value = option(context, "sql_hostnames");
    struct reason why;
    bool done = sql_hosts_read(&settings->hosts,
                               value != NULL && settings->engine->has_hosts ? value : "", &why);

    if (!done)
        reason_set(reason, "sql_hostnames: %s", why.text);
    return done;
}

static bool read_host_order(sql_option *option, void *context, struct sql_settings *settings,
                            struct reason *reason)
{
    const char *value = option(context, "sql_host_order");

    settings->random_order = value != NULL && strcasecmp(value, "random") == 0;
    if (value == NULL || settings->random_order || strcasecmp(value, "listed") == 0)
        return true;
    reason_set(reason, "sql_host_order: \"%s\" is not listed or random", value);
    return false;
}

/* Without a word about it, a session is encrypted if the server can. */
static bool read_ssl_mode(sql_option *option, void *context, struct sql_settings *settings,
                          struct reason *reason)
{
    static const char *const names[] = {
        [SQL_SSL_DISABLE] = "disable",         [SQL_SSL_PREFER] = "prefer",
        [SQL_SSL_REQUIRE] = "require",         [SQL_SSL_VERIFY_CA] = "verify-ca",
        [SQL_SSL_VERIFY_FULL] = "verify-full",
    };
    const char *value = option(context, "sql_usessl");
    enum sql_ssl_mode mode;

    settings->target.ssl_mode =
        value != NULL && option_is_on(value) ? SQL_SSL_REQUIRE : SQL_SSL_PREFER;
    value = option(context, "sql_ssl_mode");
    if (value == NULL)
        return true;
    for (mode = SQL_SSL_DISABLE; mode <= SQL_SSL_VERIFY_FULL; mode++)
        if (strcasecmp(value, names[mode]) == 0)
            break;
    settings->target.ssl_mode = mode;
    if (mode > SQL_SSL_VERIFY_FULL)
        reason_set(reason,
                   "sql_ssl_mode: \"%s\" is not disable, prefer, require, verify-ca or verify-full",
                   value);
    else if (mode >= SQL_SSL_VERIFY_CA && settings->target.ssl_ca[0] == '\0')
        reason_set(reason, "sql_ssl_mode: %s needs sql_ssl_ca, a file with whom to trust", value);
    else
        return true;
    return false;
}

static bool read_timeout(sql_option *option, void *context, struct sql_settings *settings,
                         struct reason *reason)
{
    const char *value = option(context, "sql_timeout");
    bool done = option_seconds(value != NULL ? value : "10", &settings->target.timeout);

    if (!done)
        reason_set(reason, "sql_timeout: \"%s\": must be 0.001 to 3600 seconds", value);
    return done;
}

struct sql_settings *sql_settings_read(sql_option *option, void *context, struct reason *reason)
{
    struct sql_settings *settings = calloc(1, sizeof(*settings));
    const char *value;

    if (settings == NULL) {
        reason_set(reason, "out of memory");
        return NULL;
    }
    value = option(context, "sql_persistent");
    settings->persistent = value == NULL || option_is_on(value);
    reason_set(reason, "out of memory");
    if (!copy_texts(option, context, settings) || !read_engine(option, context, settings, reason) ||
        !read_hosts(option, context, settings, reason) ||
        !read_host_order(option, context, settings, reason) ||
        !read_ssl_mode(option, context, settings, reason) ||
        !read_timeout(option, context, settings, reason)) {
        sql_settings_free(settings);
        return NULL;
    }
    jail_note_root(&settings->target.jail);
    return settings;
}

/* The target lends its strings as const, but they are ours. */
static void free_target_string(const char *string)
{
    secret_free_string((char *)(uintptr_t)string);
}

void sql_settings_free(struct sql_settings *settings)
{
    if (settings == NULL)
        return;
    sql_hosts_free(&settings->hosts);
    free_target_string(settings->target.user);
    free_target_string(settings->target.password);
    free_target_string(settings->target.database);
    free_target_string(settings->target.ssl_ca);
    free_target_string(settings->target.ssl_cert);
    free_target_string(settings->target.ssl_key);
    free(settings->select);
    free(settings->insert);
    free(settings->update);
    free(settings);
}
