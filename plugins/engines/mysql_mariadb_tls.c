/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_mariadb_tls.h"

#include <errmsg.h>
#include <string.h>

/* Since 3.4, a certificate is either checked together with its name or not at all. A
 * library that was built with the server, since 11.4, has the server's number. */
static bool library_checks_all_or_nothing(void)
{
    size_t version = 0;

    mariadb_get_infov(NULL, MARIADB_CLIENT_VERSION_ID, &version);
    return (version >= 30400 && version < 100000) || version >= 110400;
}

bool mysql_mariadb_tls_checks_name(const struct sql_target *target)
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

void mysql_mariadb_tls_ask(MYSQL *mysql, const struct sql_target *target)
{
    const my_bool yes = 1, check = mysql_mariadb_tls_checks_name(target);

    set_ssl_file(mysql, MYSQL_OPT_SSL_CA, target->ssl_ca);
    set_ssl_file(mysql, MYSQL_OPT_SSL_CERT, target->ssl_cert);
    set_ssl_file(mysql, MYSQL_OPT_SSL_KEY, target->ssl_key);
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &check);
}

void mysql_mariadb_tls_ask_not(MYSQL *mysql)
{
    const my_bool no = 0;

    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &no);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
}

/* Since 3.4, the library records what is wrong with a certificate. */
#if HAVE_DECL_MARIADB_TLS_VERIFY_STATUS

static bool has_marked_name(MYSQL *mysql)
{
    unsigned marks = 0;

    return mariadb_get_infov(mysql, MARIADB_TLS_VERIFY_STATUS, &marks) == 0 &&
           (marks & MARIADB_TLS_VERIFY_HOST) != 0;
}

#else

static bool has_marked_name(MYSQL *mysql)
{
    (void)mysql;
    return false;
}

#endif

/* An older library only says so in its text. A driver that was built with an older header does
 * not have the flag: the second text is that of 3.4. */
bool mysql_mariadb_tls_refused_name(MYSQL *mysql)
{
    static const char *const texts[] = {"Validation of SSL server certificate failed",
                                        "Hostname verification failed"};
    size_t i;

    if (mysql_errno(mysql) != CR_SSL_CONNECTION_ERROR)
        return false;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strstr(mysql_error(mysql), texts[i]) != NULL)
            return true;
    return has_marked_name(mysql);
}
