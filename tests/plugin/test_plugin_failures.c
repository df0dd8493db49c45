/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The plug-ins where what they rely on says no: callbacks of the program, libsasl2,
 * other plug-ins, a driver, the system's random bytes. The real libsasl2 is asked
 * wherever it can be made to; where it never does such a thing, the plug-ins' entry
 * points are called as another host might.
 */

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "auxprop/sql_plugin.h"
#include "glue/sasl_glue.h"
#include "mechanisms/auxprop_check.h"
#include "mechanisms/libsasl_check.h"
#include "mechanisms/verifier.h"
#include "sql/sql_pool.h"
#include "support/hashes.h"
#include "support/linked_plugins.h"
#include "support/sasl_program.h"
#include "support/scripted_authdaemond.h"
#include "support/sqlite_table.h"
#include "support/unit.h"

#define DATABASE "users.db"
#define USER "alice"
#define RIGHT "correct horse"
#define MESSAGE(text) text, sizeof(text) - 1
#define RIGHT_MESSAGE MESSAGE("\0" USER "\0" RIGHT)

static sasl_callback_t callback(unsigned long id, any_function function)
{
    return (sasl_callback_t){id, (sasl_callback_ft)function, NULL};
}

/* --- the program */

static char hash[200];
static const char *object_name;    /* see folder_of_the_drivers() */
static bool is_checkpass_scripted; /* see answer_of_libsasl2() */

/* Lines of `options` come first, so that they win. */
static const char *configuration(const char *options)
{
    static char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "log_level: 5\n"
             "password_format: crypt\n"
             "password_store_scheme: MD5-CRYPT\n"
             "auxprop_plugin: sqlcrypt\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n"
             "authdaemond_path: %s/authdaemond\n%s",
             options, folder(), folder(),
             "sql_select: SELECT %p FROM users WHERE name='%u' AND realm='%r'\n"
             "sql_insert: INSERT INTO users (name, realm, %p) VALUES ('%u', '%r', '%v')\n"
             "sql_update: UPDATE users SET %p = '%v' WHERE name='%u' AND realm='%r'\n");
    return text;
}

static void start(const char *options)
{
    linked_start(configuration(options), NULL);
    assert_int_equal(linked.mechanisms_result, SASL_OK);
    program_secret(hash);
    program_clear_log();
}

static int set_up(void **state)
{
    (void)state;
    snprintf(hash, sizeof(hash), "%s", hash_of(RIGHT, "$1$abcdefgh"));
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, realm TEXT, userPassword TEXT, mail TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('" USER "', 'example.com', '%s', 'a@b')", hash);
    authdaemond_start(USER "@example.com", RIGHT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    no_random_bytes = false;
    is_checkpass_scripted = false;
    object_name = NULL;
    linked_use_engine(NULL);
    program_abandon();
    authdaemond_stop();
    folder_remove();
    return 0;
}

/* --- names that cannot be made canonical */

static int canon_result;
static unsigned canon_flags; /* those of calls that fail */

static int canon_user(sasl_conn_t *connection, void *context, const char *user, unsigned length,
                      unsigned flags, const char *realm, char *out, unsigned size,
                      unsigned *out_length)
{
    (void)connection, (void)context, (void)realm;
    if ((flags & canon_flags) != 0)
        return canon_result;
    assert_true(length < size);
    memcpy(out, user, length);
    *out_length = length;
    return SASL_OK;
}

static int anybody(sasl_conn_t *connection, void *context, const char *requested,
                   unsigned requested_length, const char *user, unsigned length, const char *realm,
                   unsigned realm_length, struct propctx *properties)
{
    (void)connection, (void)context, (void)requested, (void)requested_length, (void)user;
    (void)length, (void)realm, (void)realm_length, (void)properties;
    return SASL_OK;
}

static const struct canon_case {
    const char *name;
    int result; /* of the callback */
    int want;
    const char *level;
} canon_cases[] = {
    {"protocol", SASL_BADPROT, SASL_BADAUTH, "FAIL "},
    {"parameter", SASL_BADPARAM, SASL_BADAUTH, "FAIL "},
    {"too long", SASL_BUFOVER, SASL_BADAUTH, "FAIL "},
    {"no user", SASL_NOUSER, SASL_BADAUTH, "FAIL "},
    {"disabled", SASL_DISABLED, SASL_BADAUTH, "FAIL "},
    {"memory", SASL_NOMEM, SASL_NOMEM, "ERR "},
    {"failure", SASL_FAIL, SASL_UNAVAIL, "ERR "},
    {"outage", SASL_UNAVAIL, SASL_UNAVAIL, "ERR "},
    {"no plug-in", SASL_NOMECH, SASL_UNAVAIL, "ERR "},
};

static void start_with_canon_user(const char *options)
{
    const sasl_callback_t extra[] = {
        callback(SASL_CB_CANON_USER, (any_function)canon_user),
        callback(SASL_CB_PROXY_POLICY, (any_function)anybody),
        {SASL_CB_LIST_END, NULL, NULL},
    };

    linked_start(configuration(options), extra);
    program_clear_log();
}

static void no_canonical_name(void **state)
{
    const struct canon_case *row = *state;
    char line[200];

    canon_result = row->result;
    canon_flags = SASL_CU_AUTHID;
    start_with_canon_user("");
    assert_int_equal(login_plain(USER, RIGHT), row->want);
    assert_int_equal(login_login(USER, RIGHT), row->want);
    snprintf(line, sizeof(line), "%sPLAIN: user \"" USER "\": canon_user: %s", row->level,
             sasl_errstring(row->result, NULL, NULL));
    assert_int_equal(program_log_count(line), 1);
    program_stop();
}

static void no_canonical_authorization_identity(void **state)
{
    const struct canon_case *row = *state;
    char line[200];

    canon_result = row->result;
    canon_flags = SASL_CU_AUTHZID;
    start_with_canon_user("");
    assert_int_equal(login_plain_as("bob", USER, RIGHT), row->want);
    snprintf(line, sizeof(line), "%sPLAIN: user \"" USER "\": authorization identity: %s",
             row->level, sasl_errstring(row->result, NULL, NULL));
    assert_int_equal(program_log_count(line), 1);
    /* A wrong password does not get as far. */
    program_clear_log();
    assert_int_equal(login_plain_as("bob", USER, "wrong"), SASL_BADAUTH);
    assert_int_equal(program_log_count("authorization identity"), 0);
    program_stop();
}

static void authorization_identity_is_not_utf8(void **state)
{
    (void)state;
    start("");
    assert_int_equal(login_plain_as("b\xff", USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("the authorization identity is not UTF-8"), 1);
    program_stop();
}

/* Without an auxprop plug-in, none knows whom one acts for. */
static void authorization_identity_without_auxprop(void **state)
{
    canon_flags = 0;
    (void)state;
    start_with_canon_user("pwcheck_method: authdaemond\nsql_select: dummy\n");
    assert_null(linked.auxprop->name);
    assert_int_equal(login_plain_as("bob", USER, RIGHT), SASL_OK);
    assert_int_equal(login_plain_as("bob", USER, "wrong"), SASL_BADAUTH);
    assert_int_equal(authdaemond_questions(), 2);
    program_stop();
}

/* --- connections of their own kind */

static const char *connection_methods;

static int get_methods(void *context, const char *plugin, const char *name, const char **value,
                       unsigned *length)
{
    (void)context, (void)plugin;
    if (strcmp(name, "pwcheck_method") != 0)
        return SASL_FAIL;
    *value = connection_methods;
    if (length != NULL)
        *length = (unsigned)strlen(*value);
    return SASL_OK;
}

/* A connection whose pwcheck_method is another one than the program's. */
static sasl_conn_t *connection_with(const char *methods)
{
    static sasl_callback_t own[2];
    sasl_conn_t *connection = NULL;

    connection_methods = methods;
    own[0] = callback(SASL_CB_GETOPT, (any_function)get_methods);
    own[1] = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    assert_int_equal(sasl_server_new("smtp", "mx.example.com", "example.com", NULL, NULL, own,
                                     SASL_SUCCESS_DATA, &connection),
                     SASL_OK);
    return connection;
}

static int plain_over(sasl_conn_t *connection, const char *message, unsigned message_length)
{
    const char *reply;
    unsigned length;
    int result = sasl_server_start(connection, "PLAIN", message, message_length, &reply, &length);

    sasl_dispose(&connection);
    return result;
}

/* A client's response to a challenge, of whatever the caller says. */
static int cram_over(sasl_conn_t *connection, const char *user, const char *password)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char response[500];
    const char *challenge;
    unsigned length, digest_length, i;
    size_t at;
    int result = sasl_server_start(connection, "CRAM-MD5", NULL, 0, &challenge, &length);

    if (result == SASL_CONTINUE) {
        HMAC(EVP_md5(), password, (int)strlen(password), (const unsigned char *)challenge, length,
             digest, &digest_length);
        at = (size_t)snprintf(response, sizeof(response), "%s ", user);
        for (i = 0; i < digest_length; i++)
            snprintf(response + at + 2 * i, 3, "%02x", digest[i]);
        result =
            sasl_server_step(connection, response, (unsigned)strlen(response), &challenge, &length);
    }
    sasl_dispose(&connection);
    return result;
}

/* What was not named when the program started has not been set up. */
static void authdaemond_comes_late(void **state)
{
    (void)state;
    start("");
    assert_int_equal(plain_over(connection_with("authdaemond"), RIGHT_MESSAGE), SASL_UNAVAIL);
    assert_int_equal(
        program_log_count("authdaemond was not in pwcheck_method when the program started"), 2);
    assert_int_equal(authdaemond_questions(), 0);
    program_stop();
}

static void no_method_for_challenges(void **state)
{
    static const char *const lists[] = {"auxprop", "saslauthd auxprop", " "};
    size_t i;

    (void)state;
    start("pwcheck_method: authdaemond\n");
    for (i = 0; i < COUNT(lists); i++) {
        program_clear_log();
        assert_int_equal(cram_over(connection_with(lists[i]), USER, RIGHT), SASL_UNAVAIL);
        assert_int_equal(
            program_log_count("ERR CRAM-MD5: user \"" USER "\": pwcheck_method lists no method"),
            1);
    }
    assert_int_equal(plain_over(connection_with(" "), RIGHT_MESSAGE), SASL_UNAVAIL);
    assert_int_equal(authdaemond_questions(), 0);
    assert_int_equal(cram_over(connection_with("auxprop authdaemond"), USER, RIGHT), SASL_OK);
    assert_int_equal(cram_over(connection_with("auxprop authdaemond"), USER, "wrong"),
                     SASL_BADAUTH);
    assert_int_equal(authdaemond_questions(), 2);
    program_stop();
}

/* libsasl2's own check gets what the program has set for the connection. */
static void another_method_of_one_connection(void **state)
{
    (void)state;
    start("saslauthd_path: /no/mux\n");
    assert_int_equal(plain_over(connection_with("saslauthd"), RIGHT_MESSAGE), SASL_UNAVAIL);
    assert_int_equal(program_log_count("pwverify: PLAIN by saslauthd: saslauthd: "), 1);
    assert_int_equal(plain_over(connection_with("no_such_method"), RIGHT_MESSAGE), SASL_UNAVAIL);
    assert_int_equal(program_log_count("this libsasl2 does not know \"no_such_method\""), 2);
    assert_int_equal(plain_over(connection_with("saslauthd auxprop"), RIGHT_MESSAGE), SASL_OK);
    program_stop();
}

static int get_null(void *context, const char *plugin, const char *name, const char **value,
                    unsigned *length)
{
    (void)context, (void)plugin, (void)length;
    if (strcmp(name, "auxprop_plugin") != 0)
        return SASL_FAIL;
    *value = NULL;
    return SASL_OK;
}

/* A program that knows an option, and no value of it. */
static void option_without_a_value(void **state)
{
    const sasl_callback_t own[] = {
        callback(SASL_CB_GETOPT, (any_function)get_null),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    sasl_conn_t *connection = NULL;

    (void)state;
    start("");
    assert_int_equal(
        sasl_server_new("smtp", "mx.example.com", "example.com", NULL, NULL, own, 0, &connection),
        SASL_OK);
    assert_int_equal(plain_over(connection, RIGHT_MESSAGE), SASL_OK);
    program_stop();
    linked_start("password_format: crypt\n", NULL);
    assert_int_equal(
        sasl_server_new("smtp", "mx.example.com", "example.com", NULL, NULL, own, 0, &connection),
        SASL_OK);
    assert_int_equal(plain_over(connection, RIGHT_MESSAGE), SASL_UNAVAIL);
    assert_int_equal(program_log_count("auxprop: libsasl2 has no auxprop plug-in"), 1);
    program_stop();
}

/* No name of a method is as long; it is cut off where it is copied. */
static void long_name_of_a_method(void **state)
{
#define LONG "x123456789x123456789x123456789x123456789x123456789x123456789x123456789"
    (void)state;
    start("pwcheck_method: " LONG " auxprop\n");
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(login_plain(USER, "wrong"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("does not know \"x123456789"), 3);
    assert_int_equal(program_log_count(LONG), 0);
    program_stop();
#undef LONG
}

/* The addresses of client and server are not always known. */
static void connection_without_addresses(void **state)
{
    sasl_conn_t *connection = NULL;

    (void)state;
    start("pwcheck_method: authdaemond\nauthdaemond_send_remote_ip: no\n");
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(strncmp(authdaemond_question(), "AUTH ", 5), 0);
    program_stop();

    start("pwcheck_method: authdaemond\nauthdaemond_send_remote_ip: yes\n");
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(strncmp(authdaemond_question(), "TCPREMOTEIP=192.0.2.7\nAUTH ", 27), 0);
    assert_int_equal(
        sasl_server_new("smtp", "mx.example.com", "example.com", NULL, NULL, NULL, 0, &connection),
        SASL_OK);
    assert_int_equal(plain_over(connection, RIGHT_MESSAGE), SASL_OK);
    assert_int_equal(strncmp(authdaemond_question(), "AUTH ", 5), 0);
    program_stop();

    start("sql_select: SELECT userPassword FROM users WHERE name='%u' AND '%a' = ''\n");
    assert_int_equal(login_plain(USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(
        sasl_server_new("smtp", "mx.example.com", NULL, NULL, NULL, NULL, 0, &connection), SASL_OK);
    assert_int_equal(plain_over(connection, RIGHT_MESSAGE), SASL_OK);
    program_stop();
}

/* --- authdaemond */

static const struct daemon_option {
    const char *name;
    const char *line;
    const char *want; /* in the log; NULL if it can be used */
} daemon_options[] = {
    {"a service", "authdaemond_service: esmtp\n", NULL},
    {"no time", "authdaemond_timeout: 0\n", "authdaemond_timeout: \"0\""},
    {"a word for a time", "authdaemond_timeout: soon\n", "authdaemond_timeout: \"soon\""},
    {"options", "authdaemond_require_options: group=sales\n", NULL},
    {"no options", "authdaemond_require_options: sales\n",
     "authdaemond_require_options: \"sales\""},
    {"a long path",
     "authdaemond_path: /0123456789/0123456789/0123456789/0123456789/0123456789/0123456789"
     "/0123456789/0123456789/0123456789/0123456789\n",
     "authdaemond_path: "},
    {"a line break in the service", "authdaemond_service: smtp\rlogin\n",
     "authdaemond_service contains a line break"},
};

static void option_of_authdaemond(void **state)
{
    const struct daemon_option *row = *state;
    char options[500];

    snprintf(options, sizeof(options), "pwcheck_method: authdaemond\n%s", row->line);
    linked_start(configuration(options), NULL);
    assert_int_equal(linked.mechanisms_result, SASL_OK);
    assert_int_equal(program_log_count("init pwverify: authdaemond"), row->want != NULL);
    if (row->want != NULL)
        assert_int_equal(program_log_count(row->want), 1);
    program_clear_log();
    assert_int_equal(login_plain(USER, RIGHT), row->want != NULL ? SASL_UNAVAIL : SASL_OK);
    assert_int_equal(cram_over(program_connection(), USER, RIGHT),
                     row->want != NULL ? SASL_UNAVAIL : SASL_OK);
    assert_int_equal(authdaemond_questions(), row->want != NULL ? 0 : 2);
    if (row->want != NULL)
        assert_int_equal(program_log_count(row->want), 4); /* two of them by the method */
    program_stop();
}

static void service_that_is_sent(void **state)
{
    (void)state;
    start("pwcheck_method: authdaemond\n");
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_non_null(strstr(authdaemond_question(), "\nsmtp\nlogin\n"));
    program_stop();
    start("pwcheck_method: authdaemond\nauthdaemond_service: esmtp\n");
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_non_null(strstr(authdaemond_question(), "\nesmtp\nlogin\n"));
    program_stop();
}

/* As the manual of libsasl2 prints it. */
static void other_name_of_the_path(void **state)
{
    char options[300];

    (void)state;
    snprintf(options, sizeof(options), "pwcheck_method: authdaemond\nauthdaemon_path: %s\n",
             authdaemond_path());
    linked_start(options, NULL);
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(login_plain(USER, "wrong"), SASL_BADAUTH);
    assert_int_equal(authdaemond_questions(), 2);
    assert_int_equal(program_log_count("; asked for \"" USER
                                       "@example.com\", with the realm of the "
                                       "program"),
                     1);
    program_clear_log();
    assert_int_equal(login_plain(USER "@example.com", "wrong"), SASL_BADAUTH);
    assert_int_equal(program_log_count("; asked for \"" USER "@example.com\""), 1);
    assert_int_equal(program_log_count("the realm of the program"), 0);
    program_stop();
}

/* The daemon reads lines. */
static void control_character_in_a_name(void **state)
{
    (void)state;
    start("pwcheck_method: authdaemond\n");
    assert_int_equal(login_plain_message(MESSAGE("\0" USER "\nx\0" RIGHT)), SASL_BADAUTH);
    assert_int_equal(login_plain_message(MESSAGE("\0" USER "\n\0" RIGHT)), SASL_BADAUTH);
    assert_int_equal(cram_over(program_connection(), USER "\n", RIGHT), SASL_BADPROT);
    assert_int_equal(authdaemond_questions(), 0);
    program_stop();
}

static const struct response {
    const char *name;
    const char *text;
    int want;
} responses[] = {
    {"nothing", "", SASL_BADPROT},
    {"no digest", USER, SASL_BADPROT},
    {"short digest", USER " 0123456789abcdef0123456789abcde", SASL_BADPROT},
    {"long digest", USER " 0123456789abcdef0123456789abcdef0", SASL_BADPROT},
    {"no hexadecimal digit", USER " 0123456789abcdef0123456789abcdeg", SASL_BADPROT},
    {"no name", " 0123456789abcdef0123456789abcdef", SASL_BADAUTH},
    {"a digest", USER " 0123456789abcdef0123456789abcdef", SASL_BADAUTH},
};

static void response_to_a_challenge(void **state)
{
    const struct response *row = *state;
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    start("pwcheck_method: authdaemond\n");
    connection = program_connection();
    assert_int_equal(sasl_server_start(connection, "CRAM-MD5", NULL, 0, &reply, &length),
                     SASL_CONTINUE);
    assert_int_equal(
        sasl_server_step(connection, row->text, (unsigned)strlen(row->text), &reply, &length),
        row->want);
    assert_int_equal(program_log_count("FAIL CRAM-MD5: "), 1);
    sasl_dispose(&connection);
    program_stop();
}

static void challenge_without_random_bytes(void **state)
{
    (void)state;
    start("pwcheck_method: authdaemond\n");
    no_random_bytes = true;
    assert_int_equal(cram_over(program_connection(), USER, RIGHT), SASL_UNAVAIL);
    no_random_bytes = false;
    assert_int_equal(cram_over(program_connection(), USER, RIGHT), SASL_OK);
    assert_int_equal(authdaemond_questions(), 1);
    program_stop();
}

/* --- other auxprop plug-ins */

/* What it does with each lookup. */
static struct other {
    int result;
    const char *property, *values[3]; /* that it sets, for the user himself and for others */
    bool all;                         /* whatever it is asked for, as the stock plug-in */
    bool reads_options;               /* with their lengths */
    unsigned option_length;           /* of auxprop_plugin */
} other;

/* Of the value, as libsasl2 itself gets at it: by the callback of the connection. */
static unsigned length_of_option(const sasl_utils_t *own_utils, const char *name)
{
    sasl_callback_ft function = NULL;
    void *context = NULL;
    const char *value = NULL;
    unsigned length = 0;

    if (own_utils->getcallback(own_utils->conn, SASL_CB_GETOPT, &function, &context) != SASL_OK ||
        ((sasl_getopt_t *)(any_function)function)(context, NULL, name, &value, &length) != SASL_OK)
        return 0;
    assert_int_equal(length, strlen(value));
    return length;
}

static int other_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                        const char *user, unsigned length)
{
    const sasl_utils_t *utils = sparams->utils;
    const struct propval *property = utils->prop_get(sparams->propctx);
    size_t i;

    (void)glob_context, (void)flags, (void)length;
    if (other.reads_options)
        other.option_length = length_of_option(utils, "auxprop_plugin");
    for (; property != NULL && property->name != NULL; property++)
        for (i = 0; i < COUNT(other.values) && other.values[i] != NULL; i++)
            if (other.all ? property->values == NULL : strcmp(property->name, other.property) == 0)
                utils->prop_set(sparams->propctx, property->name,
                                strncmp(user, "bob", 3) == 0 ? "of bob" : other.values[i], -1);
    return other.result;
}

static char other_name[8];

static int other_init(const sasl_utils_t *utils, int max_version, int *version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static sasl_auxprop_plug_t own = {.auxprop_lookup = other_lookup, .name = other_name};

    (void)utils, (void)max_version;
    strcpy(other_name, name);
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &own;
    return SASL_OK;
}

static void add_other(const char *name, struct other does)
{
    other = does;
    assert_int_equal(sasl_auxprop_add_plugin(name, other_init), SASL_OK);
}

static void no_auxprop_plugin_at_all(void **state)
{
    (void)state;
    /* as none is named */
    linked_start("password_format: crypt\nlog_level: 5\n", NULL);
    assert_null(linked.auxprop->name);
    assert_int_equal(login_plain(USER, RIGHT), SASL_UNAVAIL);
    assert_int_equal(
        program_log_count("ERR PLAIN: user \"" USER "\": auxprop: libsasl2 has no auxprop plug-in"),
        1);
    program_stop();
}

/* An outage of another one is not a wrong password. */
static void another_auxprop_plugin_fails(void **state)
{
    static const struct {
        int result, want;
        const char *line;
    } cases[] = {
        {SASL_FAIL, SASL_UNAVAIL, "ERR PLAIN: user \"" USER "\": auxprop: generic failure"},
        {SASL_UNAVAIL, SASL_UNAVAIL, "ERR PLAIN: user \"" USER "\": auxprop: "},
        {SASL_NOUSER, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": no such user"},
        {SASL_OK, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": "},
        {SASL_DISABLED, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": the account is disabled"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        linked_start("password_format: crypt\nauxprop_plugin: other\n", NULL);
        add_other("other", (struct other){.result = cases[i].result, .property = ""});
        assert_int_equal(login_plain(USER, RIGHT), cases[i].want);
        assert_int_equal(program_log_count(cases[i].line), 1);
        program_stop();
    }
}

static void disabled_account_and_a_challenge(void **state)
{
    (void)state;
    start("pwcheck_method: authdaemond\nauxprop_plugin: other\n");
    add_other("other", (struct other){.result = SASL_DISABLED, .property = ""});
    assert_int_equal(cram_over(program_connection(), USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("FAIL CRAM-MD5: user \"" USER "\": the account is disabled"),
                     1);
    assert_int_equal(authdaemond_questions(), 0);
    program_stop();
}

/* Which another one may have filled in: our word alone counts. */
static void outcome_that_is_not_ours(void **state)
{
    (void)state;
    linked_start("password_format: crypt\nauxprop_plugin: other\nlog_level: 5\n", NULL);
    add_other("other", (struct other){.result = SASL_OK,
                                      .property = "*sqlcryptOutcome",
                                      .values = {"found", "elsewhere"}});
    assert_int_equal(login_plain(USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("looked for %u"), 2);
    assert_int_equal(program_log_count("%r"), 0);
    program_stop();
    linked_start("password_format: crypt\nauxprop_plugin: other\nlog_level: 5\n", NULL);
    add_other(
        "other",
        (struct other){.result = SASL_OK, .property = "*sqlcryptOutcome", .values = {"whatever"}});
    assert_int_equal(login_plain(USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("looked for %u"), 0);
    program_stop();
}

/* What a user has is not handed to the one who acts for him. */
static void properties_of_the_authorization_identity(void **state)
{
    const char *names[] = {"mail", "*mail", NULL};
    struct propval values[3];
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    canon_flags = 0;
    start_with_canon_user("auxprop_plugin: sqlcrypt other\n"
                          "sql_select: SELECT userPassword FROM users WHERE name='%u'\n");
    add_other("other", (struct other){.result = SASL_OK, .property = "mail", .values = {"of a"}});
    connection = program_connection();
    assert_int_equal(sasl_auxprop_request(connection, names), SASL_OK);
    assert_int_equal(
        sasl_server_start(connection, "PLAIN", MESSAGE("bob\0" USER "\0" RIGHT), &reply, &length),
        SASL_OK);
    assert_int_equal(prop_getnames(sasl_auxprop_getctx(connection), names, values), 2);
    assert_string_equal(values[0].values[0], "of bob");
    assert_null(values[0].values[1]);
    assert_null(values[1].values);
    sasl_dispose(&connection);
    program_stop();
}

/* The stock plug-in may know a user by a hash: without random bytes, nothing can be put in
 * the place of what it would hand out. */
static void no_random_bytes_beside_the_stock_plugin(void **state)
{
    (void)state;
    start("auxprop_plugin: sqlcrypt sql\n");
    add_other("sql", (struct other){.result = SASL_OK, .all = true, .values = {hash}});
    no_random_bytes = true;
    assert_int_equal(login_plain(USER, RIGHT), SASL_UNAVAIL);
    assert_int_equal(login_plain(USER, hash), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR sqlcrypt: no random numbers"), 2);
    no_random_bytes = false;
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(login_plain(USER, hash), SASL_BADAUTH);
    program_stop();
}

static bool is_stock_asked;

static int stock_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                        const char *user, unsigned length)
{
    (void)glob_context, (void)sparams, (void)flags, (void)user, (void)length;
    is_stock_asked = true;
    return SASL_NOUSER;
}

static int stock_init(const sasl_utils_t *own_utils, int max_version, int *version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static char stock_name[] = "sql";
    static sasl_auxprop_plug_t own = {.auxprop_lookup = stock_lookup, .name = stock_name};

    (void)own_utils, (void)max_version, (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &own;
    return SASL_OK;
}

/* Where there is to be no SQL, the stock plug-in is not asked, and the others are told so. */
static void others_where_there_is_no_sql(void **state)
{
    char options[300];
    int has_stock;

    (void)state;
    snprintf(options, sizeof(options),
             "pwcheck_method: authdaemond\nsql_select: dummy\nauthdaemond_path: %s\n",
             authdaemond_path());
    for (has_stock = 0; has_stock < 2; has_stock++) {
        linked_start(options, NULL);
        if (has_stock)
            assert_int_equal(sasl_auxprop_add_plugin("sql", stock_init), SASL_OK);
        add_other("other",
                  (struct other){.result = SASL_OK, .property = "", .reads_options = true});
        is_stock_asked = false;
        assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
        assert_int_equal(login_plain(USER, "wrong"), SASL_BADAUTH);
        assert_false(is_stock_asked);
        assert_int_equal(other.option_length, has_stock ? strlen("none other") : 0);
        program_stop();
    }
}

/* --- methods of libsasl2 */

static int checkpass_result;

int __real_sasl_checkpass(sasl_conn_t *connection, const char *user, unsigned user_length,
                          const char *password, unsigned length);
int __wrap_sasl_checkpass(sasl_conn_t *connection, const char *user, unsigned user_length,
                          const char *password, unsigned length);

int __wrap_sasl_checkpass(sasl_conn_t *connection, const char *user, unsigned user_length,
                          const char *password, unsigned length)
{
    return is_checkpass_scripted
               ? checkpass_result
               : __real_sasl_checkpass(connection, user, user_length, password, length);
}

/* What any libsasl2 may say, by methods that are not in each one. */
static void answer_of_libsasl2(void **state)
{
    static const struct {
        int result, want;
        const char *line;
    } cases[] = {
        {SASL_OK, SASL_OK, "WARN PLAIN: user \"" USER "\": authenticated"},
        {SASL_NOUSER, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: no such user"},
        {SASL_BADAUTH, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: refused"},
        {SASL_NOAUTHZ, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: refused"},
        {SASL_EXPIRED, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: refused"},
        {SASL_DISABLED, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: refused"},
        {SASL_NOVERIFY, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: refused"},
        {SASL_PWLOCK, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": x: refused"},
        {SASL_NOMEM, SASL_NOMEM, "ERR PLAIN: user \"" USER "\": x: out of memory"},
        {SASL_NOMECH, SASL_UNAVAIL, "this libsasl2 does not know \"x\""},
        {SASL_FAIL, SASL_UNAVAIL, "ERR PLAIN: user \"" USER "\": x: generic failure"},
        {SASL_CONTINUE, SASL_UNAVAIL, "ERR PLAIN: user \"" USER "\": x: another step"},
    };
    size_t i;

    (void)state;
    start("pwcheck_method: x\nlog_level: 4\n");
    is_checkpass_scripted = true;
    for (i = 0; i < COUNT(cases); i++) {
        program_clear_log();
        checkpass_result = cases[i].result;
        assert_int_equal(login_plain(USER, RIGHT), cases[i].want);
        assert_int_equal(program_log_count(cases[i].line), 1);
    }
    program_stop();
}

/* --- a driver */

struct sql_session {
    int unused;
};

/* Says `object_name`; fails if that is empty. */
int __real_dladdr(const void *address, Dl_info *info);
int __wrap_dladdr(const void *address, Dl_info *info);

int __wrap_dladdr(const void *address, Dl_info *info)
{
    if (object_name == NULL)
        return __real_dladdr(address, info);
    info->dli_fname = object_name;
    return object_name[0] != '\0';
}

static struct {
    enum lookup open, begin, commit, store;
    enum lookup selects[3]; /* in turn; the last one for all others */
    unsigned selected;
    enum sql_transaction steps[8];
    size_t step_count;
    char opened[200]; /* the hosts in the order in which they were opened */
    unsigned sessions;
    unsigned logins_within; /* a statement, one in the other, and what became of them */
    int results[20];
} driver;

static enum lookup says(enum lookup result, struct reason *reason)
{
    if (result != LOOKUP_FOUND && result != LOOKUP_NONE)
        reason_set(reason, "the driver says no");
    return result;
}

static enum lookup driver_open(const struct sql_target *target, const struct sql_host *host,
                               const char *address, enum sql_access access,
                               const struct deadline *deadline, unsigned *learned,
                               struct sql_session **session, struct reason *reason)
{
    static struct sql_session only;
    const size_t length = strlen(driver.opened);

    (void)target, (void)address, (void)access, (void)deadline, (void)learned;
    snprintf(driver.opened + length, sizeof(driver.opened) - length, "%s ", host->name);
    *session = driver.open == LOOKUP_FOUND ? &only : NULL;
    driver.sessions += driver.open == LOOKUP_FOUND;
    return says(driver.open, reason);
}

static void driver_close(struct sql_session *session)
{
    (void)session;
    driver.sessions--;
}

static enum lookup driver_select(struct sql_session *session, const struct sql_statement *statement,
                                 const struct deadline *deadline, struct secret *value,
                                 struct reason *reason)
{
    const size_t last = COUNT(driver.selects) - 1;
    enum lookup result = driver.selects[driver.selected < last ? driver.selected : last];

    (void)session, (void)statement, (void)deadline;
    driver.selected++;
    if (driver.logins_within > 0) {
        const unsigned left = --driver.logins_within;

        driver.results[left] = login_plain(USER, RIGHT);
    }
    if (result == LOOKUP_FOUND)
        assert_true(secret_set(value, hash, strlen(hash)));
    return says(result, reason);
}

static enum lookup driver_store(struct sql_session *session, const struct sql_statement *statement,
                                const struct deadline *deadline, struct reason *reason)
{
    (void)session, (void)statement, (void)deadline;
    return says(driver.store, reason);
}

static enum lookup driver_transaction(struct sql_session *session, enum sql_transaction step,
                                      const struct deadline *deadline, struct reason *reason)
{
    (void)session, (void)deadline;
    assert_true(driver.step_count < COUNT(driver.steps));
    driver.steps[driver.step_count++] = step;
    return step == SQL_ROLLBACK ? LOOKUP_FOUND
                                : says(step == SQL_BEGIN ? driver.begin : driver.commit, reason);
}

static const struct sql_engine engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "sqlite3",
    .open = driver_open,
    .close = driver_close,
    .select = driver_select,
    .store = driver_store,
    .transaction = driver_transaction,
};

static void start_with_driver(const char *options)
{
    memset(&driver, 0, sizeof(driver));
    driver.open = driver.begin = driver.commit = driver.store = LOOKUP_FOUND;
    driver.selects[0] = driver.selects[1] = driver.selects[2] = LOOKUP_FOUND;
    linked_use_engine(&engine);
    start(options);
}

static int set_password(const char *user, const char *password)
{
    const char *names[] = {"userPassword", NULL};
    struct propctx *properties = prop_new(0);
    sasl_conn_t *connection = program_connection();
    int result;

    assert_int_equal(prop_request(properties, names), SASL_OK);
    assert_int_equal(prop_set(properties, "userPassword", password, -1), SASL_OK);
    result = sasl_auxprop_store(connection, properties, user);
    prop_dispose(&properties);
    sasl_dispose(&connection);
    return result;
}

static const struct transaction {
    const char *name;
    enum lookup begin, store, commit;
    const char *want; /* in the log */
} transactions[] = {
    {"all goes well", LOOKUP_FOUND, LOOKUP_FOUND, LOOKUP_FOUND, "was stored"},
    {"none begins", LOOKUP_UNAVAILABLE, LOOKUP_FOUND, LOOKUP_FOUND,
     "nothing was stored: the driver says no"},
    {"the statement is refused", LOOKUP_FOUND, LOOKUP_REJECTED, LOOKUP_FOUND,
     "nothing was stored: the driver says no"},
    {"no row is changed", LOOKUP_FOUND, LOOKUP_NONE, LOOKUP_FOUND,
     "nothing was stored: the statement changed no row"},
    {"COMMIT without an answer", LOOKUP_FOUND, LOOKUP_FOUND, LOOKUP_UNAVAILABLE,
     "outcome unknown: COMMIT was sent but not confirmed: the driver says no"},
    {"lost during COMMIT", LOOKUP_FOUND, LOOKUP_FOUND, LOOKUP_LOST,
     "outcome unknown: COMMIT was sent but not confirmed: the driver says no"},
    {"COMMIT is refused", LOOKUP_FOUND, LOOKUP_FOUND, LOOKUP_REJECTED,
     "nothing was stored: the driver says no"},
};

static void store_in_a_transaction(void **state)
{
    const struct transaction *row = *state;
    const bool done =
        row->begin == LOOKUP_FOUND && row->store == LOOKUP_FOUND && row->commit == LOOKUP_FOUND;

    start_with_driver("");
    driver.begin = row->begin;
    driver.store = row->store;
    driver.commit = row->commit;
    program_secret("open sesame");
    assert_int_equal(set_password(USER "@example.com", "open sesame"),
                     done ? SASL_OK : SASL_UNAVAIL);
    assert_int_equal(program_log_count(row->want), 1);
    assert_int_equal(program_log_count("ERR "), !done);
    assert_int_equal(driver.steps[0], SQL_BEGIN);
    if (!done && row->begin == LOOKUP_FOUND)
        assert_int_equal(driver.steps[driver.step_count - 1], SQL_ROLLBACK);
    if (row->store != LOOKUP_FOUND)
        assert_int_not_equal(driver.steps[1], SQL_COMMIT);
    assert_int_equal(driver.sessions, 0);
    program_stop();
}

static const struct ending {
    const char *name;
    enum lookup store, commit;
    const char *want; /* who is asked next */
} endings[] = {
    {"stored", LOOKUP_FOUND, LOOKUP_FOUND, "db1 "},
    {"the statement is refused", LOOKUP_REJECTED, LOOKUP_FOUND, "db1 "},
    {"lost during the statement", LOOKUP_LOST, LOOKUP_FOUND, "db2 "},
    {"no answer to the statement", LOOKUP_UNAVAILABLE, LOOKUP_FOUND, "db1 "},
    {"COMMIT is refused", LOOKUP_FOUND, LOOKUP_REJECTED, "db1 "},
    {"lost during COMMIT", LOOKUP_FOUND, LOOKUP_LOST, "db2 "},
    {"no answer to COMMIT", LOOKUP_FOUND, LOOKUP_UNAVAILABLE, "db1 "},
};

/* What may have been stored is not stored a second time, at no host. */
static void host_that_loses_a_store_comes_last(void **state)
{
    const struct ending *row = *state;

    start_with_driver("sql_engine: pgsql\nsql_hostnames: db1 db2\n");
    driver.store = row->store;
    driver.commit = row->commit;
    set_password(USER "@example.com", "open sesame");
    assert_string_equal(driver.opened, "db1 ");
    driver.opened[0] = '\0';
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_string_equal(driver.opened, row->want);
    program_stop();
}

static void no_session_to_store_with(void **state)
{
    (void)state;
    start_with_driver("");
    driver.open = LOOKUP_UNAVAILABLE;
    assert_int_equal(set_password(USER "@example.com", "open sesame"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR sqlcrypt: nothing was stored: the driver says no"), 1);
    program_stop();
}

/* The row is there for the password, and then no server to ask for more. */
static void lost_between_two_properties(void **state)
{
    static const enum lookup lost[] = {LOOKUP_UNAVAILABLE, LOOKUP_SEVERAL};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(lost); i++) {
        const char *names[] = {"*mail", NULL};
        sasl_conn_t *connection;
        const char *reply;
        unsigned length;

        start_with_driver("");
        driver.selects[1] = driver.selects[2] = lost[i];
        connection = program_connection();
        assert_int_equal(sasl_auxprop_request(connection, names), SASL_OK);
        assert_int_equal(sasl_server_start(connection, "PLAIN", RIGHT_MESSAGE, &reply, &length),
                         SASL_UNAVAIL);
        assert_int_equal(program_log_count("ERR sqlcrypt: sqlite3: the driver says no"), 1);
        sasl_dispose(&connection);
        program_stop();
        assert_int_equal(driver.sessions, 0);
    }
}

/* As many logins at once as there may be sessions, and one more. */
static void all_sessions_in_use(void **state)
{
    unsigned i;

    (void)state;
    start_with_driver("sql_timeout: 0.1\n");
    driver.logins_within = SQL_POOL_PLACES;
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(driver.results[0], SASL_UNAVAIL);
    for (i = 1; i < SQL_POOL_PLACES; i++)
        assert_int_equal(driver.results[i], SASL_OK);
    assert_int_equal(
        program_log_count("ERR sqlcrypt: sqlite3: all 8 sessions of this process were in use"), 1);
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(driver.sessions, SQL_POOL_PLACES);
    program_stop();
    assert_int_equal(driver.sessions, 0);
}

/* Where drivers are looked for. */
static void folder_of_the_drivers(void **state)
{
    static char long_name[5000];
    static const struct {
        const char *name; /* of the object that the plug-in is in; NULL if it is not known */
        const char *want; /* NULL if there is no such folder */
    } cases[] = {
        {"/usr/lib/sasl2/libsqlcrypt.so", "/usr/lib/sasl2/sqlcrypt"},
        {"./libsqlcrypt.so", "./sqlcrypt"},
        {"libsqlcrypt.so", "./sqlcrypt"},
        {long_name, NULL},
        {NULL, NULL},
    };
    size_t i;

    (void)state;
    memset(long_name, 'x', sizeof(long_name) - 1);
    memcpy(long_name + 4500, "/a.so", 6);
    for (i = 0; i < COUNT(cases); i++) {
        object_name = cases[i].name != NULL ? cases[i].name : "";
        linked_start(configuration(""), NULL);
        if (cases[i].want != NULL) {
            assert_string_equal(linked.engine_directory, cases[i].want);
            assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
        } else {
            assert_string_equal(linked.engine_directory, "");
            assert_int_equal(
                program_log_count("sqlcrypt: cannot tell where this plug-in was loaded from"), 1);
            assert_int_equal(login_plain(USER, RIGHT), SASL_UNAVAIL);
        }
        program_stop();
    }
}

static const struct unusable_store {
    const char *name;
    const char *options;
    const char *property;
    int want;
    const char *want_in_log; /* "" for nothing at all */
} unusable_stores[] = {
    {"a template that is broken", "sql_select: SELECT '%u\n", "userPassword", SASL_UNAVAIL,
     "ERR sqlcrypt: nothing was stored: sql_select: "},
    {"nothing to insert by", "sql_insert:\n", "userPassword", SASL_CONSTRAINT_VIOLAT, ""},
    {"nothing to update by", "sql_update:\n", "userPassword", SASL_CONSTRAINT_VIOLAT, ""},
    {"select of the password alone", "sql_select: SELECT userPassword FROM users\n", "mail",
     SASL_CONSTRAINT_VIOLAT, "there is no column for the property mail"},
    {"insert of the password alone", "sql_insert: INSERT INTO users (userPassword) VALUES ('%v')\n",
     "mail", SASL_CONSTRAINT_VIOLAT, "there is no column for the property mail"},
    {"update of the password alone", "sql_update: UPDATE users SET userPassword = '%v'\n", "mail",
     SASL_CONSTRAINT_VIOLAT, "there is no column for the property mail"},
    {"a name that is none of a column", "", "mail; --", SASL_CONSTRAINT_VIOLAT,
     "there is no column for the property mail; --"},
};

static void store_that_is_not_possible(void **state)
{
    const struct unusable_store *row = *state;
    const char *names[] = {row->property, NULL};
    struct propctx *properties = prop_new(0);
    sasl_conn_t *connection;
    char *after;

    start(row->options);
    connection = program_connection();
    assert_int_equal(prop_request(properties, names), SASL_OK);
    assert_int_equal(prop_set(properties, row->property, "open sesame", -1), SASL_OK);
    program_secret("open sesame");
    assert_int_equal(sasl_auxprop_store(connection, properties, USER), row->want);
    if (row->want_in_log[0] == '\0')
        assert_string_equal(program_log(), "");
    else
        assert_int_equal(program_log_count(row->want_in_log), 1);
    prop_dispose(&properties);
    sasl_dispose(&connection);
    program_stop();
    after = read_sql(DATABASE, "SELECT group_concat(name || userPassword || mail) FROM users");
    assert_lacks(after, "open sesame");
    free(after);
}

/* --- entry points, as another host than libsasl2 might call them */

static sasl_server_params_t *params; /* of the last connection that was offered mechanisms */
static int (*real_avail)(void *, sasl_server_params_t *, void **);

static int keep_params(void *glob_context, sasl_server_params_t *sparams, void **context)
{
    params = sparams;
    return real_avail(glob_context, sparams, context);
}

/* A connection whose parameters are in `params`. */
static sasl_conn_t *connection_with_params(void)
{
    sasl_conn_t *connection;
    const char *list;
    int i;

    if (linked.mechanisms[0].mech_avail != keep_params)
        real_avail = linked.mechanisms[0].mech_avail;
    for (i = 0; i < linked.mechanism_count; i++)
        linked.mechanisms[i].mech_avail = keep_params;
    connection = program_connection();
    assert_int_equal(sasl_listmech(connection, NULL, "", " ", "", &list, NULL, NULL), SASL_OK);
    assert_non_null(params);
    return connection;
}

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                           sasl_auxprop_plug_t **plug, const char *plugname);
int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount);

static void parameters_of_init(void **state)
{
    const int auxprop = SASL_AUXPROP_PLUG_VERSION, server = SASL_SERVER_PLUG_VERSION;
    const sasl_utils_t *utils;
    sasl_auxprop_plug_t *plug = NULL;
    sasl_server_plug_t *list = NULL;
    int version = -1, count = -1;

    (void)state;
    start("");
    utils = linked.utils;
    assert_int_equal(sasl_auxprop_plug_init(NULL, auxprop, &version, &plug, ""), SASL_BADPARAM);
    assert_int_equal(sasl_auxprop_plug_init(utils, auxprop, NULL, &plug, ""), SASL_BADPARAM);
    assert_int_equal(sasl_auxprop_plug_init(utils, auxprop, &version, NULL, ""), SASL_BADPARAM);
    assert_int_equal(sasl_auxprop_plug_init(utils, auxprop - 1, &version, &plug, ""), SASL_BADVERS);
    assert_int_equal(sasl_server_plug_init(NULL, server, &version, &list, &count), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server, NULL, &list, &count), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server, &version, NULL, &count), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server, &version, &list, NULL), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server - 1, &version, &list, &count),
                     SASL_BADVERS);
    assert_null(plug);
    assert_null(list);
    assert_int_equal(version, -1);
    assert_int_equal(count, -1);
    program_stop();
}

/* No mechanism of ours protects what follows the login. */
static void security_layer_is_demanded(void **state)
{
    sasl_conn_t *connection;
    int i;

    (void)state;
    start("pwcheck_method: authdaemond\n");
    connection = connection_with_params();
    for (i = 0; i < linked.mechanism_count; i++) {
        params->props.min_ssf = 1;
        params->external_ssf = 0;
        assert_int_equal(real_avail(linked.mechanisms[i].glob_context, params, NULL), SASL_NOTDONE);
        params->external_ssf = 1;
        assert_int_equal(real_avail(linked.mechanisms[i].glob_context, params, NULL), SASL_OK);
    }
    sasl_dispose(&connection);
    program_stop();
}

static void challenge_of_a_host_without_a_name(void **state)
{
    const sasl_server_plug_t *mechanism;
    sasl_conn_t *connection;
    sasl_server_params_t nameless;
    sasl_out_params_t oparams = {.doneflag = 0};
    void *context = NULL;
    const char *reply;
    unsigned length;

    (void)state;
    start("pwcheck_method: authdaemond\n");
    connection = connection_with_params();
    nameless = *params;
    nameless.serverFQDN = NULL;
    mechanism = &linked.mechanisms[2];
    assert_string_equal(mechanism->mech_name, "CRAM-MD5");
    assert_int_equal(mechanism->mech_new(mechanism->glob_context, &nameless, NULL, 0, &context),
                     SASL_OK);
    assert_int_equal(mechanism->mech_step(context, &nameless, NULL, 0, &reply, &length, &oparams),
                     SASL_CONTINUE);
    assert_true(length > 34);
    assert_int_equal(reply[0], '<');
    assert_memory_equal(reply + length - 2, "@>", 2);
    mechanism->mech_dispose(context, nameless.utils);
    sasl_dispose(&connection);
    program_stop();
}

/* The utils of a host, of which a test replaces some. */
static sasl_utils_t utils;

static int requests_fail(struct propctx *properties, const char **names)
{
    (void)properties, (void)names;
    return SASL_NOMEM;
}

static void no_property_can_be_requested(void **state)
{
    const sasl_utils_t *own;
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    start("");
    connection = connection_with_params();
    own = params->utils;
    utils = *own;
    utils.prop_request = requests_fail;
    params->utils = &utils;
    assert_int_equal(sasl_server_start(connection, "PLAIN", RIGHT_MESSAGE, &reply, &length),
                     SASL_NOMEM);
    params->utils = own;
    sasl_dispose(&connection);
    assert_int_equal(program_log_count("ERR PLAIN: user \"" USER "\": out of memory"), 1);
    program_stop();
}

static const struct propval *gets_nothing(struct propctx *properties)
{
    (void)properties;
    return NULL;
}

static int finds_no_names(struct propctx *properties, const char **names, struct propval *values)
{
    (void)properties;
    for (; *names != NULL; names++)
        *values++ = (struct propval){NULL, NULL, 0, 0};
    return 0;
}

/* There is nothing to erase then, either. */
static void authorization_identity_without_properties(void **state)
{
    const sasl_utils_t *own;
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    canon_flags = 0;
    start_with_canon_user("pwcheck_method: authdaemond\nsql_select: dummy\n");
    connection = connection_with_params();
    own = params->utils;
    utils = *own;
    utils.prop_get = gets_nothing;
    params->utils = &utils;
    assert_int_equal(
        sasl_server_start(connection, "PLAIN", MESSAGE("bob\0" USER "\0" RIGHT), &reply, &length),
        SASL_OK);
    params->utils = own;
    sasl_dispose(&connection);
    program_stop();
}

/* A lookup or a store of a host that has no properties to show. */
static void no_property_can_be_read(void **state)
{
    struct propctx *properties = prop_new(0);
    sasl_server_params_t sparams = {
        .service = "smtp", .serverFQDN = "mx.example.com", .utils = &utils, .propctx = properties};

    (void)state;
    start("");
    utils = *linked.utils;
    utils.prop_get = gets_nothing;
    assert_int_equal(linked.auxprop->auxprop_lookup(linked.auxprop->glob_context, &sparams, 0, USER,
                                                    strlen(USER)),
                     SASL_NOMEM);
    assert_int_equal(linked.auxprop->auxprop_store(linked.auxprop->glob_context, &sparams,
                                                   properties, USER, strlen(USER)),
                     SASL_NOMEM);
    assert_int_equal(program_log_count("sqlcrypt: nothing was stored: out of memory"), 1);
    prop_dispose(&properties);
    program_stop();
}

static void null_parameters_of_auxprop(void **state)
{
    sasl_auxprop_plug_t *plug;
    void *backend;
    struct propctx *properties = prop_new(0);
    sasl_server_params_t sparams = {.serverFQDN = "mx", .propctx = properties};

    (void)state;
    start("");
    plug = linked.auxprop;
    backend = plug->glob_context;
    sparams.utils = linked.utils;
    assert_int_equal(plug->auxprop_lookup(NULL, &sparams, 0, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_lookup(backend, NULL, 0, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_lookup(backend, &sparams, 0, NULL, 0), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_store(NULL, &sparams, properties, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_store(backend, NULL, properties, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_store(backend, &sparams, properties, NULL, 0), SASL_BADPARAM);
    /* a NUL, which no row can have */
    assert_int_equal(plug->auxprop_lookup(backend, &sparams, 0, MESSAGE("a\0b")), SASL_NOUSER);
    assert_int_equal(plug->auxprop_store(backend, &sparams, properties, MESSAGE("a\0b")),
                     SASL_BADPARAM);
    prop_dispose(&properties);
    /* nothing to free, and nothing of what there is */
    sql_plugin_free(NULL);
    verifier_free(NULL);
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    program_stop();
}

/* A host that compares a hash itself asks for the password once more, and one may ask for all
 * once more. */
static void lookup_that_overrides(void **state)
{
    static const struct {
        unsigned flags;
        const char *want[2];
    } cases[] = {
        {0, {"of another", "of another"}},
        {SASL_AUXPROP_VERIFY_AGAINST_HASH, {RIGHT, "of another"}},
        {SASL_AUXPROP_OVERRIDE, {RIGHT, "a@b"}},
        {SASL_AUXPROP_OVERRIDE | SASL_AUXPROP_AUTHZID, {"of another", "of another"}},
    };
    const char *names[] = {"*userPassword", "*mail", NULL};
    size_t i, j;

    (void)state;
    start("password_format: plain\n");
    run_sql(DATABASE, "UPDATE users SET userPassword = '" RIGHT "'");
    for (i = 0; i < COUNT(cases); i++) {
        struct propctx *properties = prop_new(0);
        struct propval values[3];
        sasl_server_params_t sparams = {.service = "smtp",
                                        .serverFQDN = "example.com",
                                        .user_realm = i % 2 == 0 ? "example.com" : NULL,
                                        .utils = linked.utils,
                                        .propctx = properties};

        assert_int_equal(prop_request(properties, names), SASL_OK);
        for (j = 0; j < 2; j++)
            assert_int_equal(prop_set(properties, names[j], "of another", -1), SASL_OK);
        assert_int_equal(linked.auxprop->auxprop_lookup(linked.auxprop->glob_context, &sparams,
                                                        cases[i].flags, USER, strlen(USER)),
                         SASL_OK);
        assert_int_equal(prop_getnames(properties, names, values), 2);
        for (j = 0; j < 2; j++) {
            assert_string_equal(values[j].values[0], cases[i].want[j]);
            assert_null(values[j].values[1]);
        }
        prop_dispose(&properties);
    }
    program_stop();
}

/* --- functions of the plug-ins */

/* What libsasl2 has not kept of the request is not taken for a password. */
static void properties_that_are_not_there(void **state)
{
    static const struct {
        int lookup_result;
        enum verdict want;
    } cases[] = {
        {SASL_OK, VERDICT_NO_USER},
        {SASL_NOUSER, VERDICT_NO_USER},
        {SASL_NOMECH, VERDICT_UNAVAILABLE},
        {SASL_FAIL, VERDICT_UNAVAILABLE},
    };
    const struct bytes password = bytes_of(RIGHT);
    sasl_server_params_t sparams = {.utils = &utils};
    struct password_policy *policy;
    struct reason reason;
    size_t i;

    (void)state;
    start("");
    utils = *linked.utils;
    utils.prop_getnames = finds_no_names;
    policy = password_policy_new("crypt", "MD5-CRYPT", NULL, &reason);
    assert_non_null(policy);
    for (i = 0; i < COUNT(cases); i++) {
        struct auxprop_trace trace = {true, true, true};

        assert_verdict(
            auxprop_check(&sparams, policy, cases[i].lookup_result, password, &trace, &reason),
            cases[i].want);
        assert_false(trace.outage_logged);
        assert_false(trace.looked_up);
        assert_false(trace.by_realm);
    }
    password_policy_free(policy);
    program_stop();
}

static int callback_result;
static sasl_callback_ft callback_function;

static int get_callback(sasl_conn_t *connection, unsigned long id, sasl_callback_ft *function,
                        void **context)
{
    (void)connection, (void)id, (void)context;
    *function = callback_function;
    return callback_result;
}

static int says_yes(sasl_conn_t *connection, void *context, const char *user, const char *password,
                    unsigned length, struct propctx *properties)
{
    (void)connection, (void)context, (void)user, (void)password, (void)length, (void)properties;
    return SASL_OK;
}

/* Only that no connection has one is kept in mind. */
static void callback_that_is_none(void **state)
{
    const sasl_callback_t others[] = {
        callback(SASL_CB_PROXY_POLICY, (any_function)anybody),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    const sasl_callback_t own[] = {
        callback(SASL_CB_PROXY_POLICY, (any_function)anybody),
        callback(SASL_CB_SERVER_USERDB_CHECKPASS, (any_function)says_yes),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    const struct {
        const sasl_callback_t *callbacks;
        int result;
        bool has_function, want, want_none;
    } cases[] = {
        {NULL, SASL_FAIL, false, false, true},  {NULL, SASL_OK, false, false, true},
        {NULL, SASL_OK, true, true, false},     {others, SASL_FAIL, false, false, true},
        {others, SASL_OK, true, true, false},   {own, SASL_FAIL, false, false, false},
        {own, SASL_OK, false, false, false},    {own, SASL_OK, true, true, false},
        {others, SASL_FAIL, true, false, true},
    };
    const struct bytes password = bytes_of(RIGHT);
    size_t i;

    (void)state;
    utils = (sasl_utils_t){.getcallback = get_callback};
    for (i = 0; i < COUNT(cases); i++) {
        sasl_server_params_t sparams = {.utils = &utils, .callbacks = cases[i].callbacks};
        atomic_bool none = false;

        callback_result = cases[i].result;
        callback_function = cases[i].has_function ? (sasl_callback_ft)(any_function)says_yes : NULL;
        assert_int_equal(libsasl_check_callback(&sparams, USER, password, &none), cases[i].want);
        assert_int_equal(none, cases[i].want_none);
        /* and it is not asked for again */
        callback_result = SASL_OK;
        callback_function = (sasl_callback_ft)(any_function)says_yes;
        assert_int_equal(libsasl_check_callback(&sparams, USER, password, &none),
                         !cases[i].want_none);
    }
}

/* --- the list */

static void add(struct test_list *list, CMUnitTestFunction run, const void *row, const char *group,
                const char *name)
{
    struct CMUnitTest *test = test_add(list, run, row, group, name);

    test->setup_func = set_up;
    test->teardown_func = tear_down;
}

#define ADD(function) add(&list, function, NULL, "", #function)
#define ADD_CASES(function, cases)                                                                 \
    for (i = 0; i < COUNT(cases); i++)                                                             \
    add(&list, function, &(cases)[i], #function, (cases)[i].name)

int main(void)
{
    struct test_list list = {0};
    size_t i;

    linked_prepare();
    alarm(300);
    ADD_CASES(no_canonical_name, canon_cases);
    ADD_CASES(no_canonical_authorization_identity, canon_cases);
    ADD(authorization_identity_is_not_utf8);
    ADD(authorization_identity_without_auxprop);
    ADD(authdaemond_comes_late);
    ADD(no_method_for_challenges);
    ADD(another_method_of_one_connection);
    ADD(option_without_a_value);
    ADD(long_name_of_a_method);
    ADD(connection_without_addresses);
    ADD_CASES(option_of_authdaemond, daemon_options);
    ADD(service_that_is_sent);
    ADD(other_name_of_the_path);
    ADD(control_character_in_a_name);
    ADD_CASES(response_to_a_challenge, responses);
    ADD(challenge_without_random_bytes);
    ADD(no_auxprop_plugin_at_all);
    ADD(another_auxprop_plugin_fails);
    ADD(disabled_account_and_a_challenge);
    ADD(outcome_that_is_not_ours);
    ADD(properties_of_the_authorization_identity);
    ADD(no_random_bytes_beside_the_stock_plugin);
    ADD(others_where_there_is_no_sql);
    ADD(answer_of_libsasl2);
    ADD_CASES(store_in_a_transaction, transactions);
    ADD_CASES(host_that_loses_a_store_comes_last, endings);
    ADD(no_session_to_store_with);
    ADD(all_sessions_in_use);
    ADD(folder_of_the_drivers);
    ADD(lost_between_two_properties);
    ADD_CASES(store_that_is_not_possible, unusable_stores);
    ADD(parameters_of_init);
    ADD(security_layer_is_demanded);
    ADD(challenge_of_a_host_without_a_name);
    ADD(no_property_can_be_requested);
    ADD(authorization_identity_without_properties);
    ADD(no_property_can_be_read);
    ADD(null_parameters_of_auxprop);
    ADD(lookup_that_overrides);
    ADD(properties_that_are_not_there);
    ADD(callback_that_is_none);
    return test_run("plugin_failures", &list);
}
