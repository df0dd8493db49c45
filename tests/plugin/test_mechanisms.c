/* SPDX-License-Identifier: BSD-3-Clause */

/* PLAIN and LOGIN of libpwverify.so through the real libsasl2, with exact
 * result codes. */

#include <crypt.h>
#include <dlfcn.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/hashes.h"
#include "support/sasl_program.h"
#include "support/sqlite_table.h"

#define DATABASE "users.db"
#define CHEAP "password_store_scheme: MD5-CRYPT\n" /* refusals cost as much */
/* RFC 7677: for "pencil" */
#define SCRAM                                                                                      \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                 \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define SELECT "sql_select: SELECT password FROM users WHERE name='%u' AND realm='%r'\n"

/* A configuration whose users are in DATABASE, valid until the next call.
 * `options` come first, so that they win. */
static const char *configuration(const char *options)
{
    static char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "password_format: crypt\n" CHEAP "pwcheck_method: auxprop\n"
             "auxprop_plugin: sqlcrypt\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n%s",
             options, folder(), SELECT);
    return text;
}

static void start(const char *options)
{
    program_start(NULL, configuration(options));
}

static void add_user(const char *name, const char *stored)
{
    run_sql(DATABASE, "INSERT INTO users VALUES ('%s', 'example.com', '%s')", name, stored);
}

static int make_table(void **state)
{
    (void)state;
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, realm TEXT, password TEXT)");
    add_user("alice", hash_of("correct horse", "$6$rounds=1000$salt"));
    program_secret("correct horse");
    program_secret(hash_of("correct horse", "$6$rounds=1000$salt"));
    return 0;
}

static int remove_table(void **state)
{
    (void)state;
    program_abandon();
    folder_remove();
    return 0;
}

/* Every way to type a password, with one answer expected of all. */
static void expect_all(const char *user, const char *password, int want)
{
    assert_int_equal(login_plain(user, password), want);
    assert_int_equal(login_login(user, password), want);
    assert_int_equal(login_login_initial(user, password), want);
}

static void test_right_and_wrong(void **state)
{
    (void)state;
    start("");
    expect_all("alice", "correct horse", SASL_OK);
    expect_all("alice@example.com", "correct horse", SASL_OK);
    expect_all("alice", "correct hors", SASL_BADAUTH);
    expect_all("alice", "correct horse ", SASL_BADAUTH);
    expect_all("alice@example.org", "correct horse", SASL_BADAUTH);
    expect_all("nobody", "correct horse", SASL_BADAUTH);
    expect_all("Alice", "correct horse", SASL_BADAUTH);
    program_stop();
}

static void test_formats(void **state)
{
    static const struct {
        const char *name;
        const char *format;
        const char *prefix; /* of crypt(3), and the cheapest cost; NULL if `stored` is given */
        unsigned long cost;
        const char *stored;
    } cases[] = {
        {"DES", "crypt", "", 0, NULL},
        {"BSDi", "crypt", "_", 1, NULL},
        {"MD5", "crypt", "$1$", 0, NULL},
        {"bcrypt", "crypt", "$2b$", 4, NULL},
        {"bcrypt of PHP", "crypt", "$2y$", 4, NULL},
        {"SHA-1", "crypt", "$sha1", 4, NULL},
        {"SHA-256", "crypt", "$5$", 1000, NULL},
        {"SHA-512", "crypt", "$6$", 1000, NULL},
        {"scrypt", "crypt", "$7$", 6, NULL},
        {"yescrypt", "crypt", "$y$", 1, NULL},
        {"gost-yescrypt", "crypt", "$gy$", 1, NULL},
        {"crypt_trad", "crypt_trad", "", 0, NULL},
        /* printf 'open sesame' | md5sum */
        {"md5", "md5", NULL, 0, "54ef36ec71201fdf9d1423fd26f97f6b"},
        {"md5, capitals", "md5", NULL, 0, "54EF36EC71201FDF9D1423FD26F97F6B"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *stored = cases[i].prefix != NULL
                                 ? new_hash("open sesame", cases[i].prefix, cases[i].cost)
                                 : cases[i].stored;
        char option[100];

        print_message("# %s\n", cases[i].name);
        run_sql(DATABASE, "DELETE FROM users WHERE name = 'bob'");
        add_user("bob", stored);
        program_secret("open sesame");
        program_secret(stored);
        snprintf(option, sizeof(option), "password_format: %s\n", cases[i].format);
        start(option);
        expect_all("bob", "open sesame", SASL_OK);
        expect_all("bob", "Open sesame", SASL_BADAUTH);
        expect_all("bob", stored, SASL_BADAUTH);
        assert_int_equal(login_checkpass("bob", stored), SASL_NOUSER);
        assert_int_equal(login_checkpass("bob", "open sesame"), SASL_NOUSER);
        program_stop();
    }
}

static void test_crypt_prefix(void **state)
{
    char stored[200];

    (void)state;
    snprintf(stored, sizeof(stored), "{crypt}%s", hash_of("open sesame", "$5$rounds=1000$x$"));
    add_user("bob", stored);
    program_secret(stored);
    start("");
    expect_all("bob", "open sesame", SASL_OK);
    expect_all("bob", stored, SASL_BADAUTH);
    expect_all("bob", stored + strlen("{crypt}"), SASL_BADAUTH);
    program_stop();
}

/* Programs that call sasl_checkpass(3) get libsasl2's own check, which compares clear
 * text: with hashes it finds nobody, whatever is typed. */
static void test_checkpass(void **state)
{
    static const struct {
        const char *options;
        int want_clear; /* for "open sesame" */
        int want;       /* for all else */
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

/* The log says why, once: README tells what such a program can use instead. */
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

/* Nor is a word said where there is nothing to compare, or another mechanism can use it. */
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

/* Nor where nothing compares clear text: saslauthd has the password then, and the table is
 * only asked whether there is such a user. */
static void test_user_is_looked_up(void **state)
{
    (void)state;
    start("log_level: 5\npwcheck_method: saslauthd\nsaslauthd_path: /nonexistent/mux\n");
    assert_int_not_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(program_log_count("one row"), 1);
    assert_int_equal(program_log_count("a hash is stored"), 0);
    program_stop();
}

/* Nor of the user whose rights are used: a program may want all that is known of her. */
static void test_authorization_is_looked_up(void **state)
{
    static const char *properties[] = {"userPassword", NULL};
    static const char message[] = "bob\0alice\0correct horse";
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    run_sql(DATABASE, "DELETE FROM users WHERE name = 'bob'");
    add_user("bob", "$6$rounds=1000$salt$x");
    start("log_level: 5\n");
    connection = program_connection();
    assert_int_equal(sasl_auxprop_request(connection, properties), SASL_OK);
    /* Without a callback for it, libsasl2 lends nobody the rights of others. */
    assert_int_equal(
        sasl_server_start(connection, "PLAIN", message, sizeof(message) - 1, &reply, &length),
        SASL_BADAUTH);
    assert_int_equal(program_log_count("one row"), 2);
    assert_int_equal(program_log_count("a hash is stored"), 0);
    sasl_dispose(&connection);
    program_stop();
}

/* --- what a refusal costs */

static unsigned hashes_made; /* by the plug-ins and by this program */

/* In place of the one of libcrypt. */
char *crypt_r(const char *password, const char *setting, struct crypt_data *data)
{
    static char *(*original)(const char *, const char *, struct crypt_data *);

    if (original == NULL)
        *(void **)&original = dlsym(RTLD_NEXT, "crypt_r");
    hashes_made++;
    return original(password, setting, data);
}

/* Nobody is asked for a name that no user can have; but that is not to be seen. */
static void test_names_of_nobody_cost_the_same(void **state)
{
    static const char *const names[] = {"ali\007ce", "alice\n", "al\302\233ice", "ali\233ce"};
    unsigned want;
    size_t i;

    (void)state;
    /* Beside a cheap one, a refusal may have taken its time already. */
    start("password_store_scheme: SHA512-CRYPT\n");
    expect_all("nobody", "wrong", SASL_BADAUTH);
    hashes_made = 0;
    expect_all("nobody", "wrong", SASL_BADAUTH);
    want = hashes_made;
    assert_true(want >= 3);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        hashes_made = 0;
        expect_all(names[i], "wrong", SASL_BADAUTH);
        assert_int_equal(hashes_made, want);
    }
    program_stop();
}

/* What README says of a configuration of the stock plug-in. */
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

/* The hash must not log in by mechanisms that want the password itself. */
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

/* Whatever the stock plug-in takes for the password of a user does not log in,
 * on a new connection and on one that has seen PLAIN fail. */
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

/* Nor where libsasl2 asks the stock plug-in, too, first or last. */
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
            expect_no_login("\xe4nne", hash); /* of whom the stock plug-in has a row */
            program_stop();
        }
    }
    free(hash);
}

/* A user whom the stock plug-in finds and ours does not: the two may reach different hosts, or
 * read a name in different character sets. Here, %a is a macro of ours alone; and with %Y, the
 * template is one that ours refuses. */
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

/* `auxprop_plugin: sql` of the stock plug-in, kept, with hashes: it cannot be meant. */
static void test_name_of_stock_with_hashes(void **state)
{
    static const char *const formats[] = {"crypt", "CRYPT", "md5", "crypt_trad"};
    char *hash = read_sql(DATABASE, "SELECT password FROM users WHERE name = 'alice'");
    char *paths[] = {getenv(OUR_PLUGINS), NULL}; /* the stock plug-in is not there, and is */
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

/* Nor where passwords are stored in clear text, and this one hash with white space. */
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

static void test_never_a_match(void **state)
{
    static const struct {
        const char *name;
        const char *stored; /* in SQL */
        const char *password;
        bool is_error; /* an ERR line besides */
    } cases[] = {
        {"NULL", "NULL", "x", false},
        {"empty", "''", "x", false},
        {"star", "'*'", "*", false},
        {"star 0", "'*0'", "*0", false},
        {"star 1", "'*1'", "*1", false},
        {"exclamation mark", "'!'", "!", false},
        {"locked hash", "'!$1$abcdefgh$WRZqCnVPd0p3k3JhOTKCA/'", "x", false},
        {"clear text", "'hello'", "hello", true},
        {"clear text of 13 letters", "'hellohellohel'", "hellohellohel", false},
        {"one letter", "'x'", "x", true},
        {"unknown method", "'$99$salt$hash'", "$99$salt$hash", true},
        {"other prefix", "'{SSHA}lhT1zH7vgGmGGTJZxdf6vJzDUDAwMDA='", "x", true},
        {"cut short", "'$1$abcdefgh$WRZqCnVPd0p3k'", "x", true},
        {"NUL inside", "CAST(x'6162006364' AS TEXT)", "x", true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].name);
        run_sql(DATABASE, "DELETE FROM users WHERE name = 'bob'");
        run_sql(DATABASE, "INSERT INTO users VALUES ('bob', 'example.com', %s)", cases[i].stored);
        start("");
        assert_int_equal(login_plain("bob", cases[i].password), SASL_BADAUTH);
        assert_int_equal(program_log_count("ERR "), cases[i].is_error);
        assert_int_equal(program_log_count("FAIL ") + program_log_count("ERR "),
                         /* both plug-ins have to say something about a NUL */
                         cases[i].is_error && program_log_count("NUL") > 0 ? 2 : 1);
        program_stop();
    }
}

static void test_clear_text(void **state)
{
    static const char hash[] = "$1$abcdefgh$WRZqCnVPd0p3k3JhOTKCA/";

    (void)state;
    add_user("bob", "open sesame");
    add_user("carol", hash);
    add_user("dave", "!open sesame");
    start("password_format: plain\n");
    expect_all("bob", "open sesame", SASL_OK);
    expect_all("bob", "open sesam", SASL_BADAUTH);
    assert_int_equal(login_by("CRAM-MD5", "bob", "open sesame"), SASL_OK);
    if (login_knows("SCRAM-SHA-256"))
        assert_int_equal(login_by("SCRAM-SHA-256", "bob", "open sesame"), SASL_OK);
    assert_int_equal(login_checkpass("bob", "open sesame"), SASL_OK);
    /* what looks like a hash is none of the user's passwords */
    expect_all("carol", hash, SASL_BADAUTH);
    assert_int_equal(login_checkpass("carol", hash), SASL_NOUSER);
    expect_all("dave", "!open sesame", SASL_BADAUTH);
    program_secret("open sesame");
    program_secret(hash);
    program_stop();
}

static void test_password_lengths(void **state)
{
    char longest[513 + 1], stored[200];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[511] = '\0';
    snprintf(stored, sizeof(stored), "%s", hash_of(longest, "$5$rounds=1000$x$"));
    add_user("bob", stored);
    start("");
    expect_all("bob", longest, SASL_OK);
    longest[511] = 'x';
    longest[512] = '\0';
    expect_all("bob", longest, SASL_BADAUTH);
    longest[512] = 'x';
    longest[513] = '\0';
    expect_all("bob", longest, SASL_BADAUTH);
    assert_int_equal(program_log_count("ERR "), 0);
    assert_int_equal(login_plain("bob", ""), SASL_BADAUTH);
    assert_int_equal(login_login("bob", ""), SASL_BADAUTH);
    program_stop();
}

#define MESSAGE(text) text, sizeof(text) - 1

static void test_messages(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        size_t length;
        int want;
    } cases[] = {
        {"no NUL", MESSAGE("alice"), SASL_BADPROT},
        {"one NUL", MESSAGE("alice\0correct horse"), SASL_BADPROT},
        {"three NULs", MESSAGE("\0alice\0correct horse\0"), SASL_BADPROT},
        {"NUL in the password", MESSAGE("\0alice\0correct\0horse"), SASL_BADPROT},
        {"only NULs", MESSAGE("\0\0"), SASL_BADAUTH},
        {"no user", MESSAGE("\0\0correct horse"), SASL_BADAUTH},
        {"blank user", MESSAGE("\0  \t\0correct horse"), SASL_BADAUTH},
        {"no user, but an authorization identity", MESSAGE("alice\0\0correct horse"), SASL_BADAUTH},
        {"no password", MESSAGE("\0alice\0"), SASL_BADAUTH},
        {"invalid UTF-8 in the user", MESSAGE("\0al\xffice\0correct horse"), SASL_BADAUTH},
        {"overlong UTF-8 in the user", MESSAGE("\0al\xc0\xa7ice\0correct horse"), SASL_BADAUTH},
        {"invalid UTF-8 in the password", MESSAGE("\0alice\0\xff\xfe"), SASL_BADAUTH},
        {"a quote", MESSAGE("\0alice' OR 'a'='a\0correct horse"), SASL_BADAUTH},
        {"a comment", MESSAGE("\0alice'--\0correct horse"), SASL_BADAUTH},
        {"per cent signs", MESSAGE("\0%u%r%p%v%a%%\0correct horse"), SASL_BADAUTH},
        {"a wildcard", MESSAGE("\0a%\0correct horse"), SASL_BADAUTH},
        {"a format", MESSAGE("\0%s%s%n\0correct horse"), SASL_BADAUTH},
        {"itself", MESSAGE("alice\0alice\0correct horse"), SASL_OK},
    };
    size_t i;

    (void)state;
    start("");
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].name);
        assert_int_equal(login_plain_message(cases[i].text, cases[i].length), cases[i].want);
        assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    }
    assert_int_equal(program_log_count("ERR "), 0);
    program_stop();
}

static void test_long_names(void **state)
{
    char name[10001];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    start("");
    expect_all(name, "correct horse", SASL_BADAUTH);
    assert_int_equal(login_plain("alice", name), SASL_BADAUTH);
    assert_int_equal(program_log_count("the user name is too long"), 3);
    /* the longest that fits with "@example.com" and a NUL, and one more */
    name[1011] = '\0';
    assert_int_equal(login_plain(name, "correct horse"), SASL_BADAUTH);
    assert_int_not_equal(program_log_count("no such user"), 0);
    strcat(name, "x");
    assert_int_equal(login_plain(name, "correct horse"), SASL_BADAUTH);
    assert_int_equal(program_log_count("the user name is too long"), 4);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    program_stop();
}

static int anybody(sasl_conn_t *connection, void *context, const char *requested,
                   unsigned requested_length, const char *user, unsigned length, const char *realm,
                   unsigned realm_length, struct propctx *properties)
{
    (void)connection, (void)context, (void)requested, (void)requested_length, (void)user;
    (void)length, (void)realm, (void)realm_length, (void)properties;
    return SASL_OK;
}

static void test_authorization_identity(void **state)
{
    typedef void (*any_function)(void);
    const sasl_callback_t permissive[] = {
        {SASL_CB_PROXY_POLICY, (int (*)(void))(any_function)anybody, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    sasl_conn_t *connection;
    const char *reply;
    const void *name = NULL;
    unsigned length;

    (void)state;
    start("");
    /* libsasl2's own rule: nobody acts for another one */
    assert_int_equal(login_plain_as("bob", "alice", "correct horse"), SASL_BADAUTH);
    program_stop();

    program_start_with(NULL, configuration(""), permissive);
    assert_int_equal(login_plain_as("bob", "alice", "wrong"), SASL_BADAUTH);
    /* libsasl2 would take the end of the line off. */
    assert_int_equal(login_plain_as("bob\n", "alice", "correct horse"), SASL_BADAUTH);
    assert_int_equal(program_log_count("the authorization identity holds a control character"), 1);
    connection = program_connection();
    assert_int_equal(sasl_server_start(connection, "PLAIN", MESSAGE("bob\0alice\0correct horse"),
                                       &reply, &length),
                     SASL_OK);
    assert_int_equal(sasl_getprop(connection, SASL_USERNAME, &name), SASL_OK);
    assert_string_equal(name, "bob@example.com");
    assert_int_equal(sasl_getprop(connection, SASL_AUTHUSER, &name), SASL_OK);
    assert_string_equal(name, "alice@example.com");
    sasl_dispose(&connection);
    program_stop();
}

static void test_long_authorization_identity(void **state)
{
    char name[1100];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    start("");
    assert_int_equal(login_plain_as(name, "alice", "correct horse"), SASL_BADAUTH);
    assert_int_equal(program_log_count("FAIL PLAIN: user \"alice\": the authorization identity"),
                     1);
    program_stop();
}

/* A search path that names the directory twice, or by two names. */
static void test_loaded_twice(void **state)
{
    char path[9000];

    (void)state;
    snprintf(path, sizeof(path), "%s:%s:%s", getenv(OUR_PLUGINS), getenv(OUR_PLUGINS),
             getenv(STOCK_PLUGINS));
    for (int again = 0; again < 2; again++) {
        program_start(path, configuration("mech_list: PLAIN LOGIN\nlog_level: 5\n"));
        assert_string_equal(program_mechanisms(), "PLAIN LOGIN");
        assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
        assert_int_equal(program_log_count("one row"), 1);
        program_stop();
    }
}

/* The host can log who it was, also after a failure. */
static void test_user_name_after_failure(void **state)
{
    sasl_conn_t *connection;
    const char *reply;
    const void *name = NULL;
    unsigned length;

    (void)state;
    start("");
    connection = program_connection();
    assert_int_equal(
        sasl_server_start(connection, "PLAIN", MESSAGE("\0alice\0wrong"), &reply, &length),
        SASL_BADAUTH);
    assert_int_equal(sasl_getprop(connection, SASL_USERNAME, &name), SASL_OK);
    assert_string_equal(name, "alice@example.com");
    sasl_dispose(&connection);
    program_stop();
}

static void check_source(const char *mechanism, const char *want)
{
    sasl_conn_t *connection = program_connection();
    const char *reply;
    const void *source = NULL;
    unsigned length;

    assert_int_equal(sasl_server_start(connection, mechanism, NULL, 0, &reply, &length),
                     SASL_CONTINUE);
    assert_int_equal(sasl_getprop(connection, SASL_AUTHSOURCE, &source), SASL_OK);
    assert_string_equal(source, want);
    sasl_dispose(&connection);
}

/* Whichever plug-ins are loaded first, with and without a mech_list. */
static void test_precedence(void **state)
{
    static const char *const lists[] = {"", "mech_list: LOGIN PLAIN\n"};
    char orders[2][4000];
    size_t order, list;

    (void)state;
    snprintf(orders[0], sizeof(orders[0]), "%s:%s", getenv(OUR_PLUGINS), getenv(STOCK_PLUGINS));
    snprintf(orders[1], sizeof(orders[1]), "%s:%s", getenv(STOCK_PLUGINS), getenv(OUR_PLUGINS));
    for (order = 0; order < 2; order++) {
        for (list = 0; list < 2; list++) {
            program_start(orders[order], configuration(lists[list]));
            check_source("PLAIN", "pwverify");
            check_source("LOGIN", "pwverify");
            assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
            program_stop();
        }
    }
    program_start(orders[0], "mech_list: PLAIN LOGIN\n");
    check_source("PLAIN", "plain");
    check_source("LOGIN", "login");
    program_stop();
}

static void test_mech_list(void **state)
{
    (void)state;
    start("mech_list: PLAIN LOGIN\n");
    assert_string_equal(program_mechanisms(), "PLAIN LOGIN");
    program_stop();
}

/* A program that does not ask for us does not notice us. */
static void test_not_configured(void **state)
{
    static const char *const configurations[] = {
        "",
        "pwcheck_method: saslauthd\n",
        "pwcheck_method: saslauthd\nsql_select: dummy\n",
        "sql_select: dummy\npassword_format: plain\n",
        "auxprop_plugin: sasldb\nlog_level: 7\n",
        "auxprop_plugin: sqlcrypt\n",
        "auxprop_plugin: sqlcrypt\nsql_select: dummy\n",
        "auxprop_plugin: sqlcrypt\nsql_select: dummy select\n",
        "sql_select: Dummy  SELECT\n",
        "auxprop_plugin: sql\nsql_engine: sqlite3\nsql_database: /nonexistent/users.db\n" SELECT,
        "auxprop_plugin: pgsql\nsql_engine: sqlite3\nsql_database: /nonexistent/users.db\n" SELECT,
        "sql_engine: sqlite3\nsql_database: /nonexistent/users.db\n" SELECT,
        /* names of old patches, without what came with them */
        "auxprop_plugin: sqlite3\nsql_engine: sqlite3\nsql_database: "
        "/nonexistent/users.db\n" SELECT,
        "auxprop_plugin: sqlite\nsql_engine: sqlite3\nlog_level: 7\n"
        "sql_database: /nonexistent/users.db\n" SELECT,
        "auxprop_plugin: mysql\nsql_database: mail\n" SELECT,
        "auxprop_plugin: mysql\npwcheck_method: saslauthd\nsaslauthd_path: /nonexistent/mux\n"
        "sql_hostnames: 192.0.2.1\nsql_database: mail\n" SELECT,
        /* the stock plug-in, and passwords in clear text */
        "auxprop_plugin: sql\npassword_format: plain\nsql_engine: sqlite3\n"
        "sql_database: /nonexistent/users.db\n" SELECT,
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(configurations) / sizeof(configurations[0]); i++) {
        char *log, *mechanisms;
        int without, with;

        print_message("# %zu\n", i);
        program_start(getenv(STOCK_PLUGINS), configurations[i]);
        without = login_plain("alice", "correct horse");
        mechanisms = strdup(program_mechanisms());
        log = strdup(program_log());
        program_stop();
        program_start(NULL, configurations[i]);
        with = login_plain("alice", "correct horse");
        assert_int_equal(with, without);
        assert_string_equal(program_mechanisms(), mechanisms);
        assert_string_equal(program_log(), log);
        program_stop();
        free(log);
        free(mechanisms);
    }
}

static void test_outages(void **state)
{
    static const struct {
        const char *name;
        const char *options;
        const char *sql; /* done to the database before, if not NULL */
        const char *want_in_log;
    } cases[] = {
        {"no such file", "sql_database: /nonexistent/users.db\n", NULL,
         "/nonexistent/users.db: No such file or directory"},
        {"a folder", "sql_database: /\n", NULL, "/: Is a directory"},
        {"no database", "sql_database: /proc/self/exe\n", NULL, "not a database"},
        {"no name", "sql_database:\n", NULL, "sql_database is not set"},
        {"no table", "sql_select: SELECT password FROM accounts WHERE name='%u'\n", NULL,
         "no such table: accounts"},
        {"no column", "sql_select: SELECT passwd FROM users WHERE name='%u'\n", NULL,
         "no such column: passwd"},
        {"no column, in double quotes", "sql_select: SELECT \"passwd\" FROM users\n", NULL,
         "no such column: "},
        {"no SQL", "sql_select: GIVE password FROM users WHERE name='%u'\n", NULL, "syntax error"},
        {"two rows", "sql_select: SELECT password FROM users\n",
         "INSERT INTO users SELECT name, 'example.org', password FROM users", "more than one row"},
        {"endless",
         "sql_timeout: 0.1\nsql_select: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
         "SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE '%u' <> ''\n",
         NULL, "took too long"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s\n", cases[i].name);
        if (cases[i].sql != NULL)
            run_sql(DATABASE, "%s", cases[i].sql);
        start(cases[i].options);
        assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(program_log_count(cases[i].want_in_log), 1);
        assert_int_equal(program_log_count("ERR "), 1);
        assert_int_equal(program_log_count("FAIL "), 0);
        assert_int_equal(login_login("alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(login_plain("alice", "wrong"), SASL_UNAVAIL);
        assert_int_equal(login_plain("nobody", "wrong"), SASL_UNAVAIL);
        assert_int_equal(program_log_count("ERR "), 4);
        program_stop();
    }
}

/* A client that TLS has authenticated. */
static int login_external(const char *name)
{
    sasl_conn_t *connection = program_connection();
    const char *reply;
    unsigned length;
    int result;

    assert_int_equal(sasl_setprop(connection, SASL_AUTH_EXTERNAL, name), SASL_OK);
    result = sasl_server_start(connection, "EXTERNAL", "", 0, &reply, &length);
    sasl_dispose(&connection);
    return result;
}

/* What cannot be used is refused when the program starts, and at each login. */
static void test_refused_configurations(void **state)
{
    static const struct {
        const char *options;
        const char *want_in_log;
    } cases[] = {
        {"sql_select: SELECT password FROM users WHERE name='%u\n",
         "sql_select: position 39: the quote is not closed"},
        {"sql_select: SELECT password FROM users WHERE name='%x'\n",
         "sql_select: position 40: %x is not known"},
        {"sql_select: SELECT password FROM users WHERE name='%u' AND x='%v'\n",
         "sql_select: position 51: %v has no meaning in a SELECT"},
        {"sql_select:\n", "sql_select: position 1: the statement is empty"},
        {"sql_select: ;\n", "sql_select: position 1: the statement is empty"},
        {"sql_insert: INSERT '%u\n", "sql_insert: position 8: the quote is not closed"},
        {"sql_update: UPDATE %q\n", "sql_update: position 8: %q is not known"},
        {"sql_engine: oracle\n", "sql_engine: \"oracle\": must be pgsql, mysql or sqlite3"},
        {"sql_host_order: first\n", "sql_host_order: \"first\": must be listed or random"},
        {"sql_timeout: soon\n", "sql_timeout: \"soon\": must be 0.001 to 3600 seconds"},
        {"password_format: rot13\n", "password_format: \"rot13\" is not known"},
        {"password_store_scheme: ROT13\n", "password_store_scheme: libcrypt cannot make \"ROT13\""},
        {"password_store_scheme: BLF-CRYPT\npassword_store_cost: 16\n",
         "password_store_cost: BLF-CRYPT takes 4 to 15"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# %s", cases[i].options);
        start(cases[i].options);
        assert_in_range(program_log_count(cases[i].want_in_log), 1, 2);
        program_clear_log();
        assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(program_log_count("ERR "), 1);
        assert_int_equal(program_log_count(cases[i].want_in_log), 1);
        assert_int_equal(login_login("alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(login_external("alice@example.com"), SASL_OK);
        program_stop();
    }
}

static void test_missing_driver(void **state)
{
    char *directory = folder_file("plugins");
    char command[13000], path[9000], driver[4100];

    (void)state;
    snprintf(command, sizeof(command), "mkdir '%s' && cp '%s'/*.so '%s'", directory,
             getenv(OUR_PLUGINS), directory);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s:%s", directory, getenv(STOCK_PLUGINS));
    snprintf(driver, sizeof(driver), "%s/sqlcrypt/sqlite3.so", directory);
    program_start(path, configuration(""));
    assert_int_equal(program_log_count(driver), 1);
    assert_int_equal(program_log_count("libsqlite3-0"), 1);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
    assert_int_equal(login_login("alice", "wrong"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR "), 2);
    program_stop();
    free(directory);
}

static void test_no_auxprop_plugin(void **state)
{
    (void)state;
    program_start(getenv(OUR_PLUGINS), "password_format: crypt\nauxprop_plugin: sqlcrypt\n");
    assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR "), 1);
    program_stop();
    program_start(NULL, "password_format: crypt\nauxprop_plugin: sasldb\n"
                        "pwcheck_method: no_such_method\n");
    assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("does not know \"no_such_method\""), 1);
    program_stop();
}

/* A hash from another plug-in's store is judged as one, too. */
static void test_other_source(void **state)
{
    static const char *const methods[] = {"auxprop", "auxprop saslauthd", "saslauthd auxprop"};
    /* with the white space that somebody has copied, too */
    char *stored = read_sql(DATABASE, "SELECT ' ' || password || ' ' FROM users"
                                      " WHERE name = 'alice'");
    char text[2000];
    sasl_conn_t *connection;
    size_t i;

    (void)state;
    snprintf(text, sizeof(text), "auxprop_plugin: sasldb\nsasldb_path: %s/sasldb2\n", folder());
    program_start(NULL, text);
    connection = program_connection();
    assert_int_equal(sasl_setpass(connection, "alice@example.com", stored, (unsigned)strlen(stored),
                                  NULL, 0, SASL_SET_CREATE),
                     SASL_OK);
    sasl_dispose(&connection);
    assert_int_equal(login_plain("alice", stored), SASL_OK);
    program_stop();

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        print_message("# %s\n", methods[i]);
        snprintf(text, sizeof(text),
                 "auxprop_plugin: sasldb\nsasldb_path: %s/sasldb2\npassword_format: crypt\n"
                 "pwcheck_method: %s\nsaslauthd_path: %s/nobody-listens\n",
                 folder(), methods[i], folder());
        program_start(NULL, text);
        expect_all("alice", "correct horse", SASL_OK);
        /* nobody knows what saslauthd would say */
        expect_all("alice", stored, i == 0 ? SASL_BADAUTH : SASL_UNAVAIL);
        expect_all("alice", "wrong", i == 0 ? SASL_BADAUTH : SASL_UNAVAIL);
        expect_all("nobody", "wrong", i == 0 ? SASL_BADAUTH : SASL_UNAVAIL);
        program_stop();
    }
    free(stored);
}

/* Another plug-in, which only knows that bob is disabled. */
static int look_up_bob(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                       const char *user, unsigned length)
{
    (void)glob_context, (void)sparams, (void)flags;
    return length >= 4 && memcmp(user, "bob@", 4) == 0 ? SASL_DISABLED : SASL_NOUSER;
}

static int other_init(const sasl_utils_t *utils, int max_version, int *out_version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static char own_name[] = "other";
    static sasl_auxprop_plug_t other = {.auxprop_lookup = look_up_bob, .name = own_name};

    (void)utils, (void)max_version, (void)name;
    *out_version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &other;
    return SASL_OK;
}

static void test_disabled_by_another_plugin(void **state)
{
    static const char *const orders[] = {"auxprop_plugin: sqlcrypt other\n",
                                         "auxprop_plugin: other sqlcrypt\n"};
    size_t i;

    (void)state;
    add_user("bob", hash_of("correct horse", "$6$rounds=1000$salt"));
    for (i = 0; i < 2; i++) {
        start(orders[i]);
        assert_int_equal(sasl_auxprop_add_plugin("other", other_init), SASL_OK);
        expect_all("alice", "correct horse", SASL_OK);
        expect_all("bob", "correct horse", SASL_BADAUTH);
        assert_int_equal(program_log_count("FAIL PLAIN: user \"bob\": the account is disabled"), 1);
        program_stop();
    }
}

static int says_yes_to_bob(sasl_conn_t *connection, void *context, const char *user,
                           const char *password, unsigned length, struct propctx *properties)
{
    (void)connection, (void)context, (void)properties;
    return strcmp(user, "bob@example.com") == 0 && length == 5 && memcmp(password, "hello", 5) == 0
               ? SASL_OK
               : SASL_BADAUTH;
}

static void test_callback_of_the_program(void **state)
{
    typedef void (*any_function)(void);
    const sasl_callback_t extra[] = {
        {SASL_CB_SERVER_USERDB_CHECKPASS, (int (*)(void))(any_function)says_yes_to_bob, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };

    (void)state;
    program_start_with(NULL, configuration(""), extra);
    expect_all("bob", "hello", SASL_OK);
    expect_all("bob", "hella", SASL_BADAUTH);
    expect_all("alice", "correct horse", SASL_OK);
    expect_all("alice", "hello", SASL_BADAUTH);
    program_stop();
}

/* Others have none, and nobody asks for theirs in vain again. */
static void test_callback_of_one_connection(void **state)
{
    typedef void (*any_function)(void);
    const sasl_callback_t own[] = {
        {SASL_CB_SERVER_USERDB_CHECKPASS, (int (*)(void))(any_function)says_yes_to_bob, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    static const char message[] = "\0bob\0hello";
    unsigned round;

    (void)state;
    start("");
    for (round = 0; round < 2; round++) {
        sasl_conn_t *connection = NULL;
        const char *reply;
        unsigned length;

        assert_int_equal(login_plain("bob", "hello"), SASL_BADAUTH);
        assert_int_equal(sasl_server_new("smtp", "mail.example.com", "example.com", NULL, NULL, own,
                                         0, &connection),
                         SASL_OK);
        assert_int_equal(
            sasl_server_start(connection, "PLAIN", message, sizeof(message) - 1, &reply, &length),
            SASL_OK);
        sasl_dispose(&connection);
    }
    program_stop();
}

static void test_log_levels(void **state)
{
    (void)state;
    start("log_level: 5\n");
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    /* raised to what Postfix shows */
    assert_int_equal(
        program_log_count("WARN sqlcrypt: sqlite3: new connection: userPassword: one row"), 1);
    assert_int_equal(program_log_count("WARN PLAIN: user \"alice\": authenticated"), 1);
    assert_int_equal(program_log_count("pwverify"), 1);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(program_log_count("WARN sqlcrypt: sqlite3: userPassword: one row"), 1);
    program_stop();

    start("log_level: 0\n");
    program_clear_log();
    assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    assert_int_equal(login_plain_message(MESSAGE("alice")), SASL_BADPROT);
    assert_string_equal(program_log(), "");
    program_stop();

    start("log_level: 0\nsql_database: /nonexistent/users.db\n");
    assert_int_equal(login_plain("alice", "wrong"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR "), 1);
    program_stop();

    start("");
    assert_int_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(login_plain("alice", "wrong"), SASL_BADAUTH);
    assert_int_equal(program_log_count("FAIL PLAIN: user \"alice\": wrong password"), 1);
    assert_int_equal(
        program_log_count("FAIL ") + program_log_count("WARN ") + program_log_count("ERR "), 1);
    program_stop();
}

/* Whom the table was asked for, if that is not who has logged in. */
static void test_who_was_looked_for(void **state)
{
    static const struct {
        const char *options;
        const char *message;
        const char *realm; /* of the program */
        const char *want;  /* in the log */
    } cases[] = {
        {"", "ann", "example.com", "; looked for %u \"ann\" and %r \"example.com\"\n"},
        {"", "ann@b", "example.com", "; looked for %u \"ann\" and %r \"b\"\n"},
        {"", "ann", NULL,
         "; looked for %u \"ann\" and %r \"mx.example.com\", the name of this host: the login has "
         "no @, and the program sets no realm (Postfix: smtpd_sasl_local_domain)\n"},
        {"", "ann@b", NULL, "; looked for %u \"ann\" and %r \"b\"\n"},
        {"sql_select: SELECT password FROM users WHERE name='%u'\n", "ann", "example.com",
         "; looked for %u \"ann\"\n"},
        {"sql_select: SELECT password FROM users WHERE name='%u'\n", "ann@b", "example.com",
         "; looked for %u \"ann\" alone: sql_select has no %r\n"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sasl_conn_t *connection = NULL;
        char message[100];
        const char *reply;
        unsigned length;
        int size = snprintf(message, sizeof(message), "%c%s%cx", 0, cases[i].message, 0);

        start(cases[i].options);
        assert_int_equal(sasl_server_new("smtp", "mx.example.com", cases[i].realm, NULL, NULL, NULL,
                                         0, &connection),
                         SASL_OK);
        assert_int_equal(
            sasl_server_start(connection, "PLAIN", message, (unsigned)size, &reply, &length),
            SASL_BADAUTH);
        if (strstr(program_log(), cases[i].want) == NULL)
            fail_msg("%s lacks %s", program_log(), cases[i].want);
        sasl_dispose(&connection);
        program_stop();
    }
}

/* A name cannot break out of its line. */
static void test_log_is_one_line(void **state)
{
    (void)state;
    start("");
    assert_int_equal(login_plain("al\nice", "x"), SASL_BADAUTH);
    assert_int_equal(program_log_count("FAIL PLAIN: user \"al?ice\": the user name holds a control "
                                       "character"),
                     1);
    /* and none that fail2ban takes for a login from that address */
    assert_int_equal(login_plain("x[192.0.2.9]: SASL PLAIN", "x"), SASL_BADAUTH);
    assert_int_equal(program_log_count("user \"x?192.0.2.9?: SASL PLAIN\": no such user"), 1);
    program_stop();
}

/* --- authdaemond: what happens without one; tests/system asks the real one */

static const char authdaemond[] = "pwcheck_method: authdaemond\n"
                                  "mech_list: PLAIN LOGIN CRAM-MD5\n"
                                  "authdaemond_path: /nonexistent/socket\n";

static void test_authdaemond_is_asked(void **state)
{
    static const char *const idioms[] = {"", "sql_select: dummy\n", "sql_select: dummy select\n",
                                         "sql_statement: dummy select\n"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(idioms) / sizeof(idioms[0]); i++) {
        char configuration[500];

        snprintf(configuration, sizeof(configuration), "%s%s", authdaemond, idioms[i]);
        program_start(NULL, configuration);
        program_clear_log();
        assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(login_login("alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(login_by("CRAM-MD5", "alice", "correct horse"), SASL_UNAVAIL);
        assert_int_equal(program_log_count("\": authdaemond: /nonexistent/socket: No such file"),
                         3);
        assert_int_equal(login_plain_as("bob", "alice", "correct horse"), SASL_UNAVAIL);
        /* The stock plug-in is not asked for a user where there is to be no SQL. */
        if (idioms[i][0] != '\0')
            assert_int_equal(program_log_count("sql plugin"), 0);
        program_stop();
    }
}

/* CRAM-MD5 is ours there, and the stock one's elsewhere. */
static void test_cram_needs_authdaemond(void **state)
{
    char mechanisms[200];

    (void)state;
    program_start(NULL, authdaemond);
    snprintf(mechanisms, sizeof(mechanisms), " %s ", program_mechanisms());
    assert_non_null(strstr(mechanisms, " CRAM-MD5 "));
    assert_int_equal(login_by("CRAM-MD5", "alice", "correct horse"), SASL_UNAVAIL);
    program_stop();
    start("");
    program_clear_log();
    assert_int_not_equal(login_by("CRAM-MD5", "alice", "correct horse"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("CRAM-MD5: user"), 0);
    program_stop();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_table, remove_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_right_and_wrong),
        CASE(test_formats),
        CASE(test_crypt_prefix),
        CASE(test_checkpass),
        CASE(test_checkpass_is_explained),
        CASE(test_checkpass_without_a_hash),
        CASE(test_user_is_looked_up),
        CASE(test_authorization_is_looked_up),
        CASE(test_names_of_nobody_cost_the_same),
        CASE(test_coming_from_stock),
        CASE(test_hash_is_no_password),
        CASE(test_hash_is_no_password_beside_stock),
        CASE(test_padded_hash_beside_stock),
        CASE(test_hash_of_no_user_beside_stock),
        CASE(test_never_a_match),
        CASE(test_clear_text),
        CASE(test_password_lengths),
        CASE(test_messages),
        CASE(test_long_names),
        CASE(test_authorization_identity),
        CASE(test_long_authorization_identity),
        CASE(test_loaded_twice),
        CASE(test_user_name_after_failure),
        CASE(test_precedence),
        CASE(test_mech_list),
        CASE(test_not_configured),
        CASE(test_outages),
        CASE(test_refused_configurations),
        CASE(test_missing_driver),
        CASE(test_name_of_stock_with_hashes),
        CASE(test_no_auxprop_plugin),
        CASE(test_other_source),
        CASE(test_disabled_by_another_plugin),
        CASE(test_callback_of_the_program),
        CASE(test_callback_of_one_connection),
        CASE(test_log_levels),
        CASE(test_authdaemond_is_asked),
        CASE(test_cram_needs_authdaemond),
        CASE(test_who_was_looked_for),
        CASE(test_log_is_one_line),
    };

    return cmocka_run_group_tests_name("mechanisms", tests, NULL, NULL);
}
