/* SPDX-License-Identifier: BSD-3-Clause */
#include "mysql_error.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

/* Not in the headers of both. */
enum {
    DISK_FULL = 1021,
    MARIADB_CONNECTION_KILLED = 1927,
    MARIADB_STATEMENT_TIMEOUT = 1969,
    MYSQL_QUERY_TIMEOUT = 3024,
    MYSQL_CLIENT_INTERACTION_TIMEOUT = 4031,
    MYSQL_NEW_STMT_METADATA = 2057,
    PLUGIN_CANNOT_BE_LOADED = 2059,
    MARIADB_PLUGIN_NOT_ALLOWED = 5010
};

struct meaning {
    unsigned number;
    enum lookup means;
    bool names_no_values; /* in its text, even of a statement that was run */
};

static const struct meaning meanings[] = {
    /* the connection is gone */
    {CR_SERVER_GONE_ERROR, LOOKUP_LOST, true},
    {CR_SERVER_LOST, LOOKUP_LOST, true},
    {CR_SERVER_LOST_EXTENDED, LOOKUP_LOST, true},
    {CR_SSL_CONNECTION_ERROR, LOOKUP_LOST, true},
    {ER_SERVER_SHUTDOWN, LOOKUP_LOST, true},
    {ER_ABORTING_CONNECTION, LOOKUP_LOST, false},
    {ER_NET_READ_ERROR_FROM_PIPE, LOOKUP_LOST, true},
    {ER_NET_FCNTL_ERROR, LOOKUP_LOST, true},
    {ER_NET_PACKETS_OUT_OF_ORDER, LOOKUP_LOST, true},
    {ER_NET_READ_ERROR, LOOKUP_LOST, true},
    {ER_NET_READ_INTERRUPTED, LOOKUP_LOST, true},
    {ER_NET_ERROR_ON_WRITE, LOOKUP_LOST, true},
    {ER_NET_WRITE_INTERRUPTED, LOOKUP_LOST, true},
    {MARIADB_CONNECTION_KILLED, LOOKUP_LOST, true},
    {MYSQL_CLIENT_INTERACTION_TIMEOUT, LOOKUP_LOST, true},

    /* no connection now */
    {ER_CON_COUNT_ERROR, LOOKUP_BUSY, true},
    {ER_TOO_MANY_USER_CONNECTIONS, LOOKUP_BUSY, true},
    {ER_USER_LIMIT_REACHED, LOOKUP_BUSY, true},

    /* no answer now */
    {CR_OUT_OF_MEMORY, LOOKUP_UNAVAILABLE, true},
    {DISK_FULL, LOOKUP_UNAVAILABLE, true},
    {ER_ERROR_ON_WRITE, LOOKUP_UNAVAILABLE, true},
    {ER_GET_ERRNO, LOOKUP_UNAVAILABLE, true},
    {ER_MAX_PREPARED_STMT_COUNT_REACHED, LOOKUP_UNAVAILABLE, true},
    {ER_LOCK_DEADLOCK, LOOKUP_UNAVAILABLE, true},
    {ER_LOCK_WAIT_TIMEOUT, LOOKUP_UNAVAILABLE, true},
    {ER_OUTOFMEMORY, LOOKUP_UNAVAILABLE, true},
    {ER_OUT_OF_RESOURCES, LOOKUP_UNAVAILABLE, true},
    {ER_OUT_OF_SORTMEMORY, LOOKUP_UNAVAILABLE, true},
    {ER_QUERY_INTERRUPTED, LOOKUP_UNAVAILABLE, true},
    {ER_RECORD_FILE_FULL, LOOKUP_UNAVAILABLE, true},
    {ER_UNKNOWN_COM_ERROR, LOOKUP_UNAVAILABLE, true}, /* a node that left its Galera cluster */
    {MARIADB_STATEMENT_TIMEOUT, LOOKUP_UNAVAILABLE, true},
    {MYSQL_QUERY_TIMEOUT, LOOKUP_UNAVAILABLE, true},

    /* not like this */
    {ER_BAD_FIELD_ERROR, LOOKUP_REJECTED, true},
    {ER_COLUMNACCESS_DENIED_ERROR, LOOKUP_REJECTED, true},
    {ER_NO_SUCH_TABLE, LOOKUP_REJECTED, true},
    {ER_OPTION_PREVENTS_STATEMENT, LOOKUP_REJECTED, true},
    {ER_TABLEACCESS_DENIED_ERROR, LOOKUP_REJECTED, true},
};

static const struct meaning *meaning_of(unsigned number)
{
    static const struct meaning of_server = {0, LOOKUP_REJECTED, false};
    static const struct meaning of_client = {0, LOOKUP_LOST, false};
    size_t i;

    for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].number == number)
            return &meanings[i];
    /* Whatever has happened to the client library, it may not have read all of an
     * answer: it must not read on. */
    return (number >= 2000 && number <= 2999) || (number >= 5000 && number <= 5999) ? &of_client
                                                                                    : &of_server;
}

/* The errno in "Can't connect to server on '192.0.2.1' (111)"; 0 if there is none. */
static int errno_in(const char *text)
{
    const char *open = strrchr(text, '(');

    return open != NULL ? atoi(open + 1) : 0;
}

bool mysql_error_is_of_network(unsigned number)
{
    return number == CR_CONNECTION_ERROR || number == CR_CONN_HOST_ERROR ||
           number == CR_IPSOCK_ERROR || number == CR_UNKNOWN_HOST;
}

enum lookup mysql_error_of_connection(const struct mysql_error *error, struct reason *reason)
{
    int number = mysql_error_is_of_network(error->number) ? errno_in(error->text) : 0;

    if (error->number == PLUGIN_CANNOT_BE_LOADED || error->number == MARIADB_PLUGIN_NOT_ALLOWED) {
        /* The library's words hold what has overwritten the name by then. */
        reason_set(reason,
                   "the server demands an authentication plug-in that is not allowed or not "
                   "installed");
        return LOOKUP_UNAVAILABLE;
    }
    reason_set(reason, "%s", number > 0 ? strerror(number) : error->text);
    /* EAGAIN: too many are waiting at a socket. */
    return number == EAGAIN || meaning_of(error->number)->means == LOOKUP_BUSY ? LOOKUP_BUSY
                                                                               : LOOKUP_UNAVAILABLE;
}

enum lookup mysql_error_judge(const struct mysql_error *error, bool has_values,
                              struct reason *reason)
{
    const struct meaning *meaning = meaning_of(error->number);

    if (!has_values || meaning->names_no_values)
        reason_set(reason, "%s", error->text);
    else
        reason_set(reason, "error %u of the server with SQLSTATE %s", error->number, error->state);
    /* Connected already. */
    return meaning->means == LOOKUP_BUSY ? LOOKUP_UNAVAILABLE : meaning->means;
}

bool mysql_error_is_forgotten(unsigned number)
{
    return number == ER_UNKNOWN_STMT_HANDLER || number == ER_NEED_REPREPARE ||
           number == MYSQL_NEW_STMT_METADATA;
}
