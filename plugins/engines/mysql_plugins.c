/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_plugins.h"

#include <signal.h>
#include <string.h>

#include "engines/mysql_client.h"
#include "engines/openssl_ready.h"

/* From mysql/client_plugin.h, which cannot be included if it needs a header
 * that is not installed with it, as on Debian 12. */
struct st_mysql_client_plugin *mysql_load_plugin(MYSQL *mysql, const char *name, int type, int argc,
                                                 ...);
enum { AUTHENTICATION_PLUGIN = 2 };

void mysql_plugins_load(void)
{
    char names[] = MYSQL_PLUGINS, *rest = names, *name;
    struct sigaction before;
    MYSQL *mysql;

    openssl_ready();
    mysql_client_load();
    /* MariaDB's library sets the host's SIGPIPE to be ignored. */
    sigaction(SIGPIPE, NULL, &before);
    mysql_library_init(0, NULL, NULL);
    mysql = mysql_init(NULL);
    /* A missing plug-in matters only to a server that asks for it. */
    while (mysql != NULL && (name = strsep(&rest, ",")) != NULL)
        mysql_load_plugin(mysql, name, AUTHENTICATION_PLUGIN, 0);
    if (mysql != NULL)
        mysql_close(mysql);
    sigaction(SIGPIPE, &before, NULL);
}
