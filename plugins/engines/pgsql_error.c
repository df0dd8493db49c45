/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_error.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The text without libpq's words about the server it has tried: the caller knows. */
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

/* The first line of the text. */
void pgsql_error_of_connection(const PGconn *connection, struct reason *reason)
{
    const char *text = text_of_connection(connection);

    reason_set(reason, "%.*s", (int)strcspn(text, "\n"), text);
}

/* What a text such as "FATAL:  53300: sorry, too many clients already" says after that
 * SQLSTATE, or the beginning of one, or NULL: there may be several, from one try with TLS
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

/* The queue of the socket is full: libpq keeps no other trace of errno than its text, in the
 * language of this process, as the whole first line. */
static bool is_of_full_socket(const PGconn *connection)
{
    const char *text = text_of_connection(connection), *full = strerror(EAGAIN);
    size_t length = strlen(full);

    return strncmp(text, full, length) == 0 && (text[length] == '\n' || text[length] == '\0');
}

/* PgBouncer uses one SQLSTATE for most of what it says, so the rest must be read. */
static bool is_of_full_pooler(const PGconn *connection)
{
    static const char full[] = "no more connections allowed";
    const char *text = after_state(connection, "08P01");

    return text != NULL && strncmp(text, full, strlen(full)) == 0;
}

/* The server accepts no connection now, but may in a moment. */
static bool is_of_busy_server(const PGconn *connection)
{
    return after_state(connection, "53300") != NULL /* too_many_connections */ ||
           is_of_full_socket(connection) || is_of_full_pooler(connection);
}

/* Whether a server, or a pooler, may say otherwise in a moment: it is starting, or going down,
 * or has lost its own servers. Anything that neither of them has said comes from the network. */
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

/* A server that asked for the password has understood, and refuses for another reason. */
bool pgsql_error_is_misunderstood(const PGconn *connection)
{
    return after_state(connection, "08P01") != NULL /* protocol_violation */ &&
           PQconnectionUsedPassword(connection) == 0;
}

/* --- of a statement */

/* Whether the text of an error may be logged, unless it comes from inside a function. */
enum telling {
    TELL_NOT, /* it may hold a value */

    /* A parameter may be used as a text search query, or as the name of a table, function, type,
     * role or schema: the text then contains it. Up to PostgreSQL 13, an error of the statement
     * differs from that only in having a position in the statement. */
    TELL_WITH_PLACE,

    TELL
};

/* A SQLSTATE, or the beginning of some. */
struct meaning {
    const char *start;
    enum lookup means;
    enum telling telling;
    enum pgsql_error_kind kind;
};

/* The first match counts. */
static const struct meaning meanings[] = {
    /* protocol_violation: a wrong number of parameters; connection exception: of a foreign
     * table */
    {"08P01", LOOKUP_REJECTED, TELL, PGSQL_ERROR_PROTOCOL},
    {"08", LOOKUP_UNAVAILABLE, TELL, PGSQL_ERROR_OTHER},

    /* feature not supported: "cached plan must not change result type"; names with two dots */
    {"0A000", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_STALE},
    {"0A", LOOKUP_REJECTED, TELL, PGSQL_ERROR_OTHER},

    /* data exception */
    {"22", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_VALUE},

    /* integrity constraint violation: not_null and check of a domain; unique */
    {"23502", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_VALUE},
    {"23514", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_VALUE},
    {"23505", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_TAKEN},

    /* invalid transaction state: read_only_sql_transaction, of a standby */
    {"25006", LOOKUP_UNREADY, TELL, PGSQL_ERROR_OTHER},
    {"25", LOOKUP_REJECTED, TELL, PGSQL_ERROR_OTHER},

    /* invalid statement, catalog and schema name */
    {"26000", LOOKUP_REJECTED, TELL, PGSQL_ERROR_FORGOTTEN},
    {"26", LOOKUP_REJECTED, TELL, PGSQL_ERROR_OTHER},
    {"3D", LOOKUP_REJECTED, TELL, PGSQL_ERROR_OTHER},
    {"3F000", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_OTHER},
    {"3F", LOOKUP_REJECTED, TELL, PGSQL_ERROR_OTHER},

    /* transaction rollback: statement_completion_unknown; deadlock, or of a standby */
    {"40003", LOOKUP_UNAVAILABLE, TELL, PGSQL_ERROR_OTHER},
    {"40", LOOKUP_CONFLICT, TELL, PGSQL_ERROR_OTHER},

    /* syntax error or access rule violation: insufficient_privilege; undefined_table, which
     * may not be replicated yet; a syntax error in a text search query; the types of the
     * parameters, found for other columns, do not fit; invalid_name, undefined_object and
     * ambiguous_function; duplicate_prepared_statement; ambiguous_parameter and
     * indeterminate_datatype */
    {"42501", LOOKUP_UNREADY, TELL, PGSQL_ERROR_OTHER},
    {"42P01", LOOKUP_UNREADY, TELL_WITH_PLACE, PGSQL_ERROR_OTHER},
    {"42601", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_VALUE},
    {"42804", LOOKUP_REJECTED, TELL, PGSQL_ERROR_STALE},
    {"42883", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_STALE},
    {"42602", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_OTHER},
    {"42704", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_OTHER},
    {"42725", LOOKUP_REJECTED, TELL_WITH_PLACE, PGSQL_ERROR_OTHER},
    {"42P05", LOOKUP_REJECTED, TELL, PGSQL_ERROR_PREPARED},
    {"42P08", LOOKUP_REJECTED, TELL, PGSQL_ERROR_UNTYPED},
    {"42P18", LOOKUP_REJECTED, TELL, PGSQL_ERROR_UNTYPED},
    {"42", LOOKUP_REJECTED, TELL, PGSQL_ERROR_OTHER},

    /* insufficient resources; a locked object; operator intervention, such as
     * statement_timeout; system error */
    {"53", LOOKUP_UNAVAILABLE, TELL, PGSQL_ERROR_OTHER},
    {"55", LOOKUP_UNAVAILABLE, TELL, PGSQL_ERROR_OTHER},
    {"57", LOOKUP_UNAVAILABLE, TELL, PGSQL_ERROR_OTHER},
    {"58", LOOKUP_UNAVAILABLE, TELL, PGSQL_ERROR_OTHER},

    /* damaged configuration file, internal error */
    {"F0", LOOKUP_UNAVAILABLE, TELL_NOT, PGSQL_ERROR_OTHER},
    {"XX", LOOKUP_UNAVAILABLE, TELL_NOT, PGSQL_ERROR_OTHER},

    /* PL/pgSQL: no_data_found, too_many_rows */
    {"P0002", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_NO_ROW},
    {"P0003", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_SEVERAL_ROWS},

    {"", LOOKUP_REJECTED, TELL_NOT, PGSQL_ERROR_OTHER},
};

static const struct meaning *meaning_of(const char *state)
{
    const struct meaning *meaning = meanings;

    while (strncmp(state, meaning->start, strlen(meaning->start)) != 0)
        meaning++;
    return meaning;
}

static const char *state_of(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state != NULL ? state : "";
}

/* Not about the statement itself, but about what a function in it does. */
static bool is_from_inside(const PGresult *result)
{
    return PQresultErrorField(result, PG_DIAG_CONTEXT) != NULL ||
           PQresultErrorField(result, PG_DIAG_INTERNAL_QUERY) != NULL;
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

static bool is_severity(const PGresult *result, int field, const char *severity)
{
    const char *text = PQresultErrorField(result, field);

    return text != NULL && strcmp(text, severity) == 0;
}

/* The session ends with such an error, whether or not the connection is known to be closed yet;
 * or it is useless, since a pooler has made up the error: one from PostgreSQL also has an
 * untranslated severity. */
static bool is_lost(const PGconn *connection, const PGresult *result, const struct meaning *meaning)
{
    if (PQstatus(connection) == CONNECTION_BAD || state_of(result)[0] == '\0')
        return true;
    if (PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED) != NULL)
        return !is_severity(result, PG_DIAG_SEVERITY_NONLOCALIZED, "ERROR");
    return meaning->means == LOOKUP_UNAVAILABLE || meaning->kind == PGSQL_ERROR_PROTOCOL ||
           is_severity(result, PG_DIAG_SEVERITY, "FATAL") ||
           is_severity(result, PG_DIAG_SEVERITY, "PANIC");
}

/* `text` is what the server says about the statement itself, or NULL. */
static void describe(const struct meaning *meaning, const char *state, const char *text,
                     struct pgsql_error *error)
{
    *error = (struct pgsql_error){.kind = meaning->kind};
    snprintf(error->state, sizeof(error->state), "%s", state);
    if (meaning->kind != PGSQL_ERROR_UNTYPED)
        return;
    if (text == NULL)
        error->kind = PGSQL_ERROR_OTHER;
    else
        error->untyped = number_in(text);
}

static bool is_told(const struct meaning *meaning, const PGresult *result)
{
    return meaning->telling == TELL ||
           (meaning->telling == TELL_WITH_PLACE &&
            PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION) != NULL);
}

enum lookup pgsql_error_judge(const PGconn *connection, const PGresult *result,
                              struct pgsql_error *error, struct reason *reason)
{
    const char *state = state_of(result);
    const struct meaning *meaning = meaning_of(state);
    const char *text =
        is_from_inside(result) ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    describe(meaning, state, text, error);
    if (text != NULL && is_told(meaning, result))
        reason_set(reason, "%s", text);
    else if (state[0] != '\0')
        reason_set(reason, "error of the server with SQLSTATE %s", state);
    else
        reason_set(reason, "the connection was closed");
    return is_lost(connection, result, meaning) ? LOOKUP_LOST : meaning->means;
}
