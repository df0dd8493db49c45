/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/option.h"

static const char *const host_orders[] = {"listed", "random", NULL};

/* In the order of enum sql_ssl_mode */
static const char *const ssl_modes[] = {"disable",   "prefer",      "require",
                                        "verify-ca", "verify-full", NULL};

#define TIMEOUT .kind = OPTION_SECONDS, .least = 1, .most = 3600 * 1000, .otherwise = "10"

/* libsqlcrypt reads those without a reader. */
static const struct option_row rows[OPTION_COUNT] = {
    [OPTION_PWCHECK_METHOD] = {.name = "pwcheck_method",
                               .kind = OPTION_LIST,
                               .reader = OPTION_OF_PWVERIFY,
                               .otherwise = "auxprop"},
    [OPTION_AUXPROP_PLUGIN] = {.name = "auxprop_plugin",
                               .kind = OPTION_LIST,
                               .reader = OPTION_OF_BOTH},
    [OPTION_MECH_LIST] = {.name = "mech_list", .kind = OPTION_LIST, .reader = OPTION_OF_LIBSASL},
    [OPTION_LOG_LEVEL] = {.name = "log_level",
                          .kind = OPTION_LEVEL,
                          .reader = OPTION_OF_BOTH,
                          .otherwise = "3"},

    [OPTION_PASSWORD_FORMAT] = {.name = "password_format",
                                .kind = OPTION_TEXT,
                                .reader = OPTION_OF_BOTH,
                                .otherwise = "plain"},
    [OPTION_PASSWORD_STORE_SCHEME] = {.name = "password_store_scheme",
                                      .kind = OPTION_TEXT,
                                      .reader = OPTION_OF_BOTH},
    [OPTION_PASSWORD_STORE_COST] = {.name = "password_store_cost",
                                    .kind = OPTION_NUMBER,
                                    .reader = OPTION_OF_BOTH},

    [OPTION_SQL_ENGINE] = {.name = "sql_engine", .kind = OPTION_TEXT, .otherwise = "mysql"},
    [OPTION_SQL_HOSTNAMES] = {.name = "sql_hostnames", .kind = OPTION_TEXT, .otherwise = ""},
    [OPTION_SQL_HOST_ORDER] = {.name = "sql_host_order",
                               .kind = OPTION_WORD,
                               .words = host_orders,
                               .otherwise = "listed"},
    [OPTION_SQL_USER] = {.name = "sql_user", .kind = OPTION_TEXT, .otherwise = ""},
    [OPTION_SQL_PASSWD] = {.name = "sql_passwd",
                           .kind = OPTION_TEXT,
                           .otherwise = "",
                           .is_secret = true},
    [OPTION_SQL_DATABASE] = {.name = "sql_database", .kind = OPTION_TEXT, .otherwise = ""},
    [OPTION_SQL_USESSL] = {.name = "sql_usessl", .kind = OPTION_SWITCH, .otherwise = "no"},
    [OPTION_SQL_SSL_MODE] = {.name = "sql_ssl_mode",
                             .kind = OPTION_WORD,
                             .words = ssl_modes,
                             .otherwise = "prefer"},
    [OPTION_SQL_SSL_CA] = {.name = "sql_ssl_ca", .kind = OPTION_FILE, .otherwise = ""},
    [OPTION_SQL_SSL_CERT] = {.name = "sql_ssl_cert", .kind = OPTION_FILE, .otherwise = ""},
    [OPTION_SQL_SSL_KEY] = {.name = "sql_ssl_key", .kind = OPTION_FILE, .otherwise = ""},
    [OPTION_SQL_SELECT] = {.name = "sql_select",
                           .alias = "sql_statement",
                           .kind = OPTION_STATEMENT,
                           .otherwise = ""},
    [OPTION_SQL_INSERT] = {.name = "sql_insert", .kind = OPTION_STATEMENT, .otherwise = ""},
    [OPTION_SQL_UPDATE] = {.name = "sql_update", .kind = OPTION_STATEMENT, .otherwise = ""},
    [OPTION_SQL_TIMEOUT] = {.name = "sql_timeout", TIMEOUT},
    [OPTION_SQL_PERSISTENT] = {.name = "sql_persistent", .kind = OPTION_SWITCH, .otherwise = "yes"},

    /* libsasl2's manual prints the name without the second "d". */
    [OPTION_AUTHDAEMOND_PATH] = {.name = "authdaemond_path",
                                 .alias = "authdaemon_path",
                                 .kind = OPTION_FILE,
                                 .reader = OPTION_OF_PWVERIFY,
                                 .otherwise = DEFAULT_AUTHDAEMOND_PATH},
    [OPTION_AUTHDAEMOND_TIMEOUT] = {.name = "authdaemond_timeout",
                                    .reader = OPTION_OF_PWVERIFY,
                                    TIMEOUT},
    [OPTION_AUTHDAEMOND_SERVICE] = {.name = "authdaemond_service",
                                    .kind = OPTION_TEXT,
                                    .reader = OPTION_OF_PWVERIFY},
    [OPTION_AUTHDAEMOND_REQUIRE_OPTIONS] = {.name = "authdaemond_require_options",
                                            .kind = OPTION_TEXT,
                                            .reader = OPTION_OF_PWVERIFY,
                                            .otherwise = ""},
    [OPTION_AUTHDAEMOND_SEND_REMOTE_IP] = {.name = "authdaemond_send_remote_ip",
                                           .kind = OPTION_SWITCH,
                                           .reader = OPTION_OF_PWVERIFY,
                                           .otherwise = "no"},
};

const struct option_row *options_row(enum option option)
{
    return &rows[option];
}

const char *options_name(enum option option)
{
    return rows[option].name;
}

const char *options_set(const struct options *options, enum option option)
{
    const struct option_row *row = &rows[option];
    const char *value = options->get(options->context, row->name);

    if (value == NULL && row->alias != NULL)
        value = options->get(options->context, row->alias);
    return value;
}

const char *options_text(const struct options *options, enum option option)
{
    const char *value = options_set(options, option);

    return value != NULL ? value : rows[option].otherwise;
}

bool options_copy(const struct options *options, enum option option, char **copy)
{
    const char *value = options_text(options, option);

    *copy = value != NULL ? strdup(value) : NULL;
    return value == NULL || *copy != NULL;
}

bool options_is_default(const struct options *options, enum option option)
{
    const char *value = options_set(options, option);

    return value == NULL ||
           (rows[option].otherwise != NULL && strcasecmp(value, rows[option].otherwise) == 0);
}

bool options_on(const struct options *options, enum option option)
{
    return option_is_on(options_text(options, option));
}

bool options_level(const struct options *options, enum option option, int *level)
{
    if (option_level(options_text(options, option), level))
        return true;
    option_level(rows[option].otherwise, level);
    return false;
}

void options_refuse(enum option option, const char *value, struct reason *reason,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    reason_set_list(reason, format, arguments);
    va_end(arguments);
    if (!rows[option].is_secret)
        reason_prefix(reason, "\"%s\": ", value);
    reason_prefix(reason, "%s: ", rows[option].name);
}

/* Room for a time, as it is written in an option */
struct seconds {
    char text[16];
};

static struct seconds write_seconds(unsigned milliseconds)
{
    struct seconds seconds;

    if (milliseconds % 1000 == 0)
        snprintf(seconds.text, sizeof(seconds.text), "%u", milliseconds / 1000);
    else
        snprintf(seconds.text, sizeof(seconds.text), "%u.%03u", milliseconds / 1000,
                 milliseconds % 1000);
    return seconds;
}

bool options_seconds(const struct options *options, enum option option, unsigned *milliseconds,
                     struct reason *reason)
{
    const struct option_row *row = &rows[option];
    const char *value = options_text(options, option);

    if (option_seconds(value, row->least, row->most, milliseconds))
        return true;
    options_refuse(option, value, reason, "must be %s to %s seconds",
                   write_seconds(row->least).text, write_seconds(row->most).text);
    return false;
}

bool options_word(const struct options *options, enum option option, unsigned *place,
                  struct reason *reason)
{
    const struct option_row *row = &rows[option];
    const char *value = options_text(options, option);
    unsigned count;

    for (count = 0; row->words[count] != NULL; count++)
        if (strcasecmp(row->words[count], value) == 0) {
            *place = count;
            return true;
        }
    options_refuse(option, value, reason, "must be ");
    for (*place = 0; *place < count; (*place)++)
        reason_append_choice(reason, row->words[*place], *place, count);
    return false;
}
