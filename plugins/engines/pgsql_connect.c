/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_connect.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "engines/pgsql_answer.h"
#include "engines/pgsql_error.h"
#include "engines/sql_ssl_files.h"

/* What is learned about an address. */
enum { REFUSES_OPTIONS = 1 };

/* What a server sends before it waits for a statement, in bytes. */
enum { ORDINARY_LOGIN = 16 << 10, LONGEST_LOGIN = 1 << 20 };

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context, (void)notice;
}

/* One try. `address` is where the host is, "" for a socket or the default host. With
 * `with_options`, the server is asked to end statements that nothing waits for any longer. */
struct attempt {
    const struct sql_target *target;
    const struct sql_host *host;
    enum sql_access access;
    const char *address;
    bool with_options;
};

/* Without the file of authorities, such as in a jail, libpq would check nothing. */
static const char *mode_of(const struct sql_target *target)
{
    static const char *const modes[] = {
        [SQL_SSL_DISABLE] = "disable",         [SQL_SSL_PREFER] = "prefer",
        [SQL_SSL_REQUIRE] = "require",         [SQL_SSL_VERIFY_CA] = "verify-ca",
        [SQL_SSL_VERIFY_FULL] = "verify-full",
    };

    if (target->ssl_mode == SQL_SSL_REQUIRE && target->ssl_ca[0] != '\0')
        return modes[SQL_SSL_VERIFY_CA];
    return modes[target->ssl_mode];
}

static PGconn *start(const struct attempt *attempt)
{
    const struct sql_target *target = attempt->target;
    char port[16] = "", options[80] = "", patience[16];
    const struct {
        const char *keyword;
        const char *value;
    } parameters[] = {
        {"host", attempt->host->name},
        {"hostaddr", attempt->address},
        {"port", port},
        {"user", target->user},
        {"password", target->password},
        {"dbname", target->database},
        {"sslmode", mode_of(target)},
        {"sslrootcert", target->ssl_ca},
        {"sslcert", target->ssl_cert},
        {"sslkey", target->ssl_key},
        {"gssencmode", "disable"},
        {"tcp_user_timeout", patience},
        {"client_encoding", "UTF8"},
        {"fallback_application_name", "sasl-sqlcrypt"},
        {"target_session_attrs", attempt->access == SQL_ACCESS_WRITE ? "read-write" : "any"},
        {"options", options},
    };
    enum { COUNT = sizeof(parameters) / sizeof(parameters[0]) };
    const char *keywords[COUNT + 1] = {NULL}, *values[COUNT + 1] = {NULL};
    size_t i;

    /* Detects connections that a firewall dropped. */
    snprintf(patience, sizeof(patience), "%u", target->timeout / 2);
    if (attempt->host->port != 0)
        snprintf(port, sizeof(port), "%u", attempt->host->port);
    if (attempt->with_options)
        snprintf(options, sizeof(options),
                 "-c statement_timeout=%u -c standard_conforming_strings=on", target->timeout);
    for (i = 0; i < COUNT; i++) {
        keywords[i] = parameters[i].keyword;
        values[i] = parameters[i].value;
    }
    return PQconnectStartParams(keywords, values, 0);
}

/* Goes through the steps of connecting. Returns false with a reason. */
static bool go_through(struct pgsql_link *link, const struct pgsql_limits *limits,
                       struct reason *reason)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    int socket = -1;

    while (PQstatus(link->connection) != CONNECTION_BAD) {
        /* After a try with TLS, there may be one without it, on another socket. */
        if (PQsocket(link->connection) != socket) {
            socket = PQsocket(link->connection);
            watchdog_call_off(&link->watchdog);
        }
        if (!pgsql_link_wait(link, next == PGRES_POLLING_READING, next == PGRES_POLLING_WRITING,
                             limits, reason)) {
            reason_set(reason, "connection timed out");
            return false;
        }
        next = PQconnectPoll(link->connection);
        if (next == PGRES_POLLING_OK)
            return true;
        if (next == PGRES_POLLING_FAILED)
            break;
    }
    pgsql_error_of_connection(link->connection, reason);
    return false;
}

/* LOOKUP_LOST if the connection itself has more to say. */
static enum lookup finish(struct pgsql_link *link, const struct deadline *deadline,
                          struct reason *reason)
{
    const struct pgsql_limits limits = {deadline, ORDINARY_LOGIN, LONGEST_LOGIN};
    bool is_connected = go_through(link, &limits, reason);

    if (pgsql_link_end(link, &limits, reason))
        return is_connected ? LOOKUP_DONE : LOOKUP_LOST;
    if (deadline_remaining(deadline) == 0)
        reason_set(reason, "connection timed out");
    return LOOKUP_UNAVAILABLE;
}

/* Says what libpq does not: which file or socket it used, and where. Returns
 * whether the cause was a file that cannot be read. */
static bool explain(const struct attempt *attempt, const PGconn *connection, struct reason *reason)
{
    const struct sql_target *target = attempt->target;
    const char *directory = PQhost(connection);
    char socket[PATH_MAX];

    if (directory[0] != '/') {
        struct reason file;

        /* libpq does not insist on the files unless it is told to. */
        if (target->ssl_mode <= SQL_SSL_PREFER || !sql_ssl_files_explain(target, &file))
            return false;
        reason_prefix(reason, "%s; ", file.text);
        return true;
    }
    snprintf(socket, sizeof(socket), "%s/.s.PGSQL.%s", directory, PQport(connection));
    if (attempt->host->name[0] == '\0')
        reason_prefix(reason, "%s: ", socket);
    reason_append(reason, "%s", jail_hint_for(&target->jail, socket));
    return false;
}

static bool is_on(const char *value)
{
    return value != NULL && strcmp(value, "on") == 0;
}

/* Whether a server is unfit for storing: libpq was then let in, and has left. Before PostgreSQL
 * 14, and through a pooler, there is no other sign. */
static bool is_read_only(const struct attempt *attempt, const PGconn *connection)
{
    const char *standby = PQparameterStatus(connection, "in_hot_standby");

    if (attempt->access != SQL_ACCESS_WRITE)
        return false;
    return standby != NULL
               ? is_on(standby) ||
                     is_on(PQparameterStatus(connection, "default_transaction_read_only"))
               : PQparameterStatus(connection, "server_version") != NULL;
}

static enum lookup connect_once(const struct attempt *attempt, const struct deadline *deadline,
                                struct pgsql_link *link, bool *misunderstood, struct reason *reason)
{
    PGconn *started = start(attempt);
    enum lookup result;

    *misunderstood = false;
    if (started == NULL) {
        reason_no_memory(reason);
        return LOOKUP_UNAVAILABLE;
    }
    *link = (struct pgsql_link){.connection = started};
    PQsetNoticeReceiver(started, ignore_notice, NULL);
    /* Only the text of an error comes with the SQLSTATE. */
    PQsetErrorVerbosity(started, PQERRORS_VERBOSE);
    /* Otherwise libpq would wait, without a deadline, for a server that asks for the password
     * again and again and does not read it. This fails if there is no connection. */
    PQsetnonblocking(started, 1);
    result = finish(link, deadline, reason);
    if (result == LOOKUP_DONE) {
        PQsetErrorVerbosity(started, PQERRORS_DEFAULT);
        return result;
    }
    if (result == LOOKUP_LOST)
        result = pgsql_error_judge_connection(started);
    *misunderstood = result == LOOKUP_LOST && pgsql_error_is_misunderstood(started);
    if (explain(attempt, started, reason) ||
        (result == LOOKUP_LOST &&
         (deadline_remaining(deadline) == 0 || is_read_only(attempt, started))))
        result = LOOKUP_UNAVAILABLE;
    PQfinish(started);
    return result;
}

/* A pooler may reject the options. If it accepts the connection without them, they are left out
 * from then on. */
static enum lookup connect_by_either_way(struct attempt *attempt, const struct deadline *deadline,
                                         unsigned *learned, struct pgsql_link *link,
                                         struct reason *reason)
{
    bool misunderstood;
    enum lookup result = connect_once(attempt, deadline, link, &misunderstood, reason);

    if (!misunderstood || !attempt->with_options)
        return result;
    attempt->with_options = false;
    result = connect_once(attempt, deadline, link, &misunderstood, reason);
    if (result == LOOKUP_DONE)
        *learned |= REFUSES_OPTIONS;
    return result;
}

/* Whether the server reads quotes as templates are read. A server that accepted the options need
 * not say so, but a pooler may accept and forget them. */
static bool reads_standard_strings(const struct attempt *attempt, const PGconn *connection)
{
    const char *value = PQparameterStatus(connection, "standard_conforming_strings");

    return value != NULL ? is_on(value) : attempt->with_options;
}

/* PgBouncer knows this setting, and keeps it separately for each client. It does not know
 * statement_timeout, which would leak into the sessions of others. */
static enum lookup set_standard_strings(struct pgsql_link *link, const struct deadline *deadline,
                                        struct reason *reason)
{
    struct pgsql_answer answer;
    const enum lookup result = pgsql_answer_command(link, "SET standard_conforming_strings = on",
                                                    &answer, deadline, reason);

    if (result == LOOKUP_DONE)
        return result;
    PQfinish(link->connection);
    return result == LOOKUP_LOST || result == LOOKUP_BUSY ? result : LOOKUP_UNAVAILABLE;
}

enum lookup pgsql_connect(const struct sql_target *target, const struct sql_host *host,
                          const char *address, enum sql_access access,
                          const struct deadline *deadline, unsigned *learned,
                          struct pgsql_link *link, struct reason *reason)
{
    struct attempt attempt = {target, host, access, address,
                              .with_options = (*learned & REFUSES_OPTIONS) == 0};
    enum lookup result = connect_by_either_way(&attempt, deadline, learned, link, reason);

    if (result == LOOKUP_DONE && !reads_standard_strings(&attempt, link->connection))
        result = set_standard_strings(link, deadline, reason);
    return result;
}
