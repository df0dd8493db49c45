/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The mechanisms when what they rely on fails: callbacks of the program, libsasl2, authdaemond,
 * the system's random bytes. The real libsasl2 is used wherever it can be made to fail.
 */

#include "mechanisms/libsasl_check.h"
#include "support/failures.h"

static bool is_checkpass_scripted; /* see answer_of_libsasl2() */

static int tear_down(void **state)
{
    is_checkpass_scripted = false;
    return failures_end(state);
}

/* --- names that cannot be made canonical */

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
    /* A wrong password does not get that far. */
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

/* Without an auxprop plug-in, none knows the user whose rights are used. */
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

/* --- unusual connections */

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

/* A connection whose pwcheck_method differs from the program's. */
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

/* A method that was not named when the program started has not been set up. */
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

/* A program that knows an option, but no value for it. */
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

/* No method has such a long name; the copy of it is truncated. */
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
        assert_int_equal(program_log_count(row->want), 4); /* two of them from the method */
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

/* What any libsasl2 may return, from methods that not every one has. */
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

/* --- the list */

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
    ADD(answer_of_libsasl2);
    return test_run("plugin_failures", &list);
}
