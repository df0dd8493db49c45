/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/option.h"

#include <limits.h>

#include "support/unit.h"

static const struct position {
    const char *name;
    const char *value;
    bool want;
} positions[] = {
    {"1", "1", true},          {"yes", "yes", true},
    {"y", "y", true},          {"true", "true", true},
    {"t", "t", true},          {"on", "on", true},
    {"0", "0", false},         {"no", "no", false},
    {"false", "false", false}, {"off", "off", false},
    {"other", "maybe", false}, {"o", "o", false},
    {"empty", "", false},      {"blank in front", " 1", false},
};

static void is_on(void **state)
{
    const struct position *row = *state;

    assert_int_equal(option_is_on(row->value), row->want);
}

static const struct timespan {
    const char *name;
    const char *text;
    unsigned want; /* milliseconds; 0: refused */
} timespans[] = {
    {"ten", "10", 10000},
    {"half", "0.5", 500},
    {"half without a zero", ".5", 500},
    {"point behind", "5.", 5000},
    {"three decimals", "12.345", 12345},
    {"shortest", "0.001", 1},
    {"just below the longest", "3599.999", 3599999},
    {"longest", "3600", 3600000},
    {"longest with decimals", "3600.000", 3600000},
    {"zeros in front", "0010", 10000},
    {"nothing", "0", 0},
    {"shorter than the shortest", "0.0001", 0},
    {"four decimals", "1.0001", 0},
    {"negative", "-1", 0},
    {"signed", "+1", 0},
    {"exponent", "1e3", 0},
    {"hexadecimal", "0x10", 0},
    {"just too long", "3600.001", 0},
    {"too long", "3601", 0},
    {"much too long", "99999999999999999999999999", 0},
    {"too long by the size of an integer", "4294968", 0},
    {"word", "abc", 0},
    {"unit", "1.5s", 0},
    {"blank behind", "10 ", 0},
    {"blank in front", " 10", 0},
    {"empty", "", 0},
    {"point alone", ".", 0},
    {"two points", "1.2.3", 0},
    {"comma", "1,5", 0},
    {"infinite", "inf", 0},
};

static void seconds(void **state)
{
    const struct timespan *row = *state;
    unsigned milliseconds = UINT_MAX;

    assert_int_equal(option_seconds(row->text, 1, 3600 * 1000, &milliseconds), row->want != 0);
    if (row->want != 0)
        assert_int_equal(milliseconds, row->want);
}

static const struct level {
    const char *name;
    const char *text;
    int want; /* -1: refused */
} levels[] = {
    {"zero", "0", 0},
    {"five", "5", 5},
    {"white space around", " 5\t", 5},
    {"zeros in front", "007", 7},
    {"two digits", "42", 42},
    {"much too high", "99999999999999999999999999", 99},
    {"word", "DEBUG", -1},
    {"word behind", "5 debug", -1},
    {"number and letter", "5x", -1},
    {"hexadecimal", "0x5", -1},
    {"negative", "-1", -1},
    {"signed", "+5", -1},
    {"decimals", "1.5", -1},
    {"quotes", "\"5\"", -1},
    {"empty", "", -1},
    {"blank", " ", -1},
};

static void level(void **state)
{
    const struct level *row = *state;
    int got = -2;

    assert_int_equal(option_level(row->text, &got), row->want >= 0);
    if (row->want >= 0)
        assert_int_equal(got, row->want);
}

static const struct quoting {
    const char *name;
    const char *value;
    bool want;
} quotings[] = {
    {"double quotes", "\"x\"", true},
    {"single quotes", "'x y'", true},
    {"quotes around nothing", "''", true},
    {"nothing", "", false},
    {"one quote", "'", false},
    {"no quotes", "x", false},
    {"quote in front", "\"x", false},
    {"quote behind", "x'", false},
    {"two kinds", "'x\"", false},
    {"quotes inside", "a 'x' b", false},
};

static void is_quoted(void **state)
{
    const struct quoting *row = *state;

    assert_int_equal(option_is_quoted(row->value), row->want);
}

static const struct list {
    const char *name;
    const char *list;
    const char *want; /* its words, each in brackets */
} lists[] = {
    {"one", "auxprop", "[auxprop]"},
    {"two", "auxprop sasldb", "[auxprop][sasldb]"},
    {"white space of all kinds", " \t a \v b\n", "[a][b]"},
    {"empty", "", ""},
    {"blank", "  ", ""},
    {"too long", "123456789 x", "[1234567][x]"},
};

static void next_word(void **state)
{
    const struct list *row = *state;
    const char *at = row->list;
    char got[100] = "", word[8];

    while (option_next_word(&at, word, sizeof(word)))
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "[%s]", word);
    assert_string_equal(got, row->want);
    assert_string_equal(word, "");
}

static const struct search {
    const char *name;
    const char *list;
    const char *word;
    bool want;
} searches[] = {
    {"alone", "sql", "sql", true},
    {"among others", "sasldb sql ldap", "sql", true},
    {"in other letters", "SASLDB SQL", "sql", true},
    {"start of a word", "sqlcrypt", "sql", false},
    {"end of a word", "nosql", "sql", false},
    {"not there", "sasldb", "sql", false},
    {"empty", "", "sql", false},
};

static void has_word(void **state)
{
    const struct search *row = *state;

    assert_int_equal(option_has_word(row->list, row->word), row->want);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, is_on, positions);
    TEST_ADD_CASES(&list, seconds, timespans);
    TEST_ADD_CASES(&list, level, levels);
    TEST_ADD_CASES(&list, is_quoted, quotings);
    TEST_ADD_CASES(&list, next_word, lists);
    TEST_ADD_CASES(&list, has_word, searches);
    return test_run("option_values", &list);
}
