/* SPDX-License-Identifier: BSD-3-Clause */

/* What errors of PostgreSQL and of its poolers mean, and how much of their texts may be logged.
 * What libpq knows about an error is a row of a table here, by the linker's --wrap. */

#include "engines/pgsql_error.h"

#include <errno.h>

#include "support/unit.h"

/* What the current connection and result say. */
struct said {
    const char *of_connection;
    bool used_password;
    bool is_closed;
    const char *state, *severity, *severity_in_english, *text, *context, *inside, *position;
};

static const struct said *said;

/* Neither is dereferenced. */
static const PGconn *connection;
static const PGresult *result;

char *__wrap_PQerrorMessage(const PGconn *unused);
int __wrap_PQconnectionUsedPassword(const PGconn *unused);
ConnStatusType __wrap_PQstatus(const PGconn *unused);
char *__wrap_PQresultErrorField(const PGresult *unused, int field);

char *__wrap_PQerrorMessage(const PGconn *unused)
{
    (void)unused;
    return (char *)(uintptr_t)said->of_connection;
}

int __wrap_PQconnectionUsedPassword(const PGconn *unused)
{
    (void)unused;
    return said->used_password;
}

ConnStatusType __wrap_PQstatus(const PGconn *unused)
{
    (void)unused;
    return said->is_closed ? CONNECTION_BAD : CONNECTION_OK;
}

char *__wrap_PQresultErrorField(const PGresult *unused, int field)
{
    const char *text = NULL;

    (void)unused;
    switch (field) {
    case PG_DIAG_SQLSTATE:
        text = said->state;
        break;
    case PG_DIAG_SEVERITY:
        text = said->severity;
        break;
    case PG_DIAG_SEVERITY_NONLOCALIZED:
        text = said->severity_in_english;
        break;
    case PG_DIAG_MESSAGE_PRIMARY:
        text = said->text;
        break;
    case PG_DIAG_CONTEXT:
        text = said->context;
        break;
    case PG_DIAG_INTERNAL_QUERY:
        text = said->inside;
        break;
    case PG_DIAG_STATEMENT_POSITION:
        text = said->position;
        break;
    default:
        fail();
    }
    return (char *)(uintptr_t)text;
}

/* --- while connecting */

#define OF_SERVER "connection to server at \"db1\" (192.0.2.1), port 5432 failed: "
#define OLD_OF_SERVER "could not connect to server: "

static const struct connecting {
    const char *name;
    struct said said;
    const char *want;
    enum lookup want_means;
    bool want_misunderstood;
} connectings[] = {
    {"refused",
     {.of_connection = OF_SERVER "Connection refused\n\tIs the server running?\n"},
     "Connection refused",
     LOOKUP_LOST,
     false},
    {"refused, in the words of libpq 13",
     {.of_connection =
          OLD_OF_SERVER "Connection refused\n\tIs the server running on host \"db1\"\n"},
     "Connection refused",
     LOOKUP_LOST,
     false},
    {"of libpq alone", {.of_connection = "out of memory\n"}, "out of memory", LOOKUP_LOST, false},
    {"cut off",
     {.of_connection = "connection to server at \"db1\"\n"},
     "connection to server at \"db1\"",
     LOOKUP_LOST,
     false},
    {"nothing", {.of_connection = ""}, "", LOOKUP_LOST, false},
    {"too many clients",
     {.of_connection = OF_SERVER "FATAL:  53300: sorry, too many clients already\n"},
     "FATAL:  53300: sorry, too many clients already",
     LOOKUP_BUSY,
     false},
    {"starting up",
     {.of_connection = OF_SERVER "FATAL:  57P03: the database system is starting up\n"},
     "FATAL:  57P03: the database system is starting up",
     LOOKUP_LOST,
     false},
    {"too many clients in another language",
     {.of_connection = OF_SERVER "FATALER FEHLER:  53300: zu viele\n"},
     "FATALER FEHLER:  53300: zu viele",
     LOOKUP_BUSY,
     false},
    {"in the second try",
     {.of_connection =
          OF_SERVER "FATAL:  28000: no encryption\n" OF_SERVER "FATAL:  53300: too many\n"},
     "FATAL:  28000: no encryption",
     LOOKUP_BUSY,
     false},
    {"wrong password",
     {.of_connection = OF_SERVER "FATAL:  28P01: password authentication failed\n"},
     "FATAL:  28P01: password authentication failed",
     LOOKUP_UNAVAILABLE,
     false},
    {"state in a text",
     {.of_connection = OF_SERVER "FATAL:  28000: 53300: no\n"},
     "FATAL:  28000: 53300: no",
     LOOKUP_UNAVAILABLE,
     false},
    {"longer than a state",
     {.of_connection = OF_SERVER "FATAL:  533000: no\n"},
     "FATAL:  533000: no",
     LOOKUP_LOST,
     false},
    {"full pooler",
     {.of_connection = OF_SERVER "FATAL:  08P01: no more connections allowed (max_client_conn)\n"},
     "FATAL:  08P01: no more connections allowed (max_client_conn)",
     LOOKUP_BUSY,
     true},
    {"pooler that does not know a parameter",
     {.of_connection = OF_SERVER "FATAL:  08P01: unsupported startup parameter: options\n"},
     "FATAL:  08P01: unsupported startup parameter: options",
     LOOKUP_LOST,
     true},
    {"pooler that has asked for the password",
     {.of_connection = OF_SERVER "FATAL:  08P01: server login failed\n", .used_password = true},
     "FATAL:  08P01: server login failed",
     LOOKUP_LOST,
     false},
};

static void connecting(void **state)
{
    const struct connecting *row = *state;
    struct reason reason;

    said = &row->said;
    pgsql_error_of_connection(connection, &reason);
    assert_string_equal(reason.text, row->want);
    assert_lookup(pgsql_error_judge_connection(connection), row->want_means);
    assert_int_equal(pgsql_error_is_misunderstood(connection), row->want_misunderstood);
}

/* libpq keeps only the text of errno, which ends the text or the line. */
static void socket_is_full(void **state)
{
    static const struct {
        const char *format;
        bool want;
    } rows[] = {{OF_SERVER "%s\n\tIs the server running?\n", true},
                {OF_SERVER "%s", true},
                {OLD_OF_SERVER "%s\n\tIs the server running?\n", true},
                {"%s\n", true},
                {"%s, but not really\n", false},
                {"not: %s\n", false}};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        char text[256];
        const struct said full = {.of_connection = text};

        snprintf(text, sizeof(text), rows[i].format, strerror(EAGAIN));
        said = &full;
        assert_lookup(pgsql_error_judge_connection(connection),
                      rows[i].want ? LOOKUP_BUSY : LOOKUP_LOST);
    }
}

/* --- kinds of errors */

static const struct kind {
    const char *name;
    const char *state; /* NULL: an error of libpq itself, which has none */
    enum pgsql_error_kind want;
} kinds[] = {
    {"none", NULL, PGSQL_ERROR_OTHER},
    {"undefined_table", "42P01", PGSQL_ERROR_OTHER},
    {"duplicate_prepared_statement", "42P05", PGSQL_ERROR_PREPARED},
    {"invalid_sql_statement_name", "26000", PGSQL_ERROR_FORGOTTEN},
    {"feature_not_supported", "0A000", PGSQL_ERROR_STALE},
    {"undefined_function", "42883", PGSQL_ERROR_STALE},
    {"datatype_mismatch", "42804", PGSQL_ERROR_STALE},
    {"protocol_violation", "08P01", PGSQL_ERROR_PROTOCOL},
    {"no_data_found", "P0002", PGSQL_ERROR_NO_ROW},
    {"too_many_rows", "P0003", PGSQL_ERROR_SEVERAL_ROWS},
    {"invalid_text_representation", "22P02", PGSQL_ERROR_VALUE},
    {"numeric_value_out_of_range", "22003", PGSQL_ERROR_VALUE},
    {"not_null_violation", "23502", PGSQL_ERROR_VALUE},
    {"check_violation", "23514", PGSQL_ERROR_VALUE},
    {"unique_violation", "23505", PGSQL_ERROR_TAKEN},
    {"foreign_key_violation", "23503", PGSQL_ERROR_OTHER},
    {"syntax_error", "42601", PGSQL_ERROR_VALUE},
};

static void is_of_kind(void **state)
{
    const struct kind *row = *state;
    const struct said now = {.state = row->state};
    struct pgsql_error error;
    struct reason reason;

    said = &now;
    pgsql_error_judge(connection, result, &error, &reason);
    assert_int_equal(error.kind, row->want);
    assert_string_equal(error.state, row->state != NULL ? row->state : "");
}

/* --- parameters that the server finds no type for */

#define FINDS_NONE "could not determine data type of parameter "

static const struct untyped {
    const char *name;
    struct said said;
    bool want;
    unsigned want_number;
} untypeds[] = {
    {"first", {.state = "42P18", .text = FINDS_NONE "$1"}, true, 1},
    {"twelfth", {.state = "42P18", .text = FINDS_NONE "$12"}, true, 12},
    {"ambiguous", {.state = "42P08", .text = "inconsistent types deduced for $2"}, true, 2},
    {"in quotes", {.state = "42P18", .text = "Parameter \302\273$3\302\253"}, true, 3},
    {"does not say which", {.state = "42P18", .text = "could not determine"}, true, 0},
    {"says two", {.state = "42P18", .text = FINDS_NONE "$1 or $2"}, true, 0},
    {"no number", {.state = "42P18", .text = FINDS_NONE "$x"}, true, 0},
    {"number beyond all", {.state = "42P18", .text = FINDS_NONE "$4294967297"}, true, 0},
    {"no text", {.state = "42P18"}, false, 0},
    {"in a function", {.state = "42P18", .text = "$1", .context = "PL/pgSQL"}, false, 0},
    {"in a statement of one", {.state = "42P18", .text = "$1", .inside = "SELECT $1"}, false, 0},
    {"another error", {.state = "42P02", .text = "there is no parameter $1"}, false, 0},
    {"no state", {.text = "$1"}, false, 0},
};

static void is_untyped(void **state)
{
    const struct untyped *row = *state;
    struct pgsql_error error;
    struct reason reason;

    said = &row->said;
    pgsql_error_judge(connection, result, &error, &reason);
    assert_int_equal(error.kind == PGSQL_ERROR_UNTYPED, row->want);
    assert_int_equal(error.untyped, row->want_number);
}

/* --- what it means */

#define ERROR .severity_in_english = "ERROR", .severity = "FEHLER"
#define FATAL .severity_in_english = "FATAL", .severity = "FATAL"

static const struct judging {
    const char *name;
    struct said said;
    enum lookup want;
    const char *want_text;
} judgings[] = {
    {"no table",
     {ERROR, .state = "42P01", .text = "relation \"users\" does not exist", .position = "15"},
     LOOKUP_UNREADY,
     "relation \"users\" does not exist"},
    {"no column",
     {ERROR, .state = "42703", .text = "column \"secret\" does not exist"},
     LOOKUP_REJECTED,
     "column \"secret\" does not exist"},
    {"syntax",
     {ERROR, .state = "42601", .text = "syntax error at or near \"FORM\"", .position = "8"},
     LOOKUP_REJECTED,
     "syntax error at or near \"FORM\""},
    {"parameter: no table",
     {ERROR, .state = "42P01", .text = "relation \"s3cret\" does not exist"},
     LOOKUP_UNREADY,
     "error of the server with SQLSTATE 42P01"},
    {"parameter: two dots",
     {ERROR, .state = "0A000", .text = "cross-database references: \"s3.cr.et\""},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 0A000"},
    {"parameter: no schema",
     {ERROR, .state = "3F000", .text = "schema \"s3cret\" does not exist"},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 3F000"},
    {"parameter: no text search query",
     {ERROR, .state = "42601", .text = "syntax error in tsquery: \"s3cret\""},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 42601"},
    {"parameter: no name",
     {ERROR, .state = "42602", .text = "s3cret"},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 42602"},
    {"parameter: no type",
     {ERROR, .state = "42704", .text = "type \"s3cret\" does not exist"},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 42704"},
    {"parameter: several functions",
     {ERROR, .state = "42725", .text = "more than one function named \"s3cret\""},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 42725"},
    {"parameter: no function",
     {ERROR, .state = "42883", .text = "function \"s3cret\" does not exist"},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 42883"},
    {"no table in a function",
     {ERROR, .state = "42P01", .text = "s3cret", .context = "PL/pgSQL", .position = "9"},
     LOOKUP_UNREADY,
     "error of the server with SQLSTATE 42P01"},
    {"no table in a statement of a function",
     {ERROR, .state = "42P01", .text = "s3cret", .inside = "SELECT 1", .position = "9"},
     LOOKUP_UNREADY,
     "error of the server with SQLSTATE 42P01"},
    {"value",
     {ERROR, .state = "22P02", .text = "invalid input: \"s3cret\""},
     LOOKUP_REJECTED,
     "error of the server with SQLSTATE 22P02"},
    {"no text",
     {ERROR, .state = "42P01"},
     LOOKUP_UNREADY,
     "error of the server with SQLSTATE 42P01"},
    {"canceled",
     {ERROR, .state = "57014", .text = "canceling statement"},
     LOOKUP_UNAVAILABLE,
     "canceling statement"},
    {"deadlock",
     {ERROR, .state = "40P01", .text = "deadlock detected"},
     LOOKUP_CONFLICT,
     "deadlock detected"},
    {"serialization",
     {ERROR, .state = "40001", .text = "conflict with recovery"},
     LOOKUP_CONFLICT,
     "conflict with recovery"},
    {"may have been done",
     {ERROR, .state = "40003", .text = "result is ambiguous"},
     LOOKUP_UNAVAILABLE,
     "result is ambiguous"},
    {"foreign table",
     {ERROR, .state = "08001", .text = "could not connect"},
     LOOKUP_UNAVAILABLE,
     "could not connect"},
    {"internal",
     {ERROR, .state = "XX000", .text = "s3cret"},
     LOOKUP_UNAVAILABLE,
     "error of the server with SQLSTATE XX000"},
    {"parameters",
     {ERROR, .state = "08P01", .text = "bind message supplies 1 parameters"},
     LOOKUP_REJECTED,
     "bind message supplies 1 parameters"},
    {"shutdown",
     {FATAL, .state = "57P01", .text = "terminating connection"},
     LOOKUP_LOST,
     "terminating connection"},
    {"shutdown in a class of the statement",
     {FATAL, .state = "42501", .text = "permission denied"},
     LOOKUP_LOST,
     "permission denied"},
    {"closed", {ERROR, .is_closed = true, .state = "42703", .text = "t"}, LOOKUP_LOST, "t"},
    {"of libpq", {.text = "s3cret"}, LOOKUP_LOST, "the connection was closed"},

    /* Poolers say less. */
    {"pooler: no table",
     {.severity = "ERROR", .state = "42P01", .text = "no such table", .position = "15"},
     LOOKUP_UNREADY,
     "no such table"},
    {"pooler: gone", {.severity = "ERROR", .state = "57P01", .text = "gone"}, LOOKUP_LOST, "gone"},
    {"pooler: protocol",
     {.severity = "ERROR", .state = "08P01", .text = "server conn crashed?"},
     LOOKUP_LOST,
     "server conn crashed?"},
    {"pooler: fatal", {.severity = "FATAL", .state = "42703", .text = "t"}, LOOKUP_LOST, "t"},
    {"pooler: panic", {.severity = "PANIC", .state = "42703", .text = "t"}, LOOKUP_LOST, "t"},
    {"pooler: no severity", {.state = "42501", .text = "t"}, LOOKUP_UNREADY, "t"},
};

static void judge(void **state)
{
    const struct judging *row = *state;
    struct pgsql_error error;
    struct reason reason = {""};

    said = &row->said;
    assert_lookup(pgsql_error_judge(connection, result, &error, &reason), row->want);
    assert_string_equal(reason.text, row->want_text);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, connecting, connectings);
    TEST_ADD(&list, socket_is_full);
    TEST_ADD_CASES(&list, is_of_kind, kinds);
    TEST_ADD_CASES(&list, is_untyped, untypeds);
    TEST_ADD_CASES(&list, judge, judgings);
    return test_run("pgsql_error", &list);
}
