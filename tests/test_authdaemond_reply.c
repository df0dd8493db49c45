/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond_reply.h"

#include "test_support.h"

static const char *reply_name(enum authdaemond_reply reply)
{
    switch (reply) {
    case REPLY_UNFINISHED:
        return "UNFINISHED";
    case REPLY_MALFORMED:
        return "MALFORMED";
    case REPLY_FAIL:
        return "FAIL";
    case REPLY_ACCOUNT:
        return "ACCOUNT";
    }
    return "no reply";
}

#define assert_reply(got, want) assert_string_equal(reply_name(got), reply_name(want))

#define ACCOUNT                                                                                    \
    "USERNAME=ann\nUID=1000\nHOME=/home/ann\nADDRESS=ann@example.com\n"                            \
    "OPTIONS=disableimap=1,disablesmtp=0\n.\n"

#define TEXT(text) text, sizeof(text) - 1

static const struct reply {
    const char *name;
    const char *text;
    size_t length;
    enum authdaemond_reply want;
} replies[] = {
    {"account", TEXT(ACCOUNT), REPLY_ACCOUNT},
    {"shortest account", TEXT("A=\n.\n"), REPLY_ACCOUNT},
    {"value with an equals sign", TEXT("A=b=c\n.\n"), REPLY_ACCOUNT},
    {"no", TEXT("FAIL\n"), REPLY_FAIL},
    {"nothing", TEXT(""), REPLY_UNFINISHED},
    {"no without an end", TEXT("FAIL"), REPLY_UNFINISHED},
    {"start of no", TEXT("FA"), REPLY_UNFINISHED},
    {"account without its last line", TEXT("USERNAME=ann\n"), REPLY_UNFINISHED},
    {"account whose last line has no end", TEXT("USERNAME=ann\n."), REPLY_UNFINISHED},
    {"last line alone", TEXT(".\n"), REPLY_MALFORMED},
    {"empty line", TEXT("\n"), REPLY_MALFORMED},
    {"empty line in an account", TEXT("A=b\n\n.\n"), REPLY_MALFORMED},
    {"line without a value", TEXT("USERNAME\n.\n"), REPLY_MALFORMED},
    {"line without a name", TEXT("=ann\n.\n"), REPLY_MALFORMED},
    {"no in an account", TEXT("A=b\nFAIL\n.\n"), REPLY_MALFORMED},
    {"account after no", TEXT("FAIL\nA=b\n.\n"), REPLY_MALFORMED},
    {"more after no", TEXT("FAIL\nx"), REPLY_MALFORMED},
    {"no twice", TEXT("FAIL\nFAIL\n"), REPLY_MALFORMED},
    {"more after an account", TEXT("A=b\n.\nx"), REPLY_MALFORMED},
    {"line after an account", TEXT("A=b\n.\nA=b\n"), REPLY_MALFORMED},
    {"account twice", TEXT("A=b\n.\nA=b\n.\n"), REPLY_MALFORMED},
    {"no in other letters", TEXT("fail\n"), REPLY_MALFORMED},
    {"more than no", TEXT("FAILED\n"), REPLY_MALFORMED},
    {"no with a blank", TEXT("FAIL \n"), REPLY_MALFORMED},
    {"carriage returns", TEXT("FAIL\r\n"), REPLY_MALFORMED},
    {"last line with more", TEXT("A=b\n..\n"), REPLY_MALFORMED},
    {"NUL in a value", TEXT("A=b\0c\n.\n"), REPLY_MALFORMED},
    {"NUL at the end", TEXT("A=b\n.\n\0"), REPLY_MALFORMED},
    {"NUL instead of all", TEXT("\0"), REPLY_MALFORMED},
    {"NUL before no", TEXT("\0FAIL\n"), REPLY_MALFORMED},
};

static void judge(void **state)
{
    const struct reply *row = *state;

    assert_reply(authdaemond_reply_judge(row->text, row->length), row->want);
}

/* However it is cut, an account is no account before its end, and never a no. */
static void judge_what_has_come(void **state)
{
    size_t length;

    (void)state;
    for (length = 0; length < strlen(ACCOUNT); length++)
        assert_reply(authdaemond_reply_judge(ACCOUNT, length), REPLY_UNFINISHED);
    assert_reply(authdaemond_reply_judge(ACCOUNT, length), REPLY_ACCOUNT);
}

static void judge_long_replies(void **state)
{
    char *text = malloc(AUTHDAEMOND_REPLY_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', AUTHDAEMOND_REPLY_MAX + 1);
    memcpy(text, "A=", 2);
    assert_reply(authdaemond_reply_judge(text, AUTHDAEMOND_REPLY_MAX), REPLY_UNFINISHED);
    assert_reply(authdaemond_reply_judge(text, AUTHDAEMOND_REPLY_MAX + 1), REPLY_MALFORMED);
    memcpy(text + AUTHDAEMOND_REPLY_MAX - 3, "\n.\n", 3);
    assert_reply(authdaemond_reply_judge(text, AUTHDAEMOND_REPLY_MAX), REPLY_ACCOUNT);
    free(text);
}

static const struct attribute {
    const char *name;
    const char *text;
    const char *asked;
    const char *want; /* NULL: there is none */
} attributes[] = {
    {"first", ACCOUNT, "USERNAME", "ann"},
    {"last", ACCOUNT, "OPTIONS", "disableimap=1,disablesmtp=0"},
    {"missing", ACCOUNT, "PASSWD", NULL},
    {"start of a name", ACCOUNT, "OPTION", NULL},
    {"more than a name", ACCOUNT, "OPTIONSX", NULL},
    {"end of a name", ACCOUNT, "NAME", NULL},
    {"letter case", ACCOUNT, "options", NULL},
    {"in a value", "A=OPTIONS=1\n.\n", "OPTIONS", NULL},
    {"empty value", "OPTIONS=\n.\n", "OPTIONS", ""},
    {"first of two", "OPTIONS=a\nOPTIONS=b\n.\n", "OPTIONS", "a"},
};

static void find_attribute(void **state)
{
    const struct attribute *row = *state;
    size_t length = 99;
    const char *value =
        authdaemond_reply_attribute(row->text, strlen(row->text), row->asked, &length);

    if (row->want == NULL) {
        assert_null(value);
        return;
    }
    assert_non_null(value);
    assert_int_equal(length, strlen(row->want));
    assert_memory_equal(value, row->want, length);
    assert_in_range((uintptr_t)value, (uintptr_t)row->text,
                    (uintptr_t)row->text + strlen(row->text));
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, judge, replies);
    TEST_ADD(&list, judge_what_has_come);
    TEST_ADD(&list, judge_long_replies);
    TEST_ADD_CASES(&list, find_attribute, attributes);
    return test_run("authdaemond_reply", &list);
}
