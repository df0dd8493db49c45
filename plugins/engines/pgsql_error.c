/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Without libpq's words about the server it has tried: the caller knows. */
static const char *text_of_connection(const PGconn *connection)
{
    static const char opening[] = "connection to server ", ending[] = " failed: ";
    static const char old_opening[] = "could not connect to server: "; /* up to libpq 13 */
    const char *text = PQerrorMessage(connection), *why;

    if (strncmp(text, old_opening, strlen(old_opening)) == 0)
        return text + strlen(old_opening);
    if (strncmp(text, opening, strlen(opening)) == 0) {
        why = strstr(text, ending);
        if (why != NULL)
            return why + strlen(ending);
    }
    return text;
}

/* The first line of it. */
void pgsql_error_of_connection(const PGconn *connection, struct reason *reason)
{
    const char *text = text_of_connection(connection);

    reason_set(reason, "%.*s", (int)strcspn(text, "\n"), text);
}

/* What a text such as "FATAL:  53300: sorry, too many clients already" says after that
 * SQLSTATE, or the beginning of one, or NULL: there may be several, of one try with TLS
 * and one without. */
static const char *after_state(const PGconn *connection, const char *state)
{
    enum { STATE_LENGTH = 5 };
    const char *at = PQerrorMessage(connection);

    while ((at = strstr(at, ":  ")) != NULL) {
        at += strlen(":  ");
        if (strncmp(at, state, strlen(state)) == 0 && strlen(at) > STATE_LENGTH &&
            strncmp(at + STATE_LENGTH, ": ", 2) == 0)
            return at + STATE_LENGTH + 2;
    }
    return NULL;
}

/* Too many wait at the socket: libpq keeps no other trace of errno than its text, in
 * the language of this process, as all of the first line. */
static bool is_of_full_socket(const PGconn *connection)
{
    const char *text = text_of_connection(connection), *full = strerror(EAGAIN);
    size_t length = strlen(full);

    return strncmp(text, full, length) == 0 && (text[length] == '\n' || text[length] == '\0');
}

/* PgBouncer has one SQLSTATE for most of what it says: the rest is to be read. */
static bool is_of_full_pooler(const PGconn *connection)
{
    static const char full[] = "no more connections allowed";
    const char *text = after_state(connection, "08P01");

    return text != NULL && strncmp(text, full, strlen(full)) == 0;
}

/* The server takes no connection now, but may in a moment. */
static bool is_of_busy_server(const PGconn *connection)
{
    return after_state(connection, "53300") != NULL /* too_many_connections */ ||
           is_of_full_socket(connection) || is_of_full_pooler(connection);
}

/* Whether a server, or a pooler, may say otherwise in a moment: it is starting, or going
 * down, or has lost what is behind it. What was not said by one at all is of the network. */
static bool may_pass(const PGconn *connection)
{
    return after_state(connection, "") == NULL || after_state(connection, "08") != NULL ||
           after_state(connection, "53") != NULL || after_state(connection, "57") != NULL ||
           after_state(connection, "58") != NULL || after_state(connection, "XX") != NULL;
}

enum lookup pgsql_error_judge_connection(const PGconn *connection)
{
    if (is_of_busy_server(connection))
        return LOOKUP_BUSY;
    return may_pass(connection) ? LOOKUP_LOST : LOOKUP_UNAVAILABLE;
}

/* Who was asked for the password has understood, and refuses for another reason. */
bool pgsql_error_is_misunderstood(const PGconn *connection)
{
    return after_state(connection, "08P01") != NULL /* protocol_violation */ &&
           PQconnectionUsedPassword(connection) == 0;
}

const char *pgsql_error_state(const PGresult *error)
{
    const char *state = PQresultErrorField(error, PG_DIAG_SQLSTATE);

    return state != NULL ? state : "";
}

/* Not about the statement itself, but about what a function in it does. */
static bool is_from_inside(const PGresult *error)
{
    return PQresultErrorField(error, PG_DIAG_CONTEXT) != NULL ||
           PQresultErrorField(error, PG_DIAG_INTERNAL_QUERY) != NULL;
}

bool pgsql_error_is_prepared(const PGresult *error)
{
    return strcmp(pgsql_error_state(error), "42P05") == 0 /* duplicate_prepared_statement */;
}

bool pgsql_error_is_forgotten(const PGresult *error)
{
    return strcmp(pgsql_error_state(error), "26000") == 0 /* invalid_sql_statement_name */;
}

bool pgsql_error_is_stale(const PGresult *error)
{
    /* "cached plan must not change result type" */
    return strcmp(pgsql_error_state(error), "0A000") == 0 /* feature_not_supported */ ||
           /* the types of the parameters, which were found for other columns, do not fit */
           strcmp(pgsql_error_state(error), "42883") == 0 /* undefined_function */ ||
           strcmp(pgsql_error_state(error), "42804") == 0 /* datatype_mismatch */;
}

bool pgsql_error_is_of_protocol(const PGresult *error)
{
    return strcmp(pgsql_error_state(error), "08P01") == 0 /* protocol_violation */;
}

/* N, if there is one $N in the text; 0 if not. */
static unsigned number_in(const char *text)
{
    const char *dollar = strchr(text, '$');
    unsigned number = 0;
    size_t digits;

    if (dollar == NULL)
        return 0;
    digits = strspn(dollar + 1, "0123456789");
    if (strchr(dollar + 1, '$') != NULL || digits > 5)
        return 0;
    for (; digits > 0; digits--)
        number = number * 10 + (unsigned)(*++dollar - '0');
    return number;
}

bool pgsql_error_is_untyped(const PGresult *error, unsigned *number)
{
    const char *state = pgsql_error_state(error);
    const char *text = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);

    if ((strcmp(state, "42P18") != 0 /* indeterminate_datatype */ &&
         strcmp(state, "42P08") != 0 /* ambiguous_parameter */) ||
        text == NULL || is_from_inside(error))
        return false;
    *number = number_in(text);
    return true;
}

bool pgsql_error_is_no_row(const PGresult *error)
{
    return strcmp(pgsql_error_state(error), "P0002") == 0 /* no_data_found */;
}

bool pgsql_error_is_several_rows(const PGresult *error)
{
    return strcmp(pgsql_error_state(error), "P0003") == 0 /* too_many_rows */;
}

bool pgsql_error_is_of_value(const PGresult *error)
{
    const char *state = pgsql_error_state(error);

    return strncmp(state, "22", 2) == 0 /* data exception */ ||
           strcmp(state, "23502") == 0 /* not_null_violation: of a domain */ ||
           strcmp(state, "23514") == 0 /* check_violation: likewise */ ||
           strcmp(state, "42601") == 0 /* syntax_error: in a text search query */;
}

/* What a parameter may be taken for: a text search query, or the name of a table,
 * function, type, role or schema. The text of the error has the parameter in it then,
 * and up to PostgreSQL 13 no context tells it from an error of the statement, which has
 * a place in the statement. */
static bool may_quote_parameter(const PGresult *error)
{
    static const char *const states[] = {
        "0A000" /* feature_not_supported: of names with two dots */,
        "3F000" /* invalid_schema_name */,
        "42601" /* syntax_error */,
        "42602" /* invalid_name */,
        "42704" /* undefined_object */,
        "42725" /* ambiguous_function */,
        "42883" /* undefined_function */,
        "42P01" /* undefined_table */,
    };
    size_t i;

    if (PQresultErrorField(error, PG_DIAG_STATEMENT_POSITION) != NULL)
        return false;
    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(pgsql_error_state(error), states[i]) == 0)
            return true;
    return false;
}

/* A class of SQLSTATE. */
struct class
{
    const char *start;
    enum lookup means;
    bool names_no_values; /* in its texts, but for the exceptions below */
};

/* The first that fits counts. */
static const struct class classes[] = {
    {"08P01", LOOKUP_REJECTED, true},    /* a wrong number of parameters */
    {"08", LOOKUP_UNAVAILABLE, true},    /* connection exception: of a foreign table */
    {"0A", LOOKUP_REJECTED, true},       /* feature not supported */
    {"25006", LOOKUP_UNREADY, true},     /* read_only_sql_transaction: of a standby */
    {"25", LOOKUP_REJECTED, true},       /* invalid transaction state */
    {"26", LOOKUP_REJECTED, true},       /* invalid statement name */
    {"3D", LOOKUP_REJECTED, true},       /* invalid catalog name */
    {"3F", LOOKUP_REJECTED, true},       /* invalid schema name */
    {"40003", LOOKUP_UNAVAILABLE, true}, /* statement_completion_unknown */
    {"40", LOOKUP_CONFLICT, true},       /* transaction rollback: deadlock, or of a standby */
    {"42501", LOOKUP_UNREADY, true},     /* insufficient_privilege */
    {"42P01", LOOKUP_UNREADY, true},     /* undefined_table: not replicated yet, perhaps */
    {"42", LOOKUP_REJECTED, true},       /* syntax error or access rule violation */
    {"53", LOOKUP_UNAVAILABLE, true},    /* insufficient resources */
    {"55", LOOKUP_UNAVAILABLE, true},    /* object not in prerequisite state: locked */
    {"57", LOOKUP_UNAVAILABLE, true},    /* operator intervention: statement_timeout */
    {"58", LOOKUP_UNAVAILABLE, true},    /* system error */
    {"F0", LOOKUP_UNAVAILABLE, false},   {"XX", LOOKUP_UNAVAILABLE, false}, /* internal error */
    {"", LOOKUP_REJECTED, false},
};

static const struct class *class_of(const char *state)
{
    const struct class *class = classes;

    while (strncmp(state, class->start, strlen(class->start)) != 0)
        class ++;
    return class;
}

static bool is_severity(const PGresult *error, int field, const char *severity)
{
    const char *text = PQresultErrorField(error, field);

    return text != NULL && strcmp(text, severity) == 0;
}

/* The session ends with such an error, whether the connection is known to be closed yet
 * or not; or it is of no use, since a pooler has made up the error: that of PostgreSQL
 * has its severity in no language, too. */
static bool is_lost(const PGconn *connection, const PGresult *error, enum lookup means)
{
    if (PQstatus(connection) == CONNECTION_BAD || pgsql_error_state(error)[0] == '\0')
        return true;
    if (PQresultErrorField(error, PG_DIAG_SEVERITY_NONLOCALIZED) != NULL)
        return !is_severity(error, PG_DIAG_SEVERITY_NONLOCALIZED, "ERROR");
    return means == LOOKUP_UNAVAILABLE || pgsql_error_is_of_protocol(error) ||
           is_severity(error, PG_DIAG_SEVERITY, "FATAL") ||
           is_severity(error, PG_DIAG_SEVERITY, "PANIC");
}

enum lookup pgsql_error_judge(const PGconn *connection, const PGresult *error,
                              struct reason *reason)
{
    const char *state = pgsql_error_state(error);
    const struct class *class = class_of(state);
    const char *text = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);

    if (text != NULL && class->names_no_values && !is_from_inside(error) &&
        !may_quote_parameter(error))
        reason_set(reason, "%s", text);
    else if (state[0] != '\0')
        reason_set(reason, "error of the server with SQLSTATE %s", state);
    else
        reason_set(reason, "the connection was closed");
    return is_lost(connection, error, class->means) ? LOOKUP_LOST : class->means;
}
