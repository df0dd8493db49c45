/* SPDX-License-Identifier: BSD-3-Clause */

/* A hash is not a password, neither for programs that compare clear text nor next to the stock
 * "sql" plug-in, which hands it out as one. */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "support/crypt_users.h"

/* RFC 7677: for "pencil" */
#define SCRAM                                                                                      \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                 \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

/* Programs that call sasl_checkpass(3) get libsasl2's own check, which compares clear
 * text: with hashes it finds no user, whatever is typed. */
static void test_checkpass(void **state)
{
    static const struct {
        const char *options;
        int want_clear; /* for "open sesame" */
        int want;       /* for everything else */
    } cases[] = {
        {"", SASL_NOUSER, SASL_NOUSER},
        {"password_format: plain\n", SASL_NOUSER, SASL_NOUSER},
        {"password_format: plain\nsql_select: SELECT 'open sesame' WHERE '%u' <> ''\n", SASL_OK,
         SASL_BADAUTH},
    };
    char *stored = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].options);
        start(cases[i].options);
        assert_int_equal(login_checkpass("alice", "correct horse"), cases[i].want);
        assert_int_equal(login_checkpass("alice", stored), cases[i].want);
        assert_int_equal(login_checkpass("alice", "wrong"), cases[i].want);
        assert_int_equal(login_checkpass("nobody", "correct horse"), cases[i].want);
        assert_int_equal(login_checkpass("alice", "open sesame"), cases[i].want_clear);
        program_stop();
    }
    free(stored);
}

/* The log says why, once: README says what such a program can use instead. */
static void test_checkpass_is_explained(void **state)
{
    static const char warning[] = "WARN sqlcrypt: a hash is stored, but this program compares";

    (void)state;
    start("mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n");
    expect_all("alice", "correct horse", SASL_OK);
    expect_all("alice", "wrong", SASL_BADAUTH);
    expect_all("nobody", "wrong", SASL_BADAUTH);
    assert_int_equal(login_plain_as("nobody", "alice", "correct horse"), SASL_BADAUTH);
    assert_int_equal(login_checkpass("nobody", "correct horse"), SASL_NOUSER);
    assert_int_equal(program_log_count("WARN "), 0);
    assert_int_equal(login_checkpass("alice", "correct horse"), SASL_NOUSER);
    assert_int_equal(program_log_count(warning), 1);
    assert_int_equal(login_checkpass("alice", "correct horse"), SASL_NOUSER);
    assert_int_equal(login_by("CRAM-MD5", "alice", "correct horse"), SASL_NOUSER);
    assert_int_equal(program_log_count("WARN "), 1);
    program_stop();
}

/* There is no line if there is nothing to compare, or another mechanism can use it. */
static void test_checkpass_without_a_hash(void **state)
{
    static const struct {
        const char *name;
        const char *stored;
        const char *mechanism; /* NULL for sasl_checkpass */
        unsigned want;
    } cases[] = {
        {"locked", "!$6$rounds=1000$salt$x", NULL, 0},
        {"a verifier of SCRAM, for SCRAM", SCRAM, "SCRAM-SHA-256", 0},
        {"a verifier of SCRAM, for others", SCRAM, NULL, 1},
        {"a hash, for SCRAM", "$6$rounds=1000$salt$x", "SCRAM-SHA-256", 1},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *mechanism = cases[i].mechanism;

        print_message("# %s\n", cases[i].name);
        run_sql(DATABASE, "DELETE FROM users WHERE name = 'bob'");
        add_user("bob", cases[i].stored);
        start("mech_list: PLAIN LOGIN SCRAM-SHA-256\n");
        if (mechanism == NULL)
            assert_int_equal(login_checkpass("bob", "pencil"), SASL_NOUSER);
        else if (login_knows(mechanism))
            login_by(mechanism, "bob", "pencil");
        if (mechanism == NULL || login_knows(mechanism))
            assert_int_equal(program_log_count("WARN sqlcrypt: a hash is stored"), cases[i].want);
        program_stop();
    }
}

/* In clear text, too, what locks an account is no password, whatever padding is around it. */
static void test_lock_is_no_password(void **state)
{
    static const struct {
        const char *name;
        const char *stored; /* as SQL has it */
        const char *typed;
    } cases[] = {
        {"NULL", "NULL", ""},
        {"nothing", "''", ""},
        {"nothing in CHAR(n)", "'    '", "    "},
        {"nothing in CHAR(n), typed as nothing", "'    '", ""},
        {"nothing in BINARY(n)", "X'00000000'", ""},
        {"a mark", "'!'", "!"},
        {"a mark before a password", "'!secret'", "!secret"},
        {"the other mark", "'*'", "*"},
        {"a mark after a blank", "' !secret'", " !secret"},
        {"a mark after a byte order mark", "X'EFBBBF2A'", "\357\273\277*"},
        {"a mark before NULs", "X'21000000'", "!"},
    };
    size_t i;

    (void)state;
    start("password_format: plain\nmech_list: PLAIN LOGIN CRAM-MD5\n");
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *typed = cases[i].typed;

        print_message("# %s\n", cases[i].name);
        run_sql(DATABASE, "DELETE FROM users WHERE name = 'bob'");
        run_sql(DATABASE, "INSERT INTO users VALUES ('bob', 'example.com', %s)", cases[i].stored);
        assert_int_not_equal(login_checkpass("bob", typed), SASL_OK);
        assert_int_not_equal(login_by("CRAM-MD5", "bob", typed), SASL_OK);
        expect_all("bob", typed, SASL_BADAUTH);
    }
    run_sql(DATABASE, "UPDATE users SET password = ' secret' WHERE name = 'bob'");
    assert_int_equal(login_checkpass("bob", " secret"), SASL_OK);
    assert_int_equal(login_by("CRAM-MD5", "bob", " secret"), SASL_OK);
    expect_all("bob", " secret", SASL_OK);
    program_stop();
}

/* What README says about a configuration for the stock plug-in. */
static void test_coming_from_stock(void **state)
{
    static const struct {
        const char *select; /* after SELECT password FROM users WHERE */
        const char *password;
        int want;
        const char *line; /* of the log; NULL for none */
    } cases[] = {
        {"name = '%u' AND realm = '%r'", "correct horse", SASL_OK, NULL},
        {"name = %u AND realm = %r;", "correct horse", SASL_OK, NULL},
        {"name = '%u' AND realm LIKE 'example%%'", "correct horse", SASL_OK, NULL},
        {"name = '%u' AND realm LIKE 'example%'", "correct horse", SASL_OK, NULL},
        {"name = '%u' AND realm LIKE '%example%'", "correct horse", SASL_UNAVAIL, "is not known"},
        {"name = \"%u\" AND realm = \"%r\"", "correct horse", SASL_OK, NULL},
        {"name = '%u' AND realm = \"example.com\"", "correct horse", SASL_UNAVAIL,
         "no such column"},
        {"name = '%u' AND realm = 'example.com'", "correct horse", SASL_OK, NULL},
        {"name = '%u' OR 1", "correct horse", SASL_UNAVAIL, "more than one row"},
        {"name = 'clear' AND '%u' <> ''", "open sesame", SASL_BADAUTH, NULL},
        {"name = 'null' AND '%u' <> ''", "NULL", SASL_BADAUTH, NULL},
    };
    char options[500];
    size_t i;

    (void)state;
    add_user("clear", "open sesame");
    run_sql(DATABASE, "INSERT INTO users VALUES ('null', 'example.com', NULL)");
    program_secret("open sesame");
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].select);
        snprintf(options, sizeof(options),
                 "sql_verbose: yes\nsql_usessl: no\n"
                 "sql_select: SELECT password FROM users WHERE %s\n",
                 cases[i].select);
        start(options);
        expect_all("alice", cases[i].password, cases[i].want);
        if (cases[i].line != NULL)
            assert_true(program_log_count(cases[i].line) > 0);
        program_stop();
    }
}

/* The hash must not log in by mechanisms that need the password itself. */
static void test_hash_is_no_password(void **state)
{
    static const char *const mechanisms[] = {"PLAIN",      "LOGIN",       "CRAM-MD5",
                                             "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"};
    char *stored = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    size_t i;

    (void)state;
    start("");
    for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
        int result;

        if (!login_knows(mechanisms[i]))
            continue;
        result = login_by(mechanisms[i], "alice", stored);
        print_message("# %s: %d\n", mechanisms[i], result);
        assert_true(result == SASL_BADAUTH || result == SASL_NOUSER);
    }
    assert_int_equal(login_checkpass("alice", stored), SASL_NOUSER);
    free(stored);
    program_stop();
}

/* Whatever the stock plug-in takes for a user's password does not log in, on a
 * new connection or on one that has seen PLAIN fail. */
static void expect_no_login(const char *user, const char *typed)
{
    static const char *const mechanisms[] = {"PLAIN",      "LOGIN",       "CRAM-MD5",
                                             "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"};
    size_t i;

    for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
        sasl_conn_t *connection;

        if (!login_knows(mechanisms[i]))
            continue;
        connection = program_connection();
        print_message("# %s %s\n", user, mechanisms[i]);
        assert_int_not_equal(login_over(connection, mechanisms[i], user, typed), SASL_OK);
        assert_int_not_equal(login_over(connection, "PLAIN", user, "wrong"), SASL_OK);
        assert_int_not_equal(login_over(connection, mechanisms[i], user, typed), SASL_OK);
        assert_int_not_equal(sasl_checkpass(connection, user, 0, typed, (unsigned)strlen(typed)),
                             SASL_OK);
        sasl_dispose(&connection);
    }
    assert_int_not_equal(login_checkpass(user, typed), SASL_OK);
}

/* The same if libsasl2 also asks the stock plug-in, first or last. */
static void test_hash_is_no_password_beside_stock(void **state)
{
    static const char *const options[] = {"", "auxprop_plugin: sqlcrypt sql\n",
                                          "auxprop_plugin: sql sqlcrypt\n",
                                          "auxprop_plugin: sql\n"};
    char *hash = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    char orders[2][4000], text[2000];
    size_t order, i;

    (void)state;
    run_sql(DATABASE, "INSERT INTO users VALUES ('locked', 'example.com', '!secret'), "
                      "('null', 'example.com', NULL)");
    add_user("twin", hash);
    add_user("twin", hash);
    add_user("\xe4nne", hash);
    snprintf(orders[0], sizeof(orders[0]), "%s:%s", getenv(OUR_PLUGINS), getenv(STOCK_PLUGINS));
    snprintf(orders[1], sizeof(orders[1]), "%s:%s", getenv(STOCK_PLUGINS), getenv(OUR_PLUGINS));
    for (order = 0; order < 2; order++) {
        for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
            print_message("# order %zu, %s\n", order, options[i]);
            snprintf(text, sizeof(text),
                     "%spassword_format: crypt\n" CHEAP "sql_engine: sqlite3\n"
                     "sql_database: %s/" DATABASE "\n%s",
                     options[i], folder(), SELECT);
            program_start(orders[order], text);
            expect_all("alice", "correct horse", SASL_OK);
            expect_all("alice", "wrong", SASL_BADAUTH);
            expect_all("null", "NULL", SASL_BADAUTH);
            expect_all("twin", "correct horse", SASL_UNAVAIL);
            expect_no_login("alice", hash);
            expect_no_login("locked", "!secret");
            expect_no_login("null", "NULL");
            expect_no_login("\xe4nne", hash); /* the stock plug-in has a row for this one */
            program_stop();
        }
    }
    free(hash);
}

/* A user whom the stock plug-in finds and ours does not: the two may reach different hosts, or
 * read a name in different character sets. Here, only our plug-in has the macro %a; and it
 * refuses a template with %Y. */
static void test_hash_of_no_user_beside_stock(void **state)
{
    static const char *const options[] = {"", "auxprop_plugin: sqlcrypt sql\n",
                                          "auxprop_plugin: sql sqlcrypt\n",
                                          "auxprop_plugin: sql\n"};
    static const char *const conditions[] = {"'%a' = '%%a'", "'%Y' = '%Y'"};
    char *hash = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    char orders[2][4000], text[2000];
    size_t order, i;

    (void)state;
    snprintf(orders[0], sizeof(orders[0]), "%s:%s", getenv(OUR_PLUGINS), getenv(STOCK_PLUGINS));
    snprintf(orders[1], sizeof(orders[1]), "%s:%s", getenv(STOCK_PLUGINS), getenv(OUR_PLUGINS));
    for (order = 0; order < 2; order++) {
        for (i = 0; i < 2 * sizeof(options) / sizeof(options[0]); i++) {
            print_message("# order %zu, %s %s\n", order, options[i / 2], conditions[i % 2]);
            snprintf(text, sizeof(text),
                     "%spassword_format: crypt\n" CHEAP "sql_engine: sqlite3\n"
                     "sql_database: %s/" DATABASE "\n"
                     "sql_select: SELECT password FROM users WHERE name='%%u' AND %s\n",
                     options[i / 2], folder(), conditions[i % 2]);
            program_start(orders[order], text);
            expect_no_login("alice", hash);
            expect_no_login("alice", "correct horse");
            program_stop();
        }
    }
    free(hash);
}

/* `auxprop_plugin: sql` kept from the stock plug-in, with hashes: the stock one cannot be meant. */
static void test_name_of_stock_with_hashes(void **state)
{
    static const char *const formats[] = {"crypt", "CRYPT", "md5", "crypt_trad"};
    char *hash = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    char *paths[] = {getenv(OUR_PLUGINS), NULL}; /* without the stock plug-in, and with it */
    char text[2000];
    size_t i, j;

    (void)state;
    for (i = 0; i < 2; i++)
        for (j = 0; j < sizeof(formats) / sizeof(formats[0]); j++) {
            print_message("# %zu %s\n", i, formats[j]);
            snprintf(text, sizeof(text),
                     "auxprop_plugin: sql\npassword_format: %s\nsql_engine: sqlite3\n"
                     "sql_database: %s/" DATABASE "\n%s",
                     formats[j], folder(), SELECT);
            program_start(paths[i], text);
            assert_int_equal(program_log_count("init sqlcrypt: auxprop_plugin: sql means"), 1);
            assert_int_equal(program_log_count("write sqlcrypt"), 1);
            expect_all("alice", "correct horse", j < 2 ? SASL_OK : SASL_BADAUTH);
            expect_all("alice", "wrong", SASL_BADAUTH);
            expect_all("alice", hash, SASL_BADAUTH);
            program_stop();
        }
    free(hash);
}

/* The same if passwords are stored in clear text, and only this hash, with white space. */
static void test_padded_hash_beside_stock(void **state)
{
    static const char *const options[] = {"auxprop_plugin: sqlcrypt sql\n",
                                          "auxprop_plugin: sql sqlcrypt\n"};
    char *hash = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    char padded[300], text[2000];
    size_t i;

    (void)state;
    snprintf(padded, sizeof(padded), "%s \n", hash);
    run_sql(DATABASE, "UPDATE users SET password = '%s' WHERE name = 'alice'", padded);
    add_user("clara", "clear text ");
    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        snprintf(text, sizeof(text),
                 "%spassword_format: plain\nsql_engine: sqlite3\n"
                 "sql_database: %s/" DATABASE "\n%s",
                 options[i], folder(), SELECT);
        program_start(NULL, text);
        expect_no_login("alice", padded);
        expect_no_login("alice", hash);
        expect_no_login("alice", "correct horse");
        assert_int_equal(login_by("CRAM-MD5", "clara", "clear text "), SASL_OK);
        assert_int_not_equal(login_by("CRAM-MD5", "clara", "clear text"), SASL_OK);
        program_stop();
    }
    free(hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_checkpass),
        CASE(test_checkpass_is_explained),
        CASE(test_checkpass_without_a_hash),
        CASE(test_coming_from_stock),
        CASE(test_hash_is_no_password),
        CASE(test_lock_is_no_password),
        CASE(test_hash_is_no_password_beside_stock),
        CASE(test_padded_hash_beside_stock),
        CASE(test_hash_of_no_user_beside_stock),
        CASE(test_name_of_stock_with_hashes),
    };

    return cmocka_run_group_tests_name("no_password", tests, NULL, NULL);
}
