/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * MariaDB Connector/C.
 *
 * Its time limits are whole seconds for each single read; but it lets its user
 * do the waiting, which happens here, under the deadline of the request that
 * runs in this thread.
 *
 * It also goes on in clear text where a server offers no encryption, and then
 * takes the connection for a safe one and sends the password as it is if the
 * server asks for that. So encryption is only asked for when the server has said
 * that it can: its greeting is looked at before the library reads it.
 */

#include "mysql_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "mysql_greeting.h"
#include "mysql_plugins.h"
#include "watchdog.h"

enum {
    /* Milliseconds. Where TLS waits for room to write, the library says that it
     * waits for something to read (ma_tls_write): so it gets to try again. */
    LOOK_AGAIN = 50
};

/* What this thread is waiting for. */
static _Thread_local struct {
    const struct deadline *deadline;

    bool is_opening; /* a connection */

    /* of which the encryption is still to be settled; else NULL */
    MYSQL *connecting;
    const struct sql_target *target;
    bool lacks_ssl;
    struct watchdog watchdog;
} now;

static int time_left(void)
{
    return now.deadline != NULL ? deadline_remaining(now.deadline) : 0;
}

/* --- what to ask of a server */

/* Since 3.4, a certificate is either checked together with its name or not at all. A
 * library that was built with the server, since 11.4, has the server's number. */
static bool library_checks_all_or_nothing(void)
{
    size_t version = 0;

    mariadb_get_infov(NULL, MARIADB_CLIENT_VERSION_ID, &version);
    return (version >= 30400 && version < 100000) || version >= 110400;
}

bool mysql_client_checks_name(const struct sql_target *target)
{
    bool checks_authority = target->ssl_mode >= SQL_SSL_VERIFY_CA ||
                            (target->ssl_mode == SQL_SSL_REQUIRE && target->ssl_ca[0] != '\0');

    return target->ssl_mode == SQL_SSL_VERIFY_FULL ||
           (checks_authority && library_checks_all_or_nothing());
}

static void set_ssl_file(MYSQL *mysql, enum mysql_option option, const char *path)
{
    if (path[0] != '\0')
        mysql_options(mysql, option, path);
}

static void ask_for_ssl(MYSQL *mysql, const struct sql_target *target)
{
    const my_bool yes = 1, check = mysql_client_checks_name(target);

    set_ssl_file(mysql, MYSQL_OPT_SSL_CA, target->ssl_ca);
    set_ssl_file(mysql, MYSQL_OPT_SSL_CERT, target->ssl_cert);
    set_ssl_file(mysql, MYSQL_OPT_SSL_KEY, target->ssl_key);
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &check);
}

static void ask_for_no_ssl(MYSQL *mysql)
{
    const my_bool no = 0;

    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &no);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
}

/* Those that are wanted are loaded already: others are neither found nor, since
 * 3.3, used if somebody else has loaded them. */
static void restrict_plugins(MYSQL *mysql)
{
    mysql_options(mysql, MYSQL_PLUGIN_DIR, "/nonexistent");
#if HAVE_DECL_MARIADB_OPT_RESTRICTED_AUTH
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, MYSQL_PLUGINS);
#endif
}

/* --- waiting */

/* The library neither keeps sockets from programs that the host starts, nor
 * from blocking within TLS. */
static void prepare_socket(my_socket socket)
{
    int flags = fcntl(socket, F_GETFL);

    fcntl(socket, F_SETFD, FD_CLOEXEC);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0)
        fcntl(socket, F_SETFL, flags | O_NONBLOCK);
}

/* Returns more than 0 if there is something to do, 0 if time is up. */
static int wait_at_most(my_socket socket, short events, int limit)
{
    struct pollfd wanted = {.fd = socket, .events = events};
    int left, ready;

    do {
        left = time_left();
        ready = poll(&wanted, 1, left < limit ? left : limit);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready;
}

/* The library loses the error of a connection that could not be made: here it is
 * still to be had. */
static bool has_failed(my_socket socket)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error == 0)
        return false;
    errno = error;
    return true;
}

static bool is_hung_up(my_socket socket)
{
    struct pollfd hangup = {.fd = socket, .events = POLLRDHUP};

    return poll(&hangup, 1, 0) > 0;
}

/* Waits for the greeting and leaves it to be read. Returns GREETING_UNFINISHED with
 * errno if it does not come. */
static enum mysql_greeting peek_at_greeting(my_socket socket)
{
    unsigned char bytes[MYSQL_GREETING_MAX];

    do {
        enum mysql_greeting greeting;
        ssize_t length;

        if (wait_at_most(socket, POLLIN, LOOK_AGAIN) < 0)
            return GREETING_UNFINISHED;
        length = recv(socket, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
        greeting = mysql_greeting_read(bytes, length > 0 ? (size_t)length : 0);
        if (greeting != GREETING_UNFINISHED)
            return greeting;
        if (length >= 0 && is_hung_up(socket)) {
            errno = ECONNRESET;
            return GREETING_UNFINISHED;
        }
        if (length > 0)
            poll(NULL, 0, 1); /* the rest is on its way */
    } while (time_left() > 0);
    errno = ETIMEDOUT;
    return GREETING_UNFINISHED;
}

/* The connection is made: settles whether it is to be encrypted. Returns 1, or -1 with
 * errno to give it up. */
static int settle_ssl(my_socket socket)
{
    const unsigned patience = now.target->timeout / 2;
    const enum sql_ssl_mode mode = now.target->ssl_mode;

    /* Of a connection that a firewall has forgotten, the loss is noticed in time. */
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
    errno = EPROTO;
    switch (peek_at_greeting(socket)) {
    case GREETING_REFUSAL:
        return 1;
    case GREETING_WITH_SSL:
        if (mode == SQL_SSL_DISABLE)
            return 1;
        /* The library makes the socket a blocking one again. */
        if (!watchdog_set(&now.watchdog, socket, now.deadline))
            return -1;
        ask_for_ssl(now.connecting, now.target);
        return 1;
    case GREETING_WITHOUT_SSL:
        now.lacks_ssl = mode >= SQL_SSL_REQUIRE;
        return now.lacks_ssl ? -1 : 1;
    case GREETING_UNFINISHED:
    case GREETING_UNKNOWN:
        break;
    }
    return -1;
}

/* Returns more than 0 if it is worth trying again. */
static int wait_for_socket(my_socket socket, my_bool is_read, int timeout)
{
    int ready;

    (void)timeout;
    if (now.is_opening)
        prepare_socket(socket);
    if (is_read) {
        ready = wait_at_most(socket, POLLIN, LOOK_AGAIN);
        return ready == 0 && time_left() > 0 ? 1 : ready;
    }
    ready = wait_at_most(socket, POLLOUT, time_left());
    if (ready <= 0 || now.connecting == NULL)
        return ready;
    if (has_failed(socket))
        return -1;
    ready = settle_ssl(socket);
    now.connecting = NULL;
    return ready;
}

/* --- the interface */

static void stop_connecting(void)
{
    watchdog_call_off(&now.watchdog);
    now.is_opening = false;
    now.connecting = NULL;
}

void mysql_client_set_options(MYSQL *mysql, const struct sql_target *target, bool local,
                              const struct deadline *deadline)
{
    /* What counts is the deadline: these make the library wait at all. */
    const unsigned second = 1;

    (void)deadline;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &second);
    mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, wait_for_socket);
    restrict_plugins(mysql);
    ask_for_no_ssl(mysql);
    stop_connecting();
    now.is_opening = true;
    now.lacks_ssl = false;
    if (!local) {
        now.connecting = mysql;
        now.target = target;
    } else if (target->ssl_mode >= SQL_SSL_REQUIRE) {
        ask_for_ssl(mysql, target);
    }
}

bool mysql_client_lacks_ssl(void)
{
    return now.lacks_ssl;
}

void mysql_client_close_on_exec(MYSQL *mysql)
{
    stop_connecting();
    prepare_socket(mysql_get_socket(mysql));
}

void mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline)
{
    now.deadline = deadline;
    /* Without TLS, the library sends with MSG_NOSIGNAL. */
    call->is_guarded = mysql == NULL || mysql_get_ssl_cipher(mysql) != NULL;
    if (call->is_guarded)
        sigpipe_block(&call->sigpipe);
}

void mysql_client_end(const struct mysql_call *call)
{
    stop_connecting();
    if (call->is_guarded)
        sigpipe_release(&call->sigpipe);
    now.deadline = NULL;
}
