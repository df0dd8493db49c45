/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_settings.h"

#include "support/unit.h"

/* --- a configuration to read from */

struct configuration {
    const struct setting {
        const char *option;
        const char *value;
    } * settings;
    /* A value is valid only until the next call: this one is overwritten. */
    char lent[256];
};

static const char *look_up(void *context, const char *name)
{
    struct configuration *configuration = context;
    const struct setting *setting;

    memset(configuration->lent, '#', sizeof(configuration->lent) - 1);
    for (setting = configuration->settings; setting->option != NULL; setting++)
        if (strcmp(setting->option, name) == 0) {
            snprintf(configuration->lent, sizeof(configuration->lent), "%s", setting->value);
            return configuration->lent;
        }
    return NULL;
}

static struct sql_settings *read_settings(const struct setting *settings, struct reason *reason)
{
    struct configuration configuration = {.settings = settings};
    const struct options options = {look_up, &configuration};

    reason->text[0] = '\0';
    return sql_settings_read(&options, reason);
}

static const struct setting nothing[] = {{NULL, NULL}};

static void defaults(void **state)
{
    struct reason reason;
    struct sql_settings *settings = read_settings(nothing, &reason);

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->engine->name, "mysql");
    assert_int_equal(settings->hosts.count, 1);
    assert_string_equal(settings->hosts.items[0].name, "");
    assert_int_equal(settings->hosts.items[0].port, 0);
    assert_string_equal(settings->target.user, "");
    assert_string_equal(settings->target.password, "");
    assert_string_equal(settings->target.database, "");
    assert_int_equal(settings->target.ssl_mode, SQL_SSL_PREFER);
    assert_string_equal(settings->target.ssl_ca, "");
    assert_string_equal(settings->target.ssl_cert, "");
    assert_string_equal(settings->target.ssl_key, "");
    assert_true(settings->target.jail.noted);
    assert_string_equal(settings->select, "");
    assert_string_equal(settings->insert, "");
    assert_string_equal(settings->update, "");
    assert_int_equal(settings->target.timeout, 10000);
    assert_true(settings->persistent);
    sql_settings_free(settings);
}

static void every_option(void **state)
{
    static const struct setting all[] = {
        {"sql_engine", "pgsql"},
        {"sql_hostnames", "db1:5433, [::1]:5432"},
        {"sql_user", "postfix"},
        {"sql_passwd", "s3cret \"quoted\""},
        {"sql_database", "mail"},
        {"sql_usessl", "yes"},
        {"sql_ssl_mode", "verify-full"},
        {"sql_ssl_ca", "/etc/ssl/ca.pem"},
        {"sql_ssl_cert", "/etc/ssl/client.pem"},
        {"sql_ssl_key", "/etc/ssl/client.key"},
        {"sql_select", "SELECT %p FROM users WHERE name = '%u'"},
        {"sql_statement", "SELECT this FROM is_not_used"},
        {"sql_insert", "INSERT INTO users (name, %p) VALUES ('%u', '%v')"},
        {"sql_update", "UPDATE users SET %p = '%v' WHERE name = '%u'"},
        {"sql_timeout", "2.5"},
        {"sql_persistent", "no"},
        {NULL, NULL},
    };
    struct reason reason;
    struct sql_settings *settings = read_settings(all, &reason);

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->engine->name, "pgsql");
    assert_int_equal(settings->hosts.count, 2);
    assert_string_equal(settings->hosts.items[0].name, "db1");
    assert_int_equal(settings->hosts.items[0].port, 5433);
    assert_string_equal(settings->hosts.items[1].name, "::1");
    assert_int_equal(settings->hosts.items[1].port, 5432);
    assert_string_equal(settings->target.user, "postfix");
    assert_string_equal(settings->target.password, "s3cret \"quoted\"");
    assert_string_equal(settings->target.database, "mail");
    assert_int_equal(settings->target.ssl_mode, SQL_SSL_VERIFY_FULL);
    assert_string_equal(settings->target.ssl_ca, "/etc/ssl/ca.pem");
    assert_string_equal(settings->target.ssl_cert, "/etc/ssl/client.pem");
    assert_string_equal(settings->target.ssl_key, "/etc/ssl/client.key");
    assert_string_equal(settings->select, "SELECT %p FROM users WHERE name = '%u'");
    assert_string_equal(settings->insert, "INSERT INTO users (name, %p) VALUES ('%u', '%v')");
    assert_string_equal(settings->update, "UPDATE users SET %p = '%v' WHERE name = '%u'");
    assert_int_equal(settings->target.timeout, 2500);
    assert_false(settings->persistent);
    sql_settings_free(settings);
}

static void old_name_of_select(void **state)
{
    static const struct setting old[] = {{"sql_statement", "SELECT 1"}, {NULL, NULL}};
    struct reason reason;
    struct sql_settings *settings = read_settings(old, &reason);

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->select, "SELECT 1");
    sql_settings_free(settings);
}

static void free_of_nothing(void **state)
{
    (void)state;
    sql_settings_free(NULL);
}

/* --- whether there is a SELECT */

static const struct wanting {
    const char *name;
    struct setting settings[3];
    bool want;
} wantings[] = {
    {"nothing", {{NULL, NULL}}, false},
    {"sql_select", {{"sql_select", "SELECT 1"}}, true},
    {"sql_statement", {{"sql_statement", "SELECT 1"}}, true},
    {"dummy", {{"sql_select", "dummy"}}, false},
    {"Dummy", {{"sql_select", "Dummy"}}, false},
    {"dummy as sql_statement", {{"sql_statement", "dummy"}}, false},
    {"dummy goes before the old name",
     {{"sql_select", "dummy"}, {"sql_statement", "SELECT 1"}},
     false},
    {"the new name goes before dummy",
     {{"sql_select", "SELECT 1"}, {"sql_statement", "dummy"}},
     true},
    {"dummy select", {{"sql_select", "dummy select"}}, false},
    {"dummy select in other letters", {{"sql_select", "Dummy SELECT"}}, false},
    {"white space around it", {{"sql_select", " \tdummy \t select\t "}}, false},
    {"white space around dummy alone", {{"sql_select", "\t dummy "}}, false},
    {"dummy select as sql_statement", {{"sql_statement", "dummy select"}}, false},
    {"dummy select goes before the old name",
     {{"sql_select", "dummy select"}, {"sql_statement", "SELECT 1"}},
     false},
    {"a statement about dummies", {{"sql_select", "dummy statement"}}, true},
    {"more than dummy select", {{"sql_select", "dummy select 1"}}, true},
    {"a longer word", {{"sql_select", "dummyselect"}}, true},
    {"a longer second word", {{"sql_select", "dummy selects"}}, true},
    {"a statement with dummy in it", {{"sql_select", "select dummy"}}, true},
    {"empty", {{"sql_select", ""}}, true},
    {"other options alone", {{"sql_update", "UPDATE x"}, {"sql_engine", "pgsql"}}, false},
};

static bool is_set(struct configuration *configuration)
{
    return look_up(configuration, "sql_select") != NULL ||
           look_up(configuration, "sql_statement") != NULL;
}

static void wanted(void **state)
{
    const struct wanting *row = *state;
    struct configuration configuration = {.settings = row->settings};
    const struct options options = {look_up, &configuration};

    assert_int_equal(sql_settings_wanted(&options), row->want);
    /* If no SELECT is wanted, either the idiom is used or nothing is set. */
    assert_int_equal(sql_settings_dummy(&options), !row->want && is_set(&configuration));
}

/* --- engines */

static const struct engine {
    const char *name;
    const char *value;
    const char *want; /* NULL: refused */
} engines[] = {
    {"mysql", "mysql", "mysql"},       {"pgsql", "pgsql", "pgsql"},
    {"sqlite3", "sqlite3", "sqlite3"}, {"sqlite", "sqlite", "sqlite3"},
    {"letter case", "PgSQL", "pgsql"}, {"letter case of the old name", "SQLite", "sqlite3"},
    {"unknown", "oracle", NULL},       {"empty", "", NULL},
    {"start of a name", "pg", NULL},   {"more than a name", "mysql5", NULL},
    {"path", "../sqlite3", NULL},      {"blank behind", "pgsql ", NULL},
};

static void read_engine(void **state)
{
    const struct engine *row = *state;
    const struct setting given[] = {{"sql_engine", row->value}, {NULL, NULL}};
    struct reason reason;
    struct sql_settings *settings = read_settings(given, &reason);

    if (row->want == NULL) {
        assert_null(settings);
        assert_memory_equal(reason.text, "sql_engine: ", 12);
        assert_contains(reason.text, row->value);
        return;
    }
    assert_non_null(settings);
    assert_string_equal(settings->engine->name, row->want);
    sql_settings_free(settings);
}

/* --- times */

/* What a time looks like is up to test_option. */
static const struct timeout {
    const char *name;
    const char *value;
    unsigned want; /* milliseconds; 0: refused */
} timeouts[] = {
    {"ten", "10", 10000},
    {"three decimals", "12.345", 12345},
    {"shortest", "0.001", 1},
    {"longest", "3600", 3600000},
    {"nothing", "0", 0},
    {"shorter than the shortest", "0.0001", 0},
    {"just too long", "3600.001", 0},
    {"word", "abc", 0},
    {"empty", "", 0},
};

static void read_timeout(void **state)
{
    const struct timeout *row = *state;
    const struct setting given[] = {{"sql_timeout", row->value}, {NULL, NULL}};
    struct reason reason;
    struct sql_settings *settings = read_settings(given, &reason);

    if (row->want == 0) {
        sql_settings_free(settings);
        assert_null(settings);
        assert_memory_equal(reason.text, "sql_timeout: ", 13);
        assert_contains(reason.text, row->value);
        return;
    }
    if (settings == NULL)
        print_error("%s\n", reason.text);
    assert_non_null(settings);
    assert_int_equal(settings->target.timeout, row->want);
    sql_settings_free(settings);
}

/* --- switches, as the stock plug-ins read them */

static const struct position {
    const char *name;
    const char *value;
    bool want;
} positions[] = {
    {"1", "1", true},       {"yes", "yes", true},      {"y", "y", true},
    {"true", "true", true}, {"t", "t", true},          {"on", "on", true},
    {"0", "0", false},      {"no", "no", false},       {"false", "false", false},
    {"off", "off", false},  {"other", "maybe", false}, {"o", "o", false},
    {"empty", "", false},
};

static void read_switch(void **state)
{
    const struct position *row = *state;
    const struct setting given[] = {
        {"sql_usessl", row->value}, {"sql_persistent", row->value}, {NULL, NULL}};
    struct reason reason;
    struct sql_settings *settings = read_settings(given, &reason);

    assert_non_null(settings);
    assert_int_equal(settings->target.ssl_mode, row->want ? SQL_SSL_REQUIRE : SQL_SSL_PREFER);
    assert_int_equal(settings->persistent, row->want);
    sql_settings_free(settings);
}

/* --- encryption: the word wins over the switch, which is older */

static const char *const with_hosts[] = {"pgsql", "mysql"};

static const struct encryption {
    const char *name;
    const char *use_ssl; /* NULL: not set */
    const char *mode;
    int want; /* -1: refused */
} encryptions[] = {
    {"nothing", NULL, NULL, SQL_SSL_PREFER},
    {"yes", "yes", NULL, SQL_SSL_REQUIRE},
    {"no", "no", NULL, SQL_SSL_PREFER},
    {"disable", NULL, "disable", SQL_SSL_DISABLE},
    {"prefer", NULL, "prefer", SQL_SSL_PREFER},
    {"require", NULL, "require", SQL_SSL_REQUIRE},
    {"verify-ca", NULL, "verify-ca", SQL_SSL_VERIFY_CA},
    {"verify-full", NULL, "verify-full", SQL_SSL_VERIFY_FULL},
    {"letter case", NULL, "Verify-Full", SQL_SSL_VERIFY_FULL},
    {"word after yes", "yes", "verify-ca", SQL_SSL_VERIFY_CA},
    {"disable after yes", "yes", "disable", SQL_SSL_DISABLE},
    {"word after no", "no", "require", SQL_SSL_REQUIRE},
    {"unknown", NULL, "always", -1},
    {"unknown after yes", "yes", "always", -1},
    {"word of MySQL", NULL, "REQUIRED", -1},
    {"underscore", NULL, "verify_full", -1},
    {"start of a word", NULL, "verify", -1},
    {"more than a word", NULL, "verify-full-please", -1},
    {"blank behind", NULL, "require ", -1},
    {"switch", NULL, "yes", -1},
    {"number", NULL, "1", -1},
    {"empty", NULL, "", -1},
};

static void read_encryption(void **state)
{
    const struct encryption *row = *state;
    size_t i;

    for (i = 0; i < COUNT(with_hosts); i++) {
        struct setting given[5] = {
            {"sql_engine", with_hosts[i]}, {"sql_ssl_ca", "/ca.pem"}, {NULL, NULL}};
        struct sql_settings *settings;
        struct reason reason;
        size_t count = 2;

        if (row->use_ssl != NULL)
            given[count++] = (struct setting){"sql_usessl", row->use_ssl};
        if (row->mode != NULL)
            given[count++] = (struct setting){"sql_ssl_mode", row->mode};
        settings = read_settings(given, &reason);
        if (row->want < 0) {
            sql_settings_free(settings);
            assert_null(settings);
            assert_memory_equal(reason.text, "sql_ssl_mode: ", 14);
            assert_contains(reason.text, row->mode);
            continue;
        }
        if (settings == NULL)
            print_error("%s\n", reason.text);
        assert_non_null(settings);
        assert_int_equal(settings->target.ssl_mode, row->want);
        sql_settings_free(settings);
    }
}

/* Without an authority, nothing would be verified. */
static void verifying_needs_an_authority(void **state)
{
    static const char *const modes[] = {"verify-ca", "verify-full"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(modes); i++) {
        const struct setting given[] = {
            {"sql_engine", "mysql"}, {"sql_ssl_mode", modes[i]}, {NULL, NULL}};
        struct reason reason;

        assert_null(read_settings(given, &reason));
        assert_contains(reason.text, "sql_ssl_mode: ");
        assert_contains(reason.text, "sql_ssl_ca");
    }
}

/* --- hosts */

static void read_hosts(void **state)
{
    const struct setting given[] = {
        {"sql_engine", "mysql"}, {"sql_hostnames", "db1, db2:3307 /run/mysqld.sock"}, {NULL, NULL}};
    struct reason reason;
    struct sql_settings *settings = read_settings(given, &reason);

    (void)state;
    assert_non_null(settings);
    assert_int_equal(settings->hosts.count, 3);
    assert_string_equal(settings->hosts.items[0].name, "db1");
    assert_string_equal(settings->hosts.items[1].label, "db2:3307");
    assert_string_equal(settings->hosts.items[2].name, "/run/mysqld.sock");
    sql_settings_free(settings);
}

static void refuse_hosts(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(with_hosts); i++) {
        const struct setting given[] = {
            {"sql_engine", with_hosts[i]}, {"sql_hostnames", "db1, db2:port"}, {NULL, NULL}};
        struct reason reason;

        assert_null(read_settings(given, &reason));
        assert_memory_equal(reason.text, "sql_hostnames: ", 15);
        assert_contains(reason.text, "db2:port");
    }
}

/* A file is local: the option does not matter. */
static void file_has_no_hosts(void **state)
{
    static const char *const values[] = {"db1, db2", "db2:port", "[", ""};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(values); i++) {
        const struct setting given[] = {
            {"sql_engine", "sqlite3"}, {"sql_hostnames", values[i]}, {NULL, NULL}};
        struct reason reason;
        struct sql_settings *settings = read_settings(given, &reason);

        assert_non_null(settings);
        assert_int_equal(settings->hosts.count, 1);
        assert_string_equal(settings->hosts.items[0].name, "");
        sql_settings_free(settings);
    }
}

/* Reasons do not show the values of other options. */
static void reasons_hide_the_password(void **state)
{
    static const struct setting given[] = {
        {"sql_passwd", "hunter2"}, {"sql_timeout", "soon"}, {NULL, NULL}};
    struct reason reason;

    (void)state;
    assert_null(read_settings(given, &reason));
    assert_contains(reason.text, "sql_timeout: \"soon\": must be 0.001 to 3600 seconds");
    assert_lacks(reason.text, "hunter2");
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD(&list, defaults);
    TEST_ADD(&list, every_option);
    TEST_ADD(&list, old_name_of_select);
    TEST_ADD(&list, free_of_nothing);
    TEST_ADD_CASES(&list, wanted, wantings);
    TEST_ADD_CASES(&list, read_engine, engines);
    TEST_ADD_CASES(&list, read_timeout, timeouts);
    TEST_ADD_CASES(&list, read_switch, positions);
    TEST_ADD(&list, verifying_needs_an_authority);
    TEST_ADD_CASES(&list, read_encryption, encryptions);
    TEST_ADD(&list, read_hosts);
    TEST_ADD(&list, refuse_hosts);
    TEST_ADD(&list, file_has_no_hosts);
    TEST_ADD(&list, reasons_hide_the_password);
    return test_run("sql_settings", &list);
}
