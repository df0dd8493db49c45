/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_statement.h"

#include "support/unit.h"

static const struct calling {
    const char *name;
    const char *text;
    bool want;
} callings[] = {
    {"CALL", "CALL find(?)", true},
    {"small letters", "call find(?)", true},
    {"name in quotes", "CALL`find`(?)", true},
    {"comment behind", "CALL/**/find(?)", true},
    {"line break behind", "CALL\nfind(?)", true},
    {"blanks before", " \t\r\n\v\fCALL find(?)", true},
    {"comments before", "/* a */ -- b\n# c\nCALL find(?)", true},
    {"empty comment", "/**/CALL find(?)", true},
    {"SELECT", "SELECT secret FROM users", false},
    {"longer word", "CALLS find(?)", false},
    {"half a word", "CAL", false},
    {"nothing behind", "CALL", false},
    {"within a comment", "/* CALL find(?)", false},
    {"within a line of comment", "-- CALL find(?)", false},
    {"within a line of comment, #", "# CALL find(?)", false},
    {"star and slash of one comment", "/*/ CALL find(?)", false},
    {"empty", "", false},
};

static void is_call(void **state)
{
    const struct calling *row = *state;

    assert_int_equal(mysql_statement_is_call(row->text), row->want);
}

static const struct spelling {
    const char *name;
    const char *text; /* NULL stands for NULL */
    bool is_ascii;
    const char *want;
} spellings[] = {
    {"ASCII", "alice", true, "alice"},
    {"empty", "", true, ""},
    {"NULL", NULL, true, NULL},
    {"last of ASCII", "a\177", true, "a\177"},
    {"two bytes", "j\303\266rg", false, "jxrg"},
    {"three bytes", "\342\202\254uro", false, "xuro"},
    {"four bytes", "\360\237\224\221", false, "x"},
    {"at the end", "caf\303\251", false, "cafx"},
};

static void to_ascii(void **state)
{
    const struct spelling *row = *state;
    const struct bytes parameters[] = {bytes_of("first"), bytes_of(row->text)};
    const struct sql_statement statement = {"?", parameters, COUNT(parameters)};
    const struct secret want = lend(row->want);
    struct mysql_ascii ascii;

    assert_int_equal(mysql_statement_is_ascii(&statement), row->is_ascii);
    assert_true(mysql_statement_to_ascii(&statement, &ascii));
    assert_string_equal(ascii.statement.text, "?");
    assert_int_equal(ascii.statement.parameter_count, COUNT(parameters));
    assert_string_equal(ascii.statement.parameters[0].start, "first");
    assert_secret(&ascii.copies[1], &want);
    assert_ptr_equal(ascii.statement.parameters[1].start, ascii.copies[1].bytes);
    mysql_statement_free_ascii(&ascii);
}

static void no_parameter(void **state)
{
    const struct sql_statement statement = {"SELECT 1", NULL, 0};
    struct mysql_ascii ascii;

    (void)state;
    assert_true(mysql_statement_is_ascii(&statement));
    assert_true(mysql_statement_to_ascii(&statement, &ascii));
    assert_int_equal(ascii.statement.parameter_count, 0);
    mysql_statement_free_ascii(&ascii);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, is_call, callings);
    TEST_ADD_CASES(&list, to_ascii, spellings);
    TEST_ADD(&list, no_parameter);
    return test_run("mysql_statement", &list);
}
