/* SPDX-License-Identifier: BSD-3-Clause */
#include "pgsql_error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The first line, without libpq's words about the server it has tried: the
 * caller knows. */
void pgsql_error_of_connection(const PGconn *connection, struct reason *reason)
{
    static const char opening[] = "connection to server ", ending[] = " failed: ";
    const char *text = PQerrorMessage(connection), *why;

    if (strncmp(text, opening, strlen(opening)) == 0) {
        why = strstr(text, ending);
        if (why != NULL)
            text = why + strlen(ending);
    }
    reason_set(reason, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Whether a text such as "FATAL:  53300: sorry, too many clients already" holds that
 * SQLSTATE: there may be several, of one try with TLS and one without. */
static bool has_state(const PGconn *connection, const char *state)
{
    const char *at = PQerrorMessage(connection);
    size_t length = strlen(state);

    while ((at = strstr(at, ":  ")) != NULL) {
        at += strlen(":  ");
        if (strncmp(at, state, length) == 0 && at[length] == ':')
            return true;
    }
    return false;
}

bool pgsql_connection_is_busy(const PGconn *connection)
{
    const char *text = PQerrorMessage(connection);

    return has_state(connection, "53300") /* too_many_connections */ ||
           has_state(connection, "57P03") /* cannot_connect_now */ ||
           /* too many wait at a socket */
           strstr(text, strerror(EAGAIN)) != NULL ||
           /* PgBouncer, which knows one SQLSTATE */
           strstr(text, "no more connections allowed") != NULL;
}

bool pgsql_connection_is_misunderstood(const PGconn *connection)
{
    return has_state(connection, "08P01") /* protocol_violation */;
}

static const char *state_of(const PGresult *error)
{
    const char *state = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    return state != NULL ? state : "";
}

bool pgsql_error_is_prepared(const PGresult *error)
{
    return strcmp(state_of(error), "42P05") == 0 /* duplicate_prepared_statement */;
}

bool pgsql_error_is_forgotten(const PGresult *error)
{
    return strcmp(state_of(error), "26000") == 0 /* invalid_sql_statement_name */;
}

bool pgsql_error_is_stale(const PGresult *error)
{
    /* "cached plan must not change result type" */
    return strcmp(state_of(error), "0A000") == 0 /* feature_not_supported */;
}

bool pgsql_error_is_of_encoding(const PGresult *error)
{
    return strcmp(state_of(error), "22021") == 0 /* character_not_in_repertoire */ ||
           strcmp(state_of(error), "22P05") == 0 /* untranslatable_character */;
}

bool pgsql_error_is_of_parameter(const PGresult *error)
{
    /* "unnamed portal parameter $1", in any language; since PostgreSQL 13 */
    const char *context = PQresultErrorField(error, PG_DIAG_CONTEXT);

    return strncmp(state_of(error), "22", 2) == 0 /* data exception */ && context != NULL &&
           strstr(context, " $") != NULL;
}

/* A class of SQLSTATE. */
struct class
{
    const char *start;
    enum lookup means;
    bool names_no_values; /* in its texts, unless they stem from inside of a function */
};

/* The first that fits counts. */
static const struct class classes[] = {
    {"08", LOOKUP_REJECTED, true},    /* a wrong number of parameters, too */
    {"0A", LOOKUP_REJECTED, true},    /* feature not supported */
    {"25", LOOKUP_REJECTED, true},    /* invalid transaction state: read-only */
    {"26", LOOKUP_REJECTED, true},    /* invalid statement name */
    {"3D", LOOKUP_REJECTED, true},    /* invalid catalog name */
    {"3F", LOOKUP_REJECTED, true},    /* invalid schema name */
    {"40", LOOKUP_UNAVAILABLE, true}, /* transaction rollback: deadlock */
    {"42", LOOKUP_REJECTED, true},    /* syntax error or access rule violation */
    {"53", LOOKUP_UNAVAILABLE, true}, /* insufficient resources */
    {"55", LOOKUP_UNAVAILABLE, true}, /* object not in prerequisite state: locked */
    {"57", LOOKUP_UNAVAILABLE, true}, /* operator intervention: statement_timeout */
    {"58", LOOKUP_UNAVAILABLE, true}, /* system error */
    {"F0", LOOKUP_UNAVAILABLE, false}, {"XX", LOOKUP_UNAVAILABLE, false}, /* internal error */
    {"", LOOKUP_REJECTED, false},
};

static const struct class *class_of(const char *state)
{
    const struct class *class = classes;

    while (strncmp(state, class->start, strlen(class->start)) != 0)
        class ++;
    return class;
}

/* The server ends the session with such an error, whether the connection is
 * known to be closed yet or not. */
static bool is_fatal(const PGconn *connection, const PGresult *error)
{
    const char *severity = PQresultErrorField(error, PG_DIAG_SEVERITY_NONLOCALIZED);

    return PQstatus(connection) == CONNECTION_BAD || state_of(error)[0] == '\0' ||
           (severity != NULL && strcmp(severity, "ERROR") != 0);
}

enum lookup pgsql_error_judge(const PGconn *connection, const PGresult *error,
                              struct reason *reason)
{
    const char *state = state_of(error);
    const struct class *class = class_of(state);
    const char *text = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);
    bool inside = PQresultErrorField(error, PG_DIAG_CONTEXT) != NULL ||
                  PQresultErrorField(error, PG_DIAG_INTERNAL_QUERY) != NULL;

    if (text != NULL && class->names_no_values && !inside)
        reason_set(reason, "%s", text);
    else if (state[0] != '\0')
        reason_set(reason, "error of the server with SQLSTATE %s", state);
    else
        reason_set(reason, "the connection was closed");
    return is_fatal(connection, error) ? LOOKUP_LOST : class->means;
}
