/* SPDX-License-Identifier: BSD-3-Clause */

/* Passwords that are stored through the real libsasl2: one table of cases for every engine that
 * is built, with exact result codes. */

#include <pthread.h>
#include <sasl/sasl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/alice.h"
#include "support/hostile_texts.h"

#define SETTING "$5$rounds=1000$salt"

/* --- what each test starts with */

/* Every test function starts with this. */
static const struct run *started(void **state)
{
    return make_alice(state, SETTING);
}

/* --- storing */

static const struct format {
    const char *name;
    const char *options;
    const char *want; /* the start of what is stored */
} formats[] = {
    {"default", "", "$"},
    {"bcrypt", "password_store_scheme: BLF-CRYPT\n", "$2y$"},
    {"MD5", "password_format: md5\n", "c8dae1c50e092f3d877192fc555b1dcf"},
    {"plain", "password_format: plain\n", "sesame"},
};

static void stores(void **state)
{
    const struct format *row = started(state)->row;

    program_secret("sesame");
    program_secret("another");
    start(row->options);
    expect("bob", "sesame", SASL_BADAUTH);
    assert_int_equal(set_password("bob@example.com", "sesame"), SASL_OK);
    expect_stored("bob", row->want);
    expect("bob", "sesame", SASL_OK);
    assert_int_equal(set_password("bob@example.com", "another"), SASL_OK);
    expect("bob", "sesame", SASL_BADAUTH);
    expect("bob", "another", SASL_OK);
    /* The same again, which changes nothing if it is stored in clear text. */
    assert_int_equal(set_password("bob@example.com", "another"), SASL_OK);
    expect("bob", "another", SASL_OK);
    assert_int_equal(mail_users_count(), 2);
    assert_int_equal(set_password("bob@example.com", NULL), SASL_OK);
    assert_null(mail_users_stored("bob"));
    expect("bob", "another", SASL_BADAUTH);
    assert_int_equal(set_password("nobody@example.com", NULL), SASL_NOUSER);
    expect_stored("alice", SETTING);
    program_stop();
}

static void stores_text_as_text(void **state)
{
    const struct hostile *row = started(state)->row;
    char address[200], password[200];

    if (strchr(row->text, '@') != NULL)
        snprintf(address, sizeof(address), "%s", row->text);
    else
        snprintf(address, sizeof(address), "%s@example.com", row->text);
    snprintf(password, sizeof(password), "pw %s", row->text);
    program_secret(password);
    start("password_format: plain\n");
    assert_int_equal(set_password(address, password), SASL_OK);
    assert_int_equal(mail_users_count(), 2);
    expect(row->text, password, SASL_OK);
    expect(row->text, row->text, SASL_BADAUTH);
    assert_int_equal(set_password(address, "short and new"), SASL_OK);
    expect(row->text, "short and new", SASL_OK);
    expect(row->text, password, SASL_BADAUTH);
    assert_int_equal(mail_users_count(), 2);
    expect_stored("alice", SETTING);
    program_stop();
}

static const struct failure {
    const char *name;
    const char *option;
    const char *statements; /* before the program starts */
    const char *want_in_log;
} failures[] = {
    {"no such column", "sql_update: UPDATE users SET passwd = '%v' WHERE name = '%u'\n", NULL,
     "passwd"},
    {"changes nothing", "sql_update: UPDATE users SET password = '%v' WHERE name = 'x'\n", NULL,
     "changed no row"},
    {"syntax error", "sql_update: UPDATE users SET password '%v' WHERE name = '%u'\n", NULL,
     "nothing was stored"},
    {"constraint", "",
     "CREATE TABLE strict (name VARCHAR(64), realm VARCHAR(64),"
     " password VARCHAR(200) CHECK (password LIKE '$5$%'));"
     "INSERT INTO strict SELECT name, realm, password FROM users;"
     "DROP TABLE users; ALTER TABLE strict RENAME TO users",
     "nothing was stored"},
    {"two rows", "", "INSERT INTO users SELECT * FROM users WHERE name = 'bob'",
     "more than one row"},
};

static void keeps_the_old_value(void **state)
{
    const struct failure *row = started(state)->row;

    mail_users_add("bob", hash_of("old sesame", SETTING));
    if (row->statements != NULL)
        mail_users_run(row->statements);
    program_secret("old sesame");
    program_secret("new sesame");
    start(row->option);
    assert_int_equal(set_password("bob@example.com", "new sesame"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR sqlcrypt: nothing was stored"), 1);
    assert_contains(program_log(), row->want_in_log);
    expect_stored("bob", SETTING);
    expect_stored("alice", SETTING);
    if (strcmp(row->name, "two rows") != 0) {
        expect("bob", "old sesame", SASL_OK);
        expect("bob", "new sesame", SASL_BADAUTH);
    }
    expect("alice", RIGHT, SASL_OK);
    program_stop();
}

/* Two properties, one of which cannot be stored: neither is. */
static void stores_all_or_nothing(void **state)
{
    const char *names[] = {"address", "noSuchColumn", NULL};
    struct propctx *context = prop_new(0);
    sasl_conn_t *connection;
    char *address;

    started(state);
    start("sql_select: SELECT %p FROM users WHERE name = '%u'\n"
          "sql_insert: INSERT INTO users (name, %p) VALUES ('%u', '%v')\n"
          "sql_update: UPDATE users SET %p = '%v' WHERE name = '%u'\n");
    assert_int_equal(prop_request(context, names), SASL_OK);
    assert_int_equal(prop_set(context, "address", "new", 0), SASL_OK);
    connection = program_connection();
    assert_int_equal(sasl_auxprop_store(connection, context, "alice@example.com"), SASL_OK);
    assert_int_equal(prop_set(context, "address", NULL, 0), SASL_OK);
    prop_clear(context, 0);
    assert_int_equal(prop_set(context, "address", "newer", 0), SASL_OK);
    assert_int_equal(prop_set(context, "noSuchColumn", "x", 0), SASL_OK);
    assert_int_equal(sasl_auxprop_store(connection, context, "alice@example.com"), SASL_UNAVAIL);
    address = mail_users_query("SELECT address FROM users WHERE name = 'alice'");
    assert_non_null(address);
    assert_string_equal(address, "new");
    free(address);
    sasl_dispose(&connection);
    prop_dispose(&context);
    program_stop();
}

/* --- taking passwords over from elsewhere */

/* Reads one of the four strings of a question to saslauthd(8). */
static bool read_string(int client, char *text, size_t size)
{
    unsigned char length[2];
    size_t count;

    if (recv(client, length, sizeof(length), MSG_WAITALL) != sizeof(length))
        return false;
    count = (size_t)length[0] << 8 | length[1];
    if (count >= size || recv(client, text, count, MSG_WAITALL) != (ssize_t)count)
        return false;
    text[count] = '\0';
    return true;
}

/* Stands in for saslauthd(8), until its socket is shut down: every user's
 * password is "sesame". */
static void *be_saslauthd(void *context)
{
    const int *listener = context;
    int client;

    while ((client = accept(*listener, NULL, NULL)) >= 0) {
        char texts[4][300];
        size_t i = 0;

        while (i < COUNT(texts) && read_string(client, texts[i], sizeof(texts[i])))
            i++;
        send(client, strcmp(texts[1], "sesame") == 0 && i == COUNT(texts) ? "\0\2OK" : "\0\2NO", 4,
             MSG_NOSIGNAL);
        close(client);
    }
    return NULL;
}

static void takes_over(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char directory[80], options[300];
    pthread_t thread;
    int listener;

    started(state);
    program_secret("sesame");
    test_directory(directory, sizeof(directory));
    snprintf(name.sun_path, sizeof(name.sun_path), "%s/mux", directory);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(pthread_create(&thread, NULL, be_saslauthd, &listener), 0);
    snprintf(options, sizeof(options),
             "auto_transition: yes\npwcheck_method: saslauthd\nsaslauthd_path: %s\n",
             name.sun_path);
    start(options);
    expect("bob", "wrong", SASL_BADAUTH);
    assert_int_equal(mail_users_count(), 1);
    assert_int_equal(login_plain("bob", "sesame"), SASL_OK);
    expect_stored("bob", "$");
    assert_int_equal(login_login("carol", "sesame"), SASL_OK);
    expect_stored("carol", "$");
    assert_int_equal(login_plain("alice", "sesame"), SASL_OK);
    assert_int_equal(mail_users_count(), 3);
    shutdown(listener, SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(listener);
    test_directory_remove(directory);
    expect_errors(0);
    program_stop();

    start("");
    program_secret("sesame");
    expect("bob", "sesame", SASL_OK);
    expect("carol", "sesame", SASL_OK);
    expect("alice", "sesame", SASL_OK);
    expect("bob", "wrong", SASL_BADAUTH);
    program_stop();
}

/* --- the list */

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD_ROWS(list, fixture, stores, formats);
    RUN_ADD_ROWS(list, fixture, stores_text_as_text, hostiles);
    RUN_ADD_ROWS(list, fixture, keeps_the_old_value, failures);
    RUN_ADD(list, fixture, stores_all_or_nothing);
    RUN_ADD(list, fixture, takes_over);
}

int main(void)
{
    alarm(900); /* a login that never ends is stopped here */
    return run_all("storing", NULL, remove_users, add_all);
}
