/* SPDX-License-Identifier: BSD-3-Clause */

/* What is logged when a program starts about options that nothing reads and values that probably
 * do not mean what they say, through the real libsasl2. */

#include "support/unit.h"

#include "support/hashes.h"
#include "support/sasl_program.h"
#include "support/sqlite_table.h"

#define DATABASE "users.db"
#define SELECT "sql_select: SELECT password FROM users WHERE name='%u' AND realm='%r'\n"
#define RIGHT "correct horse"

/* A value that must never be shown. */
#define VALUE "x-value-of-hers"

/* `options` come first, so that they win. Valid until the next call. */
static const char *configuration(const char *options)
{
    static char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "password_format: crypt\n"
             "password_store_scheme: MD5-CRYPT\n" /* refusals cost as much */
             "pwcheck_method: auxprop\n"
             "auxprop_plugin: sqlcrypt\n"
             "mech_list: PLAIN LOGIN\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n%s",
             options, folder(), SELECT);
    return text;
}

static int make_table(void **state)
{
    (void)state;
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, realm TEXT, password TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('alice', 'example.com', '%s')",
            hash_of(RIGHT, "$6$rounds=1000$salt"));
    return 0;
}

static int remove_table(void **state)
{
    (void)state;
    program_abandon();
    folder_remove();
    return 0;
}

/* Our lines that start with "init ", like everything that is logged at the start. */
static unsigned lines_at_start(void)
{
    return program_log_count("init sqlcrypt: ") + program_log_count("init pwverify: ");
}

static void expect_lines(unsigned want)
{
    if (lines_at_start() != want)
        print_error("want %u lines:\n%s", want, program_log());
    assert_int_equal(lines_at_start(), want);
}

static void expect_one_line(const char *want)
{
    expect_lines(1);
    assert_contains(program_log(), want);
}

/* --- names */

static const struct misspelling {
    const char *name;
    const char *want; /* after the name */
} misspellings[] = {
    {"sql_password", "write sql_passwd"},
    {"sql_passw", "write sql_passwd"},
    {"sql_pass", "write sql_passwd"},
    {"sql_pwd", "write sql_passwd"},
    {"sql_username", "write sql_user"},
    {"sql_user_name", "write sql_user"},
    {"sql_hostname", "write sql_hostnames"},
    {"sql_host", "write sql_hostnames"},
    {"sql_hosts", "write sql_hostnames"},
    {"sql_server", "write sql_hostnames"},
    {"sql_servers", "write sql_hostnames"},
    {"sql_port", "the port belongs in sql_hostnames, as HOST:PORT"},
    {"sql_db", "write sql_database"},
    {"sql_dbname", "write sql_database"},
    {"sql_db_name", "write sql_database"},
    {"sql_database_name", "write sql_database"},
    {"sql_engin", "write sql_engine"},
    {"sql_type", "write sql_engine"},
    {"sql_driver", "write sql_engine"},
    {"sql_ssl", "write sql_usessl"},
    {"sql_use_ssl", "write sql_usessl"},
    {"sql_sslmode", "write sql_ssl_mode"},
    {"sql_ssl_cafile", "write sql_ssl_ca"},
    {"sql_ssl_ca_file", "write sql_ssl_ca"},
    {"sql_persist", "write sql_persistent"},
    {"sql_selct", "write sql_select"},
    {"sql_query", "write sql_select"},
    {"sql_statment", "write sql_select"},
    {"sql_stmt", "write sql_select"},
    {"pwcheck_methd", "write pwcheck_method"},
    {"pwcheck_methods", "write pwcheck_method"},
    {"pwcheck_mehtod", "write pwcheck_method"},
    {"pwcheck_metod", "write pwcheck_method"},
    {"pw_check_method", "write pwcheck_method"},
    {"pwcheck", "write pwcheck_method"},
    {"auxprop_plugins", "write auxprop_plugin"},
    {"auxprop_plugn", "write auxprop_plugin"},
    {"auxprop_plug", "write auxprop_plugin"},
    {"auxprop", "write auxprop_plugin"},
    {"mech_lists", "write mech_list"},
    {"mechlist", "write mech_list"},
    {"mechs", "write mech_list"},
    {"mechanisms", "write mech_list"},
    {"sasl_mech_list", "write mech_list"},
    {"password_formt", "write password_format"},
    {"password_fromat", "write password_format"},
    {"passwd_format", "write password_format"},
    {"pass_format", "write password_format"},
    {"authdaemond_socket", "write authdaemond_path"},
    {"authdaemon_socket", "write authdaemond_path"},
    {"loglevel", "write log_level"},
    {"sasl_sql_password", "write sql_passwd"},
    {"sasl_pwcheck_methods", "write pwcheck_method"},
};

/* Set differently, or not at all: logins work as if the line were missing. */
static void names_the_right_option(void **state)
{
    const struct misspelling *row = *state;
    const char *name =
        strncmp(row->name, "sasl_", 5) == 0 && strcmp(row->name, "sasl_mech_list") != 0
            ? row->name + 5
            : row->name;
    char options[200], want[200];

    program_secret(VALUE);
    snprintf(options, sizeof(options), "%s: " VALUE "\n", row->name);
    snprintf(want, sizeof(want), "%s: %s: unknown option, ignored; %s\n",
             strncmp(name, "sql_", 4) == 0 && strcmp(row->want, "write sql_select") != 0
                 ? "sqlcrypt"
                 : "pwverify",
             name, row->want);
    program_start(NULL, configuration(options));
    expect_one_line(want);
    assert_int_equal(login_plain("alice", RIGHT), SASL_OK);
    assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    /* Once, not at each login. */
    expect_lines(1);
    program_stop();
}

/* If a configuration has both names, the operator has noticed. */
static void accepts_both_names(void **state)
{
    char options[1000];

    (void)state;
    snprintf(options, sizeof(options),
             "sql_password: " VALUE "\nsql_passwd: " VALUE "\nsql_db: %s/" DATABASE
             "\npwcheck_methods: auxprop\nsasl_mech_list: PLAIN LOGIN\n",
             folder());
    program_start(NULL, configuration(options));
    expect_lines(0);
    program_stop();
}

/* The misspelt name is the one by which a program asks for libsqlcrypt. */
static void misses_the_statement(void **state)
{
    (void)state;
    program_start(NULL, "password_format: crypt\nauxprop_plugin: sqlcrypt\nsql_engine: sqlite3\n"
                        "sql_statment: SELECT 1\nsql_password: x\n");
    expect_one_line("init pwverify: sql_statment: unknown option, ignored; write sql_select");
    program_stop();
}

/* --- values */

static const struct value {
    const char *name;
    const char *options;
    const char *want; /* NULL: no line */
} values[] = {
    {"password in quotes", "sql_passwd: \"" VALUE "\"\n",
     "init sqlcrypt: sql_passwd: the value is in quotes, which libsasl2 takes as part of it\n"},
    {"user in single quotes", "sql_user: 'postfix'\n", "init sqlcrypt: sql_user: the value is in"},
    {"by a name with a prefix", "sasl_sql_user: 'x'\n", "init sqlcrypt: sql_user: the value is in"},
    {"mechanisms in quotes", "mech_list: \"PLAIN LOGIN\"\n",
     "init pwverify: mech_list: the value is in quotes"},
    {"socket in quotes", "authdaemond_path: '/run/x'\n",
     "init pwverify: authdaemond_path: the value is in quotes"},
    {"method in quotes", "pwcheck_method: 'auxprop'\n",
     "init pwverify: pwcheck_method: the value is in quotes"},
    {"plug-in in quotes", "auxprop_plugin: 'sqlcrypt'\n",
     "init pwverify: auxprop_plugin: the value is in quotes"},
    {"one quote", "sql_user: 'postfix\n", NULL},
    {"quotes inside", "sql_user: a'b'\n", NULL},
    {"level as a word", "log_level: DEBUG\n",
     "init pwverify: log_level: must be a number, such as 5 for every step; using 3\n"},
    {"level with a word", "log_level: 5 debug\n", "init pwverify: log_level: must be a number"},
    {"level by a name with a prefix", "sasl_log_level: high\n",
     "init pwverify: log_level: must be a number"},
    {"level that is one", "log_level: 7\n", NULL},
    {"nothing else is said", "", NULL},
    {"level of errors only", "log_level: 0\nsql_password: x\nsql_user: 'x'\nmech_lists: x\n", NULL},
};

static void warns_of_value(void **state)
{
    const struct value *row = *state;

    program_secret(VALUE);
    program_start(NULL, configuration(row->options));
    if (row->want != NULL)
        expect_one_line(row->want);
    else
        expect_lines(0);
    program_stop();
}

static void keeps_the_default_level(void **state)
{
    (void)state;
    program_start(NULL, configuration("log_level: DEBUG\n"));
    program_clear_log();
    assert_int_equal(login_plain("alice", RIGHT), SASL_OK);
    assert_string_equal(program_log(), "");
    assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    assert_string_equal(program_log(), "FAIL PLAIN: user \"alice\": wrong password; looked for "
                                       "%u \"alice\" and %r \"example.com\"\n");
    program_stop();
}

/* Settings that cannot be used are refused, at the start and at each login. */
static const struct refusal {
    const char *name;
    const char *options;
    const char *want;
} refusals[] = {
    {"Postfix's host", "sql_engine: mysql\nsql_hostnames: inet:localhost\n",
     "sqlcrypt: sql_hostnames: \"inet:localhost\": write the host alone"},
    {"Postfix's host and port", "sql_engine: pgsql\nsql_hostnames: db1 inet:127.0.0.1:5432\n",
     "sqlcrypt: sql_hostnames: \"inet:127.0.0.1:5432\": write the host alone"},
    {"Postfix's socket", "sql_engine: mysql\nsql_hostnames: unix:/run/mysqld/mysqld.sock\n",
     "sqlcrypt: sql_hostnames: \"unix:/run/mysqld/mysqld.sock\": write the path alone"},
    {"user and realm apart", "sql_select: SELECT password FROM users WHERE a = '%u'@'%r'\n",
     "sql_select: position 42: the @ belongs inside the quotes; write '%u@%r'"},
    {"Postfix's macro", "sql_select: SELECT password FROM users WHERE a = '%s'\n",
     "sql_select: position 39: %s is not known; %u is the user, %r the realm, and %u@%r the addr"},
    {"a date", "sql_select: SELECT strftime('%Y')\n",
     "sql_select: position 18: %Y is not known; for the text, write %%Y"},
    {"a hexadecimal literal", "sql_select: SELECT X'%u'\n",
     "sql_select: position 9: X'...' cannot hold a macro; write '...' without the X"},
    {"two statements", "sql_select: SELECT 1; SELECT 2\n",
     "sql_select: position 9: text after the final semicolon"},
    {"a comment that is none", "sql_engine: mysql\nsql_select: SELECT /*!50000 1 */\n",
     "sql_select: position 8: executable comments are not supported"},
};

static void refuses(void **state)
{
    const struct refusal *row = *state;

    program_start(NULL, configuration(row->options));
    expect_one_line(row->want);
    program_clear_log();
    assert_int_equal(login_plain("alice", RIGHT), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR "), 1);
    assert_contains(program_log(), row->want);
    program_stop();
}

static void warns_of_a_template(void **state)
{
    (void)state;
    program_start(NULL, configuration("sql_engine: pgsql\n"
                                      "sql_select: SELECT password FROM t WHERE user = '%u'\n"
                                      "sql_update: UPDATE t SET a = user\n"
                                      "sql_insert: INSERT INTO t (\"user\") VALUES ('%u')\n"));
    assert_int_equal(
        program_log_count("init sqlcrypt: sql_select: position 30: in PostgreSQL, user is "
                          "CURRENT_USER; write \"user\" if it is the name of a column or table"),
        1);
    assert_int_equal(program_log_count("init sqlcrypt: sql_update: position 18: in PostgreSQL"), 1);
    assert_int_equal(program_log_count("CURRENT_USER"), 2);
    program_stop();
}

/* --- which plug-in says it */

/* By two plug-ins that are loaded twice. */
static void says_it_once(void **state)
{
    char path[9000];

    (void)state;
    snprintf(path, sizeof(path), "%s:%s:%s", getenv(OUR_PLUGINS), getenv(OUR_PLUGINS),
             getenv(STOCK_PLUGINS));
    program_start(path, configuration("sql_password: x\nmech_lists: x\nsql_user: 'x'\n"
                                      "log_level: DEBUG\nsql_query: x\n"));
    expect_lines(5);
    program_stop();
}

/* A program that does not ask for us sees nothing of us, whatever it has set. */
static void is_silent_unasked(void **state)
{
    static const char *const configurations[] = {
        "sql_password: x\nsql_hostname: x\nmech_lists: x\nlog_level: DEBUG\n",
        "auxprop_plugin: sql\nsql_engine: sqlite3\nsql_database: /nonexistent/x\nsql_password: x\n"
        "sql_user: 'x'\nsql_select: SELECT password FROM users WHERE name='%u'\n",
        "pwcheck_methd: authdaemond\nauxprop_plugin: sasldb\npassword_formt: crypt\n",
        "auxprop_plugin: 'sqlcrypt'\n" SELECT,
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(configurations); i++) {
        char *log;

        program_start(getenv(STOCK_PLUGINS), configurations[i]);
        log = strdup(program_log());
        assert_non_null(log);
        program_stop();
        program_start(NULL, configurations[i]);
        expect_lines(0);
        assert_string_equal(program_log(), log);
        program_stop();
        free(log);
    }
}

static void add(struct test_list *list, CMUnitTestFunction function, const void *row,
                const char *group, const char *name)
{
    struct CMUnitTest *test = test_add(list, function, row, group, name);

    test->setup_func = make_table;
    test->teardown_func = remove_table;
}

#define ADD(list, function) add(list, function, NULL, "", #function)
#define ADD_ROWS(list, function, rows)                                                             \
    do {                                                                                           \
        size_t row_;                                                                               \
        for (row_ = 0; row_ < COUNT(rows); row_++)                                                 \
            add(list, function, &(rows)[row_], #function, (rows)[row_].name);                      \
    } while (0)

int main(void)
{
    struct test_list list = {0};

    ADD_ROWS(&list, names_the_right_option, misspellings);
    ADD(&list, accepts_both_names);
    ADD(&list, misses_the_statement);
    ADD_ROWS(&list, warns_of_value, values);
    ADD(&list, keeps_the_default_level);
    ADD_ROWS(&list, refuses, refusals);
    ADD(&list, warns_of_a_template);
    ADD(&list, says_it_once);
    ADD(&list, is_silent_unasked);
    return test_run("option_check", &list);
}
