/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/option_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/option.h"
#include "base/secret.h"
#include "glue/sasl_glue.h"

struct misspelling {
    const char *wrong;
    enum option right;
    const char *advice; /* NULL: write that */
};

#define PORT_ADVICE "the port belongs in sql_hostnames, as HOST:PORT"

/* From configurations, and from other programs that use different names for the same thing. */
static const struct misspelling sql_misspellings[] = {
    {"sql_password", OPTION_SQL_PASSWD, NULL},    {"sql_passw", OPTION_SQL_PASSWD, NULL},
    {"sql_pass", OPTION_SQL_PASSWD, NULL},        {"sql_pwd", OPTION_SQL_PASSWD, NULL},
    {"sql_username", OPTION_SQL_USER, NULL},      {"sql_user_name", OPTION_SQL_USER, NULL},
    {"sql_hostname", OPTION_SQL_HOSTNAMES, NULL}, {"sql_host", OPTION_SQL_HOSTNAMES, NULL},
    {"sql_hosts", OPTION_SQL_HOSTNAMES, NULL},    {"sql_server", OPTION_SQL_HOSTNAMES, NULL},
    {"sql_servers", OPTION_SQL_HOSTNAMES, NULL},  {"sql_port", OPTION_SQL_HOSTNAMES, PORT_ADVICE},
    {"sql_db", OPTION_SQL_DATABASE, NULL},        {"sql_dbname", OPTION_SQL_DATABASE, NULL},
    {"sql_db_name", OPTION_SQL_DATABASE, NULL},   {"sql_database_name", OPTION_SQL_DATABASE, NULL},
    {"sql_engin", OPTION_SQL_ENGINE, NULL},       {"sql_type", OPTION_SQL_ENGINE, NULL},
    {"sql_driver", OPTION_SQL_ENGINE, NULL},      {"sql_ssl", OPTION_SQL_USESSL, NULL},
    {"sql_use_ssl", OPTION_SQL_USESSL, NULL},     {"sql_sslmode", OPTION_SQL_SSL_MODE, NULL},
    {"sql_ssl_cafile", OPTION_SQL_SSL_CA, NULL},  {"sql_ssl_ca_file", OPTION_SQL_SSL_CA, NULL},
    {"sql_persist", OPTION_SQL_PERSISTENT, NULL},
};

static const struct misspelling login_misspellings[] = {
    {"sql_selct", OPTION_SQL_SELECT, NULL},
    {"sql_query", OPTION_SQL_SELECT, NULL},
    {"sql_statment", OPTION_SQL_SELECT, NULL},
    {"sql_stmt", OPTION_SQL_SELECT, NULL},
    {"pwcheck_methd", OPTION_PWCHECK_METHOD, NULL},
    {"pwcheck_methods", OPTION_PWCHECK_METHOD, NULL},
    {"pwcheck_mehtod", OPTION_PWCHECK_METHOD, NULL},
    {"pwcheck_metod", OPTION_PWCHECK_METHOD, NULL},
    {"pw_check_method", OPTION_PWCHECK_METHOD, NULL},
    {"pwcheck", OPTION_PWCHECK_METHOD, NULL},
    {"auxprop_plugins", OPTION_AUXPROP_PLUGIN, NULL},
    {"auxprop_plugn", OPTION_AUXPROP_PLUGIN, NULL},
    {"auxprop_plug", OPTION_AUXPROP_PLUGIN, NULL},
    {"auxprop", OPTION_AUXPROP_PLUGIN, NULL},
    {"mech_lists", OPTION_MECH_LIST, NULL},
    {"mechlist", OPTION_MECH_LIST, NULL},
    {"mechs", OPTION_MECH_LIST, NULL},
    {"mechanisms", OPTION_MECH_LIST, NULL},
    {"sasl_mech_list", OPTION_MECH_LIST, NULL}, /* read by libsasl2, which accepts no prefix */
    {"password_formt", OPTION_PASSWORD_FORMAT, NULL},
    {"password_fromat", OPTION_PASSWORD_FORMAT, NULL},
    {"passwd_format", OPTION_PASSWORD_FORMAT, NULL},
    {"pass_format", OPTION_PASSWORD_FORMAT, NULL},
    {"authdaemond_socket", OPTION_AUTHDAEMOND_PATH, NULL},
    {"authdaemon_socket", OPTION_AUTHDAEMOND_PATH, NULL},
    {"loglevel", OPTION_LOG_LEVEL, NULL},
};

struct check {
    const sasl_utils_t *utils;
    struct options options;
    int log_level;
    const char *plugin; /* as its lines start */
};

static struct check check_by(const char *plugin, const sasl_utils_t *utils, int log_level)
{
    return (struct check){utils, sasl_glue_options(utils), log_level, plugin};
}

static void warn(const struct check *check, const char *name, const char *what)
{
    sasl_glue_log(check->utils, check->log_level, SASL_LOG_WARN, "%s: %s: %s", check->plugin, name,
                  what);
}

static const char *value_of(const struct check *check, enum option option, const char *name)
{
    return options_row(option)->reader == OPTION_OF_LIBSASL
               ? sasl_glue_libsasl_option(check->utils, option)
               : check->options.get(check->options.context, name);
}

/* Both names have the same value: the operator has noticed. */
static bool is_unread(const struct check *check, const struct misspelling *misspelling)
{
    const char *value = check->options.get(check->options.context, misspelling->wrong);
    char *unread = value != NULL ? strdup(value) : NULL;
    bool same;

    if (unread == NULL)
        return false;
    value = value_of(check, misspelling->right, options_name(misspelling->right));
    same = value != NULL && strcmp(value, unread) == 0;
    secret_free_string(unread);
    return !same;
}

static void check_names(const struct check *check, const struct misspelling *misspellings,
                        size_t count)
{
    struct reason what;
    size_t i;

    for (i = 0; i < count; i++) {
        const struct misspelling *one = &misspellings[i];

        if (!is_unread(check, one))
            continue;
        if (one->advice != NULL)
            reason_set(&what, "unknown option, ignored; %s", one->advice);
        else
            reason_set(&what, "unknown option, ignored; write %s", options_name(one->right));
        warn(check, one->wrong, what.text);
    }
}

static void check_quotes(const struct check *check, enum option option, const char *name)
{
    const char *value = name != NULL ? value_of(check, option, name) : NULL;

    if (value != NULL && option_is_quoted(value))
        warn(check, name, "the value is in quotes, which libsasl2 takes as part of it");
}

/* Checks the options that only libsqlcrypt uses, or all others. */
static void check_all_quotes(const struct check *check, bool of_sqlcrypt)
{
    enum option option;

    for (option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = options_row(option);

        if ((row->reader == OPTION_OF_SQLCRYPT) != of_sqlcrypt)
            continue;
        check_quotes(check, option, row->name);
        check_quotes(check, option, row->alias);
    }
}

static void check_log_level(const struct check *check)
{
    struct reason what;
    int level;

    if (options_level(&check->options, OPTION_LOG_LEVEL, &level))
        return;
    reason_set(&what, "must be a number, such as 5 for every step; using %d", level);
    warn(check, options_name(OPTION_LOG_LEVEL), what.text);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void option_check_sql(const sasl_utils_t *utils, int log_level)
{
    const struct check check = check_by("sqlcrypt", utils, log_level);

    check_names(&check, sql_misspellings, COUNT(sql_misspellings));
    check_all_quotes(&check, true);
}

void option_check_logins(const sasl_utils_t *utils, int log_level)
{
    const struct check check = check_by("pwverify", utils, log_level);

    check_names(&check, login_misspellings, COUNT(login_misspellings));
    check_all_quotes(&check, false);
    check_log_level(&check);
}
