/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_settings.h"

#include "test_support.h"

/* --- a configuration to read from */

struct configuration {
    const struct setting {
        const char *option;
        const char *value;
    } * settings;
    /* A value is valid until the next call alone: this one is overwritten. */
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

    reason->text[0] = '\0';
    return sql_settings_read(look_up, &configuration, reason);
}

static const struct setting nothing[] = {{NULL, NULL}};

static void defaults(void **state)
{
    struct reason reason;
    struct sql_settings *settings = read_settings(nothing, &reason);

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->engine->name, "mysql");
    assert_string_equal(settings->target.hostnames, "");
    assert_string_equal(settings->target.user, "");
    assert_string_equal(settings->target.password, "");
    assert_string_equal(settings->target.database, "");
    assert_false(settings->target.use_ssl);
    assert_true(settings->target.jail.noted);
    assert_string_equal(settings->select, "");
    assert_string_equal(settings->insert, "");
    assert_string_equal(settings->update, "");
    assert_int_equal(settings->timeout, 10000);
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
    assert_string_equal(settings->target.hostnames, "db1:5433, [::1]:5432");
    assert_string_equal(settings->target.user, "postfix");
    assert_string_equal(settings->target.password, "s3cret \"quoted\"");
    assert_string_equal(settings->target.database, "mail");
    assert_true(settings->target.use_ssl);
    assert_string_equal(settings->select, "SELECT %p FROM users WHERE name = '%u'");
    assert_string_equal(settings->insert, "INSERT INTO users (name, %p) VALUES ('%u', '%v')");
    assert_string_equal(settings->update, "UPDATE users SET %p = '%v' WHERE name = '%u'");
    assert_int_equal(settings->timeout, 2500);
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
    {"a statement about dummies", {{"sql_select", "dummy statement"}}, true},
    {"other options alone", {{"sql_update", "UPDATE x"}, {"sql_engine", "pgsql"}}, false},
};

static void wanted(void **state)
{
    const struct wanting *row = *state;
    struct configuration configuration = {.settings = row->settings};

    assert_int_equal(sql_settings_wanted(look_up, &configuration), row->want);
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

static const struct timeout {
    const char *name;
    const char *value;
    unsigned want; /* milliseconds; 0: refused */
} timeouts[] = {
    {"ten", "10", 10000},
    {"one", "1", 1000},
    {"half", "0.5", 500},
    {"two decimals", "1.25", 1250},
    {"three decimals", "12.345", 12345},
    {"shortest", "0.001", 1},
    {"longest", "3600", 3600000},
    {"longest with decimals", "3600.000", 3600000},
    {"just below the longest", "3599.999", 3599999},
    {"zeros in front", "0010", 10000},
    {"nothing", "0", 0},
    {"nothing with decimals", "0.000", 0},
    {"shorter than the shortest", "0.0001", 0},
    {"four decimals", "1.0001", 0},
    {"negative", "-1", 0},
    {"signed", "+1", 0},
    {"exponent", "1e3", 0},
    {"hexadecimal", "0x10", 0},
    {"just too long", "3600.001", 0},
    {"too long", "3601", 0},
    {"much too long", "99999999999999999999999999", 0},
    {"too long by the size of an integer", "4294968", 0},
    {"word", "abc", 0},
    {"unit", "1.5s", 0},
    {"blank behind", "10 ", 0},
    {"blank in front", " 10", 0},
    {"empty", "", 0},
    {"point alone", ".", 0},
    {"two points", "1.2.3", 0},
    {"comma", "1,5", 0},
    {"infinite", "inf", 0},
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
    assert_int_equal(settings->timeout, row->want);
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
    assert_int_equal(settings->target.use_ssl, row->want);
    assert_int_equal(settings->persistent, row->want);
    sql_settings_free(settings);
}

/* Values of other options are nobody's business. */
static void reasons_hide_the_password(void **state)
{
    static const struct setting given[] = {
        {"sql_passwd", "hunter2"}, {"sql_timeout", "soon"}, {NULL, NULL}};
    struct reason reason;

    (void)state;
    assert_null(read_settings(given, &reason));
    assert_contains(reason.text, "sql_timeout: \"soon\"");
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
    TEST_ADD(&list, reasons_hide_the_password);
    return test_run("sql_settings", &list);
}
