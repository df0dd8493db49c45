/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_settings.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool sql_settings_dummy(const struct options *options)
{
    const char *rest = skip_word(options_text(options, OPTION_SQL_SELECT), "dummy");

    if (rest != NULL && *rest != '\0')
        rest = skip_word(rest, "select");
    return rest != NULL && *rest == '\0';
}

bool sql_settings_wanted(const struct options *options)
{
    return options_set(options, OPTION_SQL_SELECT) != NULL && !sql_settings_dummy(options);
}

/* Copies the texts of a target. Returns false when out of memory. */
static bool copy_target(const struct options *options, struct sql_target *target)
{
    const struct {
        enum option option;
        const char **copy;
    } texts[] = {
        {OPTION_SQL_USER, &target->user},         {OPTION_SQL_PASSWD, &target->password},
        {OPTION_SQL_DATABASE, &target->database}, {OPTION_SQL_SSL_CA, &target->ssl_ca},
        {OPTION_SQL_SSL_CERT, &target->ssl_cert}, {OPTION_SQL_SSL_KEY, &target->ssl_key},
    };
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *copy;

        if (!options_copy(options, texts[i].option, &copy))
            return false;
        *texts[i].copy = copy;
    }
    return true;
}

static bool copy_templates(const struct options *options, struct sql_settings *settings)
{
    return options_copy(options, OPTION_SQL_SELECT, &settings->select) &&
           options_copy(options, OPTION_SQL_INSERT, &settings->insert) &&
           options_copy(options, OPTION_SQL_UPDATE, &settings->update);
}

static bool read_engine(const struct options *options, struct sql_settings *settings,
                        struct reason *reason)
{
    const char *value = options_text(options, OPTION_SQL_ENGINE);

    settings->engine = sql_engine_kind_find(value);
    if (settings->engine != NULL)
        return true;
    options_refuse(OPTION_SQL_ENGINE, value, reason, "must be ");
    sql_engine_kind_append_names(reason);
    return false;
}

static bool read_hosts(const struct options *options, struct sql_settings *settings,
                       struct reason *reason)
{
    const char *value =
        settings->engine->has_hosts ? options_text(options, OPTION_SQL_HOSTNAMES) : "";
    bool done = sql_hosts_read(&settings->hosts, value, reason);

    if (!done)
        reason_prefix(reason, "%s: ", options_name(OPTION_SQL_HOSTNAMES));
    return done;
}

static bool read_host_order(const struct options *options, struct sql_settings *settings,
                            struct reason *reason)
{
    enum { LISTED, RANDOM };
    unsigned order;

    if (!options_word(options, OPTION_SQL_HOST_ORDER, &order, reason))
        return false;
    settings->random_order = order == RANDOM;
    return true;
}

/* The word wins over the switch, which is older. */
static bool read_ssl_mode(const struct options *options, struct sql_settings *settings,
                          struct reason *reason)
{
    struct sql_target *target = &settings->target;
    unsigned mode;

    if (!options_word(options, OPTION_SQL_SSL_MODE, &mode, reason))
        return false;
    target->ssl_mode = (enum sql_ssl_mode)mode;
    if (options_set(options, OPTION_SQL_SSL_MODE) == NULL && options_on(options, OPTION_SQL_USESSL))
        target->ssl_mode = SQL_SSL_REQUIRE;
    if (target->ssl_mode < SQL_SSL_VERIFY_CA || target->ssl_ca[0] != '\0')
        return true;
    reason_set(reason, "%s: %s needs %s, a file of trusted certificates",
               options_name(OPTION_SQL_SSL_MODE), options_text(options, OPTION_SQL_SSL_MODE),
               options_name(OPTION_SQL_SSL_CA));
    return false;
}

static bool read_all(const struct options *options, struct sql_settings *settings,
                     struct reason *reason)
{
    if (!copy_target(options, &settings->target) || !copy_templates(options, settings)) {
        reason_no_memory(reason);
        return false;
    }
    settings->persistent = options_on(options, OPTION_SQL_PERSISTENT);
    return read_engine(options, settings, reason) && read_hosts(options, settings, reason) &&
           read_host_order(options, settings, reason) && read_ssl_mode(options, settings, reason) &&
           options_seconds(options, OPTION_SQL_TIMEOUT, &settings->target.timeout, reason);
}

struct sql_settings *sql_settings_read(const struct options *options, struct reason *reason)
{
    struct sql_settings *settings = calloc(1, sizeof(*settings));

    if (settings == NULL) {
        reason_no_memory(reason);
        return NULL;
    }
    if (!read_all(options, settings, reason)) {
        sql_settings_free(settings);
        return NULL;
    }
    jail_note_root(&settings->target.jail);
    return settings;
}

/* The target's strings are const, but we own them. */
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

void sql_settings_name_file(const struct sql_settings *settings, struct reason *reason)
{
    if (!settings->engine->has_hosts)
        reason_prefix(reason, "%s: ", settings->target.database);
}
