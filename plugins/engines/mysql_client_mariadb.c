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
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "mysql_plugins.h"

enum {
    /* Milliseconds. Where TLS waits for room to write, the library says that it
     * waits for something to read (ma_tls_write): so it gets to try again. */
    LOOK_AGAIN = 50
};

/* What this thread is waiting for. */
static _Thread_local struct {
    const struct deadline *deadline;

    /* while a connection is made over a network; else NULL */
    MYSQL *connecting;
    const struct sql_target *target;
    bool lacks_ssl;
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

#if HAVE_DECL_MARIADB_OPT_RESTRICTED_AUTH
static void restrict_plugins(MYSQL *mysql)
{
    static const char *const names[] = {MYSQL_PLUGINS};
    char allowed[128] = "";
    size_t i, length = 0;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        length += (size_t)snprintf(allowed + length, sizeof(allowed) - length, "%s%s",
                                   i > 0 ? "," : "", names[i]);
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, allowed);
}
#else
/* Before 3.3: those that are wanted are loaded already, and others are not found. */
static void restrict_plugins(MYSQL *mysql)
{
    mysql_options(mysql, MYSQL_PLUGIN_DIR, "/nonexistent");
}
#endif

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

enum greeting { GREETING_UNFINISHED, GREETING_WITHOUT_SSL, GREETING_WITH_SSL };

/* "Protocol::HandshakeV10": behind a header of four bytes the number 10, the
 * version of the server as a string, 4 bytes of its thread, 8 of a challenge, one
 * unused, and 2 of what it can, the lower half first. */
static enum greeting read_greeting(const unsigned char *bytes, size_t length)
{
    enum { HEADER = 4, VERSION_10 = 10, TO_ABILITIES = 4 + 8 + 1, CLIENT_SSL_BIT = 0x0800 };
    const unsigned char *nul;
    size_t at;

    if (length <= HEADER)
        return GREETING_UNFINISHED;
    if (bytes[HEADER] != VERSION_10)
        return GREETING_WITHOUT_SSL; /* "too many connections", perhaps */
    nul = memchr(bytes + HEADER + 1, '\0', length - HEADER - 1);
    if (nul == NULL)
        return GREETING_UNFINISHED;
    at = (size_t)(nul + 1 - bytes) + TO_ABILITIES;
    if (at + 2 > length)
        return GREETING_UNFINISHED;
    return ((bytes[at] | bytes[at + 1] << 8) & CLIENT_SSL_BIT) != 0 ? GREETING_WITH_SSL
                                                                    : GREETING_WITHOUT_SSL;
}

/* Waits for the greeting and leaves it to be read. Returns false if it does not
 * come. */
static bool peek_at_greeting(my_socket socket, enum greeting *greeting)
{
    unsigned char bytes[256];

    do {
        ssize_t length;

        if (wait_at_most(socket, POLLIN, LOOK_AGAIN) < 0)
            return false;
        length = recv(socket, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
        /* That it is closed, the library finds out by itself. */
        if (length == 0)
            return true;
        *greeting = read_greeting(bytes, length > 0 ? (size_t)length : 0);
        if (*greeting != GREETING_UNFINISHED || length == sizeof(bytes))
            return true;
        if (length > 0)
            poll(NULL, 0, 1); /* the rest is on its way */
    } while (time_left() > 0);
    errno = ETIMEDOUT;
    return false;
}

/* The connection is made: settles whether it is to be encrypted. */
static int settle_ssl(my_socket socket)
{
    const unsigned patience = now.target->timeout / 2;
    enum greeting greeting = GREETING_UNFINISHED;

    /* Of a connection that a firewall has forgotten, the loss is noticed in time. */
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
    if (now.target->ssl_mode == SQL_SSL_DISABLE)
        return 1;
    if (!peek_at_greeting(socket, &greeting))
        return -1;
    if (greeting == GREETING_WITH_SSL) {
        ask_for_ssl(now.connecting, now.target);
    } else if (greeting == GREETING_WITHOUT_SSL && now.target->ssl_mode >= SQL_SSL_REQUIRE) {
        now.lacks_ssl = true;
        errno = EPROTO;
        return -1;
    }
    return 1;
}

/* Returns more than 0 if it is worth trying again. */
static int wait_for_socket(my_socket socket, my_bool is_read, int timeout)
{
    int ready;

    (void)timeout;
    prepare_socket(socket);
    if (is_read) {
        ready = wait_at_most(socket, POLLIN, LOOK_AGAIN);
        return ready == 0 && time_left() > 0 ? 1 : ready;
    }
    ready = wait_at_most(socket, POLLOUT, time_left());
    if (ready <= 0 || now.connecting == NULL)
        return ready;
    return has_failed(socket) ? -1 : settle_ssl(socket);
}

/* --- the interface */

void mysql_client_set_options(MYSQL *mysql, const struct sql_target *target, bool local,
                              const struct deadline *deadline)
{
    /* What counts is the deadline. These make the library wait at all; and where
     * it waits by itself, within a TLS handshake, it does not do so for long. */
    const unsigned second = 1;

    (void)deadline;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &second);
    mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, wait_for_socket);
    restrict_plugins(mysql);
    ask_for_no_ssl(mysql);
    now.connecting = NULL;
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
    now.connecting = NULL;
    prepare_socket(mysql_get_socket(mysql));
}

void mysql_client_begin(struct mysql_call *call, const struct deadline *deadline)
{
    now.deadline = deadline;
    sigpipe_block(&call->sigpipe);
}

void mysql_client_end(const struct mysql_call *call)
{
    sigpipe_release(&call->sigpipe);
    now.deadline = NULL;
    now.connecting = NULL;
}
