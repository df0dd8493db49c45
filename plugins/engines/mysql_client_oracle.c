/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libmysqlclient of MySQL 8. It does its own waiting, and each wait while it connects may last
 * as long as a whole request, in full seconds: `sql_timeout` is thus kept to the next second if
 * a server stalls once during connecting, but not if it stalls several times. A watchdog limits
 * what comes after that.
 */

#include "engines/mysql_client.h"

#include <errmsg.h>
#include <fcntl.h>
#include <openssl/err.h>

void mysql_client_load(void)
{
}

bool mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline,
                        struct reason *reason)
{
    *call = (struct mysql_call){.deadline = *deadline, .mysql = mysql, .is_guarded = true};
    /* Without a connection, the library reports that it is lost. */
    if (mysql->net.vio != NULL &&
        !watchdog_set(&call->watchdog, mysql->net.fd, deadline, MYSQL_MOST_RECEIVED)) {
        reason_set(reason, "cannot start a watchdog thread");
        return false;
    }
    ERR_clear_error();
    sigpipe_block(&call->sigpipe);
    return true;
}

void mysql_client_end(struct mysql_call *call)
{
    watchdog_call_off(&call->watchdog);
    sigpipe_release(&call->sigpipe);
    ERR_clear_error();
}

bool mysql_client_is_flooded(struct mysql_call *call)
{
    return watchdog_is_flooded(&call->watchdog);
}

/* The library says only that the certificate cannot be verified. */
bool mysql_client_refused_name(MYSQL *mysql)
{
    (void)mysql;
    return false;
}

bool mysql_client_refused_message(MYSQL *mysql)
{
    return mysql_errno(mysql) == CR_NET_PACKET_TOO_LARGE;
}

void mysql_client_close(MYSQL *mysql)
{
    struct sigpipe_guard guard;

    sigpipe_block(&guard);
    mysql_close(mysql);
    sigpipe_release(&guard);
    ERR_clear_error();
}

/* In full seconds, and at least one: 0 would mean endlessly. */
static unsigned seconds_of(unsigned milliseconds)
{
    return milliseconds > 0 ? (milliseconds + 999) / 1000 : 1;
}

static void set_timeouts(MYSQL *mysql, const struct sql_target *target,
                         const struct deadline *deadline)
{
    const unsigned for_connecting = seconds_of((unsigned)deadline_remaining(deadline));
    const unsigned for_all = seconds_of(target->timeout);

    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &for_connecting);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &for_all);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &for_all);
}

static void set_ssl_file(MYSQL *mysql, enum mysql_option option, const char *path)
{
    if (path[0] != '\0')
        mysql_options(mysql, option, path);
}

static void set_options(MYSQL *mysql, const struct sql_target *target, bool is_local,
                        const struct deadline *deadline)
{
    static const unsigned modes[] = {
        [SQL_SSL_DISABLE] = SSL_MODE_DISABLED,
        [SQL_SSL_PREFER] = SSL_MODE_PREFERRED,
        [SQL_SSL_REQUIRE] = SSL_MODE_REQUIRED,
        [SQL_SSL_VERIFY_CA] = SSL_MODE_VERIFY_CA,
        [SQL_SSL_VERIFY_FULL] = SSL_MODE_VERIFY_IDENTITY,
    };
    const unsigned long longest = MYSQL_LONGEST_MESSAGE;
    unsigned mode = modes[target->ssl_mode];
    /* Whether to accept the server's public key for the password from the server itself. */
    const bool trust_key = target->ssl_mode <= SQL_SSL_PREFER;

    if (is_local && target->ssl_mode == SQL_SSL_PREFER)
        mode = SSL_MODE_DISABLED;
    /* If an authority is set, the library does not accept "required". */
    if (target->ssl_mode == SQL_SSL_REQUIRE && target->ssl_ca[0] != '\0')
        mode = SSL_MODE_VERIFY_CA;
    set_timeouts(mysql, target, deadline);
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &longest);
    set_ssl_file(mysql, MYSQL_OPT_SSL_CA, target->ssl_ca);
    set_ssl_file(mysql, MYSQL_OPT_SSL_CERT, target->ssl_cert);
    set_ssl_file(mysql, MYSQL_OPT_SSL_KEY, target->ssl_key);
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &trust_key);
}

bool mysql_client_begin_connecting(struct mysql_call *call, MYSQL *mysql,
                                   const struct sql_target *target, const char *name,
                                   const struct deadline *deadline, struct reason *reason)
{
    (void)reason;
    *call = (struct mysql_call){.deadline = *deadline, .mysql = mysql, .is_guarded = true};
    set_options(mysql, target, name == NULL, deadline);
    ERR_clear_error();
    sigpipe_block(&call->sigpipe);
    return true;
}

bool mysql_client_connects_by_name(const struct sql_target *target)
{
    return target->ssl_mode == SQL_SSL_VERIFY_FULL;
}

bool mysql_client_bears_addresses(void)
{
    return true;
}

void mysql_client_close_on_exec(MYSQL *mysql)
{
    fcntl(mysql->net.fd, F_SETFD, FD_CLOEXEC);
}
