/* SPDX-License-Identifier: BSD-3-Clause */

/* PLAIN and LOGIN of libpwverify.so through the real libsasl2, with exact
 * result codes. */

#include <crypt.h>
#include <dlfcn.h>
#include <sasl/sasl.h>

#include "support/crypt_users.h"

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

/* Nor is it said if nothing compares clear text: saslauthd then has the password, and the table
 * only says whether the user exists. */
static void test_user_is_looked_up(void **state)
{
    (void)state;
    start("log_level: 5\npwcheck_method: saslauthd\nsaslauthd_path: /nonexistent/mux\n");
    assert_int_not_equal(login_plain("alice", "correct horse"), SASL_OK);
    assert_int_equal(program_log_count("one row"), 1);
    assert_int_equal(program_log_count("a hash is stored"), 0);
    program_stop();
}

/* Nor about the user whose rights are used: a program may want everything that is known about
 * that user. */
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
    /* Without a callback for it, libsasl2 lets no user act for another. */
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

/* Replaces libcrypt's function. */
char *crypt_r(const char *password, const char *setting, struct crypt_data *data)
{
    static char *(*original)(const char *, const char *, struct crypt_data *);

    if (original == NULL)
        *(void **)&original = dlsym(RTLD_NEXT, "crypt_r");
    hashes_made++;
    return original(password, setting, data);
}

/* Nothing is asked about a name that no user can have; but the cost does not show it. */
static void test_names_of_nobody_cost_the_same(void **state)
{
    static const char *const names[] = {"ali\007ce", "alice\n", "al\302\233ice", "ali\233ce"};
    unsigned want;
    size_t i;

    (void)state;
    /* Next to a cheap hash, a refusal may have taken its time already. */
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

static void test_never_a_match(void **state)
{
    static const struct {
        const char *name;
        const char *stored; /* in SQL */
        const char *password;
        bool is_error; /* there is an ERR line, too */
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
                         /* both plug-ins have a line about a NUL */
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
    /* what looks like a hash is not the user's password */
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
    /* libsasl2's own rule: no user acts for another one */
    assert_int_equal(login_plain_as("bob", "alice", "correct horse"), SASL_BADAUTH);
    program_stop();

    program_start_with(NULL, configuration(""), permissive);
    assert_int_equal(login_plain_as("bob", "alice", "wrong"), SASL_BADAUTH);
    /* libsasl2 would strip the line break. */
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

/* A search path that names the directory twice, or under two names. */
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

/* The host can log the user's name, even after a failure. */
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

/* A program that does not ask for us sees nothing of us. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_right_and_wrong),
        CASE(test_formats),
        CASE(test_crypt_prefix),
        CASE(test_user_is_looked_up),
        CASE(test_authorization_is_looked_up),
        CASE(test_names_of_nobody_cost_the_same),
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
    };

    return cmocka_run_group_tests_name("mechanisms", tests, NULL, NULL);
}
