/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/quoted.h"

#include "support/unit.h"

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define QUOTES "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
#define ESCAPED "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\""

#define TEXT(literal) (literal), sizeof(literal) - 1

static const struct name {
    const char *name;
    const char *bytes;
    size_t length;
    const char *want;
} names[] = {
    {"plain", TEXT("ann"), "\"ann\""},
    {"empty", TEXT(""), "\"\""},
    {"a quote", TEXT("a\": authenticated"), "\"a\\\": authenticated\""},
    {"a backslash", TEXT("a\\"), "\"a\\\\\""},
    {"a NUL", TEXT("a\0b"), "\"a\"..."},
    {"brackets", TEXT("x[192.0.2.1]: failed"), "\"x?192.0.2.1?: failed\""},
    {"UTF-8", TEXT("j\303\266rg"), "\"j\303\266rg\""},
    {"longest", TEXT(SIXTY_FOUR), "\"" SIXTY_FOUR "\""},
    {"one more", TEXT(SIXTY_FOUR "x"), "\"" SIXTY_FOUR "\"..."},
    {"a character at the cut", TEXT("x" SIXTY_FOUR "\303\266"),
     "\"x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\"..."},
    {"a character across the cut",
     TEXT("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\303\266"),
     "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\"..."},
    {"all of it escaped, and more", TEXT(QUOTES QUOTES QUOTES QUOTES "x"),
     "\"" ESCAPED ESCAPED ESCAPED ESCAPED "\"..."},
};

static void set(void **state)
{
    const struct name *row = *state;
    struct quoted quoted;

    memset(&quoted, 'x', sizeof(quoted));
    quoted_set(&quoted, row->bytes, row->length);
    assert_string_equal(quoted.text, row->want);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, set, names);
    return test_run("quoted", &list);
}
