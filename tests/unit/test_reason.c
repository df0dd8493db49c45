/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/reason.h"

#include <wchar.h>

#include "support/unit.h"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define THREE_HUNDRED FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct line {
    const char *name;
    const char *text;
    const char *want;
} lines[] = {
    {"plain", "users.db: no such table", "users.db: no such table"},
    {"empty", "", ""},
    {"percent signs stay", "100% of %s", "100% of %s"},
    {"line feed", "one\ntwo", "one?two"},
    {"carriage return and tab", "a\r\tb", "a??b"},
    {"escape sequence", "\033[31mred", "?[31mred"},
    {"lowest and highest control character", "\001\037 \177", "?? ?"},
    {"the neighbours of control characters stay", " ~\302\240", " ~\302\240"},
    {"UTF-8", "b\303\274cher", "b\303\274cher"},
    {"control characters beyond ASCII", "a\302\200b\302\205c\302\237d", "a?b?c?d"},
    {"separators of lines and paragraphs", "a\342\200\250b\342\200\251c", "a?b?c"},
    {"text that runs backwards", "a\342\200\252b\342\200\256c\342\201\246d\342\201\251e\330\234f",
     "a?b?c?d?e?f"},
    {"no width, of other blocks",
     "a\302\255b\341\240\216c\363\240\200\201d\363\240\201\277e\363\240\202\200",
     "a?b?c?d?e\363\240\202\200"},
    {"characters of other planes", "a\363\240\204\200b\363\260\200\200c\360\237\230\200",
     "a\363\240\204\200b\363\260\200\200c\360\237\230\200"},
    {"no width", "a\342\200\213b\342\200\217c\357\273\277d\342\201\240e", "a?b?c?d?e"},
    {"their neighbours",
     "\330\233\330\235\342\200\212\342\200\220\342\200\247\342\200\257\342\201\237\342\201\260\357"
     "\273\276",
     "\330\233\330\235\342\200\212\342\200\220\342\200\247\342\200\257\342\201\237\342\201\260\357"
     "\273\276"},
    {"bytes that are no UTF-8", "a\200b\377c\303", "a?b?c?"},
    {"an overlong slash", "\300\257", "??"},
    {"a surrogate", "\355\240\200", "???"},
    {"longest that fits", THREE_HUNDRED "0123456789012345678", THREE_HUNDRED "0123456789012345678"},
    {"one byte too long", THREE_HUNDRED "01234567890123456789",
     THREE_HUNDRED "0123456789012345..."},
    {"much too long", THREE_HUNDRED THREE_HUNDRED, THREE_HUNDRED "0123456789012345..."},
    {"too long, with control characters at the cut",
     THREE_HUNDRED "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                   "\n\n\n\n\n\n\n\n",
     THREE_HUNDRED "????????????????..."},
    {"too long, with a character at the cut", THREE_HUNDRED "012345678901234\303\2747890",
     THREE_HUNDRED "012345678901234..."},
    {"too long, with a character of four bytes at the cut",
     THREE_HUNDRED "0123456789012\360\237\230\2007890", THREE_HUNDRED "0123456789012..."},
    {"too long, without a whole character",
     THREE_HUNDRED "01234567890\200\200\200\200\200\200\200\200\200",
     THREE_HUNDRED "01234567890?????..."},
};

static void set(void **state)
{
    const struct line *row = *state;
    struct reason reason;

    memset(&reason, 'x', sizeof(reason));
    reason_set(&reason, "%s", row->text);
    assert_string_equal(reason.text, row->want);
}

static void formats(void **state)
{
    struct reason reason = {"before"};

    (void)state;
    reason_set(&reason, "position %zu: %%%c, %s", (size_t)7, 'x', "not known");
    assert_string_equal(reason.text, "position 7: %x, not known");
}

/* A character that the locale does not know. */
static void what_cannot_be_formatted(void **state)
{
    struct reason reason = {"before"};

    (void)state;
    reason_set(&reason, "%lc", (wint_t)0x20ac);
    assert_string_equal(reason.text, "");
}

/* One reason often becomes part of another's text, never of its own. */
static void replaces_what_was_there(void **state)
{
    struct reason reason = {"a rather long text that was there before"};

    (void)state;
    reason_set(&reason, "short");
    assert_string_equal(reason.text, "short");
}

static void prefix_and_append(void **state)
{
    struct reason reason = {"in the middle"};

    (void)state;
    reason_prefix(&reason, "%s\n", "before");
    reason_append(&reason, " %d", 3);
    assert_string_equal(reason.text, "before?in the middle 3");
}

/* The start is what a reader needs most. */
static void prefix_of_a_full_line(void **state)
{
    struct reason reason;
    const size_t longest = sizeof(reason.text) - 1;

    (void)state;
    reason_set(&reason, "%400s", "");
    reason_prefix(&reason, "host: ");
    assert_int_equal(strlen(reason.text), longest);
    assert_memory_equal(reason.text, "host:  ", 7);
    assert_string_equal(reason.text + longest - 4, " ...");
    reason_append(&reason, "lost");
    assert_string_equal(reason.text + longest - 4, " ...");
}

static void choice(void **state)
{
    static const char *const words[] = {"a", "b", "c"};
    static const char *const wants[] = {"", "a", "a or b", "a, b or c"};
    size_t count, i;

    (void)state;
    for (count = 0; count < COUNT(wants); count++) {
        struct reason reason = {""};

        for (i = 0; i < count; i++)
            reason_append_choice(&reason, words[i], i, count);
        assert_string_equal(reason.text, wants[count]);
    }
}

static void no_memory(void **state)
{
    struct reason reason = {"something else"};

    (void)state;
    reason_no_memory(&reason);
    assert_string_equal(reason.text, "out of memory");
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, set, lines);
    TEST_ADD(&list, formats);
    TEST_ADD(&list, what_cannot_be_formatted);
    TEST_ADD(&list, replaces_what_was_there);
    TEST_ADD(&list, prefix_and_append);
    TEST_ADD(&list, prefix_of_a_full_line);
    TEST_ADD(&list, choice);
    TEST_ADD(&list, no_memory);
    return test_run("reason", &list);
}
