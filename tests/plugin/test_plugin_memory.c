/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Every allocation of the plug-ins fails once, in a program that uses the real libsasl2:
 * while it starts, in logins by each mechanism and each method, and in stores. Then the right
 * password is not reported as wrong, a wrong one does not log in, and the log says why.
 * Allocations of libsasl2 fail as well. Leaks show under ASan and valgrind.
 */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "support/hashes.h"
#include "support/linked_plugins.h"
#include "support/sasl_program.h"
#include "support/scripted_authdaemond.h"
#include "support/sqlite_table.h"
#include "support/unit.h"

#define DATABASE "users.db"
#define USER "alice"
#define RIGHT "correct horse"
#define RIGHT_MD5 "3cb4e732631f47e6eb961f34554b7cde"
#define SETTING "$1$abcdefgh"

enum { MOST_ALLOCATIONS = 2000 };

/* --- the program */

/* Lines of `options` come first, so that they win. With "sql_select: dummy" no auxprop plug-in
 * is named. */
static const char *configuration(const char *options)
{
    static char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "log_level: 5\n"
             "password_format: crypt\n"
             "password_store_scheme: MD5-CRYPT\n"
             "%s"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n"
             "sql_timeout: 1\n"
             "authdaemond_path: %s/authdaemond\n"
             "authdaemond_service: esmtp\n"
             "authdaemond_send_remote_ip: yes\n"
             "authdaemond_require_options: group=sales\n%s",
             options, strstr(options, "dummy") == NULL ? "auxprop_plugin: sqlcrypt\n" : "",
             folder(), folder(),
             "sql_select: SELECT %p FROM users WHERE name='%u' AND realm='%r' AND '%a' <> ''\n"
             "sql_insert: INSERT INTO users (name, realm, %p) VALUES ('%u', '%r', '%v')\n"
             "sql_update: UPDATE users SET %p = '%v' WHERE name='%u' AND realm='%r'\n");
    return text;
}

/* A plug-in with the name of the stock one. Like that one, it hands out what is stored for every
 * requested property that has no value. */
static char stored[200];

static int hand_out_stored(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                           const char *user, unsigned length)
{
    const struct propval *property = sparams->utils->prop_get(sparams->propctx);

    (void)glob_context, (void)user, (void)length;
    for (; property != NULL && property->name != NULL; property++)
        if ((property->name[0] == '*') == ((flags & SASL_AUXPROP_AUTHZID) == 0) &&
            property->values == NULL)
            sparams->utils->prop_set(sparams->propctx, property->name, stored, -1);
    return SASL_OK;
}

static int init_stock(const sasl_utils_t *utils, int max_version, int *version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static char own_name[] = "sql";
    static sasl_auxprop_plug_t stock = {.auxprop_lookup = hand_out_stored, .name = own_name};

    (void)utils, (void)max_version, (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &stock;
    return SASL_OK;
}

/* Another one, which knows no user. */
static int know_nobody(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                       const char *user, unsigned length)
{
    (void)glob_context, (void)sparams, (void)flags, (void)user, (void)length;
    return SASL_NOUSER;
}

static int init_other(const sasl_utils_t *utils, int max_version, int *version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static char own_name[] = "other";
    static sasl_auxprop_plug_t other = {.auxprop_lookup = know_nobody, .name = own_name};

    (void)utils, (void)max_version, (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &other;
    return SASL_OK;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(stored, sizeof(stored), "%s", hash_of(RIGHT, SETTING));
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, realm TEXT, userPassword TEXT, mail TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('" USER "', 'example.com', '%s', 'a@b')", stored);
    authdaemond_start(USER "@example.com", RIGHT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_succeed();
    program_abandon();
    authdaemond_stop();
    folder_remove();
    return 0;
}

/* --- what is attempted, on an existing connection */

static const char *typed;

static int plain_for(sasl_conn_t *connection, const char *authzid)
{
    char message[500];
    int length = snprintf(message, sizeof(message), "%s%c" USER "%c%s", authzid, 0, 0, typed);
    const char *reply;
    unsigned reply_length;

    return sasl_server_start(connection, "PLAIN", message, (unsigned)length, &reply, &reply_length);
}

static int plain(sasl_conn_t *connection)
{
    return plain_for(connection, "");
}

static int plain_for_another(sasl_conn_t *connection)
{
    return plain_for(connection, "bob");
}

static int login(sasl_conn_t *connection)
{
    const char *reply;
    unsigned length;
    int result = sasl_server_start(connection, "LOGIN", NULL, 0, &reply, &length);

    if (result == SASL_CONTINUE)
        result = sasl_server_step(connection, USER, strlen(USER), &reply, &length);
    if (result == SASL_CONTINUE)
        result = sasl_server_step(connection, typed, (unsigned)strlen(typed), &reply, &length);
    return result;
}

static int cram(sasl_conn_t *connection, const char *mechanism, const EVP_MD *method)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char response[500] = USER " ";
    const char *challenge;
    unsigned length, digest_length, i;
    int result = sasl_server_start(connection, mechanism, NULL, 0, &challenge, &length);

    if (result != SASL_CONTINUE)
        return result;
    HMAC(method, typed, (int)strlen(typed), (const unsigned char *)challenge, length, digest,
         &digest_length);
    for (i = 0; i < digest_length; i++)
        snprintf(response + strlen(USER " ") + 2 * i, 3, "%02x", digest[i]);
    return sasl_server_step(connection, response, (unsigned)strlen(response), &challenge, &length);
}

static int cram_md5(sasl_conn_t *connection)
{
    return cram(connection, "CRAM-MD5", EVP_md5());
}

static int cram_sha1(sasl_conn_t *connection)
{
    return cram(connection, "CRAM-SHA1", EVP_sha1());
}

static int cram_sha256(sasl_conn_t *connection)
{
    return cram(connection, "CRAM-SHA256", EVP_sha256());
}

/* --- the sweeps */

static int anybody(sasl_conn_t *connection, void *context, const char *requested,
                   unsigned requested_length, const char *user, unsigned length, const char *realm,
                   unsigned realm_length, struct propctx *properties)
{
    (void)connection, (void)context, (void)requested, (void)requested_length, (void)user;
    (void)length, (void)realm, (void)realm_length, (void)properties;
    return SASL_OK;
}

static void start(const char *options, bool beside_stock)
{
    typedef void (*any_function)(void);
    const sasl_callback_t permissive[] = {
        {SASL_CB_PROXY_POLICY, (int (*)(void))(any_function)anybody, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };

    linked_start(configuration(options), permissive);
    if (beside_stock) {
        assert_int_equal(sasl_auxprop_add_plugin("sql", init_stock), SASL_OK);
        assert_int_equal(sasl_auxprop_add_plugin("other", init_other), SASL_OK);
    }
    program_secret(stored);
}

static sasl_conn_t *connect_with_requests(void)
{
    const char *properties[] = {"*mail", "mail", "*noSuchColumn", NULL};
    sasl_conn_t *connection = program_connection();

    assert_int_equal(sasl_auxprop_request(connection, properties), SASL_OK);
    return connection;
}

static const struct login_case {
    const char *name;
    const char *options;
    int (*attempt)(sasl_conn_t *connection);
    unsigned outages; /* at least that many failures are outages; the rest does not matter */
    const char *stored;
    bool beside_stock;
    int want_wrong; /* for a wrong password, if it is not SASL_BADAUTH */
} logins[] = {
    {"PLAIN, auxprop", "", plain, 20, NULL, false, 0},
    {"PLAIN for another, auxprop", "", plain_for_another, 20, NULL, false, 0},
    {"LOGIN, auxprop", "", login, 20, NULL, false, 0},
    {"PLAIN, auxprop, beside the stock plug-in", "auxprop_plugin: sqlcrypt sql\n", plain, 20, NULL,
     true, 0},
    {"PLAIN, md5", "password_format: md5\n", plain, 20, RIGHT_MD5, false, 0},
    {"PLAIN, clear text", "password_format: plain\n", plain, 20, RIGHT, false, 0},
    {"PLAIN, authdaemond", "pwcheck_method: authdaemond\n", plain, 5, NULL, false, 0},
    {"PLAIN for another, authdaemond", "pwcheck_method: authdaemond\n", plain_for_another, 5, NULL,
     false, 0},
    {"LOGIN, authdaemond", "pwcheck_method: authdaemond\n", login, 5, NULL, false, 0},
    {"PLAIN, authdaemond, no SQL", "pwcheck_method: authdaemond\nsql_select: dummy\n", plain, 5,
     NULL, true, 0},
    {"CRAM-MD5", "pwcheck_method: authdaemond\n", cram_md5, 8, NULL, false, 0},
    {"CRAM-SHA1", "pwcheck_method: authdaemond\n", cram_sha1, 8, NULL, false, 0},
    {"CRAM-SHA256", "pwcheck_method: authdaemond\n", cram_sha256, 8, NULL, false, 0},
    {"PLAIN, two methods", "pwcheck_method: auxprop authdaemond\n", plain, 1, NULL, false, 0},
    {"PLAIN, a method of libsasl2", "pwcheck_method: saslauthd auxprop\nsaslauthd_path: /no/mux\n",
     plain, 1, NULL, false, SASL_UNAVAIL},
};

/* Whether that is an answer to lack of memory. */
static bool is_outage(int result)
{
    return result == SASL_NOMEM || result == SASL_UNAVAIL;
}

/* One login in a program of its own, whose first allocations succeed. Returns false once
 * none has failed. */
static bool log_in(const struct login_case *row, int allocations, enum memory_kind kind, int want,
                   unsigned *outages)
{
    sasl_conn_t *connection;
    int result;

    start(row->options, row->beside_stock);
    assert_int_equal(linked.mechanisms_result, SASL_OK);
    connection = kind == MEMORY_OF_LIBSASL2 ? program_connection() : connect_with_requests();
    program_clear_log();
    memory_fail_after(allocations, kind);
    result = row->attempt(connection);
    memory_succeed();
    if (result != want && (memory_failures() == 0 || !is_outage(result)))
        print_error("allocation %d: result %d, want %d\n%s", allocations + 1, result, want,
                    program_log());
    assert_true(result == want || (memory_failures() > 0 && is_outage(result)));
    if (result == SASL_UNAVAIL && want != SASL_UNAVAIL)
        assert_contains(program_log(), "out of memory");
    *outages += result != want;
    sasl_dispose(&connection);
    program_stop();
    return memory_failures() > 0;
}

static void log_in_with_each_failure(const struct login_case *row, enum memory_kind kind, int want)
{
    unsigned outages = 0;
    int allocations = 0;

    typed = want == SASL_OK ? RIGHT : "wrong";
    while (log_in(row, allocations, kind, want, &outages))
        assert_true(++allocations < MOST_ALLOCATIONS);
    print_message("# %d allocations, %u outages\n", allocations, outages);
    assert_true(outages >= row->outages);
}

static void store_for_case(const struct login_case *row)
{
    if (row->stored != NULL)
        run_sql(DATABASE, "UPDATE users SET userPassword = '%s'", row->stored);
}

static void right_password(void **state)
{
    store_for_case(*state);
    log_in_with_each_failure(*state, MEMORY_ONCE, SASL_OK);
    log_in_with_each_failure(*state, MEMORY_FOR_GOOD, SASL_OK);
}

static void wrong_password(void **state)
{
    const struct login_case *row = *state;
    int want = row->want_wrong != 0 ? row->want_wrong : SASL_BADAUTH;

    store_for_case(row);
    log_in_with_each_failure(row, MEMORY_ONCE, want);
    log_in_with_each_failure(row, MEMORY_FOR_GOOD, want);
}

static void libsasl2_fails(void **state)
{
    store_for_case(*state);
    log_in_with_each_failure(*state, MEMORY_OF_LIBSASL2, SASL_OK);
}

/* --- the start of a program */

static const struct start_case {
    const char *name;
    const char *options;
} starts[] = {
    {"auxprop", "sql_hostnames: a, b\nsql_user: u\n"},
    {"both methods", "pwcheck_method: auxprop authdaemond\n"},
    {"authdaemond", "pwcheck_method: authdaemond\n"},
    {"authdaemond, its other name",
     "pwcheck_method: authdaemond\nauthdaemond_socket: /no/socket\nsql_host: db\n"},
};

/* A failed setup is no reason to report a password as wrong. Returns false once no
 * allocation has failed. */
static bool start_and_log_in(const struct start_case *row, int allocations, unsigned *outages)
{
    sasl_conn_t *connection;
    int result;

    program_start_with(folder(), configuration(row->options), NULL);
    program_secret(stored);
    memory_fail_after(allocations, MEMORY_ONCE);
    linked_add_plugins();
    memory_succeed();
    connection = program_connection();
    result = plain(connection);
    if (result != SASL_OK &&
        (memory_failures() == 0 || !(is_outage(result) || linked.mechanisms_result == SASL_NOMEM)))
        print_error("allocation %d: result %d\n%s", allocations + 1, result, program_log());
    if (linked.mechanisms_result != SASL_OK) {
        assert_int_equal(linked.mechanisms_result, SASL_NOMEM);
        assert_int_equal(result, SASL_NOMECH);
    } else {
        assert_true(result == SASL_OK || is_outage(result));
    }
    assert_true(result == SASL_OK || memory_failures() > 0);
    *outages += result != SASL_OK;
    sasl_dispose(&connection);
    program_stop();
    return memory_failures() > 0;
}

static void starts_with_each_failure(void **state)
{
    unsigned outages = 0;
    int allocations = 0;

    typed = RIGHT;
    while (start_and_log_in(*state, allocations, &outages))
        assert_true(++allocations < MOST_ALLOCATIONS);
    print_message("# %d allocations, %u outages\n", allocations, outages);
    assert_true(outages >= 5);
}

/* --- stores */

static const struct store_case {
    const char *name;
    const char *options;
    const char *property;
    const char *user;
} stores[] = {
    {"a password, crypt", "", "userPassword", USER "@example.com"},
    {"a password, md5", "password_format: md5\n", "userPassword", USER "@example.com"},
    {"a password, clear text", "password_format: plain\n", "userPassword", USER "@example.com"},
    {"a password of a new user", "", "userPassword", "bob@example.com"},
    {"a property", "", "mail", USER "@example.com"},
};

/* Everything in the table. */
static char *rows(void)
{
    return read_sql(DATABASE, "SELECT group_concat(name || userPassword || ifnull(mail, '')) "
                              "FROM users");
}

/* Returns false once no allocation has failed. */
static bool store(const struct store_case *row, int allocations)
{
    const char *names[] = {row->property, NULL};
    struct propctx *properties = prop_new(0);
    sasl_conn_t *connection;
    char *before = rows(), *after;
    int result;

    start(row->options, false);
    program_secret("open sesame");
    connection = program_connection();
    assert_int_equal(prop_request(properties, names), SASL_OK);
    assert_int_equal(prop_set(properties, row->property, "open sesame", -1), SASL_OK);
    program_clear_log();
    memory_fail_after(allocations, MEMORY_ONCE);
    result = sasl_auxprop_store(connection, properties, row->user);
    memory_succeed();
    after = rows();
    if (memory_failures() == 0 || result == SASL_OK) {
        assert_int_equal(result, SASL_OK);
        assert_string_not_equal(before, after);
    } else {
        assert_true(is_outage(result));
        assert_string_equal(before, after);
        assert_contains(program_log(), "out of memory");
    }
    free(before);
    free(after);
    prop_dispose(&properties);
    sasl_dispose(&connection);
    program_stop();
    return result != SASL_OK;
}

static void stores_nothing(void **state)
{
    int allocations = 0;

    while (store(*state, allocations))
        assert_true(++allocations < MOST_ALLOCATIONS);
    print_message("# %d allocations\n", allocations);
    assert_true(allocations >= 5);
}

static void add(struct test_list *list, CMUnitTestFunction run, const void *row, const char *group,
                const char *name)
{
    struct CMUnitTest *test = test_add(list, run, row, group, name);

    test->setup_func = set_up;
    test->teardown_func = tear_down;
}

int main(void)
{
    struct test_list list = {0};
    size_t i;

    linked_prepare();
    alarm(300);
    for (i = 0; i < COUNT(logins); i++) {
        add(&list, right_password, &logins[i], "right password", logins[i].name);
        add(&list, wrong_password, &logins[i], "wrong password", logins[i].name);
        /* Without memory, libsasl2's prop_clear(3) ends the process, and its
         * sasl_server_new(3), which the last one needs, crashes. */
        if (strstr(logins[i].options, "pwcheck_method: authdaemond") != NULL &&
            !logins[i].beside_stock)
            add(&list, libsasl2_fails, &logins[i], "libsasl2 fails", logins[i].name);
    }
    for (i = 0; i < COUNT(starts); i++)
        add(&list, starts_with_each_failure, &starts[i], "start", starts[i].name);
    for (i = 0; i < COUNT(stores); i++)
        add(&list, stores_nothing, &stores[i], "store", stores[i].name);
    return test_run("plugin_memory", &list);
}
