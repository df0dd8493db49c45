/* SPDX-License-Identifier: BSD-3-Clause */

/* Which sources are asked about a password, what an outage leads to, and what the log says. */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "support/crypt_users.h"

static void test_outages(void **state)
{
    static const struct {
        const char *name;
        const char *options;
        const char *sql; /* run on the database first, if not NULL */
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

/* A client that has authenticated by TLS. */
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

/* A configuration that cannot be used is refused when the program starts, and at each login. */
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

/* A hash from another plug-in's store is judged as a hash, too. */
static void test_other_source(void **state)
{
    static const char *const methods[] = {"auxprop", "auxprop saslauthd", "saslauthd auxprop"};
    /* with white space that was copied along, too */
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
        /* saslauthd's answer is unknown */
        expect_all("alice", stored, i == 0 ? SASL_BADAUTH : SASL_UNAVAIL);
        expect_all("alice", "wrong", i == 0 ? SASL_BADAUTH : SASL_UNAVAIL);
        expect_all("nobody", "wrong", i == 0 ? SASL_BADAUTH : SASL_UNAVAIL);
        program_stop();
    }
    free(stored);
}

/* Another plug-in, which knows only that bob is disabled. */
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

/* Others have none, and they are not asked for one again. */
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
    /* raised to a level that Postfix shows */
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

/* The name that the table was asked for, if that is not the one that logged in. */
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
        /* The stock plug-in is not asked for a user if there is no SQL. */
        if (idioms[i][0] != '\0')
            assert_int_equal(program_log_count("sql plugin"), 0);
        program_stop();
    }
}

/* CRAM-MD5 is ours if it is named, and the stock one's otherwise. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_outages),
        CASE(test_refused_configurations),
        CASE(test_missing_driver),
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

    return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
