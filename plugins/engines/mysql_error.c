/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_error.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

/* Missing from one library's headers, or named differently there. */
enum {
    DISK_FULL = 1021,
    NOT_FORM_FILE = 1033,
    UNEXPECTED_EOF = 1039,
    MARIADB_CONNECTION_KILLED = 1927,
    MARIADB_NO_SUCH_TABLE_IN_ENGINE = 1932,
    MARIADB_STATEMENT_TIMEOUT = 1969,
    MYSQL_QUERY_TIMEOUT = 3024,
    MYSQL_SERVER_OFFLINE_MODE = 3032,
    MYSQL_CANNOT_CONVERT_STRING = 3854,
    MYSQL_IMPOSSIBLE_STRING_CONVERSION = 3988,
    MYSQL_CLIENT_INTERACTION_TIMEOUT = 4031,
    MYSQL_NEW_STMT_METADATA = 2057,
    PLUGIN_CANNOT_BE_LOADED = 2059,
    MARIADB_PLUGIN_NOT_ALLOWED = 5010,
    PROXYSQL_CONNECT_TIMEOUT = 9001
};

struct meaning {
    unsigned number;
    enum lookup means;
    bool names_no_values; /* its text contains none, even for a statement that was run */
};

static const struct meaning meanings[] = {
    /* the connection is gone */
    {CR_CONNECTION_ERROR, LOOKUP_LOST, true},
    {CR_CONN_HOST_ERROR, LOOKUP_LOST, true},
    {CR_IPSOCK_ERROR, LOOKUP_LOST, true},
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
    {ER_TABLE_DEF_CHANGED, LOOKUP_LOST, true},
    {MARIADB_CONNECTION_KILLED, LOOKUP_LOST, true},
    {MYSQL_CLIENT_INTERACTION_TIMEOUT, LOOKUP_LOST, true},

    /* or should be replaced by a new one, in a moment */
    {ER_UNKNOWN_COM_ERROR, LOOKUP_LOST, true}, /* a node that left its Galera cluster */
    {PROXYSQL_CONNECT_TIMEOUT, LOOKUP_LOST, true},

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
    {ER_LOCK_DEADLOCK, LOOKUP_CONFLICT, true},
    {ER_LOCK_WAIT_TIMEOUT, LOOKUP_UNAVAILABLE, true},
    {ER_OUTOFMEMORY, LOOKUP_UNAVAILABLE, true},
    {ER_OUT_OF_RESOURCES, LOOKUP_UNAVAILABLE, true},
    {ER_OUT_OF_SORTMEMORY, LOOKUP_UNAVAILABLE, true},
    {ER_QUERY_INTERRUPTED, LOOKUP_UNAVAILABLE, true},
    {ER_RECORD_FILE_FULL, LOOKUP_UNAVAILABLE, true},
    {MARIADB_STATEMENT_TIMEOUT, LOOKUP_UNAVAILABLE, true},
    {MYSQL_QUERY_TIMEOUT, LOOKUP_UNAVAILABLE, true},

    /* a table or its files are damaged, or gone */
    {ER_CANT_OPEN_FILE, LOOKUP_UNAVAILABLE, true},
    {ER_FILE_NOT_FOUND, LOOKUP_UNAVAILABLE, true},
    {ER_ERROR_ON_READ, LOOKUP_UNAVAILABLE, true},
    {NOT_FORM_FILE, LOOKUP_UNAVAILABLE, true},
    {ER_NOT_KEYFILE, LOOKUP_UNAVAILABLE, true},
    {ER_OLD_KEYFILE, LOOKUP_UNAVAILABLE, true},
    {UNEXPECTED_EOF, LOOKUP_UNAVAILABLE, true},
    {ER_CRASHED_ON_USAGE, LOOKUP_UNAVAILABLE, true},
    {ER_CRASHED_ON_REPAIR, LOOKUP_UNAVAILABLE, true},
    {ER_INDEX_CORRUPT, LOOKUP_UNAVAILABLE, true},
    {ER_TABLESPACE_DISCARDED, LOOKUP_UNAVAILABLE, true},
    {ER_TABLESPACE_MISSING, LOOKUP_UNAVAILABLE, true},
    {ER_TABLE_CORRUPT, LOOKUP_UNAVAILABLE, true},
    {MARIADB_NO_SUCH_TABLE_IN_ENGINE, LOOKUP_UNAVAILABLE, true},

    /* another host may be in a better state */
    {ER_OPTION_PREVENTS_STATEMENT, LOOKUP_UNREADY, true}, /* read_only */
    {ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, LOOKUP_UNREADY, true},
    {ER_READ_ONLY_MODE, LOOKUP_UNREADY, true},
    {MYSQL_SERVER_OFFLINE_MODE, LOOKUP_UNREADY, true},
    {ER_NO_SUCH_TABLE, LOOKUP_UNREADY, true},
    {ER_TABLEACCESS_DENIED_ERROR, LOOKUP_UNREADY, true},

    /* not in this form */
    {ER_BAD_FIELD_ERROR, LOOKUP_REJECTED, true},
    {ER_CANT_AGGREGATE_2COLLATIONS, LOOKUP_REJECTED, true},
    {ER_CANT_AGGREGATE_3COLLATIONS, LOOKUP_REJECTED, true},
    {ER_CANT_AGGREGATE_NCOLLATIONS, LOOKUP_REJECTED, true},
    {ER_COLUMNACCESS_DENIED_ERROR, LOOKUP_REJECTED, true},
    {ER_NO_SUCH_USER, LOOKUP_REJECTED, true}, /* the definer of a view or a procedure */
    {ER_PROCACCESS_DENIED_ERROR, LOOKUP_REJECTED, true},
    {ER_SP_DOES_NOT_EXIST, LOOKUP_REJECTED, true},
    {ER_SUBQUERY_NO_1_ROW, LOOKUP_REJECTED, true},
    {ER_TOO_MANY_ROWS, LOOKUP_REJECTED, true},
    {ER_VIEW_INVALID, LOOKUP_REJECTED, true},
};

/* Errors about the statement, or about its values, whose SQLSTATE is only
 * HY000. */
static const struct {
    unsigned first, last;
} of_statement[] = {
    {1093, 1093}, /* reads the table that it changes */
    {1096, 1096}, /* no tables */
    {1108, 1108}, /* parameters of a procedure */
    {1111, 1111}, /* misplaced group function */
    {1116, 1116}, /* too many tables */
    {1175, 1175}, /* changes too much */
    {1191, 1191}, /* no full-text index */
    {1193, 1193}, /* unknown variable */
    {1204, 1204}, /* no constant */
    {1210, 1210}, /* arguments */
    {1221, 1221}, /* usage */
    {1228, 1229}, /* session and global variables */
    {1233, 1233}, /* variable that cannot be read */
    {1238, 1238}, /* another kind of variable */
    {1273, 1273}, /* unknown collation */
    {1288, 1288}, /* not updatable */
    {1295, 1295}, /* cannot be prepared */
    {1298, 1298}, /* cannot be prepared */
    {1300, 1300}, /* invalid string */
    {1347, 1348}, /* wrong object, column that cannot be changed */
    {1364, 1364}, /* no default value */
    {1366, 1366}, /* value that does not fit */
    {1390, 1390}, /* too many placeholders */
    {1393, 1395}, /* views that cannot be changed */
    {1411, 1411}, /* wrong value for a type */
    {1422, 1424}, /* COMMIT in a function, no default value, recursion */
    {1442, 1445}, /* table in use by the statement, recursion, autocommit */
    {1456, 1456}, /* recursion */
    {1462, 1462}, /* recursive view */
    {1471, 1471}, /* not insertable */
    {1525, 1526}, /* wrong value, no partition for a value */
    {1644, 1646}, /* what a procedure signals */
    {1748, 1748}, /* row in another partition */
    {1906, 1906}, /* value for a generated column: MariaDB */
    {3105, 3105}, /* the same: MySQL */
    {3684, 3700}, /* regular expressions */
    {3819, 3819}, /* CHECK */
    {MYSQL_CANNOT_CONVERT_STRING, MYSQL_CANNOT_CONVERT_STRING},
    {MYSQL_IMPOSSIBLE_STRING_CONVERSION, MYSQL_IMPOSSIBLE_STRING_CONVERSION},
};

/* Classes of SQLSTATE. The first match counts. */
static const struct {
    const char *start;
    enum lookup means;
} classes[] = {
    {"08", LOOKUP_LOST},        /* connection exception */
    {"25", LOOKUP_UNAVAILABLE}, /* invalid transaction state: read-only */
    {"28", LOOKUP_UNAVAILABLE}, /* access denied, to a proxy */
    {"01", LOOKUP_REJECTED},    /* a warning that counts as an error */
    {"0", LOOKUP_REJECTED},     /* not supported, and misuse in procedures */
    {"2", LOOKUP_REJECTED},     /* wrong number of values, data exception, constraints */
    {"3", LOOKUP_REJECTED},     /* no database */
    {"42", LOOKUP_REJECTED},    /* syntax error or access rule violation */
    {"44", LOOKUP_REJECTED},    /* CHECK OPTION of a view */
    {"45", LOOKUP_REJECTED},    /* what a procedure signals */
};

/* Whether a procedure, or what it does, has found no row. */
static bool is_not_found(const struct mysql_error *error)
{
    return strncmp(error->state, "02", 2) == 0;
}

/* Whether a procedure has raised it, with a number and text of its choice. */
static bool is_signalled(const struct mysql_error *error)
{
    return strncmp(error->state, "45", 2) == 0;
}

/* An unknown error is put down to the host: another host may answer. */
static enum lookup meaning_of_others(const struct mysql_error *error)
{
    size_t i;

    /* Whatever went wrong in the client library, it may not have read all of an
     * answer, so it cannot be allowed to read on. */
    if ((error->number >= 2000 && error->number <= 2999) ||
        (error->number >= 5000 && error->number <= 5999))
        return LOOKUP_LOST;
    for (i = 0; i < sizeof(of_statement) / sizeof(of_statement[0]); i++)
        if (error->number >= of_statement[i].first && error->number <= of_statement[i].last)
            return LOOKUP_REJECTED;
    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strncmp(error->state, classes[i].start, strlen(classes[i].start)) == 0)
            return classes[i].means;
    return LOOKUP_UNAVAILABLE;
}

static struct meaning meaning_of(const struct mysql_error *error)
{
    const bool is_of_files = error->number > 0 && error->number < 1000;
    size_t i;

    for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].number == error->number)
            return meanings[i];
    /* Numbers below the server's own come from the operating system and from storage engines,
     * such as 126 for a damaged index: their texts name files and tables. */
    return (struct meaning){error->number, meaning_of_others(error), is_of_files};
}

/* The errno in "Can't connect to server on '192.0.2.1' (111)"; 0 if there is none. */
static int errno_in(const char *text)
{
    const char *open = strrchr(text, '(');

    return open != NULL ? atoi(open + 1) : 0;
}

static const struct {
    unsigned number;
    enum mysql_error_kind kind;
} kinds[] = {
    {CR_CONNECTION_ERROR, MYSQL_ERROR_NETWORK},
    {CR_CONN_HOST_ERROR, MYSQL_ERROR_NETWORK},
    {CR_IPSOCK_ERROR, MYSQL_ERROR_NETWORK},
    {CR_UNKNOWN_HOST, MYSQL_ERROR_NETWORK},

    {ER_UNKNOWN_STMT_HANDLER, MYSQL_ERROR_FORGOTTEN},
    {ER_NEED_REPREPARE, MYSQL_ERROR_FORGOTTEN},
    {MYSQL_NEW_STMT_METADATA, MYSQL_ERROR_FORGOTTEN},

    {ER_CANT_AGGREGATE_2COLLATIONS, MYSQL_ERROR_CHARACTERS},
    {ER_CANT_AGGREGATE_3COLLATIONS, MYSQL_ERROR_CHARACTERS},
    {ER_CANT_AGGREGATE_NCOLLATIONS, MYSQL_ERROR_CHARACTERS},
    {ER_INVALID_CHARACTER_STRING, MYSQL_ERROR_CHARACTERS},
    {ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, MYSQL_ERROR_CHARACTERS},
    {MYSQL_CANNOT_CONVERT_STRING, MYSQL_ERROR_CHARACTERS},
    {MYSQL_IMPOSSIBLE_STRING_CONVERSION, MYSQL_ERROR_CHARACTERS},
};

enum mysql_error_kind mysql_error_kind(unsigned number)
{
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].number == number)
            return kinds[i].kind;
    return MYSQL_ERROR_OTHER;
}

enum lookup mysql_error_of_connection(const struct mysql_error *error, struct reason *reason)
{
    const struct meaning meaning = meaning_of(error);
    int number = mysql_error_kind(error->number) == MYSQL_ERROR_NETWORK ? errno_in(error->text) : 0;

    if (error->number == PLUGIN_CANNOT_BE_LOADED || error->number == MARIADB_PLUGIN_NOT_ALLOWED) {
        /* The library's text contains what has overwritten the name by then. */
        reason_set(reason,
                   "the server demands an authentication plug-in that is not allowed or not "
                   "installed");
        return LOOKUP_UNAVAILABLE;
    }
    reason_set(reason, "%s", number > 0 ? strerror(number) : error->text);
    /* The queue of the socket is full. */
    if (number == EAGAIN)
        return LOOKUP_BUSY;
    return meaning.means == LOOKUP_BUSY || meaning.means == LOOKUP_LOST ? meaning.means
                                                                        : LOOKUP_UNAVAILABLE;
}

enum lookup mysql_error_judge(const struct mysql_error *error, bool has_values,
                              struct reason *reason)
{
    const struct meaning meaning = meaning_of(error);

    if (!has_values || (meaning.names_no_values && !is_signalled(error)))
        reason_set(reason, "%s", error->text);
    else
        reason_set(reason, "error %u of the server with SQLSTATE %s", error->number, error->state);
    /* No row is looked up while a statement is prepared. */
    if (is_not_found(error))
        return has_values ? LOOKUP_NONE : LOOKUP_REJECTED;
    if (is_signalled(error))
        return LOOKUP_REJECTED;
    /* The connection already exists. */
    return meaning.means == LOOKUP_BUSY ? LOOKUP_UNAVAILABLE : meaning.means;
}

enum lookup mysql_error_of_storing(unsigned number, enum lookup means)
{
    if (number == ER_UNKNOWN_COM_ERROR)
        return LOOKUP_UNREADY;
    /* Another client has just stored the same: the next lookup finds it. */
    if (number == ER_DUP_ENTRY)
        return LOOKUP_CONFLICT;
    return means;
}
