/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_connect.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engines/host_lookup.h"
#include "engines/mysql_attempt.h"

struct mysql_error mysql_connect_error(MYSQL *mysql)
{
    return (struct mysql_error){mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql)};
}

/* Whom to connect as, and what for. */
struct purpose {
    const struct sql_target *target;
    enum sql_access access;
};

/* The template was read as MySQL reads it without any sql_mode that changes its syntax; and a
 * value that does not fit its column is refused, not truncated. A statement that takes too long
 * ends on the server, too: each of the two servers has its own name for that limit, and skips
 * the other's. One row more than any caller has room for says as much as many more. A server may
 * ignore the character set that the library has asked for (skip-character-set-client-handshake),
 * or replace it (init_connect). */
static enum lookup set_up_session(MYSQL *mysql, const struct sql_target *target,
                                  struct reason *reason)
{
    const unsigned seconds = target->timeout / 1000, rest = target->timeout % 1000;
    char text[512];
    int length = snprintf(text, sizeof(text),
                          "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
                          " character_set_client = utf8mb4, character_set_results = utf8mb4,"
                          " collation_connection = utf8mb4_general_ci,"
                          " sql_select_limit = %d, lock_wait_timeout = %u"
                          " /*M!100101 , max_statement_time = %u.%03u */"
                          " /*!50708 , max_execution_time = %u */",
                          SQL_ROWS_MOST + 1, seconds + (rest > 0), seconds, rest, target->timeout);
    struct mysql_error error;

    if (mysql_real_query(mysql, text, (unsigned long)length) == 0)
        return LOOKUP_DONE;
    error = mysql_connect_error(mysql);
    return mysql_error_of_connection(&error, reason);
}

/* Usually a replica. LOOKUP_DONE if it is not read-only. */
static enum lookup refuse_read_only(MYSQL *mysql, struct reason *reason)
{
    static const char text[] = "SELECT @@global.read_only";
    MYSQL_RES *rows = NULL;
    MYSQL_ROW row = NULL;
    bool read_only = false;
    struct mysql_error error;

    if (mysql_real_query(mysql, text, sizeof(text) - 1) == 0)
        rows = mysql_use_result(mysql);
    if (rows != NULL)
        row = mysql_fetch_row(rows);
    if (row != NULL)
        read_only = row[0] != NULL && strcmp(row[0], "0") != 0;
    error = mysql_connect_error(mysql);
    if (rows != NULL)
        mysql_free_result(rows);
    if (row == NULL)
        return mysql_error_of_connection(&error, reason);
    if (read_only)
        reason_set(reason, "the server is read-only");
    return read_only ? LOOKUP_UNAVAILABLE : LOOKUP_DONE;
}

/* --- a session */

static enum lookup set_up(MYSQL *mysql, const struct purpose *purpose,
                          const struct deadline *deadline, struct reason *reason)
{
    struct mysql_call call;
    enum lookup result;

    if (!mysql_client_begin(&call, mysql, deadline, reason))
        return LOOKUP_UNAVAILABLE;
    mysql_client_close_on_exec(mysql);
    result = set_up_session(mysql, purpose->target, reason);
    if (result == LOOKUP_DONE && purpose->access == SQL_ACCESS_WRITE)
        result = refuse_read_only(mysql, reason);
    if (result != LOOKUP_DONE && mysql_client_is_flooded(&call)) {
        reason_set(reason, "the server sent too much data");
        result = LOOKUP_UNAVAILABLE;
    }
    mysql_client_end(&call);
    return result;
}

static enum lookup connect_to(const struct purpose *purpose, const struct mysql_place *place,
                              const struct deadline *deadline, MYSQL **mysql, struct reason *reason)
{
    struct mysql_attempt attempt = {
        .target = purpose->target, .place = place, .deadline = *deadline, .reason = *reason};

    mysql_attempt_make(&attempt);
    if (attempt.result == LOOKUP_DONE)
        attempt.result = set_up(attempt.mysql, purpose, deadline, &attempt.reason);
    if (attempt.result == LOOKUP_DONE) {
        *mysql = attempt.mysql;
        return attempt.result;
    }
    if (attempt.mysql != NULL)
        mysql_client_close(attempt.mysql);
    if (attempt.result != LOOKUP_BUSY && deadline_remaining(deadline) == 0) {
        attempt.result = LOOKUP_UNAVAILABLE;
        reason_set(&attempt.reason, "connection timed out");
    }
    *reason = attempt.reason;
    return attempt.result;
}

/* A path may name the folder that contains the socket. */
static enum lookup connect_to_path(const struct purpose *purpose, const struct sql_host *host,
                                   const struct deadline *deadline, MYSQL **mysql,
                                   struct reason *reason)
{
    static const char *const names[] = {"mysqld.sock", "mysql.sock"};
    struct stat status;
    char path[PATH_MAX];
    struct mysql_place place = {.socket = host->name};
    enum lookup result;
    size_t i;

    if (stat(host->name, &status) == 0 && S_ISDIR(status.st_mode))
        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            snprintf(path, sizeof(path), "%s/%s", host->name, names[i]);
            place.socket = path;
            if (stat(path, &status) == 0)
                break;
        }
    result = connect_to(purpose, &place, deadline, mysql, reason);
    if (result == LOOKUP_UNAVAILABLE || result == LOOKUP_LOST)
        reason_append(reason, "%s", jail_hint_for(&purpose->target->jail, place.socket));
    return result;
}

/* MySQL's clients take localhost to mean the socket. */
static bool is_socket_of_library(const struct sql_host *host)
{
    return host->name[0] == '\0' || (strcmp(host->name, "localhost") == 0 && host->port == 0);
}

static enum lookup connect_to_socket_of_library(const struct purpose *purpose,
                                                const struct deadline *deadline, MYSQL **mysql,
                                                struct reason *reason)
{
    const struct mysql_place place = {.socket = ""};
    const enum lookup result = connect_to(purpose, &place, deadline, mysql, reason);

    if (result == LOOKUP_DONE)
        return result;
    reason_prefix(reason, "default socket of the client library: ");
    reason_append(reason, "%s", jail_hint(&purpose->target->jail));
    return result;
}

/* The library looks the name up, too. */
static enum lookup connect_by_name(const struct purpose *purpose, const struct sql_host *host,
                                   const struct deadline *deadline, MYSQL **mysql,
                                   struct reason *reason)
{
    const struct mysql_place place = {
        .address = host->name, .port = host->port, .name = host->name};
    struct host_addresses addresses;

    switch (host_lookup_find(host->name, &purpose->target->jail, deadline, &addresses, reason)) {
    case HOST_ADDRESSES_UNKNOWN:
    case HOST_ADDRESSES_NEEDLESS:
        return LOOKUP_UNAVAILABLE;
    case HOST_ADDRESSES_NOT_NOW:
        return LOOKUP_LOST;
    case HOST_ADDRESSES_FOUND:
        break;
    }
    if (addresses.count > 1 && !mysql_client_bears_addresses()) {
        reason_set(reason, "the client library cannot check a certificate for a name with "
                           "several addresses");
        return LOOKUP_UNAVAILABLE;
    }
    return connect_to(purpose, &place, deadline, mysql, reason);
}

enum host_addresses_result mysql_connect_find_addresses(const struct sql_target *target,
                                                        const struct sql_host *host,
                                                        const struct deadline *deadline,
                                                        struct host_addresses *found,
                                                        struct reason *reason)
{
    if (sql_hosts_is_path(host) || is_socket_of_library(host) ||
        mysql_client_connects_by_name(target))
        return HOST_ADDRESSES_NEEDLESS;
    return host_lookup_find(host->name, &target->jail, deadline, found, reason);
}

enum lookup mysql_connect(const struct sql_target *target, const struct sql_host *host,
                          const char *address, enum sql_access access,
                          const struct deadline *deadline, MYSQL **mysql, struct reason *reason)
{
    const struct purpose purpose = {target, access};
    const struct mysql_place place = {.address = address, .port = host->port, .name = host->name};

    if (sql_hosts_is_path(host))
        return connect_to_path(&purpose, host, deadline, mysql, reason);
    if (is_socket_of_library(host))
        return connect_to_socket_of_library(&purpose, deadline, mysql, reason);
    if (address[0] == '\0')
        return connect_by_name(&purpose, host, deadline, mysql, reason);
    return connect_to(&purpose, &place, deadline, mysql, reason);
}
