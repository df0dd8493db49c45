/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/bytes.h"

#include "support/unit.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void of_strings(void **state)
{
    const char text[] = "abc";

    (void)state;
    assert_ptr_equal(bytes_of(text).start, text);
    assert_int_equal(bytes_of(text).length, 3);
    assert_null(bytes_of(NULL).start);
    assert_int_equal(bytes_of(NULL).length, 0);
}

static void after(void **state)
{
    const struct bytes text = bytes_of("abc");

    (void)state;
    assert_string_equal(bytes_after(text, 0).start, "abc");
    assert_string_equal(bytes_after(text, 2).start, "c");
    assert_int_equal(bytes_after(text, 2).length, 1);
    assert_int_equal(bytes_after(text, 3).length, 0);
    assert_null(bytes_after(BYTES_NONE, 0).start);
}

static const struct pair {
    const char *name;
    struct bytes a, b;
    bool want_equal, want_start; /* whether the first starts with the second */
} pairs[] = {
    {"same", TEXT("abc"), TEXT("abc"), true, true},
    {"other", TEXT("abc"), TEXT("abd"), false, false},
    {"start", TEXT("abc"), TEXT("ab"), false, true},
    {"more", TEXT("ab"), TEXT("abc"), false, false},
    {"end", TEXT("abc"), TEXT("bc"), false, false},
    {"letter case", TEXT("abc"), TEXT("ABC"), false, false},
    {"what follows a NUL", TEXT("a\0b"), TEXT("a\0c"), false, false},
    {"nothing of something", TEXT("abc"), TEXT(""), false, true},
    {"nothing of nothing", TEXT(""), {NULL, 0}, true, true},
    {"something of nothing", {NULL, 0}, TEXT("a"), false, false},
};

static void compare(void **state)
{
    const struct pair *row = *state;

    assert_int_equal(bytes_equal(row->a, row->b), row->want_equal);
    assert_int_equal(bytes_start_with(row->a, row->b), row->want_start);
}

static const struct kind {
    const char *name;
    struct bytes text;
    bool want_nul, want_control;
} kinds[] = {
    {"nothing", TEXT(""), false, false},
    {"none", {NULL, 0}, false, false},
    {"text", TEXT(" ~"), false, false},
    {"NUL alone", TEXT("\0"), true, true},
    {"NUL at the end", TEXT("abc\0"), true, true},
    {"line break", TEXT("a\nb"), false, true},
    {"last of the first ones", TEXT("\037"), false, true},
    {"delete", TEXT("\177"), false, true},
    {"beyond ASCII", TEXT("\200\237\377"), false, false},
};

static void have(void **state)
{
    const struct kind *row = *state;

    assert_int_equal(bytes_have_nul(row->text), row->want_nul);
    assert_int_equal(bytes_have_control(row->text), row->want_control);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD(&list, of_strings);
    TEST_ADD(&list, after);
    TEST_ADD_CASES(&list, compare, pairs);
    TEST_ADD_CASES(&list, have, kinds);
    return test_run("bytes", &list);
}
