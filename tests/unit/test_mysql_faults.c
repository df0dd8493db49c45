/* SPDX-License-Identifier: BSD-3-Clause */

/* The driver for MySQL, linked into this program: encryption in all modes, and what happens if
 * memory is short, if a call of the library fails, if the connection is cut before one, and if a
 * server sends what no real one does. Without a server, nothing runs. */

#include <errmsg.h>
#include <mysql.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "support/driver_session.h"
#include "support/failing_mysql.h"
#include "support/tls_modes.h"

enum { LONG_VALUE = 2000 };

/* --- the setup and teardown of each test */

static const char users[] =
    "CREATE TABLE users (name VARCHAR(64) CHARACTER SET latin1, secret TEXT);"
    "INSERT INTO users VALUES ('alice', 'wonderland'), ('twin', 'one'), ('twin', 'two');"
    "INSERT INTO users VALUES ('long', REPEAT('v', 2000));"
    /* The form in which a name passes that the column cannot hold */
    "INSERT INTO users VALUES ('xmega', 'one'), ('xmega', 'two');";

static int set_up(void **state)
{
    other_question = NULL;
    library_version = 0;
    library_tls = NULL;
    forgotten = 0;
    sqlcrypt_engine.load();
    return start_world(*state, users);
}

#define BY_NAME "SELECT secret FROM users WHERE name = ?"
#define UPDATE "UPDATE users SET secret = 'new' WHERE name = ?"

static void assert_alice(void)
{
    assert_found_alice(BY_NAME);
}

/* --- encryption */

#define CIPHER                                                                                     \
    "SELECT variable_value FROM information_schema.session_status "                                \
    "WHERE variable_name = 'ssl_cipher'"

static void encrypts(void **state)
{
    const struct run *run = *state;
    const struct tls_mode *row = run->row;

    if (!tls_mode_apply(row, &world.target, &world.host, &world.by_address))
        skip();
    assert_lookup(open_session(SQL_ACCESS_READ), row->want);
    if (row->want != LOOKUP_DONE) {
        assert_reason(row->want_reason);
        return;
    }
    assert_alice();
    assert_lookup(look_up(CIPHER, NULL), LOOKUP_FOUND);
    assert_int_equal(world.value.length > 0, row->encrypts || (row->by_socket && row->demands));
    assert_lookup(step(SQL_BEGIN, LONG_TIME), LOOKUP_DONE);
}

/* The name is checked just as strictly if there is no memory for it. */
static void checks_the_name_without_memory(void **state)
{
    static const struct tls_mode other = {
        "",    "other.test", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_UNAVAILABLE, "", false,
        false, false};
    unsigned left, failed;

    (void)state;
    if (!tls_mode_apply(&other, &world.target, &world.host, &world.by_address))
        skip();
    for (left = 0, failed = 1; failed > 0; left++) {
        fail_allocation(left);
        assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_UNAVAILABLE);
        failed = fail_no_more();
        assert_string_not_equal(world.reason.text, "");
    }
    assert_true(left > 3);
}

static void has_no_encryption_after_all(void **state)
{
    (void)state;
    world.target.ssl_mode = SQL_SSL_REQUIRE;
    fail_call("mysql_get_ssl_cipher", 0);
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_UNAVAILABLE);
    assert_int_equal(fail_no_more(), 1);
    assert_reason("the server does not support TLS, which sql_ssl_mode requires");
}

/* --- other libraries */

static const struct library {
    const char *name;
    size_t version;  /* 0: as it is */
    const char *tls; /* NULL: unchanged, "": it does not say */
    const char *host;
    enum sql_ssl_mode mode;
    enum lookup want;
    const char *want_reason;
    bool needs_older; /* the installed library must be older than 3.4 */
} libraries[] = {
    {"before 3.4", 30300, NULL, "other.test", SQL_SSL_VERIFY_CA, LOOKUP_DONE, "", true},
    {"3.4 checks the name, too", 30400, NULL, "other.test", SQL_SSL_VERIFY_CA, LOOKUP_UNAVAILABLE,
     "is not for the name other.test", false},
    {"that of 10.11", 101100, NULL, "other.test", SQL_SSL_VERIFY_CA, LOOKUP_DONE, "", true},
    {"that of 11.4", 110400, NULL, "other.test", SQL_SSL_VERIFY_CA, LOOKUP_UNAVAILABLE,
     "is not for the name other.test", false},
    {"with a CA to require", 30400, NULL, "other.test", SQL_SSL_REQUIRE, LOOKUP_UNAVAILABLE,
     "is not for the name other.test", false},
    {"name that fits", 30400, NULL, "db.test", SQL_SSL_VERIFY_CA, LOOKUP_DONE, "", false},
    {"GnuTLS", 30300, "GnuTLS 3.7.1", "localhost", SQL_SSL_VERIFY_FULL, LOOKUP_DONE, "", false},
    {"does not say", 30300, "", "localhost", SQL_SSL_VERIFY_FULL, LOOKUP_DONE, "", false},
    {"GnuTLS, without a check", 30300, "GnuTLS 3.7.1", "other.test", SQL_SSL_VERIFY_CA, LOOKUP_DONE,
     "", true},
    {"GnuTLS, several addresses", 30300, "GnuTLS 3.7.1", "two.test", SQL_SSL_VERIFY_FULL,
     LOOKUP_UNAVAILABLE,
     "the client library cannot check a certificate for a name with several addresses", false},
};

static void takes_the_library_into_account(void **state)
{
    const struct run *run = *state;
    const struct library *row = run->row;
    const struct tls_mode mode = {"",        row->host, row->mode, "CA", "",
                                  row->want, "",        true,      true, false};

    if (!tls_mode_apply(&mode, &world.target, &world.host, &world.by_address))
        skip();
    if (row->needs_older && HAVE_DECL_MARIADB_TLS_VERIFY_STATUS)
        skip(); /* a later one checks the name whatever it claims to be */
    library_version = row->version;
    library_tls = row->tls;
    assert_lookup(open_session(SQL_ACCESS_READ), row->want);
    if (row->want == LOOKUP_DONE)
        assert_alice();
    else
        assert_reason(row->want_reason);
}

/* Waiting for a library that looks up the name itself takes no longer than for others. */
static void connects_by_name_in_time(void **state)
{
    static const struct tls_mode mode = {
        "", "localhost", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "", true, true, false};
    struct sql_target copy;

    (void)state;
    if (!tls_mode_apply(&mode, &world.target, &world.host, &world.by_address))
        skip();
    library_version = 30300;
    library_tls = "GnuTLS 3.7.1";
    copy = world.target;
    copy.password = strdup(world.target.password);
    fail_call("late mysql_real_connect", 0);
    {
        const struct deadline deadline = deadline_after(SHORT_TIME);

        assert_lookup(engine_open(&sqlcrypt_engine, &copy, &world.host, SQL_ACCESS_READ, &deadline,
                                  &world.session, &world.reason),
                      LOOKUP_UNAVAILABLE);
    }
    assert_null(world.session);
    assert_reason("connection timed out");
    /* It continues, and the caller's data may be gone before it ends. */
    memset((char *)(uintptr_t)copy.password, 'x', strlen(copy.password));
    free((char *)(uintptr_t)copy.password);
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_alice();
    poll(NULL, 0, 4 * SHORT_TIME);
}

static const struct errand_fault {
    const char *name;
    const char *call; /* the first of these looks the name up */
    const char *want_reason;
} errand_faults[] = {
    {"no thread", "pthread_create", "cannot connect: "},
    {"too many threads", "errand_run", "the name server has not answered other lookups yet"},
};

static void connects_by_name_without_a_thread(void **state)
{
    const struct run *run = *state;
    const struct errand_fault *row = run->row;
    static const struct tls_mode mode = {
        "", "localhost", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "", true, true, false};

    if (!tls_mode_apply(&mode, &world.target, &world.host, &world.by_address))
        skip();
    library_version = 30300;
    library_tls = "GnuTLS 3.7.1";
    fail_call(row->call, 1);
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_UNAVAILABLE);
    assert_int_equal(fail_no_more(), 1);
    assert_reason(row->want_reason);
}

/* A TLS session of the host, which OpenSSL announces in the same way. */
static bool makes_session_of_tls(void)
{
    CRYPTO_EX_DATA data;

    if (CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL, NULL, &data) != 1)
        return false;
    CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL, NULL, &data);
    return true;
}

static void leaves_other_sessions_of_tls_alone(void **state)
{
    (void)state;
    assert_true(makes_session_of_tls());
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_true(makes_session_of_tls());
    assert_alice();
}

/* --- where to connect */

static char directory[4096];

static void finds_the_socket_in_its_folder(void **state)
{
    static char folder[4096];

    (void)state;
    snprintf(folder, sizeof(folder), "%s", world.host.name);
    *strrchr(folder, '/') = '\0';
    world.host = (struct sql_host){folder, 0, folder};
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_alice();
}

static void finds_no_socket_in_a_folder(void **state)
{
    enum lookup result;

    (void)state;
    test_directory(directory, sizeof(directory));
    world.host = (struct sql_host){directory, 0, directory};
    result = open_session(SQL_ACCESS_READ);
    test_directory_remove(directory);
    assert_lookup(result, LOOKUP_LOST);
    assert_reason(strerror(ENOENT));
    assert_lacks(world.reason.text, "jail");
}

/* main() has told the library where that is. */
static void connects_to_the_socket_of_the_library(void **state)
{
    static char none[] = "", local[] = "localhost";
    char *names[] = {none, local};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        const char *password = world.target.password;

        world.host = (struct sql_host){names[i], 0, names[i]};
        assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
        assert_alice();
        world.target.password = "s3cret but wrong";
        assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_UNAVAILABLE);
        assert_reason("default socket of the client library: ");
        world.target.password = password;
    }
}

static void says_where_names_are_looked_up(void **state)
{
    static char unknown[] = "no-such-host.invalid";

    (void)state;
    world.host = (struct sql_host){unknown, 0, unknown};
    world.target.jail.root_inode++;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_UNAVAILABLE);
    assert_reason("etc/resolv.conf");
}

static void needs_neither_user_nor_password_nor_database(void **state)
{
    (void)state;
    world.host = world.by_address;
    world.target.user = world.target.password = world.target.database = "";
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_UNAVAILABLE);
    assert_contains(world.reason.text, "Access denied");
}

/* --- servers that send what no real one does */

static const struct saying {
    const char *name;
    const char *bytes;
    size_t length;
    const char *later; /* after a while */
    size_t later_length;
    enum { CLOSES, STAYS, FLOODS } then;
    enum sql_ssl_mode mode;
    enum lookup want;
    const char *want_reason; /* NULL: the library's own */
} sayings[] = {
#define BYTES(text) text, sizeof(text) - 1
#define GREETING_START                                                                             \
    "\x0a"                                                                                         \
    "10.0\0"                                                                                       \
    "\1\0\0\0"                                                                                     \
    "12345678\0"
#define WITHOUT_SSL                                                                                \
    "\x32\0\0\0" GREETING_START "\xff\xf7\x2d\2\0\0\0\x15\0\0\0\0\0\0\0\0\0\0"                     \
    "123456789012\0"
    {"closes at once", BYTES(""), BYTES(""), CLOSES, SQL_SSL_PREFER, LOOKUP_LOST, "reset by peer"},
    {"closes within the greeting",
     BYTES("\x4a\0\0\0\x0a"
           "10"),
     BYTES(""), CLOSES, SQL_SSL_PREFER, LOOKUP_LOST, "reset by peer"},
    {"says nothing", BYTES(""), BYTES(""), STAYS, SQL_SSL_PREFER, LOOKUP_UNAVAILABLE,
     "connection timed out"},
    {"stops within the greeting",
     BYTES("\x4a\0\0\0\x0a"
           "10"),
     BYTES(""), STAYS, SQL_SSL_PREFER, LOOKUP_UNAVAILABLE, "connection timed out"},
    {"speaks another protocol", BYTES("220 mx.example.com ESMTP\r\n"), BYTES(""), STAYS,
     SQL_SSL_PREFER, LOOKUP_LOST, "Protocol error"},
    {"is full", BYTES("\x17\0\0\0\xff\x10\4Too many connections"), BYTES(""), CLOSES,
     SQL_SSL_PREFER, LOOKUP_BUSY, "Too many connections"},
    {"is full, and says so in two parts", BYTES("\x17\0\0"),
     BYTES("\0\xff\x10\4Too many connections"), CLOSES, SQL_SSL_REQUIRE, LOOKUP_BUSY,
     "Too many connections"},
    {"does not encrypt", BYTES(WITHOUT_SSL), BYTES(""), STAYS, SQL_SSL_REQUIRE, LOOKUP_UNAVAILABLE,
     "the server does not support TLS, which sql_ssl_mode requires"},
    {"does not encrypt, and closes", BYTES(WITHOUT_SSL), BYTES(""), CLOSES, SQL_SSL_PREFER,
     LOOKUP_LOST, NULL},
    {"reports progress without end", BYTES(WITHOUT_SSL), BYTES(""), FLOODS, SQL_SSL_PREFER,
     LOOKUP_UNAVAILABLE, "the server sent too much data"},
};

static struct {
    int listener;
    const struct saying *saying;
} server;

/* MariaDB's progress reports; the fourth byte counts. */
static void flood(int connection)
{
    static const char progress[] = "\x0e\0\0\0\xff\xff\xff\1\1\1\0\0\0\4work";
    enum { LENGTH = sizeof(progress) - 1, REPORTS = 1000, MOST = 256 << 20 };
    static char bytes[LENGTH * REPORTS];
    unsigned char number = 2; /* after the greeting, and what the client has sent */
    size_t sent = 0, i;

    while (sent < MOST) {
        for (i = 0; i < REPORTS; i++) {
            memcpy(bytes + i * LENGTH, progress, LENGTH);
            bytes[i * LENGTH + 3] = (char)number++;
        }
        if (send(connection, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
            return;
        sent += sizeof(bytes);
    }
}

static void *serve(void *context)
{
    const struct saying *row = server.saying;
    int connection = accept(server.listener, NULL, NULL);
    char bytes[256];

    send(connection, row->bytes, row->length, MSG_NOSIGNAL);
    if (row->later_length > 0) {
        poll(NULL, 0, 20);
        send(connection, row->later, row->later_length, MSG_NOSIGNAL);
    }
    if (row->then == FLOODS && recv(connection, bytes, sizeof(bytes), 0) > 0)
        flood(connection);
    if (row->then != STAYS)
        shutdown(connection, SHUT_WR);
    while (recv(connection, bytes, sizeof(bytes), 0) > 0)
        continue;
    close(connection);
    return context;
}

static void server_says(void **state)
{
    static char address[] = "127.0.0.1";
    const struct run *run = *state;
    const struct saying *row = run->row;
    unsigned port;
    enum lookup result;
    pthread_t thread;

    server.listener = run_mute_socket(true, &port);
    server.saying = row;
    world.host = (struct sql_host){address, port, address};
    world.target.ssl_mode = row->mode;
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    result = open_within(SQL_ACCESS_READ, row->then == STAYS ? SHORT_TIME : LONG_TIME);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(server.listener);
    assert_lookup(result, row->want);
    assert_reason(row->want_reason != NULL ? row->want_reason : "");
    assert_string_not_equal(world.reason.text, "(none)");
}

/* --- a call of the library fails, or the connection is cut before it */

enum what { OPEN_READ, OPEN_WRITE, LOOK_UP, LOOK_UP_LONG, SLEEP, STORE, COMMIT, DO_NOTHING };

static const struct fault {
    const char *name;
    const char *call;
    unsigned left; /* such calls that succeed before */
    enum what what;
    enum lookup want;
    const char *want_reason;
    bool by_address;
} faults[] = {
    {"no handle", "mysql_init", 0, OPEN_READ, LOOKUP_UNAVAILABLE, "out of memory", false},
    {"no place for a call to connect", "pthread_setspecific", 0, OPEN_READ, LOOKUP_UNAVAILABLE,
     "cannot prepare a call of the client library", false},
    {"no place for a call to set up", "pthread_setspecific", 2, OPEN_READ, LOOKUP_UNAVAILABLE,
     "cannot prepare a call of the client library", false},
    {"no place for a call", "pthread_setspecific", 0, LOOK_UP, LOOKUP_UNAVAILABLE,
     "cannot prepare a call of the client library", false},
    {"no place for a call to commit", "pthread_setspecific", 0, COMMIT, LOOKUP_UNAVAILABLE,
     "cannot prepare a call of the client library", false},
    {"no thread to watch", "pthread_create", 0, LOOK_UP, LOOKUP_UNAVAILABLE,
     "cannot start a watchdog thread", false},
    {"no thread to watch a connection", "pthread_create", 0, OPEN_READ, LOOKUP_LOST, "", false},
    {"cut when set up", "cut before mysql_real_query", 0, OPEN_READ, LOOKUP_LOST, "erver", false},
    {"cut when asked about read-only", "cut before mysql_real_query", 1, OPEN_WRITE, LOOKUP_LOST,
     "erver", false},
    {"no statement", "mysql_stmt_init", 0, LOOK_UP, LOOKUP_UNAVAILABLE, "out of memory", false},
    {"parameters that cannot be bound", "mysql_stmt_bind_param", 0, LOOK_UP, LOOKUP_UNAVAILABLE,
     "out of memory", false},
    {"long value that cannot be read", "mysql_stmt_fetch_column", 0, LOOK_UP_LONG,
     LOOKUP_UNAVAILABLE, "out of memory", false},
    {"more results after none", "mysql_more_results", 0, DO_NOTHING, LOOKUP_UNAVAILABLE,
     "malformed reply", false},
    {"cut before it is prepared", "cut before mysql_stmt_prepare", 0, LOOK_UP, LOOKUP_LOST, "erver",
     false},
    {"cut before it is run", "cut before mysql_stmt_execute", 0, LOOK_UP, LOOKUP_LOST, "erver",
     false},
    {"cut before it stores", "cut before mysql_stmt_execute", 0, STORE, LOOKUP_LOST, "erver",
     false},
    {"cut before COMMIT", "cut before mysql_real_query", 0, COMMIT, LOOKUP_LOST, "erver", false},
    {"no thread to watch a connection by TCP", "pthread_create", 0, OPEN_READ, LOOKUP_LOST, "",
     true},
    {"not waited for to connect", "poll", 0, OPEN_READ, LOOKUP_LOST, "", true},
    {"greeting is not waited for", "poll", 1, OPEN_READ, LOOKUP_LOST, "", true},
    {"not waited for", "poll", 0, SLEEP, LOOKUP_LOST, "erver", false},
    {"rows that are not freed", "mysql_stmt_free_result", 0, LOOK_UP, LOOKUP_UNAVAILABLE,
     "out of memory", false},
};

static enum lookup run_what(enum what what)
{
    switch (what) {
    case OPEN_READ:
        return open_session(SQL_ACCESS_READ);
    case OPEN_WRITE:
        return open_session(SQL_ACCESS_WRITE);
    case LOOK_UP:
        return look_up(BY_NAME, "alice");
    case LOOK_UP_LONG:
        return look_up(BY_NAME, "long");
    case SLEEP:
        return look_up("SELECT SLEEP(0.05)", NULL);
    case STORE:
        return store(UPDATE, "alice");
    case COMMIT:
        return step(SQL_COMMIT, LONG_TIME);
    case DO_NOTHING:
        return store("DO 0", NULL);
    }
    return LOOKUP_FOUND;
}

/* A watchdog of the previous test may be about to end. */
static void wait_for_watchdogs(void)
{
    poll(NULL, 0, 30);
}

static void call_fails(void **state)
{
    const struct run *run = *state;
    const struct fault *row = run->row;
    enum lookup result;

    if (row->by_address)
        world.host = world.by_address;
    if (row->what > OPEN_WRITE)
        assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
    if (row->what == COMMIT) {
        assert_lookup(step(SQL_BEGIN, LONG_TIME), LOOKUP_DONE);
        assert_lookup(store(UPDATE, "alice"), LOOKUP_DONE);
    }
    wait_for_watchdogs();
    fail_call(row->call, row->left);
    result = run_what(row->what);
    /* Whether the library has to wait decides which side gives a connection up. */
    if (row->want != LOOKUP_LOST || result != LOOKUP_UNAVAILABLE)
        assert_lookup(result, row->want);
    assert_int_equal(fail_no_more(), 1);
    assert_reason(row->want_reason);
    /* Nothing was stored, and another session works. */
    assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
    assert_alice();
}

/* Both reading the value and the step after it fail: the first failure is reported. */
static void two_things_fail(void **state)
{
    (void)state;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_lookup(look_up(BY_NAME, "long"), LOOKUP_FOUND);
    fail_call("mysql_stmt_free_result", 0);
    fail_allocation(1);
    assert_lookup(look_up(BY_NAME, "long"), LOOKUP_UNAVAILABLE);
    assert_int_equal(fail_no_more(), 2);
    assert_string_equal(world.reason.text, "out of memory");
}

static void stores_by_what_returns_a_row(void **state)
{
    (void)state;
    assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
    assert_lookup(store("SELECT name FROM users WHERE name = ?", "alice"), LOOKUP_DONE);
    assert_lookup(store(UPDATE, "nobody"), LOOKUP_NONE);
}

/* --- waiting */

/* A socket takes only a part of it at once. */
static void sends_a_long_parameter(void **state)
{
    enum { LENGTH = 8 << 20 };
    char *name = malloc(LENGTH + 1);

    (void)state;
    assert_non_null(name);
    memset(name, 'x', LENGTH);
    name[LENGTH] = '\0';
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_lookup(look_up("SELECT LENGTH(?)", name), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "8388608");
    free(name);
}

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void waits_on_after_signals(void **state)
{
    const struct sigaction counting = {.sa_handler = count_signal};
    const struct itimerspec often = {{0, 5000000}, {0, 5000000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct sigaction before;
    timer_t timer;

    (void)state;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_int_equal(sigaction(SIGUSR1, &counting, &before), 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &often, NULL), 0);
    assert_lookup(look_up("SELECT SLEEP(0.1)", NULL), LOOKUP_FOUND);
    assert_int_equal(timer_delete(timer), 0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    assert_string_equal(world.value.bytes, "0");
    assert_true(signals > 2);
}

/* The server may or may not have it: no success is reported. */
static void commit_is_not_answered(void **state)
{
    (void)state;
    assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
    assert_lookup(step(SQL_BEGIN, LONG_TIME), LOOKUP_DONE);
    assert_lookup(store(UPDATE, "alice"), LOOKUP_DONE);
    other_question = "DO SLEEP(10)";
    assert_lookup(step(SQL_COMMIT, SHORT_TIME), LOOKUP_UNAVAILABLE);
    assert_reason("timed out waiting for an answer");
}

/* --- servers that forget what they have prepared */

static void prepares_once_more(void **state)
{
    (void)state;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_alice();
    forgotten = 1;
    assert_alice();
    assert_int_equal(forgotten, 0);
    forgotten = 3;
    assert_lookup(look_up(BY_NAME, "alice"), LOOKUP_UNAVAILABLE);
    assert_int_equal(forgotten, 1);
    assert_reason("error 1243 of the server");
    forgotten = 0;
    assert_alice();
}

/* --- servers that are read-only */

static const struct reading {
    const char *name;
    const char *question;
    enum lookup want;
    const char *want_reason;
} readings[] = {
    {"it is not", "SELECT 0", LOOKUP_DONE, ""},
    {"it is", "SELECT 1", LOOKUP_UNAVAILABLE, "the server is read-only"},
    {"it says otherwise", "SELECT 'NO_LOCK'", LOOKUP_UNAVAILABLE, "the server is read-only"},
    {"it does not know", "SELECT NULL", LOOKUP_DONE, ""},
    {"it says nothing", "SELECT 1 FROM DUAL WHERE FALSE", LOOKUP_UNAVAILABLE, ""},
    {"it does not understand", "SELECT nothing", LOOKUP_UNAVAILABLE, "nothing"},
    {"it has no result", "DO 0", LOOKUP_UNAVAILABLE, ""},
};

static void stores_where_that_is_possible(void **state)
{
    const struct run *run = *state;
    const struct reading *row = run->row;

    other_question = row->question;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_lookup(open_session(SQL_ACCESS_WRITE), row->want);
    if (row->want != LOOKUP_DONE)
        assert_reason(row->want_reason);
    else
        assert_lookup(store(UPDATE, "alice"), LOOKUP_DONE);
}

/* --- floods */

/* Over TCP, incoming data is counted. */
static void flood_is_ended(void **state)
{
    const struct run *run = *state;

    if (getenv("TEST_TURNS") != NULL)
        skip(); /* valgrind runs no other thread meanwhile */
    assert_true(run->fixture->execute("INSERT INTO users SELECT * FROM users"));
    assert_true(run->fixture->execute(
        "CREATE PROCEDURE flood () BEGIN SELECT 'x'; SELECT REPEAT('x', 1000000) "
        "FROM users a, users b, users c LIMIT 1000; SELECT 'x'; END"));
    world.host = world.by_address;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_lookup(look_up("CALL flood()", NULL), LOOKUP_UNAVAILABLE);
    assert_reason("the server sent too much data");
}

static void flood_is_ended_when_set_up(void **state)
{
    (void)state;
    if (getenv("TEST_TURNS") != NULL)
        skip();
    world.host = world.by_address;
    other_question = "SELECT REPEAT('x', 1000000) FROM information_schema.collations LIMIT 300";
    assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_UNAVAILABLE);
    assert_reason("the server sent too much data");
}

/* --- memory */

#define FUNNY_NAME "\316\251mega"
#define OTHER_NAME "\316\251nicron"

/* Everything that a session may do, up to the first failure, which is reported
 * as an outage. Returns whether all went well. */
static bool do_all(void)
{
    static const struct {
        const char *user;
        enum lookup want;
    } users_to_find[] = {{"alice", LOOKUP_FOUND},   {"long", LOOKUP_FOUND},
                         {"nobody", LOOKUP_NONE},   {FUNNY_NAME, LOOKUP_NONE},
                         {OTHER_NAME, LOOKUP_NONE}, {"twin", LOOKUP_SEVERAL}};
    enum lookup result = open_session(SQL_ACCESS_WRITE);
    size_t i;

    if (result == LOOKUP_DONE)
        for (i = 0; i < COUNT(users_to_find); i++) {
            result = look_up(BY_NAME, users_to_find[i].user);
            if (result == LOOKUP_UNAVAILABLE)
                break;
            assert_lookup(result, users_to_find[i].want);
            result = LOOKUP_DONE;
        }
    if (result == LOOKUP_DONE)
        result = store(UPDATE, "twin");
    if (result == LOOKUP_DONE)
        return true;
    assert_true(result == LOOKUP_UNAVAILABLE || result == LOOKUP_LOST);
    assert_string_not_equal(world.reason.text, "(none)");
    assert_reason("");
    return false;
}

static const struct place {
    const char *name;
    const char *host; /* "": the socket */
    const char *tls;  /* the version that the library claims */
} places[] = {
    {"by the socket", "", NULL},
    {"by an address", "127.0.0.1", NULL},
    {"by a name", "localhost", NULL},
    {"by a name that the library looks up", "localhost", "GnuTLS 3.7.1"},
};

static void out_of_memory(void **state)
{
    const struct run *run = *state;
    const struct place *row = run->row;
    const struct tls_mode mode = {
        "", row->host, SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "", true, true, false};
    unsigned left, failed = 1;

    if (row->host[0] != '\0' &&
        !tls_mode_apply(&mode, &world.target, &world.host, &world.by_address))
        skip();
    library_tls = row->tls;
    for (left = 0; failed > 0; left++) {
        bool done;

        fail_allocation(left);
        done = do_all();
        failed = fail_no_more();
        close_session();
        assert_int_equal(done, failed == 0);
    }
    assert_true(left > 10);
}

/* --- what is prepared when the driver is loaded */

static const struct loading {
    const char *name;
    const char *call;
} loadings[] = {
    {"no key", "pthread_key_create"},
    {"no handle", "mysql_init"},
    {"no place for a name", "CRYPTO_get_ex_new_index"},
};

/* The child's exit status: 0 if all is well. */
static int open_after(const char *call)
{
    static const struct tls_mode mode = {
        "", "localhost", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "", true, true, false};
    const struct deadline deadline = deadline_after(LONG_TIME);
    bool has_key = strcmp(call, "pthread_key_create") != 0;
    enum lookup result;

    fail_call(call, 0);
    sqlcrypt_engine.load();
    if (fail_no_more() != 1 || !makes_session_of_tls())
        return 1;
    tls_mode_apply(&mode, &world.target, &world.host, &world.by_address);
    result = engine_open(&sqlcrypt_engine, &world.target, &world.host, SQL_ACCESS_READ, &deadline,
                         &world.session, &world.reason);
    if (result != (has_key ? LOOKUP_DONE : LOOKUP_UNAVAILABLE))
        return 2;
    if (result != LOOKUP_DONE)
        return strstr(world.reason.text, "cannot prepare a call") != NULL ? 0 : 3;
    close_session();
    return 0;
}

/* In a separate process, which has not loaded it yet. Returns how it ended. */
static int load_without(const struct loading *row)
{
    int status = -1;
    pid_t child = test_fork();

    if (child == 0) {
        world.target = (struct sql_target){.user = test_environment("TEST_MYSQL_USER"),
                                           .password = test_environment("TEST_MYSQL_PASSWORD"),
                                           .database = test_environment("TEST_MYSQL_DATABASE"),
                                           .ssl_ca = "",
                                           .ssl_cert = "",
                                           .ssl_key = "",
                                           .timeout = LONG_TIME};
        world.host.name = world.host.label = (char *)(uintptr_t)test_environment("TEST_MYSQL_HOST");
        world.by_address = world.host;
        world.by_address.port =
            (unsigned)strtoul(strrchr(test_environment("TEST_MYSQL_TCP"), ':') + 1, NULL, 10);
        exit(open_after(row->call));
    }
    if (child > 0)
        waitpid(child, &status, 0);
    return status;
}

static int loaded[COUNT(loadings)];

static void loads_without(void **state)
{
    const struct run *run = *state;

    assert_int_equal(loaded[(const struct loading *)run->row - loadings], 0);
}

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD_ROWS(list, fixture, loads_without, loadings);
    RUN_ADD_ROWS(list, fixture, encrypts, tls_modes);
    RUN_ADD(list, fixture, checks_the_name_without_memory);
    RUN_ADD(list, fixture, has_no_encryption_after_all);
    RUN_ADD_ROWS(list, fixture, takes_the_library_into_account, libraries);
    RUN_ADD(list, fixture, connects_by_name_in_time);
    RUN_ADD_ROWS(list, fixture, connects_by_name_without_a_thread, errand_faults);
    RUN_ADD(list, fixture, finds_the_socket_in_its_folder);
    RUN_ADD(list, fixture, finds_no_socket_in_a_folder);
    RUN_ADD(list, fixture, connects_to_the_socket_of_the_library);
    RUN_ADD(list, fixture, says_where_names_are_looked_up);
    RUN_ADD(list, fixture, needs_neither_user_nor_password_nor_database);
    RUN_ADD_ROWS(list, fixture, server_says, sayings);
    RUN_ADD_ROWS(list, fixture, call_fails, faults);
    RUN_ADD(list, fixture, two_things_fail);
    RUN_ADD(list, fixture, stores_by_what_returns_a_row);
    RUN_ADD(list, fixture, sends_a_long_parameter);
    RUN_ADD(list, fixture, waits_on_after_signals);
    RUN_ADD(list, fixture, leaves_other_sessions_of_tls_alone);
    RUN_ADD(list, fixture, commit_is_not_answered);
    RUN_ADD(list, fixture, prepares_once_more);
    RUN_ADD_ROWS(list, fixture, stores_where_that_is_possible, readings);
    RUN_ADD(list, fixture, flood_is_ended);
    RUN_ADD(list, fixture, flood_is_ended_when_set_up);
    RUN_ADD_ROWS(list, fixture, out_of_memory, places);
}

int main(void)
{
    size_t i;

    alarm(900); /* a driver that never returns is stopped here */
    if (getenv("TEST_MYSQL_HOST") != NULL) {
        setenv("MYSQL_UNIX_PORT", getenv("TEST_MYSQL_HOST"), 1);
        for (i = 0; i < COUNT(loadings); i++)
            loaded[i] = load_without(&loadings[i]);
    }
    return run_all("mysql_faults", set_up, tear_down, add_all);
}
