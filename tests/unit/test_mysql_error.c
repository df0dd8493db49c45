/* SPDX-License-Identifier: BSD-3-Clause */

/* What errors of MySQL and MariaDB mean, and how much of their texts may be logged. */

#include "engines/mysql_error.h"

#include <errno.h>

#include "support/unit.h"

#define SECRET "near 's3cret'"
#define SAYS "says"

static const struct judging {
    const char *name;
    unsigned number;
    const char *state;
    bool has_values;
    enum lookup want;
    const char *want_text; /* NULL: what the server says */
} judgings[] = {
    {"connection lost", 2013, "HY000", true, LOOKUP_LOST, NULL},
    {"of the library", 2000, "HY000", true, LOOKUP_LOST,
     "error 2000 of the server with SQLSTATE HY000"},
    {"last one of the library", 2999, "HY000", true, LOOKUP_LOST,
     "error 2999 of the server with SQLSTATE HY000"},
    {"of Connector/C", 5000, "HY000", true, LOOKUP_LOST,
     "error 5000 of the server with SQLSTATE HY000"},
    {"last one of Connector/C", 5999, "HY000", true, LOOKUP_LOST,
     "error 5999 of the server with SQLSTATE HY000"},
    {"above those of Connector/C", 6000, "HY000", true, LOOKUP_UNAVAILABLE,
     "error 6000 of the server with SQLSTATE HY000"},
    {"between those of the libraries", 3000, "HY000", true, LOOKUP_UNAVAILABLE,
     "error 3000 of the server with SQLSTATE HY000"},
    {"too many connections, when connected", 1040, "08004", true, LOOKUP_UNAVAILABLE, NULL},
    {"deadlock", 1213, "40001", true, LOOKUP_CONFLICT, NULL},
    {"read-only", 1290, "HY000", true, LOOKUP_UNREADY, NULL},
    {"damaged table", 145, "HY000", true, LOOKUP_UNAVAILABLE, NULL},
    {"first number", 1, "HY000", true, LOOKUP_UNAVAILABLE, NULL},
    {"last number below the server's own", 999, "HY000", true, LOOKUP_UNAVAILABLE, NULL},
    {"no number", 0, "HY000", true, LOOKUP_UNAVAILABLE,
     "error 0 of the server with SQLSTATE HY000"},
    {"first number of the server", 1000, "HY000", true, LOOKUP_UNAVAILABLE,
     "error 1000 of the server with SQLSTATE HY000"},
    {"unknown column", 1054, "42S22", true, LOOKUP_REJECTED, NULL},
    {"syntax", 1064, "42000", true, LOOKUP_REJECTED,
     "error 1064 of the server with SQLSTATE 42000"},
    {"syntax, before it is run", 1064, "42000", false, LOOKUP_REJECTED, NULL},
    {"duplicate", 1062, "23000", true, LOOKUP_REJECTED,
     "error 1062 of the server with SQLSTATE 23000"},
    {"value that does not fit", 1366, "22007", true, LOOKUP_REJECTED,
     "error 1366 of the server with SQLSTATE 22007"},
    {"regular expression, first", 3684, "HY000", true, LOOKUP_REJECTED,
     "error 3684 of the server with SQLSTATE HY000"},
    {"regular expression, last", 3700, "HY000", true, LOOKUP_REJECTED,
     "error 3700 of the server with SQLSTATE HY000"},
    {"above the regular expressions", 3701, "HY000", true, LOOKUP_UNAVAILABLE,
     "error 3701 of the server with SQLSTATE HY000"},
    {"class of connections", 9999, "08S01", true, LOOKUP_LOST,
     "error 9999 of the server with SQLSTATE 08S01"},
    {"class of transactions", 9999, "25006", true, LOOKUP_UNAVAILABLE,
     "error 9999 of the server with SQLSTATE 25006"},
    {"class of access", 9999, "28000", true, LOOKUP_UNAVAILABLE,
     "error 9999 of the server with SQLSTATE 28000"},
    {"class of CHECK OPTION", 9999, "44000", true, LOOKUP_REJECTED,
     "error 9999 of the server with SQLSTATE 44000"},
    {"class of nobody", 9999, "XX000", true, LOOKUP_UNAVAILABLE,
     "error 9999 of the server with SQLSTATE XX000"},
    {"no row", 1329, "02000", true, LOOKUP_NONE, "error 1329 of the server with SQLSTATE 02000"},
    {"no row, before it is run", 1329, "02000", false, LOOKUP_REJECTED, NULL},
    {"signalled", 1644, "45000", true, LOOKUP_REJECTED,
     "error 1644 of the server with SQLSTATE 45000"},
    /* A procedure may use any number. */
    {"signalled with the number of another", 1054, "45000", true, LOOKUP_REJECTED,
     "error 1054 of the server with SQLSTATE 45000"},
};

static void judge(void **state)
{
    const struct judging *row = *state;
    const char *text = row->want_text != NULL ? SECRET : SAYS;
    const struct mysql_error error = {row->number, row->state, text};
    struct reason reason = {""};

    assert_lookup(mysql_error_judge(&error, row->has_values, &reason), row->want);
    assert_string_equal(reason.text, row->want_text != NULL ? row->want_text : SAYS);
}

/* --- while connecting */

#define NO_PLUGIN                                                                                  \
    "the server demands an authentication plug-in that is not allowed or not installed"

static const struct connecting {
    const char *name;
    unsigned number;
    const char *text;
    enum lookup want;
    int want_errno;        /* that the reason is from, or 0: */
    const char *want_text; /* NULL: the library's own */
} connectings[] = {
    {"socket refused", 2002, "Can't connect to local server through socket '/s' (111)", LOOKUP_LOST,
     ECONNREFUSED, NULL},
    {"socket that is full", 2002, "Can't connect to local server through socket '/s' (11)",
     LOOKUP_BUSY, EAGAIN, NULL},
    {"address refused", 2003, "Can't connect to server on '192.0.2.1' (111)", LOOKUP_LOST,
     ECONNREFUSED, NULL},
    {"no TCP", 2004, "Can't create TCP/IP socket (24)", LOOKUP_LOST, EMFILE, NULL},
    {"cut off within TLS", 2026, "TLS/SSL error: Broken pipe (32)", LOOKUP_LOST, 0, NULL},
    {"unknown host", 2005, "Unknown server host 'db1' (110)", LOOKUP_LOST, ETIMEDOUT, NULL},
    {"no number in it", 2003, "Can't connect to server", LOOKUP_LOST, 0, NULL},
    {"no number in brackets", 2003, "Can't connect to server (db1)", LOOKUP_LOST, 0, NULL},
    {"number of another kind", 1045, "Access denied for user 'u'@'h' (11)", LOOKUP_UNAVAILABLE, 0,
     NULL},
    {"too many connections", 1040, "Too many connections", LOOKUP_BUSY, 0, NULL},
    {"too many of the user", 1203, "User u already has too many", LOOKUP_BUSY, 0, NULL},
    {"resources of the user", 1226, "User 'u' has exceeded", LOOKUP_BUSY, 0, NULL},
    {"plug-in that is missing", 2059, "Plugin garbage could not be loaded", LOOKUP_UNAVAILABLE, 0,
     NO_PLUGIN},
    {"plug-in that is not allowed", 5010, "Plugin garbage is not allowed", LOOKUP_UNAVAILABLE, 0,
     NO_PLUGIN},
};

static void connecting(void **state)
{
    const struct connecting *row = *state;
    const struct mysql_error error = {row->number, "HY000", row->text};
    struct reason reason = {""};

    assert_lookup(mysql_error_of_connection(&error, &reason), row->want);
    if (row->want_errno != 0)
        assert_string_equal(reason.text, strerror(row->want_errno));
    else
        assert_string_equal(reason.text, row->want_text != NULL ? row->want_text : row->text);
}

/* --- kinds of errors */

static const struct kind {
    const char *name;
    unsigned number;
    enum mysql_error_kind want;
} kinds[] = {
    {"local socket", 2002, MYSQL_ERROR_NETWORK},
    {"address", 2003, MYSQL_ERROR_NETWORK},
    {"TCP", 2004, MYSQL_ERROR_NETWORK},
    {"name", 2005, MYSQL_ERROR_NETWORK},
    {"lost", 2013, MYSQL_ERROR_OTHER},
    {"unknown statement", 1243, MYSQL_ERROR_FORGOTTEN},
    {"to be prepared again", 1615, MYSQL_ERROR_FORGOTTEN},
    {"other columns", 2057, MYSQL_ERROR_FORGOTTEN},
    {"two collations", 1267, MYSQL_ERROR_CHARACTERS},
    {"three collations", 1270, MYSQL_ERROR_CHARACTERS},
    {"many collations", 1271, MYSQL_ERROR_CHARACTERS},
    {"invalid string", 1300, MYSQL_ERROR_CHARACTERS},
    {"value that does not fit", 1366, MYSQL_ERROR_CHARACTERS},
    {"string that cannot be converted", 3854, MYSQL_ERROR_CHARACTERS},
    {"conversion that is impossible", 3988, MYSQL_ERROR_CHARACTERS},
    {"syntax", 1064, MYSQL_ERROR_OTHER},
    {"none", 0, MYSQL_ERROR_OTHER},
};

static void is_of_kind(void **state)
{
    const struct kind *row = *state;

    assert_int_equal(mysql_error_kind(row->number), row->want);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, judge, judgings);
    TEST_ADD_CASES(&list, connecting, connectings);
    TEST_ADD_CASES(&list, is_of_kind, kinds);
    return test_run("mysql_error", &list);
}
