/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond_reply.h"

#include "support/unit.h"

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
    {"first line without an end", TEXT("USERNAME"), REPLY_UNFINISHED},
    {"line of no kind without an end", TEXT("A=b\nx"), REPLY_UNFINISHED},
    {"last line without an end", TEXT("A=b\nx\n."), REPLY_UNFINISHED},
    /* the first line */
    {"last line alone", TEXT(".\n"), REPLY_MALFORMED},
    {"empty line", TEXT("\n"), REPLY_MALFORMED},
    {"empty line before an account", TEXT("\nA=b\n.\n"), REPLY_MALFORMED},
    {"line without a value", TEXT("USERNAME\n.\n"), REPLY_MALFORMED},
    {"line without a value, before more", TEXT("USERNAME\n"), REPLY_MALFORMED},
    {"line without a name", TEXT("=ann\n.\n"), REPLY_MALFORMED},
    {"no in other letters", TEXT("fail\n"), REPLY_MALFORMED},
    {"more than no", TEXT("FAILED\n"), REPLY_MALFORMED},
    {"no with a blank", TEXT("FAIL \n"), REPLY_MALFORMED},
    {"no that runs into an attribute", TEXT("FAILUID=1000\n.\n"), REPLY_MALFORMED},
    {"no with an equals sign", TEXT("FAIL=\n.\n"), REPLY_MALFORMED},
    {"carriage return after no", TEXT("FAIL\r\n"), REPLY_MALFORMED},
    {"another protocol", TEXT("220 mail.example.com ESMTP\r\n"), REPLY_MALFORMED},
    /* what follows it */
    {"account after no", TEXT("FAIL\nA=b\n.\n"), REPLY_FAIL},
    {"more after no", TEXT("FAIL\nx"), REPLY_FAIL},
    {"no twice", TEXT("FAIL\nFAIL\n"), REPLY_FAIL},
    {"NUL after no", TEXT("FAIL\n\0"), REPLY_FAIL},
    {"line break in a value", TEXT("UID=1\nNAME=Ann\nAnders\nPASSWD2=x\n.\n"), REPLY_ACCOUNT},
    {"line breaks only", TEXT("UID=1\nNAME=\n\n\nPASSWD2=x\n.\n"), REPLY_ACCOUNT},
    {"no in a value", TEXT("UID=1\nNAME=x\nFAIL\nPASSWD2=x\n.\n"), REPLY_ACCOUNT},
    {"end in a value", TEXT("UID=1\nNAME=x\n.\nPASSWD2=x\n.\n"), REPLY_ACCOUNT},
    {"carriage returns in a value", TEXT("UID=1\nNAME=x\r\n.\r\nPASSWD2=x\n.\n"), REPLY_ACCOUNT},
    {"more than the last line", TEXT("A=b\n..\n"), REPLY_UNFINISHED},
    {"last line with a carriage return", TEXT("A=b\r\n.\r\n"), REPLY_UNFINISHED},
    {"more after an account", TEXT("A=b\n.\nx"), REPLY_ACCOUNT},
    {"account twice", TEXT("A=b\n.\nA=b\n.\n"), REPLY_ACCOUNT},
    {"no after an account", TEXT("A=b\n.\nFAIL\n"), REPLY_ACCOUNT},
    {"NUL after an account", TEXT("A=b\n.\n\0"), REPLY_ACCOUNT},
    /* NUL */
    {"NUL in a value", TEXT("A=b\0c\n.\n"), REPLY_MALFORMED},
    {"NUL in a later value", TEXT("A=b\nB=\0\n.\n"), REPLY_MALFORMED},
    {"NUL in a name", TEXT("A\0=b\n.\n"), REPLY_MALFORMED},
    {"NUL before the end has come", TEXT("A=b\nB=\0"), REPLY_MALFORMED},
    {"NUL in the first line, before its end", TEXT("A=\0"), REPLY_MALFORMED},
    {"NUL instead of the last line", TEXT("A=b\n\0\n"), REPLY_MALFORMED},
    {"NUL instead of all", TEXT("\0"), REPLY_MALFORMED},
    {"NUL before no", TEXT("\0FAIL\n"), REPLY_MALFORMED},
    {"NUL within no", TEXT("FA\0IL\n"), REPLY_MALFORMED},
    {"NUL at the end of no", TEXT("FAIL\0\n"), REPLY_MALFORMED},
};

static void judge(void **state)
{
    const struct reply *row = *state;

    assert_reply(authdaemond_reply_judge((struct bytes){row->text, row->length}), row->want);
}

/* Wherever it is cut, a reply has no verdict before it is decided; and once it
 * is, nothing that follows changes it. */
static void judge_what_has_come(void **state)
{
    const struct reply *row = *state;
    enum authdaemond_reply before = REPLY_UNFINISHED;
    size_t length;

    for (length = 0; length <= row->length; length++) {
        enum authdaemond_reply reply = authdaemond_reply_judge((struct bytes){row->text, length});

        if (before != REPLY_UNFINISHED)
            assert_reply(reply, before);
        before = reply;
    }
    assert_reply(before, row->want);
}

static void judge_account_at_its_end(void **state)
{
    size_t length;

    (void)state;
    for (length = 0; length < strlen(ACCOUNT); length++)
        assert_reply(authdaemond_reply_judge((struct bytes){ACCOUNT, length}), REPLY_UNFINISHED);
    assert_reply(authdaemond_reply_judge((struct bytes){ACCOUNT, length}), REPLY_ACCOUNT);
}

/* What follows the longest reply is not read, and does not matter. */
static void judge_long_replies(void **state)
{
    enum { MOST = AUTHDAEMOND_REPLY_MAX, MORE = MOST + 10 };
    char *text = malloc(MORE);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', MORE);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST}), REPLY_UNFINISHED);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST + 1}), REPLY_MALFORMED);
    memcpy(text, "A=", 2);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST}), REPLY_UNFINISHED);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST + 1}), REPLY_MALFORMED);
    memcpy(text + MOST - 2, "\n.\n", 3);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST}), REPLY_UNFINISHED);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST + 1}), REPLY_MALFORMED);
    memcpy(text + MOST - 3, "\n.\n", 3);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MOST}), REPLY_ACCOUNT);
    assert_reply(authdaemond_reply_judge((struct bytes){text, MORE}), REPLY_ACCOUNT);
    free(text);
}

/* As Courier sends it, with a full name of the user's choice. */
#define NAMED(full_name, after)                                                                    \
    "UID=1\nGID=1\nHOME=/\nADDRESS=a\nNAME=" full_name "\nMAILDIR=m\nPASSWD=h\nPASSWD2=p\n" after  \
    ".\n"

static const struct account {
    const char *name;
    const char *text;
    const char *want; /* NULL: the reply may not say what the daemon meant */
} accounts[] = {
    {"options", NAMED("x", "OPTIONS=disablesmtp=1\n"), "disablesmtp=1"},
    {"none", NAMED("x", ""), ""},
    {"empty", NAMED("x", "OPTIONS=\n"), ""},
    {"several", ACCOUNT, "disableimap=1,disablesmtp=0"},
    {"alone", "OPTIONS=a\n.\n", "a"},
    {"in a value", "A=OPTIONS=1\n.\n", ""},
    {"start of the name", "OPTION=1\n.\n", ""},
    {"more than the name", "OPTIONSX=1\n.\n", ""},
    {"end of the name", "XOPTIONS=1\n.\n", ""},
    {"letter case", "options=1\n.\n", ""},
    {"value with an equals sign first", "OPTIONS==1\n.\n", "=1"},
    {"name of a full name", NAMED("OPTIONS=x", "OPTIONS=a\n"), "a"},
    /* line breaks in the full name */
    {"a line break", NAMED("x\ny", "OPTIONS=a\n"), NULL},
    {"a line break at the end", NAMED("x\n", "OPTIONS=a\n"), NULL},
    {"a line like an attribute", NAMED("x\nB=c", "OPTIONS=a\n"), "a"},
    {"no", NAMED("x\nFAIL", "OPTIONS=a\n"), NULL},
    {"end before the options", NAMED("x\n.", "OPTIONS=a\n"), NULL},
    {"end, and no options", NAMED("x\n.", ""), NULL},
    {"end with a password", NAMED("x\nPASSWD2=p\n.", "OPTIONS=a\n"), NULL},
    {"end with options", NAMED("x\nPASSWD2=p\nOPTIONS=b\n.", "OPTIONS=a\n"), NULL},
    {"end with options, for none", NAMED("x\nPASSWD2=p\nOPTIONS=b\n.", ""), NULL},
    {"options beside options", NAMED("x\nOPTIONS=b", "OPTIONS=a\n"), NULL},
    {"the same options twice", NAMED("x\nOPTIONS=a", "OPTIONS=a\n"), NULL},
    {"options for none", NAMED("x\nOPTIONS=b", ""), NULL},
    {"options and a password for none", NAMED("x\nPASSWD2=p\nOPTIONS=b", ""), NULL},
    {"options twice", NAMED("x", "OPTIONS=a\nOPTIONS=b\n"), NULL},
    /* no account, or not yet */
    {"without its last line", "OPTIONS=a\n", NULL},
    {"last line without its end", "OPTIONS=a\n.", NULL},
    {"more after the last line", "OPTIONS=a\n.\nx", NULL},
    {"line after the last line", "OPTIONS=a\n.\nA=b\n", NULL},
    {"two accounts", "OPTIONS=a\n.\nOPTIONS=a\n.\n", NULL},
    {"an end too many", "OPTIONS=a\n.\n.\n", NULL},
    {"nothing", "", NULL},
};

static void find_options(void **state)
{
    const struct account *row = *state;
    struct bytes options = {NULL, 99};

    if (!authdaemond_reply_options(bytes_of(row->text), &options)) {
        assert_null(row->want);
        return;
    }
    assert_non_null(row->want);
    assert_int_equal(options.length, strlen(row->want));
    if (options.length > 0)
        assert_memory_equal(options.start, row->want, options.length);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, judge, replies);
    TEST_ADD_CASES(&list, judge_what_has_come, replies);
    TEST_ADD(&list, judge_account_at_its_end);
    TEST_ADD(&list, judge_long_replies);
    TEST_ADD_CASES(&list, find_options, accounts);
    return test_run("authdaemond_reply", &list);
}
