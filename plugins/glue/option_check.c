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
    const char *right;
    const char *advice; /* NULL: write it as it is */
};

#define PORT_ADVICE "the port belongs in sql_hostnames, as HOST:PORT"

/* As configurations have them, and as other programs name the same thing. */
static const struct misspelling sql_misspellings[] = {
    {"sql_password", "sql_passwd", NULL},    {"sql_passw", "sql_passwd", NULL},
    {"sql_pass", "sql_passwd", NULL},        {"sql_pwd", "sql_passwd", NULL},
    {"sql_username", "sql_user", NULL},      {"sql_user_name", "sql_user", NULL},
    {"sql_hostname", "sql_hostnames", NULL}, {"sql_host", "sql_hostnames", NULL},
    {"sql_hosts", "sql_hostnames", NULL},    {"sql_server", "sql_hostnames", NULL},
    {"sql_servers", "sql_hostnames", NULL},  {"sql_port", "sql_hostnames", PORT_ADVICE},
    {"sql_db", "sql_database", NULL},        {"sql_dbname", "sql_database", NULL},
    {"sql_db_name", "sql_database", NULL},   {"sql_database_name", "sql_database", NULL},
    {"sql_engin", "sql_engine", NULL},       {"sql_type", "sql_engine", NULL},
    {"sql_driver", "sql_engine", NULL},      {"sql_ssl", "sql_usessl", NULL},
    {"sql_use_ssl", "sql_usessl", NULL},     {"sql_sslmode", "sql_ssl_mode", NULL},
    {"sql_ssl_cafile", "sql_ssl_ca", NULL},  {"sql_ssl_ca_file", "sql_ssl_ca", NULL},
    {"sql_persist", "sql_persistent", NULL},
};

static const struct misspelling login_misspellings[] = {
    {"sql_selct", "sql_select", NULL},
    {"sql_query", "sql_select", NULL},
    {"sql_statment", "sql_select", NULL},
    {"sql_stmt", "sql_select", NULL},
    {"pwcheck_methd", "pwcheck_method", NULL},
    {"pwcheck_methods", "pwcheck_method", NULL},
    {"pwcheck_mehtod", "pwcheck_method", NULL},
    {"pwcheck_metod", "pwcheck_method", NULL},
    {"pw_check_method", "pwcheck_method", NULL},
    {"pwcheck", "pwcheck_method", NULL},
    {"auxprop_plugins", "auxprop_plugin", NULL},
    {"auxprop_plugn", "auxprop_plugin", NULL},
    {"auxprop_plug", "auxprop_plugin", NULL},
    {"auxprop", "auxprop_plugin", NULL},
    {"mech_lists", "mech_list", NULL},
    {"mechlist", "mech_list", NULL},
    {"mechs", "mech_list", NULL},
    {"mechanisms", "mech_list", NULL},
    {"sasl_mech_list", "mech_list", NULL}, /* read by libsasl2, which knows no prefix */
    {"password_formt", "password_format", NULL},
    {"password_fromat", "password_format", NULL},
    {"passwd_format", "password_format", NULL},
    {"pass_format", "password_format", NULL},
    {"authdaemond_socket", "authdaemond_path", NULL},
    {"authdaemon_socket", "authdaemond_path", NULL},
    {"loglevel", "log_level", NULL},
};

static const char *const sql_options[] = {
    "sql_engine",     "sql_hostnames",  "sql_user",    "sql_passwd",   "sql_database",
    "sql_select",     "sql_insert",     "sql_update",  "sql_usessl",   "sql_timeout",
    "sql_ssl_mode",   "sql_ssl_ca",     "sql_ssl_key", "sql_ssl_cert", "sql_statement",
    "sql_persistent", "sql_host_order",
};

static const char *const login_options[] = {
    "pwcheck_method",
    "auxprop_plugin",
    "mech_list",
    "password_format",
    "password_store_cost",
    "password_store_scheme",
    "authdaemond_path",
    "authdaemon_path",
    "authdaemond_timeout",
    "authdaemond_service",
    "authdaemond_require_options",
    "authdaemond_send_remote_ip",
    "log_level",
};

struct check {
    const sasl_utils_t *utils;
    int log_level;
    const char *plugin; /* as its lines start */
};

static const char *right_value(const sasl_utils_t *utils, const char *name)
{
    return strcmp(name, "mech_list") == 0 ? sasl_glue_exact_option(utils, name)
                                          : sasl_glue_option(utils, name);
}

/* Who has both names, with one value, has found out. */
static bool is_unread(const sasl_utils_t *utils, const struct misspelling *misspelling)
{
    const char *value;
    char *unread;
    bool same;

    if (!sasl_glue_copy_option(utils, misspelling->wrong, NULL, &unread) || unread == NULL)
        return false;
    value = right_value(utils, misspelling->right);
    same = value != NULL && strcmp(value, unread) == 0;
    secret_free_string(unread);
    return !same;
}

static void check_names(const struct check *check, const struct misspelling *misspellings,
                        size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const struct misspelling *one = &misspellings[i];

        if (!is_unread(check->utils, one))
            continue;
        if (one->advice != NULL)
            sasl_glue_log(check->utils, check->log_level, SASL_LOG_WARN,
                          "%s: %s: unknown option, ignored; %s", check->plugin, one->wrong,
                          one->advice);
        else
            sasl_glue_log(check->utils, check->log_level, SASL_LOG_WARN,
                          "%s: %s: unknown option, ignored; write %s", check->plugin, one->wrong,
                          one->right);
    }
}

static void check_quotes(const struct check *check, const char *const *options, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *value = sasl_glue_option(check->utils, options[i]);

        if (value != NULL && option_is_quoted(value))
            sasl_glue_log(check->utils, check->log_level, SASL_LOG_WARN,
                          "%s: %s: the value is in quotes, which libsasl2 takes as part of it",
                          check->plugin, options[i]);
    }
}

static void check_log_level(const struct check *check)
{
    const char *value = sasl_glue_option(check->utils, "log_level");
    int level;

    if (value != NULL && !option_level(value, &level))
        sasl_glue_log(check->utils, check->log_level, SASL_LOG_WARN,
                      "%s: log_level: must be a number, such as 5 for every step; using %d",
                      check->plugin, check->log_level);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void option_check_sql(const sasl_utils_t *utils, int log_level)
{
    const struct check check = {utils, log_level, "sqlcrypt"};

    check_names(&check, sql_misspellings, COUNT(sql_misspellings));
    check_quotes(&check, sql_options, COUNT(sql_options));
}

void option_check_logins(const sasl_utils_t *utils, int log_level)
{
    const struct check check = {utils, log_level, "pwverify"};

    check_names(&check, login_misspellings, COUNT(login_misspellings));
    check_quotes(&check, login_options, COUNT(login_options));
    check_log_level(&check);
}
