/* SPDX-License-Identifier: BSD-3-Clause */

/* The driver for PostgreSQL, linked into this program: encryption in all modes, and what happens
 * if memory is short, if a call of the library fails, if the connection is cut before one, and
 * if a server sends what no real one does. Without a server, nothing runs. */

#include <libpq-fe.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "support/driver_session.h"
#include "support/tls_modes.h"

/* --- calls that are made to fail */

PGconn *__real_PQconnectStartParams(const char *const *keywords, const char *const *values,
                                    int expand);
PGconn *__wrap_PQconnectStartParams(const char *const *keywords, const char *const *values,
                                    int expand);
int __real_PQsendPrepare(PGconn *connection, const char *name, const char *text, int count,
                         const Oid *types);
int __wrap_PQsendPrepare(PGconn *connection, const char *name, const char *text, int count,
                         const Oid *types);
int __real_PQsendDescribePrepared(PGconn *connection, const char *name);
int __wrap_PQsendDescribePrepared(PGconn *connection, const char *name);
int __real_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int format);
int __wrap_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int format);
int __real_PQsendQueryParams(PGconn *connection, const char *text, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int format);
int __wrap_PQsendQueryParams(PGconn *connection, const char *text, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int format);
int __real_PQsetSingleRowMode(PGconn *connection);
int __wrap_PQsetSingleRowMode(PGconn *connection);
int __real_PQflush(PGconn *connection);
int __wrap_PQflush(PGconn *connection);
int __real_PQconsumeInput(PGconn *connection);
int __wrap_PQconsumeInput(PGconn *connection);
int __real_PQnparams(const PGresult *result);
int __wrap_PQnparams(const PGresult *result);
ConnStatusType __real_PQstatus(const PGconn *connection);
ConnStatusType __wrap_PQstatus(const PGconn *connection);
char *__real_PQresultErrorField(const PGresult *result, int field);
char *__wrap_PQresultErrorField(const PGresult *result, int field);
int __real_EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned *size,
                      const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned *size,
                      const EVP_MD *type, ENGINE *engine);
int __real_poll(struct pollfd *wanted, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *wanted, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *wanted, nfds_t count, int timeout, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);

PGconn *__wrap_PQconnectStartParams(const char *const *keywords, const char *const *values,
                                    int expand)
{
    return fails_call("PQconnectStartParams")
               ? NULL
               : __real_PQconnectStartParams(keywords, values, expand);
}

/* Whether sending fails now; the connection is first ended in both directions. */
static bool fails_to_send(PGconn *connection, const char *call)
{
    if (fails_call("cut"))
        shutdown(PQsocket(connection), SHUT_RDWR);
    return fails_call("send") || fails_call(call);
}

int __wrap_PQsendPrepare(PGconn *connection, const char *name, const char *text, int count,
                         const Oid *types)
{
    return fails_to_send(connection, "PQsendPrepare")
               ? 0
               : __real_PQsendPrepare(connection, name, text, count, types);
}

int __wrap_PQsendDescribePrepared(PGconn *connection, const char *name)
{
    return fails_to_send(connection, "PQsendDescribePrepared")
               ? 0
               : __real_PQsendDescribePrepared(connection, name);
}

/* How many statements the server should have forgotten when they are run. */
static unsigned forgotten;

int __wrap_PQsendQueryPrepared(PGconn *connection, const char *name, int count,
                               const char *const *values, const int *lengths, const int *formats,
                               int format)
{
    if (fails_to_send(connection, "PQsendQueryPrepared"))
        return 0;
    if (forgotten > 0) {
        forgotten--;
        name = "of nobody";
    }
    return __real_PQsendQueryPrepared(connection, name, count, values, lengths, formats, format);
}

int __wrap_PQsendQueryParams(PGconn *connection, const char *text, int count, const Oid *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int format)
{
    return fails_to_send(connection, "PQsendQueryParams")
               ? 0
               : __real_PQsendQueryParams(connection, text, count, types, values, lengths, formats,
                                          format);
}

int __wrap_PQsetSingleRowMode(PGconn *connection)
{
    return fails_call("PQsetSingleRowMode") ? 0 : __real_PQsetSingleRowMode(connection);
}

int __wrap_PQflush(PGconn *connection)
{
    return fails_call("PQflush") ? -1 : __real_PQflush(connection);
}

int __wrap_PQconsumeInput(PGconn *connection)
{
    return fails_call("PQconsumeInput") ? 0 : __real_PQconsumeInput(connection);
}

int __wrap_PQnparams(const PGresult *result)
{
    return fails_call("PQnparams") ? 99 : __real_PQnparams(result);
}

ConnStatusType __wrap_PQstatus(const PGconn *connection)
{
    return fails_call("PQstatus") ? CONNECTION_BAD : __real_PQstatus(connection);
}

/* In the words of a server that does not say which parameter it is about, or the wrong one. */
char *__wrap_PQresultErrorField(const PGresult *result, int field)
{
    static char none[] = "could not determine the data types of all parameters",
                first[] = "could not determine data type of parameter $1",
                ninth[] = "could not determine data type of parameter $9";

    if (field == PG_DIAG_MESSAGE_PRIMARY && fails_call("no parameter"))
        return none;
    if (field == PG_DIAG_MESSAGE_PRIMARY && fails_call("first parameter"))
        return first;
    if (field == PG_DIAG_MESSAGE_PRIMARY && fails_call("ninth parameter"))
        return ninth;
    return __real_PQresultErrorField(result, field);
}

int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned *size,
                      const EVP_MD *type, ENGINE *engine)
{
    return fails_call("EVP_Digest") ? 0
                                    : __real_EVP_Digest(data, count, digest, size, type, engine);
}

int __wrap_poll(struct pollfd *wanted, nfds_t count, int timeout)
{
    if (count == 0 || !fails_call("poll"))
        return __real_poll(wanted, count, timeout);
    errno = ENOMEM;
    return -1;
}

/* What poll(2) is to a compiler that checks sizes. */
int __wrap___poll_chk(struct pollfd *wanted, nfds_t count, int timeout, size_t size)
{
    (void)size;
    return __wrap_poll(wanted, count, timeout);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return fails_call("pthread_create") ? EAGAIN
                                        : __real_pthread_create(thread, attributes, run, context);
}

/* Names in .test stand for this machine. */
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    if (strstr(name, ".test") == NULL)
        return __real_getaddrinfo(name, service, hints, list);
    if ((hints->ai_flags & AI_NUMERICHOST) != 0)
        return EAI_NONAME;
    return __real_getaddrinfo("127.0.0.1", service, hints, list);
}

/* --- the setup and teardown of each test */

static const char users[] = "CREATE TABLE users (id INTEGER, name TEXT, secret TEXT);"
                            "INSERT INTO users VALUES (1, 'alice', 'wonderland'),"
                            "                         (2, 'twin', 'one'), (3, 'twin', 'two');"
                            "CREATE FUNCTION divide(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
                            "    BEGIN RETURN 1 / (length(who) - length(who)); END $$;"
                            "CREATE FUNCTION one_of(who TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$"
                            "    DECLARE told TEXT;"
                            "    BEGIN SELECT secret INTO STRICT told FROM users WHERE name = who;"
                            "    RETURN told; END $$;";

static int set_up(void **state)
{
    forgotten = 0;
    return start_world(*state, users);
}

#define BY_NAME "SELECT secret FROM users WHERE name = $1"
#define BY_CONCAT "SELECT secret FROM users WHERE name = concat($1, '')"
#define BY_TWO "SELECT secret FROM users WHERE name = concat($1, '') AND concat($2, 'x') <> ''"
#define BY_NUMBER "SELECT secret FROM users WHERE id = $1"
#define DIVIDE "SELECT divide($1)"
#define ONE_OF "SELECT one_of($1)"
#define UPDATE "UPDATE users SET secret = 'new' WHERE name = $1"

static void assert_alice(void)
{
    assert_found_alice(BY_NAME);
}

/* --- encryption */

static void encrypts(void **state)
{
    const struct run *run = *state;
    const struct tls_mode *row = run->row;
    /* No other server can take the place of a local one: libpq asks nothing of it. */
    bool encrypts_all = row->encrypts && !row->by_socket;
    enum lookup want = row->want;

    if (!tls_mode_apply(row, &world.target, &world.host, &world.by_address))
        skip();
    /* libpq ignores a missing certificate: the server does not ask for it. */
    if (strcmp(row->client, NO_FILE) == 0)
        want = LOOKUP_DONE;
    /* And it reports a name that does not match just like a lost connection. */
    if (strcmp(row->host, "other.test") == 0)
        want = LOOKUP_LOST;
    assert_lookup(open_session(SQL_ACCESS_READ), want);
    if (want != LOOKUP_DONE) {
        assert_reason(row->want_reason);
        return;
    }
    assert_alice();
    assert_lookup(look_up("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", NULL),
                  LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, encrypts_all ? "t" : "f");
    assert_lookup(look_up("SELECT repeat('x', 100000)", NULL), LOOKUP_FOUND);
    assert_int_equal(world.value.length, 100000);
}

/* --- where to connect */

/* libpq looks there by itself, because the environment says so. */
static void connects_to_the_default_host(void **state)
{
    static char none[] = "";
    char port[16];

    (void)state;
    snprintf(port, sizeof(port), "%u", world.host.port);
    setenv("PGHOST", world.host.name, 1);
    setenv("PGPORT", port, 1);
    world.host = (struct sql_host){none, 0, none};
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_alice();
    setenv("PGHOST", "/nonexistent/folder", 1);
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_LOST);
    assert_contains(world.reason.text, "/nonexistent/folder/.s.PGSQL.");
    world.target.jail.root_inode++;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_LOST);
    assert_contains(world.reason.text, "chroot jail");
    unsetenv("PGHOST");
    unsetenv("PGPORT");
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

/* --- servers that send what no real one does */

enum { MUCH = 256 << 20 };

#define ADMITTED "R\0\0\0\x08\0\0\0\0"
#define ERROR(state, text) "SFATAL\0VFATAL\0C" state "\0M" text "\0"

static const struct saying {
    const char *name;
    const char *first;  /* the answer to a first login: an error, or "" */
    const char *second; /* to the second attempt; NULL if there may be none */
    bool floods;        /* in place of an answer */
    unsigned pause;     /* milliseconds between its parts */
    unsigned time;
    enum lookup want;
    const char *want_reason;
} sayings[] = {
    {"does not know the options", ERROR("08P01", "unsupported startup parameter: options"),
     ERROR("28000", "not here"), false, 0, LONG_TIME, LOOKUP_UNAVAILABLE, "28000: not here"},
    {"does not know the options, and is full", ERROR("08P01", "unsupported startup parameter"),
     ERROR("53300", "too many"), false, 0, LONG_TIME, LOOKUP_BUSY, "53300: too many"},
    {"is full", ERROR("53300", "too many"), NULL, false, 0, LONG_TIME, LOOKUP_BUSY,
     "53300: too many"},
    {"is a full pooler", ERROR("08P01", "no more connections allowed (max_client_conn)"), NULL,
     false, 0, LONG_TIME, LOOKUP_BUSY, "no more connections allowed"},
    {"closes", "", NULL, false, 0, LONG_TIME, LOOKUP_LOST, "closed the connection"},
    {"talks without end", "", NULL, true, 0, LONG_TIME, LOOKUP_UNAVAILABLE,
     "the answer is too long"},
    {"talks slowly", "", NULL, true, 20, 3 * SHORT_TIME, LOOKUP_UNAVAILABLE,
     "connection timed out"},
};

static struct {
    int listener;
    const struct saying *saying;
    unsigned asked;
    bool had_options[2];
} server;

static bool holds(const char *bytes, size_t length, const char *text)
{
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

/* The length of the fields of an error, the last of which ends with two NULs. */
static size_t length_of_error(const char *fields)
{
    size_t length = 0;

    while (fields[length] != '\0')
        length += strlen(fields + length) + 1;
    return length + 1;
}

static void send_error(int connection, const char *fields)
{
    const size_t length = length_of_error(fields);
    const char head[] = {'E', 0, 0, 0, (char)(length + 4)};

    if (fields[0] == '\0')
        return;
    send(connection, head, sizeof(head), MSG_NOSIGNAL);
    send(connection, fields, length, MSG_NOSIGNAL);
}

/* Parameters of the server, as many as the client accepts. */
static void flood(int connection, unsigned pause)
{
    static const char one[] = "S\0\0\x10\4name\0";
    static char parameter[1 + 0x1004];
    size_t sent = 0;

    memset(parameter, 'v', sizeof(parameter));
    memcpy(parameter, one, sizeof(one) - 1);
    parameter[sizeof(parameter) - 1] = '\0';
    send(connection, ADMITTED, sizeof(ADMITTED) - 1, MSG_NOSIGNAL);
    while (sent < MUCH &&
           send(connection, parameter, sizeof(parameter), MSG_NOSIGNAL) == sizeof(parameter)) {
        sent += sizeof(parameter);
        __real_poll(NULL, 0, (int)pause);
    }
}

static void serve_once(unsigned number)
{
    const struct saying *row = server.saying;
    int connection = accept(server.listener, NULL, NULL);
    char bytes[1024];
    ssize_t length = recv(connection, bytes, sizeof(bytes), 0);

    server.asked++;
    server.had_options[number] = length > 0 && holds(bytes, (size_t)length, "statement_timeout");
    if (row->floods)
        flood(connection, row->pause);
    else
        send_error(connection, number == 0 ? row->first : row->second);
    shutdown(connection, SHUT_WR);
    while (recv(connection, bytes, sizeof(bytes), 0) > 0)
        continue;
    close(connection);
}

static void *serve(void *context)
{
    serve_once(0);
    if (server.saying->second != NULL)
        serve_once(1);
    return context;
}

static void server_says(void **state)
{
    static char address[] = "127.0.0.1";
    const struct run *run = *state;
    const struct saying *row = run->row;
    enum lookup result;
    pthread_t thread;
    unsigned port;

    memset(&server, 0, sizeof(server));
    server.listener = run_mute_socket(true, &port);
    server.saying = row;
    world.host = (struct sql_host){address, port, address};
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    result = open_within(SQL_ACCESS_READ, row->time);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(server.listener);
    assert_lookup(result, row->want);
    assert_reason(row->want_reason);
    assert_int_equal(server.asked, row->second != NULL ? 2 : 1);
    assert_true(server.had_options[0]);
    assert_false(server.had_options[1]);
}

/* --- a call of the library fails */

enum what { OPEN, LOOK_UP, LOOK_UP_UNTYPED, LOOK_UP_BY_NUMBER, DIVIDE_BY_ZERO, STORE, COMMIT };

static const struct fault {
    const char *name;
    const char *call;
    unsigned left; /* such calls that succeed before */
    enum what what;
    enum lookup want;
    const char *want_reason;
} faults[] = {
    {"no connection", "PQconnectStartParams", 0, OPEN, LOOKUP_UNAVAILABLE, "out of memory"},
    {"no SHA-256", "EVP_Digest", 0, LOOK_UP, LOOKUP_FOUND, ""},
    {"not prepared", "PQsendPrepare", 0, LOOK_UP, LOOKUP_LOST, "the connection was closed"},
    {"not run by its name", "PQsendQueryPrepared", 0, LOOK_UP, LOOKUP_LOST,
     "the connection was closed"},
    {"not run by its text", "PQsendQueryParams", 0, COMMIT, LOOKUP_LOST,
     "the connection was closed"},
    {"not row by row", "PQsetSingleRowMode", 0, LOOK_UP, LOOKUP_LOST, "the connection was closed"},
    {"not sent", "PQflush", 0, LOOK_UP, LOOKUP_UNAVAILABLE,
     "libpq cannot go on with the connection"},
    {"not read", "PQconsumeInput", 0, LOOK_UP, LOOKUP_UNAVAILABLE,
     "libpq cannot go on with the connection"},
    {"not waited for", "poll", 0, LOOK_UP, LOOKUP_UNAVAILABLE, "cannot wait for the server: "},
    {"not waited for to connect", "poll", 0, OPEN, LOOKUP_LOST, ""},
    {"no parameter is named", "no parameter", 0, LOOK_UP_UNTYPED, LOOKUP_FOUND, ""},
    {"a parameter too many is named", "ninth parameter", 0, LOOK_UP_UNTYPED, LOOKUP_FOUND, ""},
    /* The text of each error is asked for once. */
    {"the same parameter is named again", "first parameter", 1, LOOK_UP_UNTYPED, LOOKUP_FOUND, ""},
    {"parameters are not described", "PQsendDescribePrepared", 0, LOOK_UP_BY_NUMBER, LOOKUP_LOST,
     "the connection was closed"},
    {"other parameters are described", "PQnparams", 0, LOOK_UP_BY_NUMBER, LOOKUP_NONE, ""},
    {"closed after an error", "PQstatus", 1, DIVIDE_BY_ZERO, LOOKUP_LOST, ""},
};

static enum lookup run_what(enum what what)
{
    switch (what) {
    case OPEN:
        return open_session(SQL_ACCESS_READ);
    case LOOK_UP:
        return look_up(BY_NAME, "alice");
    case LOOK_UP_UNTYPED:
        return look_up(BY_TWO, "alice");
    case LOOK_UP_BY_NUMBER:
        return look_up(BY_NUMBER, "nobody");
    case DIVIDE_BY_ZERO:
        return look_up(DIVIDE, "alice");
    case STORE:
        return store(UPDATE, "alice");
    case COMMIT:
        return step(SQL_COMMIT, LONG_TIME);
    }
    return LOOKUP_FOUND;
}

static void call_fails(void **state)
{
    const struct run *run = *state;
    const struct fault *row = run->row;

    if (row->what != OPEN)
        assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    fail_call(row->call, row->left);
    assert_lookup(run_what(row->what), row->want);
    assert_int_equal(fail_no_more(), 1);
    assert_reason(row->want_reason);
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_alice();
}

/* The server may or may not have it: no success is reported. */
static void commit_is_not_answered(void **state)
{
    (void)state;
    assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
    assert_lookup(step(SQL_BEGIN, LONG_TIME), LOOKUP_DONE);
    assert_lookup(store(UPDATE, "alice"), LOOKUP_DONE);
    assert_lookup(step(SQL_COMMIT, 0), LOOKUP_UNAVAILABLE);
    assert_reason("timed out waiting for an answer");
}

/* --- servers that forget, and statements that are not valid */

static void prepares_once_more(void **state)
{
    unsigned i;

    (void)state;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_alice();
    for (i = 1; i <= 2; i++) {
        forgotten = i;
        assert_alice();
        assert_int_equal(forgotten, 0);
    }
    /* From then on, it uses no names: there is nothing to forget. */
    forgotten = 1;
    assert_alice();
    assert_int_equal(forgotten, 1);
}

static void copies_nothing(void **state)
{
    static const char *const statements[] = {"COPY users TO STDOUT", "COPY users FROM STDIN"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(statements); i++) {
        assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
        assert_lookup(look_up(statements[i], NULL), LOOKUP_UNAVAILABLE);
        assert_reason("a statement of this kind cannot be used");
        assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
        assert_lookup(store(statements[i], NULL), LOOKUP_UNAVAILABLE);
        assert_reason("a statement of this kind cannot be used");
    }
}

static void takes_no_notice_of_notifications(void **state)
{
    const struct run *run = *state;

    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_lookup(store("LISTEN news", NULL), LOOKUP_NONE);
    assert_true(run->fixture->execute("NOTIFY news, 'wonderland'"));
    assert_lookup(look_up("SELECT 'x' FROM pg_sleep(0.05)", NULL), LOOKUP_FOUND);
    assert_alice();
}

static const struct flooding {
    const char *name;
    const char *statement;
    const char *want_reason;
} floodings[] = {
    {"of rows", "SELECT repeat('x', 500000) FROM generate_series(1, 200)",
     "the answer is too long: more than one row for one user"},
    {"of columns",
     "SELECT n.*, n.*, n.*, n.*, n.*, n.*, n.*, n.* FROM (SELECT repeat('x', 900000) AS a,"
     " repeat('y', 900000) AS b, repeat('y', 900000) AS c, repeat('y', 900000) AS d,"
     " repeat('y', 900000) AS e, repeat('y', 900000) AS f, repeat('y', 900000) AS g) n",
     "the answer is too long"},
};

static void flood_is_ended(void **state)
{
    const struct run *run = *state;
    const struct flooding *row = run->row;

    if (getenv("TEST_TURNS") != NULL)
        skip(); /* valgrind runs no other thread meanwhile */
    world.host = world.by_address;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    assert_lookup(look_up(row->statement, NULL), LOOKUP_UNAVAILABLE);
    assert_string_equal(world.reason.text, row->want_reason);
    /* Storing reads nothing. */
    assert_lookup(open_session(SQL_ACCESS_WRITE), LOOKUP_DONE);
    assert_lookup(store(row->statement, NULL), LOOKUP_UNAVAILABLE);
    assert_string_equal(world.reason.text, "the answer is too long");
}

static void no_thread_ends_a_flood(void **state)
{
    (void)state;
    assert_lookup(open_session(SQL_ACCESS_READ), LOOKUP_DONE);
    poll(NULL, 0, 30); /* the keeper of earlier watchdogs ends */
    fail_call("pthread_create", 0);
    assert_lookup(look_up("SELECT repeat('x', 100000)", NULL), LOOKUP_UNAVAILABLE);
    assert_int_equal(fail_no_more(), 1);
    assert_reason("cannot start a watchdog thread");
}

/* --- everything fails in turn */

/* Ends with a statement that is NULL. */
struct act {
    const char *statement;
    const char *user;
    enum lookup want;
};

static const struct act looking[] = {
    {BY_NAME, "alice", LOOKUP_FOUND},  {BY_NAME, "nobody", LOOKUP_NONE},
    {BY_NAME, "twin", LOOKUP_SEVERAL}, {BY_CONCAT, "alice", LOOKUP_FOUND},
    {BY_NUMBER, "1", LOOKUP_FOUND},    {BY_NUMBER, "nobody", LOOKUP_NONE},
    {ONE_OF, "nobody", LOOKUP_NONE},   {NULL, NULL, LOOKUP_FOUND},
};

/* These fail, which breaks a transaction. */
static const struct act spoiling[] = {
    {DIVIDE, "alice", LOOKUP_REJECTED},
    {ONE_OF, "twin", LOOKUP_SEVERAL},
    {NULL, NULL, LOOKUP_FOUND},
};

/* What follows continues up to the first failure, which is reported as an outage, and returns
 * whether everything succeeded. */
static bool is_as_wanted(enum lookup result, enum lookup want)
{
    if (result == LOOKUP_UNAVAILABLE || result == LOOKUP_LOST)
        return false;
    assert_lookup(result, want);
    return true;
}

static bool is_well(enum lookup result)
{
    return is_as_wanted(result, LOOKUP_DONE);
}

static bool look_up_all(const struct act *act)
{
    while (act->statement != NULL && is_as_wanted(look_up(act->statement, act->user), act->want))
        act++;
    return act->statement == NULL;
}

static bool spoil_transactions(const struct act *act)
{
    while (act->statement != NULL && is_well(step(SQL_BEGIN, LONG_TIME)) &&
           is_as_wanted(look_up(act->statement, act->user), act->want) &&
           is_well(step(SQL_ROLLBACK, LONG_TIME)))
        act++;
    return act->statement == NULL;
}

/* The session then has no names for statements. */
static bool takes_the_names(void)
{
    enum lookup result;

    forgotten = 2;
    result = look_up(BY_NAME, "alice");
    forgotten = 0;
    return is_as_wanted(result, LOOKUP_FOUND);
}

static bool do_all(void)
{
    return is_well(open_session(SQL_ACCESS_READ)) && look_up_all(looking) &&
           look_up_all(spoiling) && takes_the_names() && look_up_all(looking) &&
           is_well(open_session(SQL_ACCESS_WRITE)) && spoil_transactions(spoiling) &&
           is_well(step(SQL_BEGIN, LONG_TIME)) && look_up_all(looking) &&
           is_well(store(UPDATE, "twin")) && is_well(step(SQL_COMMIT, LONG_TIME));
}

/* No row of a failed transaction is stored, and its reason contains none of it. */
static void assert_failed_well(const struct run *run)
{
    char *count;

    assert_string_not_equal(world.reason.text, "(none)");
    assert_reason("");
    close_session();
    count = run->fixture->query("SELECT count(*) FROM users WHERE secret = 'new'");
    assert_non_null(count);
    if (!world.may_be_committed)
        assert_string_equal(count, "0");
    else /* This waits until the server is done with it. */
        assert_true(run->fixture->execute("UPDATE users SET secret = 'one' WHERE name = 'twin'"));
    free(count);
}

static const struct turn {
    const char *name;
    const char *call; /* NULL: an allocation */
    const char *host; /* "": the socket */
    unsigned want_at_least;
} turns[] = {
    {"allocations", NULL, "", 15},         {"allocations, by a name", NULL, "db.test", 15},
    {"what is sent", "send", "", 30},      {"connections, before what is sent", "cut", "", 30},
    {"reading", "PQconsumeInput", "", 30}, {"waiting", "poll", "", 30},
};

static void each_fails_in_turn(void **state)
{
    const struct run *run = *state;
    const struct turn *row = run->row;
    unsigned left, failed;

    if (row->host[0] != '\0') {
        world.host = world.by_address;
        world.host.name = (char *)(uintptr_t)row->host;
    }
    for (left = 0;; left++) {
        bool done;

        if (row->call != NULL)
            fail_call(row->call, left);
        else
            fail_allocation(left);
        done = do_all();
        failed = fail_no_more();
        assert_int_equal(done, failed == 0);
        if (done)
            break;
        assert_failed_well(run);
    }
    assert_true(left >= row->want_at_least);
}

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD_ROWS(list, fixture, encrypts, tls_modes);
    RUN_ADD(list, fixture, connects_to_the_default_host);
    RUN_ADD(list, fixture, says_where_names_are_looked_up);
    RUN_ADD_ROWS(list, fixture, server_says, sayings);
    RUN_ADD_ROWS(list, fixture, call_fails, faults);
    RUN_ADD(list, fixture, commit_is_not_answered);
    RUN_ADD(list, fixture, prepares_once_more);
    RUN_ADD(list, fixture, copies_nothing);
    RUN_ADD(list, fixture, takes_no_notice_of_notifications);
    RUN_ADD_ROWS(list, fixture, flood_is_ended, floodings);
    RUN_ADD(list, fixture, no_thread_ends_a_flood);
    RUN_ADD_ROWS(list, fixture, each_fails_in_turn, turns);
}

int main(void)
{
    alarm(900); /* a driver that never returns is stopped here */
    return run_all("pgsql_faults", set_up, tear_down, add_all);
}
