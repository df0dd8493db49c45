/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond_options.h"

#include "support/unit.h"

static const struct list_of {
    const char *name;
    const char *required;
    bool want;
} lists[] = {
    {"nothing", "", true},
    {"blanks and commas", " ,, ", true},
    {"one", "disablesmtp=0", true},
    {"several", "disablesmtp=0,group=mail", true},
    {"blanks after commas", "disablesmtp=0, group=mail", true},
    {"empty value", "group=", true},
    {"value with an equals sign", "group=a=b", true},
    {"no value", "disablesmtp", false},
    {"no value among others", "disablesmtp=0,group,x=1", false},
    {"no name", "=0", false},
    {"equals sign alone", "=", false},
};

static void validate(void **state)
{
    const struct list_of *row = *state;

    assert_int_equal(authdaemond_options_valid(row->required), row->want);
}

static const struct demand {
    const char *name;
    const char *required;
    const char *options; /* NULL: the account has none */
    bool want;
} demands[] = {
    {"nothing of nothing", "", NULL, true},
    {"nothing of something", "", "disablesmtp=1", true},
    {"not disabled", "disablesmtp=0", "disablesmtp=0", true},
    {"disabled", "disablesmtp=0", "disablesmtp=1", false},
    {"without options", "disablesmtp=0", NULL, true},
    {"with empty options", "disablesmtp=0", "", true},
    {"without this one", "disablesmtp=0", "disableimap=1", true},
    {"among others", "disablesmtp=0", "disableimap=0,disablesmtp=1,x=0", false},
    {"last of several", "disablesmtp=0", "disableimap=1,disablesmtp=1", false},
    {"first of two counts, yes", "disablesmtp=0", "disablesmtp=0,disablesmtp=1", true},
    {"first of two counts, no", "disablesmtp=0", "disablesmtp=1,disablesmtp=0", false},
    {"has a group", "group=mail", "group=mail", true},
    {"has another group", "group=mail", "group=web", false},
    {"has no group", "group=mail", NULL, false},
    {"start of a value", "group=mail", "group=mailer", false},
    {"more than a value", "group=mailer", "group=mail", false},
    {"start of a name", "disablesmtp=0", "disablesmtpd=1", true},
    {"more than a name", "disablesmtpd=0", "disablesmtp=1", true},
    {"letter case", "disablesmtp=0", "DISABLESMTP=1", true},
    {"option without a value", "disablesmtp=0", "disablesmtp", false},
    {"two demands, both met", "disablesmtp=0,group=mail", "group=mail", true},
    {"two demands, the first met", "disablesmtp=0,group=mail", "group=web", false},
    {"two demands, the second met", "disablesmtp=0,group=mail", "disablesmtp=1,group=mail", false},
    {"blanks in between", "disablesmtp=0, group=mail", "disablesmtp=0, group=mail", true},
    {"empty value", "group=", "group=", true},
    {"empty value of none", "group=", NULL, false},
};

static void allow(void **state)
{
    const struct demand *row = *state;

    assert_int_equal(authdaemond_options_allow(row->required, bytes_of(row->options)), row->want);
}

/* Text after the options is not read. */
static void allow_within_the_length(void **state)
{
    (void)state;
    assert_true(authdaemond_options_allow("disablesmtp=0", (struct bytes){"disablesmtp=0", 13}));
    assert_false(authdaemond_options_allow("disablesmtp=0", (struct bytes){"disablesmtp=01", 14}));
    assert_true(authdaemond_options_allow("disablesmtp=0", (struct bytes){"disablesmtp=01", 13}));
    assert_true(authdaemond_options_allow("disablesmtp=0", (struct bytes){"x=0,disablesmtp=1", 4}));
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, validate, lists);
    TEST_ADD_CASES(&list, allow, demands);
    TEST_ADD(&list, allow_within_the_length);
    return test_run("authdaemond_options", &list);
}
