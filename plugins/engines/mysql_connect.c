/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_connect.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engines/errand.h"
#include "engines/host_lookup.h"
#include "engines/sql_ssl_files.h"

struct mysql_error mysql_connect_error(MYSQL *mysql)
{
    return (struct mysql_error){mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql)};
}

/* Whom to connect as, and what for. */
struct purpose {
    const struct sql_target *target;
    enum sql_access access;
};

/* Where to connect: to a socket, or to an address by TCP. */
struct place {
    const char *socket;  /* "" is that of the library, NULL stands for TCP */
    const char *address; /* of TCP */
    unsigned port;
    const char *name; /* of the host, or its address; NULL for a socket */
};

/* Whether the library is going to look the name up. */
static bool is_by_name(const struct place *place)
{
    return place->address != NULL && place->address == place->name;
}

static MYSQL *start(const struct place *place)
{
    const unsigned protocol = place->socket != NULL ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    const unsigned no_local_files = 0;
    MYSQL *mysql = mysql_init(NULL);

    if (mysql == NULL)
        return NULL;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    return mysql;
}

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* The template was read as MySQL does without any sql_mode that changes its
 * syntax; and a value that does not fit its column is not to be cut off. A
 * statement that takes too long ends on the server, too: each of the two
 * servers has its own name for that, and skips the other's. More rows than anybody has room for
 * say no more than one more. A server may ignore the character set that the library has
 * asked for (skip-character-set-client-handshake), or replace it (init_connect). */
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

/* A replica, mostly. LOOKUP_DONE if it is none. */
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

static void say_no_ssl(struct reason *reason)
{
    reason_set(reason, "the server does not encrypt, and sql_ssl_mode demands it");
}

/* Over a socket, the library connects without encryption where the server has
 * none. */
static bool is_as_secure_as_wanted(MYSQL *mysql, const struct sql_target *target,
                                   struct reason *reason)
{
    if (target->ssl_mode < SQL_SSL_REQUIRE || mysql_get_ssl_cipher(mysql) != NULL)
        return true;
    say_no_ssl(reason);
    return false;
}

/* --- one attempt to connect */

/* What a thread may need for longer than its caller waits. */
struct attempt {
    MYSQL *mysql;
    const struct sql_target *target;
    const struct place *place;
    struct deadline deadline;

    enum lookup result;
    struct reason reason;
};

/* Says what the library does not: which file cannot be read, or that the server has
 * a certificate for another name. */
static bool explain_ssl(const struct attempt *attempt, const struct mysql_error *error,
                        struct reason *reason)
{
    if (mysql_client_refused_name(attempt->mysql)) {
        reason_set(reason, "the certificate of the server is not for the name %s",
                   attempt->place->name);
        return true;
    }
    return attempt->target->ssl_mode != SQL_SSL_DISABLE &&
           mysql_error_kind(error->number) != MYSQL_ERROR_NETWORK &&
           sql_ssl_files_explain(attempt->target, reason);
}

/* Whether there is a reason of which the library knows nothing. Such a reason stays. */
static bool explain(const struct attempt *attempt, struct mysql_call *call,
                    const struct mysql_error *error, struct reason *reason)
{
    if (mysql_client_is_flooded(call))
        reason_set(reason, "the server sends too much");
    else if (call->lacks_ssl)
        say_no_ssl(reason);
    else
        return attempt->place->socket == NULL && explain_ssl(attempt, error, reason);
    return true;
}

static void explain_failure(struct attempt *attempt, struct mysql_call *call)
{
    const struct mysql_error error = mysql_connect_error(attempt->mysql);

    attempt->result = mysql_error_of_connection(&error, &attempt->reason);
    if (attempt->result == LOOKUP_BUSY)
        return;
    if (explain(attempt, call, &error, &attempt->reason))
        attempt->result = LOOKUP_UNAVAILABLE;
}

static void make(void *context)
{
    struct attempt *attempt = context;
    const struct sql_target *target = attempt->target;
    const struct place *place = attempt->place;
    struct mysql_call call;

    attempt->result = LOOKUP_UNAVAILABLE;
    if (!mysql_client_begin_connecting(&call, attempt->mysql, target, place->name,
                                       &attempt->deadline, &attempt->reason))
        return;
    /* CLIENT_FOUND_ROWS: a row that has the value already counts. */
    if (mysql_real_connect(attempt->mysql, or_null(place->address), or_null(target->user),
                           or_null(target->password), or_null(target->database), place->port,
                           or_null(place->socket), CLIENT_FOUND_ROWS) == NULL)
        explain_failure(attempt, &call);
    else if (is_as_secure_as_wanted(attempt->mysql, target, &attempt->reason))
        attempt->result = LOOKUP_DONE;
    mysql_client_end(&call);
}

/* --- an attempt that is not waited for any longer than time allows */

/* With copies of all that the caller may have thrown away by the end. */
struct errand_attempt {
    struct attempt attempt;
    struct sql_target target;
    struct place place;
    char text[]; /* all strings */
};

enum { STRINGS = 7 };

static void list_strings(struct sql_target *target, struct place *place, const char **list[STRINGS])
{
    const char **all[STRINGS] = {&target->user,   &target->password, &target->database,
                                 &target->ssl_ca, &target->ssl_cert, &target->ssl_key,
                                 &place->address};

    memcpy(list, all, sizeof(all));
}

static struct errand_attempt *errand_attempt_new(const struct attempt *original)
{
    struct sql_target target = *original->target;
    struct place place = *original->place;
    const char **list[STRINGS];
    struct errand_attempt *copy;
    size_t size = 0, i;
    char *end;

    list_strings(&target, &place, list);
    for (i = 0; i < STRINGS; i++)
        size += strlen(*list[i]) + 1;
    copy = calloc(1, sizeof(*copy) + size);
    if (copy == NULL)
        return NULL;
    for (i = 0, end = copy->text; i < STRINGS; i++) {
        const char *text = *list[i];

        *list[i] = end;
        end = stpcpy(end, text) + 1;
    }
    copy->target = target;
    place.name = place.address;
    copy->place = place;
    copy->attempt = *original;
    copy->attempt.target = &copy->target;
    copy->attempt.place = &copy->place;
    return copy;
}

static void errand_attempt_free(struct errand_attempt *copy)
{
    explicit_bzero(copy->text, strlen(copy->target.user) + 1 + strlen(copy->target.password));
    free(copy);
}
static void make_errand(void *context)
{
    struct errand_attempt *copy = context;

    mysql_thread_init();
    make(&copy->attempt);
    mysql_thread_end();
}

static void discard_errand(void *context)
{
    struct errand_attempt *copy = context;

    mysql_client_close(copy->attempt.mysql);
    errand_attempt_free(copy);
}

/* The library looks the name up by itself, which knows no deadline. Returns false if
 * the attempt goes on without us: then it has taken over the MYSQL. */
static bool make_by_name(struct attempt *attempt)
{
    struct errand_attempt *copy = errand_attempt_new(attempt);
    const int error =
        copy != NULL ? errand_run(make_errand, discard_errand, copy, &attempt->deadline) : ENOMEM;

    if (error == ETIMEDOUT)
        return false;
    if (error == 0) {
        attempt->result = copy->attempt.result;
        attempt->reason = copy->attempt.reason;
    } else if (error == EBUSY) {
        reason_set(&attempt->reason, "the name server has not answered other lookups yet");
    } else {
        reason_set(&attempt->reason, "cannot connect: %s", strerror(error));
    }
    if (copy != NULL)
        errand_attempt_free(copy);
    return true;
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
        reason_set(reason, "the server sends too much");
        result = LOOKUP_UNAVAILABLE;
    }
    mysql_client_end(&call);
    return result;
}

static enum lookup connect_to(const struct purpose *purpose, const struct place *place,
                              const struct deadline *deadline, MYSQL **mysql, struct reason *reason)
{
    struct attempt attempt = {start(place), purpose->target,    place,
                              *deadline,    LOOKUP_UNAVAILABLE, *reason};

    if (attempt.mysql == NULL) {
        reason_set(reason, "out of memory");
        return LOOKUP_UNAVAILABLE;
    }
    if (!is_by_name(place))
        make(&attempt);
    else if (!make_by_name(&attempt))
        attempt.mysql = NULL;
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
        reason_set(&attempt.reason, "no connection when the time was up");
    }
    *reason = attempt.reason;
    return attempt.result;
}

/* A path may be that of the folder that the socket is in. */
static enum lookup connect_to_path(const struct purpose *purpose, const struct sql_host *host,
                                   const struct deadline *deadline, MYSQL **mysql,
                                   struct reason *reason)
{
    static const char *const names[] = {"mysqld.sock", "mysql.sock"};
    struct stat status;
    char path[PATH_MAX];
    struct place place = {.socket = host->name};
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
    if (result == LOOKUP_UNAVAILABLE || result == LOOKUP_LOST) {
        const struct reason why = *reason;

        reason_set(reason, "%s%s", why.text, jail_hint_for(&purpose->target->jail, place.socket));
    }
    return result;
}

/* Among MySQL's clients, localhost means the socket. */
static bool is_socket_of_library(const struct sql_host *host)
{
    return host->name[0] == '\0' || (strcmp(host->name, "localhost") == 0 && host->port == 0);
}

static enum lookup connect_to_socket_of_library(const struct purpose *purpose,
                                                const struct deadline *deadline, MYSQL **mysql,
                                                struct reason *reason)
{
    const struct place place = {.socket = ""};
    const enum lookup result = connect_to(purpose, &place, deadline, mysql, reason);
    const struct reason why = *reason;

    if (result != LOOKUP_DONE)
        reason_set(reason, "the socket of the client library: %s%s", why.text,
                   jail_hint(&purpose->target->jail));
    return result;
}

/* Where the library looks the name up, too. */
static enum lookup connect_by_name(const struct purpose *purpose, const struct sql_host *host,
                                   const struct deadline *deadline, MYSQL **mysql,
                                   struct reason *reason)
{
    const struct place place = {.address = host->name, .port = host->port, .name = host->name};
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
    const struct place place = {.address = address, .port = host->port, .name = host->name};

    if (sql_hosts_is_path(host))
        return connect_to_path(&purpose, host, deadline, mysql, reason);
    if (is_socket_of_library(host))
        return connect_to_socket_of_library(&purpose, deadline, mysql, reason);
    if (address[0] == '\0')
        return connect_by_name(&purpose, host, deadline, mysql, reason);
    return connect_to(&purpose, &place, deadline, mysql, reason);
}
