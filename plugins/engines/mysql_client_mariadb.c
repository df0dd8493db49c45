/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * MariaDB Connector/C.
 *
 * Its time limits are whole seconds for each single read; but it lets its user
 * do the waiting, which happens here, under the deadline of the call that this
 * thread is in. It never waits while there is something to read, and TLS waits
 * on its own: a watchdog ends both.
 *
 * It also continues in clear text if a server offers no encryption, but then
 * treats the connection as safe and sends the plain password if the server asks
 * for it. So it is asked to encrypt only if the server has said that it can:
 * its greeting is inspected before the library reads it.
 */

#include "engines/mysql_client.h"

#include <errmsg.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "engines/mysql_greeting.h"
#include "engines/mysql_mariadb_tls.h"
#include "engines/mysql_plugins.h"

enum {
    /* Milliseconds. The library claims to wait for something to read while TLS waits for room to
     * write (ma_tls_write), so it is allowed to try again. */
    LOOK_AGAIN = 50
};

/* Leads to the call that a thread is in: the library passes nothing on. This is
 * not thread-local storage, which allocates memory at its first use and ends
 * the process if there is none. */
static pthread_key_t current;
static int current_error = EAGAIN; /* of making the key */

static struct mysql_call *get_current(void)
{
    return current_error == 0 ? pthread_getspecific(current) : NULL;
}

/* OpenSSL calls this for each TLS session that is created in the whole process. The library
 * checks the certificate for the host that it keeps here, which is the address that it has
 * connected to: this replaces it with the name. */
static void put_name(void *ssl, void *data, CRYPTO_EX_DATA *all, int number, long unused,
                     void *nothing)
{
    struct mysql_call *call = get_current();

    (void)ssl, (void)data, (void)all, (void)number, (void)unused, (void)nothing;
    if (call == NULL || call->name_to_put == NULL)
        return;
    free(call->mysql->host);
    call->mysql->host = call->name_to_put;
    call->name_to_put = NULL;
}

static int put_name_number = -1; /* of the above, with OpenSSL */

static void make_ready(void)
{
    current_error = pthread_key_create(&current, NULL);
    put_name_number = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, put_name, NULL, NULL);
}

void mysql_client_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_ready);
}

/* Returns 0 or an error of errno(3). */
static int set_current(struct mysql_call *call)
{
    return current_error == 0 ? pthread_setspecific(current, call) : current_error;
}

/* --- what to ask of a server */

/* Debian 11 has a library that uses GnuTLS. */
bool mysql_client_connects_by_name(const struct sql_target *target)
{
    static const char openssl[] = "OpenSSL ";
    const char *name = NULL;

    mariadb_get_infov(NULL, MARIADB_TLS_LIBRARY, &name);
    return mysql_mariadb_tls_checks_name(target) &&
           (put_name_number < 0 || name == NULL || strncmp(name, openssl, strlen(openssl)) != 0);
}

/* It waits endlessly for a connection to the second one, does not call our waiting function, and
 * so does not encrypt. */
bool mysql_client_bears_addresses(void)
{
    return false;
}

/* The plug-ins that we want are already loaded: others are not found and, since
 * 3.3, not used even if other code has loaded them. */
static void restrict_plugins(MYSQL *mysql)
{
    mysql_options(mysql, MYSQL_PLUGIN_DIR, "/nonexistent");
#if HAVE_DECL_MARIADB_OPT_RESTRICTED_AUTH
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, MYSQL_PLUGINS);
#endif
}

/* --- waiting */

/* The library neither hides sockets from programs that the host starts, nor
 * keeps them from blocking within TLS. */
static void prepare_socket(my_socket socket)
{
    int flags = fcntl(socket, F_GETFL);

    fcntl(socket, F_SETFD, FD_CLOEXEC);
    if ((flags & O_NONBLOCK) == 0)
        fcntl(socket, F_SETFL, flags | O_NONBLOCK);
}

/* Returns more than 0 if there is something to do and time to do it, 0 if not. */
static int wait_at_most(my_socket socket, short events, const struct deadline *deadline, int limit)
{
    struct pollfd wanted = {.fd = socket, .events = events};
    int ready = deadline_remaining(deadline) > 0 ? deadline_poll(deadline, &wanted, limit) : 0;

    if (ready == 0)
        errno = ETIMEDOUT;
    return ready;
}

/* The library loses the error of a connection that could not be made: it is
 * still available here. */
static bool has_failed(my_socket socket)
{
    int error = 0;
    socklen_t size = sizeof(error);

    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
        errno = error;
    return error != 0;
}

static bool is_hung_up(my_socket socket)
{
    struct pollfd hangup = {.fd = socket, .events = POLLRDHUP};

    return poll(&hangup, 1, 0) > 0;
}

/* Waits for the greeting and leaves it unread. Returns GREETING_UNFINISHED with
 * errno if it does not come. */
static enum mysql_greeting peek_at_greeting(my_socket socket, const struct deadline *deadline)
{
    unsigned char bytes[MYSQL_GREETING_MAX];

    do {
        enum mysql_greeting greeting;
        ssize_t length;

        if (wait_at_most(socket, POLLIN, deadline, LOOK_AGAIN) < 0)
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
            deadline_sleep(deadline, 1); /* the rest is on its way */
    } while (deadline_remaining(deadline) > 0);
    errno = ETIMEDOUT;
    return GREETING_UNFINISHED;
}

/* The connection is made: decides whether to encrypt it. False with errno to give it up. */
static bool settle_ssl(struct mysql_call *call, my_socket socket)
{
    const unsigned patience = call->target->timeout / 2;
    const enum sql_ssl_mode mode = call->target->ssl_mode;

    /* Detects connections that a firewall dropped. */
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
    errno = EPROTO;
    switch (peek_at_greeting(socket, &call->deadline)) {
    case GREETING_REFUSAL:
        return true;
    case GREETING_WITH_SSL:
        if (mode != SQL_SSL_DISABLE)
            mysql_mariadb_tls_ask(call->mysql, call->target);
        return true;
    case GREETING_WITHOUT_SSL:
        call->lacks_ssl = mode >= SQL_SSL_REQUIRE;
        return !call->lacks_ssl;
    case GREETING_UNFINISHED:
    case GREETING_UNKNOWN:
        break;
    }
    return false;
}

/* The library may make a socket blocking again, and read from it endlessly. */
static bool watch(struct mysql_call *call, my_socket socket)
{
    watchdog_call_off(&call->watchdog);
    return watchdog_set(&call->watchdog, socket, &call->deadline, MYSQL_MOST_RECEIVED);
}

static ino_t inode_of(my_socket socket)
{
    struct stat status = {.st_ino = 0};

    fstat(socket, &status);
    return status.st_ino;
}

/* Called while a connection is being made. */
static int wait_for_connection(struct mysql_call *call, my_socket socket)
{
    const int left = deadline_remaining(&call->deadline);

    if (wait_at_most(socket, POLLOUT, &call->deadline, left) <= 0 || has_failed(socket) ||
        !settle_ssl(call, socket) || !watch(call, socket))
        return -1;
    call->settled = inode_of(socket);
    return 1;
}

/* A server on this machine has nothing to decide. */
static bool settle_local(struct mysql_call *call, my_socket socket)
{
    if (call->settled == 0 && !watch(call, socket))
        return false;
    call->settled = inode_of(socket);
    return true;
}

/* Returns more than 0 if it is worth trying again. */
static int wait_for_socket(my_socket socket, my_bool is_read, int timeout)
{
    struct mysql_call *call = get_current();
    int ready;

    (void)timeout;
    if (call == NULL)
        return 0; /* a closed connection */
    if (call->target != NULL) {
        prepare_socket(socket);
        if (call->name == NULL && !settle_local(call, socket))
            return -1;
        if (!is_read && call->name != NULL && inode_of(socket) != call->settled)
            return wait_for_connection(call, socket);
    }
    if (!is_read)
        return wait_at_most(socket, POLLOUT, &call->deadline, deadline_remaining(&call->deadline));
    ready = wait_at_most(socket, POLLIN, &call->deadline, LOOK_AGAIN);
    return ready == 0 && deadline_remaining(&call->deadline) > 0 ? 1 : ready;
}

/* --- the interface */

static void set_options(MYSQL *mysql, const struct sql_target *target, bool is_local)
{
    /* The deadline is what counts: these make the library wait in the first place. */
    const unsigned second = 1;
    const size_t longest = MYSQL_LONGEST_MESSAGE;

    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &second);
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &longest);
    mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, wait_for_socket);
    restrict_plugins(mysql);
    mysql_mariadb_tls_ask_not(mysql);
    if (is_local && target->ssl_mode >= SQL_SSL_REQUIRE)
        mysql_mariadb_tls_ask(mysql, target);
}

static bool begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline,
                  struct reason *reason)
{
    const int error = set_current(call);

    *call = (struct mysql_call){.deadline = *deadline, .mysql = mysql};
    ERR_clear_error();
    if (error != 0)
        reason_set(reason, "cannot prepare a call of the client library: %s", strerror(error));
    return error == 0;
}

bool mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline,
                        struct reason *reason)
{
    const my_socket socket = mysql_get_socket(mysql);

    if (!begin(call, mysql, deadline, reason))
        return false;
    /* Without a socket, the library reports that the connection is lost. */
    if (socket >= 0 && !watch(call, socket)) {
        set_current(NULL);
        reason_set(reason, "cannot start a watchdog thread");
        return false;
    }
    /* Without TLS, the library sends with MSG_NOSIGNAL. */
    call->is_guarded = mysql_get_ssl_cipher(mysql) != NULL;
    if (call->is_guarded)
        sigpipe_block(&call->sigpipe);
    return true;
}

bool mysql_client_begin_connecting(struct mysql_call *call, MYSQL *mysql,
                                   const struct sql_target *target, const char *name,
                                   const struct deadline *deadline, struct reason *reason)
{
    if (!begin(call, mysql, deadline, reason))
        return false;
    /* This is done now: without memory for it later, the library would check the address. */
    if (name != NULL && (call->name_to_put = strdup(name)) == NULL) {
        set_current(NULL);
        reason_no_memory(reason);
        return false;
    }
    call->target = target;
    call->name = name;
    set_options(mysql, target, name == NULL);
    call->is_guarded = true;
    sigpipe_block(&call->sigpipe);
    return true;
}

void mysql_client_end(struct mysql_call *call)
{
    watchdog_call_off(&call->watchdog);
    if (call->is_guarded)
        sigpipe_release(&call->sigpipe);
    set_current(NULL);
    free(call->name_to_put);
    ERR_clear_error();
}

bool mysql_client_is_flooded(struct mysql_call *call)
{
    return watchdog_is_flooded(&call->watchdog);
}

bool mysql_client_refused_name(MYSQL *mysql)
{
    return mysql_mariadb_tls_refused_name(mysql);
}

/* The library reports that the connection is lost, as after a socket error; for
 * that it keeps a 2. */
bool mysql_client_refused_message(MYSQL *mysql)
{
    enum { BY_LIBRARY = 1 };
    const unsigned number = mysql_errno(mysql);

    return number == CR_NET_PACKET_TOO_LARGE ||
           (number == CR_SERVER_LOST && mysql->net.error == BY_LIBRARY);
}

void mysql_client_close(MYSQL *mysql)
{
    struct sigpipe_guard guard;

    sigpipe_block(&guard);
    mysql_close(mysql);
    sigpipe_release(&guard);
    ERR_clear_error();
}

void mysql_client_close_on_exec(MYSQL *mysql)
{
    prepare_socket(mysql_get_socket(mysql));
}
