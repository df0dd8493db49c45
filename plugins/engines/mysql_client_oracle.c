/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libmysqlclient of MySQL 8. It waits by itself, and each wait may last as long
 * as a whole request, in full seconds: with it, `sql_timeout` is kept to the
 * next second where a server stalls once, but not where it stalls several
 * times.
 */

#include "mysql_client.h"

#include <fcntl.h>

void mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline)
{
    (void)mysql, (void)deadline;
    call->is_guarded = true;
    sigpipe_block(&call->sigpipe);
}

void mysql_client_end(const struct mysql_call *call)
{
    sigpipe_release(&call->sigpipe);
}

/* In full seconds, and at least one: 0 would be without end. */
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

void mysql_client_set_options(MYSQL *mysql, const struct sql_target *target, bool local,
                              const struct deadline *deadline)
{
    static const unsigned modes[] = {
        [SQL_SSL_DISABLE] = SSL_MODE_DISABLED,
        [SQL_SSL_PREFER] = SSL_MODE_PREFERRED,
        [SQL_SSL_REQUIRE] = SSL_MODE_REQUIRED,
        [SQL_SSL_VERIFY_CA] = SSL_MODE_VERIFY_CA,
        [SQL_SSL_VERIFY_FULL] = SSL_MODE_VERIFY_IDENTITY,
    };
    unsigned mode = modes[target->ssl_mode];
    /* The server's key for the password, from the server itself. */
    const bool trust_key = target->ssl_mode <= SQL_SSL_PREFER;

    if (local && target->ssl_mode == SQL_SSL_PREFER)
        mode = SSL_MODE_DISABLED;
    /* With an authority, the library does not take "required" for an answer. */
    if (target->ssl_mode == SQL_SSL_REQUIRE && target->ssl_ca[0] != '\0')
        mode = SSL_MODE_VERIFY_CA;
    set_timeouts(mysql, target, deadline);
    set_ssl_file(mysql, MYSQL_OPT_SSL_CA, target->ssl_ca);
    set_ssl_file(mysql, MYSQL_OPT_SSL_CERT, target->ssl_cert);
    set_ssl_file(mysql, MYSQL_OPT_SSL_KEY, target->ssl_key);
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &trust_key);
}

bool mysql_client_checks_name(const struct sql_target *target)
{
    return target->ssl_mode == SQL_SSL_VERIFY_FULL;
}

/* The library says so itself. */
bool mysql_client_lacks_ssl(void)
{
    return false;
}

void mysql_client_close_on_exec(MYSQL *mysql)
{
    fcntl(mysql->net.fd, F_SETFD, FD_CLOEXEC);
}
