/* SPDX-License-Identifier: BSD-3-Clause */

/* Lookup and store of libsqlcrypt.so through the real libsasl2. */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/hashes.h"
#include "support/sasl_program.h"
#include "support/sqlite_table.h"
#include "support/unit.h"

#define DATABASE "users.db"
#define HASH "$6$rounds=1000$salt"

/* StoredKey and ServerKey of the password "pencil", from RFC 7677, section 3. */
#define SCRAM_VERIFIER                                                                             \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                 \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void start(const char *options)
{
    char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "log_level: 5\n"
             "password_format: crypt\n"
             "auxprop_plugin: sqlcrypt\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n%s",
             options, folder(),
             "sql_select: SELECT %p FROM users WHERE name='%u' AND realm='%r'\n"
             "sql_insert: INSERT INTO users (name, realm, %p) VALUES ('%u', '%r', '%v')\n"
             "sql_update: UPDATE users SET %p = '%v' WHERE name='%u' AND realm='%r'\n");
    program_start(NULL, text);
}

static int make_table(void **state)
{
    (void)state;
    run_sql(DATABASE,
            "CREATE TABLE users (name TEXT, realm TEXT, userPassword TEXT, uidNumber TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('alice', 'example.com', '%s', '1001')",
            hash_of("correct horse", HASH));
    run_sql(DATABASE, "INSERT INTO users VALUES ('sue', 'example.com', '%s', NULL)",
            SCRAM_VERIFIER);
    program_secret("correct horse");
    program_secret(hash_of("correct horse", HASH));
    program_secret(SCRAM_VERIFIER);
    return 0;
}

static int remove_table(void **state)
{
    (void)state;
    program_abandon();
    folder_remove();
    return 0;
}

/* How many statements libsqlcrypt has run. */
static unsigned statements(void)
{
    return program_log_count("sqlcrypt: sqlite3:");
}

static void test_one_statement_a_login(void **state)
{
    (void)state;
    start("");
    program_clear_log();
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(statements(), 1);
    assert_int_equal(login_login("alice", "wrong"), SASL_BADAUTH);
    assert_int_equal(statements(), 2);
    assert_int_equal(login_plain("nobody", "wrong"), SASL_BADAUTH);
    assert_int_equal(statements(), 3);
    program_stop();
}

/* What a program, or another mechanism, sees of a user. */
static const char *property_of(const char *user, const char *property)
{
    static char value[1000];
    const char *names[] = {property, NULL};
    sasl_conn_t *connection = program_connection();
    struct propval found[2];
    const char *result = NULL;

    assert_int_equal(sasl_auxprop_request(connection, names), SASL_OK);
    sasl_user_exists(connection, NULL, NULL, user);
    assert_int_equal(prop_getnames(sasl_auxprop_getctx(connection), names, found), 1);
    if (found[0].values != NULL && found[0].values[0] != NULL) {
        snprintf(value, sizeof(value), "%s", found[0].values[0]);
        result = value;
    }
    sasl_dispose(&connection);
    return result;
}

static void test_properties(void **state)
{
    (void)state;
    start("");
    assert_null(property_of("alice", "userPassword"));
    assert_null(property_of("alice", "*userPassword"));
    assert_null(property_of("alice", "*USERPASSWORD"));
    assert_null(property_of("alice", "*authPassword"));
    assert_string_equal(property_of("alice", "*userPasswordHash"), hash_of("correct horse", HASH));
    assert_string_equal(property_of("alice", "uidNumber"), "1001");
    assert_string_equal(property_of("alice", "*uidNumber"), "1001");
    assert_null(property_of("sue", "uidNumber"));
    assert_null(property_of("alice", "noSuchColumn"));
    assert_null(property_of("alice", "*cmusaslsecretCRAM-MD5"));
    assert_null(property_of("alice", "uidNumber FROM users; DROP TABLE users; --"));
    assert_null(property_of("nobody", "uidNumber"));
    assert_string_equal(property_of("sue", "*authPassword"), SCRAM_VERIFIER);
    assert_string_equal(property_of("sue", "*userPasswordHash"), SCRAM_VERIFIER);
    assert_null(property_of("sue", "*userPassword"));
    assert_int_equal(program_log_count("ERR "), 0);
    program_stop();

    start("password_format: plain\n");
    run_sql(DATABASE, "UPDATE users SET userPassword = 'open sesame' WHERE name = 'alice'");
    assert_string_equal(property_of("alice", "*userPassword"), "open sesame");
    assert_string_equal(property_of("alice", "userPassword"), "open sesame");
    assert_null(property_of("alice", "*userPasswordHash"));
    run_sql(DATABASE, "UPDATE users SET userPassword = '    ' WHERE name = 'alice'");
    assert_null(property_of("alice", "*userPassword"));
    assert_string_equal(property_of("alice", "*userPasswordHash"), "");
    assert_null(property_of("sue", "*userPassword"));
    program_stop();
}

/* A template without %p is only about the password. */
static void test_template_without_property(void **state)
{
    (void)state;
    start("sql_select: SELECT userPassword FROM users WHERE name='%u'\n");
    assert_null(property_of("alice", "uidNumber"));
    assert_null(property_of("alice", "*cmusaslsecretPLAIN"));
    assert_null(property_of("alice", "mail"));
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    program_stop();
}

/* With the stock plug-in, first or last, no property that a program asks for gives it a hash; it
 * gets the other properties that the table has. */
static void test_properties_beside_stock(void **state)
{
    static const char *const plugins[] = {"", "auxprop_plugin: sqlcrypt sql\n",
                                          "auxprop_plugin: sql sqlcrypt\n",
                                          "auxprop_plugin: sql\n"};
    static const char *const properties[] = {
        "userPassword", "*userPassword",      "authPassword", "*authPassword", "mail",
        "*mail",        "cmusaslsecretPLAIN", "uidNumber",    "*uidNumber",    "anything"};
    static const char *const selects[] = {
        "SELECT userPassword FROM users WHERE name='%u' AND realm='%r'",
        "SELECT %p FROM users WHERE name='%u' AND realm='%r'"};
    char *hash = read_sql(DATABASE, "SELECT userPassword FROM users WHERE name = 'alice'");
    char orders[2][4000], text[2000];
    size_t order, i, j, k;

    (void)state;
    run_sql(DATABASE, "INSERT INTO users VALUES ('\xe4nne', 'example.com', '%s', '1')", hash);
    snprintf(orders[0], sizeof(orders[0]), "%s:%s", getenv(OUR_PLUGINS), getenv(STOCK_PLUGINS));
    snprintf(orders[1], sizeof(orders[1]), "%s:%s", getenv(STOCK_PLUGINS), getenv(OUR_PLUGINS));
    for (order = 0; order < 2; order++)
        for (i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
            for (j = 0; j < 2; j++) {
                snprintf(text, sizeof(text),
                         "%spassword_format: crypt\nsql_engine: sqlite3\nsql_database: %s/" DATABASE
                         "\nsasldb_path: %s/none\nsql_select: %s\n",
                         plugins[i], folder(), folder(), selects[j]);
                program_start(orders[order], text);
                for (k = 0; k < sizeof(properties) / sizeof(properties[0]); k++) {
                    const char *value = property_of("alice", properties[k]);

                    print_message("# order %zu, %s %s: %s\n", order, plugins[i], properties[k],
                                  value != NULL ? value : "none");
                    assert_true(value == NULL || strcmp(value, hash) != 0);
                    if (j == 1 && strstr(properties[k], "uidNumber") != NULL) {
                        assert_non_null(value);
                        assert_string_equal(value, "1001");
                    }
                    value = property_of("\xe4nne", properties[k]);
                    assert_true(value == NULL || strcmp(value, hash) != 0);
                }
                program_stop();
            }
    free(hash);
}

static void test_existence(void **state)
{
    sasl_conn_t *connection;

    (void)state;
    start("");
    connection = program_connection();
    assert_int_equal(sasl_user_exists(connection, NULL, NULL, "alice"), SASL_OK);
    assert_int_equal(sasl_user_exists(connection, NULL, NULL, "nobody"), SASL_NOUSER);
    sasl_dispose(&connection);
    program_stop();
    start("sql_database: /nonexistent/users.db\n");
    connection = program_connection();
    assert_int_equal(sasl_user_exists(connection, NULL, NULL, "alice"), SASL_UNAVAIL);
    sasl_dispose(&connection);
    program_stop();
}

static void test_macros(void **state)
{
    static const struct {
        const char *select;
        const char *user;
    } cases[] = {
        {"SELECT userPassword FROM users WHERE name || '@' || realm = '%u@%r'", "alice"},
        {"SELECT userPassword FROM users WHERE name = %u AND realm = %r", "alice"},
        {"SELECT \"%p\" FROM users WHERE name = \"%u\"", "alice"},
        {"SELECT %p FROM users WHERE name = '%u' AND '%p' = 'userPassword';", "alice"},
        {"SELECT %p FROM users WHERE name = '%u' AND '%a' = '192.0.2.7'", "alice"},
        {"SELECT %p FROM users WHERE name = '%u' AND '100%%' = '100' || '%%' -- 100%", "alice"},
        {"SELECT %p FROM users WHERE name = '%u' AND realm = '%r'", "alice@example.com"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char option[200];

        print_message("# %s\n", cases[i].select);
        snprintf(option, sizeof(option), "sql_select: %s\n", cases[i].select);
        start(option);
        assert_int_equal(login_plain(cases[i].user, "correct horse"), SASL_OK);
        assert_int_equal(login_plain("bob", "correct horse"), SASL_BADAUTH);
        program_stop();
    }
}

/* Judged by the plug-in's log lines: the stock one may log in as well. */
static void test_names_that_select_us(void **state)
{
    static const struct {
        const char *name;
        const char *format; /* NULL if it is not set */
        bool want;
    } cases[] = {
        {"sqlcrypt", "crypt", true},
        {"SQLcrypt", "crypt", true},
        {"sqlite", "crypt", true},
        {"sqlite3", "crypt", true},
        {"sasldb sqlite3", "crypt", true},
        {"sql", "crypt", true},
        {"sasldb SQL", "md5", true},
        {"pgsql", "crypt", false},
        {"sqlcrypt2", "crypt", false},
        {"sasldb", "crypt", false},
        {"sqlcrypt", "plain", true},
        {"sqlite3", "plain", true},
        {"sql", "plain", false},
        {"sql", "PLAIN", false},
        {"sqlcrypt", NULL, true},
        {"sqlite3", NULL, false},
        {"sqlite", NULL, false},
        {"sql", NULL, false},
        {NULL, "crypt", true},
        {NULL, "plain", false},
        {NULL, NULL, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1000];

        print_message("# %s, %s\n", cases[i].name != NULL ? cases[i].name : "not set",
                      cases[i].format != NULL ? cases[i].format : "not set");
        snprintf(text, sizeof(text),
                 "%s%s%s%s%s%s"
                 "log_level: 5\nsql_engine: sqlite3\nsql_database: %s/" DATABASE "\n"
                 "sql_select: SELECT userPassword FROM users WHERE name='%%u'\n",
                 cases[i].name != NULL ? "auxprop_plugin: " : "",
                 cases[i].name != NULL ? cases[i].name : "", cases[i].name != NULL ? "\n" : "",
                 cases[i].format != NULL ? "password_format: " : "",
                 cases[i].format != NULL ? cases[i].format : "",
                 cases[i].format != NULL ? "\n" : "", folder());
        program_start(NULL, text);
        program_clear_log();
        login_plain("alice", "correct horse");
        assert_int_equal(statements() > 0, cases[i].want);
        program_stop();
    }
}

/* slapd reads its file after the plug-ins are initialised. */
static void test_named_after_initialisation(void **state)
{
    static const struct {
        const char *name;   /* when clients log in */
        const char *format; /* NULL if it is not set */
        bool want;
    } cases[] = {
        {"sqlcrypt", "crypt", true},  {"sasldb SQLcrypt", "md5", true},
        {"sasldb", "crypt", false},   {"sqlite3", "crypt", false},
        {"sqlcrypt", "plain", false}, {"sasldb sqlcrypt", "Plain", false},
        {"sqlcrypt", NULL, false},    {"sasldb", NULL, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1000];

        print_message("# %s, %s\n", cases[i].name,
                      cases[i].format != NULL ? cases[i].format : "not set");
        snprintf(text, sizeof(text),
                 "auxprop_plugin: slapd\n%s%s%s"
                 "log_level: 5\nsql_engine: sqlite3\nsql_database: %s/" DATABASE "\n"
                 "sql_select: SELECT userPassword FROM users WHERE name='%%u'\n",
                 cases[i].format != NULL ? "password_format: " : "",
                 cases[i].format != NULL ? cases[i].format : "",
                 cases[i].format != NULL ? "\n" : "", folder());
        program_start(NULL, text);
        assert_int_equal(program_log_count("sqlcrypt:"), 0);
        login_plain("alice", "correct horse");
        assert_int_equal(statements(), 0);
        program_answer("auxprop_plugin", cases[i].name);
        login_plain("alice", "correct horse");
        assert_int_equal(statements() > 0, cases[i].want);
        program_stop();
    }
}

static void test_prefixed_options(void **state)
{
    char text[1000];

    (void)state;
    snprintf(text, sizeof(text),
             "sasl_pwcheck_method: auxprop\n"
             "sasl_auxprop_plugin: sqlite3\n"
             "sasl_log_level: 5\n"
             "password_format: crypt\n"
             "mech_list: LOGIN PLAIN\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n%s",
             folder(), "sql_select: SELECT userPassword FROM users WHERE name='%u'\n");
    program_start(NULL, text);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    assert_int_equal(login_plain("nobody", "wrong"), SASL_BADAUTH);
    assert_int_equal(program_log_count("WARN PLAIN: user \"alice\": authenticated"), 1);
    program_stop();
}

static void test_old_name_of_select(void **state)
{
    char text[1000];

    (void)state;
    snprintf(text, sizeof(text),
             "auxprop_plugin: sqlcrypt\npassword_format: crypt\nsql_engine: sqlite\n"
             "sql_database: %s/" DATABASE "\n%s",
             folder(), "sql_statement: SELECT userPassword FROM users WHERE name='%u'\n");
    program_start(NULL, text);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    program_stop();
}

static void test_scram(void **state)
{
    (void)state;
    start("mech_list: SCRAM-SHA-256 PLAIN LOGIN\n");
    if (!login_knows("SCRAM-SHA-256")) {
        program_stop();
        skip();
    }
    assert_int_equal(login_by("SCRAM-SHA-256", "sue", "pencil"), SASL_OK);
    assert_int_equal(login_by("SCRAM-SHA-256", "sue", "pencils"), SCRAM_WRONG);
    assert_int_equal(login_by("SCRAM-SHA-256", "sue", SCRAM_VERIFIER), SCRAM_WRONG);
    assert_int_equal(login_plain("sue", SCRAM_VERIFIER), SASL_BADAUTH);
    program_stop();
}

static int set_password(const char *user, const char *password)
{
    sasl_conn_t *connection = program_connection();
    int result =
        sasl_setpass(connection, user, password, password != NULL ? (unsigned)strlen(password) : 0,
                     NULL, 0, password != NULL ? SASL_SET_CREATE : SASL_SET_DISABLE);

    sasl_dispose(&connection);
    return result;
}

static void expect_stored(const char *name, const char *prefix)
{
    char statement[200];
    char *stored;

    snprintf(statement, sizeof(statement),
             "SELECT userPassword FROM users WHERE name = '%s' AND realm = 'example.com'", name);
    stored = read_sql(DATABASE, statement);
    if (prefix == NULL) {
        assert_null(stored);
    } else {
        assert_non_null(stored);
        if (strncmp(stored, prefix, strlen(prefix)) != 0)
            fail_msg("%s does not start with %s", stored, prefix);
    }
    free(stored);
}

static void test_store(void **state)
{
    static const struct {
        const char *options;
        const char *want; /* the start of what is stored */
    } cases[] = {
        {"", "$y$"},
        {"password_store_scheme: SHA512-CRYPT\n", "$6$"},
        {"password_store_scheme: blf-crypt\n", "$2y$"},
        {"password_store_scheme: BLF-CRYPT\npassword_store_cost: 6\n", "$2y$06$"},
        {"password_format: crypt_trad\n", ""},
        {"password_format: md5\n", "c8dae1c50e092f3d877192fc555b1dcf"},
        {"password_format: plain\n", "sesame"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].options);
        run_sql(DATABASE, "DELETE FROM users WHERE name = 'bob'");
        start(cases[i].options);
        program_secret("sesame");
        program_secret("another");
        /* insert */
        assert_int_equal(login_plain("bob", "sesame"), SASL_BADAUTH);
        assert_int_equal(set_password("bob@example.com", "sesame"), SASL_OK);
        expect_stored("bob", cases[i].want);
        assert_int_equal(login_plain("bob", "sesame"), SASL_OK);
        /* update */
        assert_int_equal(set_password("bob@example.com", "another"), SASL_OK);
        assert_int_equal(login_plain("bob", "sesame"), SASL_BADAUTH);
        assert_int_equal(login_plain("bob", "another"), SASL_OK);
        /* delete */
        assert_int_equal(set_password("bob@example.com", NULL), SASL_OK);
        expect_stored("bob", NULL);
        assert_int_equal(login_plain("bob", "another"), SASL_BADAUTH);
        assert_int_equal(set_password("nobody@example.com", NULL), SASL_NOUSER);
        program_stop();
    }
    /* no other row was touched */
    free(read_sql(DATABASE, "SELECT name FROM users WHERE userPassword LIKE '$6$%'"));
}

/* A method that uses only the start of a password does not get a longer one. */
static void test_store_shortens_nothing(void **state)
{
    char longest[73];

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    start("password_store_scheme: BLF-CRYPT\n");
    assert_int_equal(set_password("bob@example.com", longest), SASL_OK);
    program_stop();
    start("password_format: crypt_trad\n");
    assert_int_equal(set_password("bob@example.com", longest), SASL_BADPARAM);
    assert_int_equal(program_log_count("DES-CRYPT uses only the first 8 bytes"), 1);
    expect_stored("bob", "$2y$");
    program_stop();
}

/* A template without %p is about the password: nothing else is stored there. */
static void test_store_without_property(void **state)
{
    char *before = read_sql(DATABASE, "SELECT userPassword FROM users WHERE name = 'alice'");
    const char *names[] = {"authPassword", NULL};
    struct propctx *context = prop_new(0);
    sasl_conn_t *connection;
    char *after;

    (void)state;
    start("sql_select: SELECT userPassword FROM users WHERE name='%u'\n"
          "sql_update: UPDATE users SET userPassword='%v' WHERE name='%u'\n");
    assert_int_equal(prop_request(context, names), SASL_OK);
    assert_int_equal(prop_set(context, "authPassword", SCRAM_VERIFIER, 0), SASL_OK);
    connection = program_connection();
    assert_int_equal(sasl_auxprop_store(connection, context, "alice@example.com"),
                     SASL_CONSTRAINT_VIOLAT);
    after = read_sql(DATABASE, "SELECT userPassword FROM users WHERE name = 'alice'");
    assert_string_equal(after, before);
    assert_int_equal(program_log_count("ERR sqlcrypt"), 0);
    sasl_dispose(&connection);
    prop_dispose(&context);
    program_stop();
    free(before);
    free(after);
}

/* The stock plug-in stores clear text: whichever comes last, no clear text stays in the table. */
static void test_store_beside_stock(void **state)
{
    static const char *const options[] = {"", "auxprop_plugin: sql\n",
                                          "auxprop_plugin: sqlcrypt sql\n",
                                          "auxprop_plugin: sql sqlcrypt\n"};
    char orders[2][4000], text[2000];
    size_t order, i;

    (void)state;
    snprintf(orders[0], sizeof(orders[0]), "%s:%s", getenv(OUR_PLUGINS), getenv(STOCK_PLUGINS));
    snprintf(orders[1], sizeof(orders[1]), "%s:%s", getenv(STOCK_PLUGINS), getenv(OUR_PLUGINS));
    for (order = 0; order < 2; order++)
        for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
            char *stored;
            int result;

            print_message("# order %zu, %s\n", order, options[i]);
            snprintf(text, sizeof(text),
                     "%spassword_format: crypt\nsql_engine: sqlite3\nsql_database: %s/" DATABASE
                     "\nsasldb_path: %s/sasldb2\n%s",
                     options[i], folder(), folder(),
                     "sql_select: SELECT %p FROM users WHERE name='%u' AND realm='%r'\n"
                     "sql_insert: INSERT INTO users (name, realm, %p) VALUES ('%u', '%r', '%v')\n"
                     "sql_update: UPDATE users SET %p = '%v' WHERE name='%u' AND realm='%r'\n");
            program_start(orders[order], text);
            result = set_password("alice@example.com", "open sesame");
            stored = read_sql(DATABASE, "SELECT userPassword FROM users WHERE name = 'alice'");
            assert_int_equal(stored[0], '$');
            if (result != SASL_OK)
                assert_int_equal(program_log_count("ERR sqlcrypt: nothing was stored: the stock"),
                                 1);
            assert_int_equal(login_plain("alice", "open sesame"),
                             result == SASL_OK ? SASL_OK : SASL_BADAUTH);
            assert_int_equal(login_plain("alice", "correct horse"),
                             result == SASL_OK ? SASL_BADAUTH : SASL_OK);
            if (i >= 2) /* decided by the words, in whatever order they were loaded */
                assert_int_equal(result, i == 2 ? SASL_UNAVAIL : SASL_OK);
            program_stop();
            free(stored);
            run_sql(DATABASE, "UPDATE users SET userPassword = '%s' WHERE name = 'alice'",
                    hash_of("correct horse", HASH));
        }
}

static void test_store_hostile_names(void **state)
{
    static const char *const names[] = {"o'hara@example.com", "x', 'y', 'z'); --@example.com",
                                        "%u%p%v@example.com", "a\"b`c\\@example.com"};
    size_t i;

    (void)state;
    start("");
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(set_password(names[i], "open sesame"), SASL_OK);
        assert_int_equal(login_plain(names[i], "open sesame"), SASL_OK);
        assert_int_equal(login_plain(names[i], "closed sesame"), SASL_BADAUTH);
    }
    assert_int_equal(set_password("\xff@example.com", "open sesame"), SASL_BADPARAM);
    program_stop();
}

static void test_store_failures(void **state)
{
    static const struct {
        const char *name;
        const char *options;
        const char *sql;
        int want;
        const char *want_in_log;
    } cases[] = {
        {"no file", "sql_database: /nonexistent/users.db\n", "SELECT 1", SASL_UNAVAIL,
         "No such file or directory"},
        {"no column", "sql_update: UPDATE users SET pass = '%v'\n", "SELECT 1", SASL_UNAVAIL,
         "no such column: pass"},
        {"changes nothing", "sql_update: UPDATE users SET %p = '%v' WHERE name = 'x'\n", "SELECT 1",
         SASL_UNAVAIL, "changed no row"},
        {"a trigger", "",
         "CREATE TRIGGER no BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'no'); END",
         SASL_UNAVAIL, "constraint failed"},
        {"two rows", "", "INSERT INTO users SELECT * FROM users", SASL_UNAVAIL,
         "/" DATABASE ": more than one row for one user"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].name);
        run_sql(DATABASE, "%s", cases[i].sql);
        start(cases[i].options);
        program_secret("open sesame");
        assert_int_equal(set_password("alice@example.com", "open sesame"), cases[i].want);
        assert_int_equal(program_log_count("ERR sqlcrypt: nothing was stored"), 1);
        assert_int_equal(program_log_count(cases[i].want_in_log), 1);
        program_stop();
        free(read_sql(DATABASE, "SELECT DISTINCT 1 FROM users WHERE name = 'alice' AND "
                                "userPassword LIKE '$6$rounds=1000$%'"));
        run_sql(DATABASE, "DROP TRIGGER IF EXISTS no");
    }
}

static void test_store_is_a_transaction(void **state)
{
    const char *names[] = {"uidNumber", "noSuchColumn", NULL};
    struct propctx *context = prop_new(0);
    sasl_conn_t *connection;
    char *kept;

    (void)state;
    start("");
    assert_int_equal(prop_request(context, names), SASL_OK);
    assert_int_equal(prop_set(context, "uidNumber", "4711", 0), SASL_OK);
    assert_int_equal(prop_set(context, "noSuchColumn", "x", 0), SASL_OK);
    connection = program_connection();
    assert_int_equal(sasl_auxprop_store(connection, context, "alice@example.com"), SASL_UNAVAIL);
    kept = read_sql(DATABASE, "SELECT uidNumber FROM users WHERE name = 'alice'");
    assert_string_equal(kept, "1001");
    free(kept);
    sasl_dispose(&connection);
    prop_dispose(&context);
    program_stop();
}

/* Without templates, other plug-ins may store. */
static void test_store_not_configured(void **state)
{
    char text[1000];

    (void)state;
    snprintf(text, sizeof(text),
             "auxprop_plugin: sqlcrypt\npassword_format: crypt\nsql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n%s",
             folder(), "sql_select: SELECT userPassword FROM users WHERE name='%u'\n");
    /* Without the stock plug-in, which answers first. */
    program_start(getenv(OUR_PLUGINS), text);
    assert_int_equal(sasl_auxprop_store(NULL, NULL, NULL), SASL_CONSTRAINT_VIOLAT);
    program_stop();
    start("");
    assert_int_equal(sasl_auxprop_store(NULL, NULL, NULL), SASL_OK);
    program_stop();
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    int descriptor;
    struct stat status;

    for (descriptor = 0; descriptor < 256; descriptor++)
        count += fstat(descriptor, &status) == 0;
    return count;
}

static void test_connection_is_kept(void **state)
{
    unsigned before, during;
    int i;

    (void)state;
    start("");
    before = open_descriptors();
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    during = open_descriptors();
    assert_int_equal(during, before + 1);
    for (i = 0; i < 20; i++)
        assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    assert_int_equal(open_descriptors(), during);
    program_stop();

    start("sql_persistent: no\n");
    before = open_descriptors();
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(open_descriptors(), before);
    program_stop();
}

static void test_replaced_file(void **state)
{
    char *file = folder_file(DATABASE), *other = folder_file("other.db");

    (void)state;
    run_sql("other.db", "CREATE TABLE users (name TEXT, realm TEXT, userPassword TEXT)");
    run_sql("other.db", "INSERT INTO users VALUES ('alice', 'example.com', '%s')",
            hash_of("new horse", HASH));
    start("");
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(rename(other, file), 0);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_BADAUTH);
    assert_int_equal(login_plain("alice", "new horse"), SASL_OK);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(login_plain("alice", "new horse"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR "), 1);
    assert_int_equal(access(file, F_OK), -1);
    program_stop();
    free(file);
    free(other);
}

/* A child neither uses nor closes the sessions that its parent opened. */
static void test_forked(void **state)
{
    pid_t child;
    int status;

    (void)state;
    start("");
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* Tools that watch the child exit would take what it leaves alone for a
         * leak. */
        if (login_plain("alice", "correct horse") == SASL_OK &&
            login_plain("alice", "wrong") == SASL_BADAUTH)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    program_stop();
}

int main(void)
{
    struct test_list list = {NULL, 0};
    size_t i;

    TEST_ADD(&list, test_one_statement_a_login);
    TEST_ADD(&list, test_properties);
    TEST_ADD(&list, test_template_without_property);
    TEST_ADD(&list, test_properties_beside_stock);
    TEST_ADD(&list, test_existence);
    TEST_ADD(&list, test_macros);
    TEST_ADD(&list, test_names_that_select_us);
    TEST_ADD(&list, test_named_after_initialisation);
    TEST_ADD(&list, test_prefixed_options);
    TEST_ADD(&list, test_old_name_of_select);
    TEST_ADD(&list, test_scram);
    TEST_ADD(&list, test_store);
    TEST_ADD(&list, test_store_shortens_nothing);
    TEST_ADD(&list, test_store_without_property);
    TEST_ADD(&list, test_store_beside_stock);
    TEST_ADD(&list, test_store_hostile_names);
    TEST_ADD(&list, test_store_failures);
    TEST_ADD(&list, test_store_is_a_transaction);
    TEST_ADD(&list, test_store_not_configured);
    TEST_ADD(&list, test_connection_is_kept);
    TEST_ADD(&list, test_replaced_file);
    TEST_ADD(&list, test_forked);
    for (i = 0; i < list.count; i++) {
        list.items[i].setup_func = make_table;
        list.items[i].teardown_func = remove_table;
    }
    return test_run("sql_auxprop", &list);
}
