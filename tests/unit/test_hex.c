/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hex.h"

#include "support/unit.h"

static const struct digits {
    const char *name;
    const unsigned char bytes[4];
    size_t count;
    const char *want;
} rows[] = {
    {"none", {0xff}, 0, ""},
    {"smallest and largest", {0x00, 0xff}, 2, "00ff"},
    {"each half by itself", {0x0f, 0xf0, 0x1a, 0xa1}, 4, "0ff01aa1"},
};

static void write_digits(void **state)
{
    const struct digits *row = *state;
    char digits[16];

    memset(digits, 'x', sizeof(digits));
    hex_write(digits, row->bytes, row->count);
    assert_string_equal(digits, row->want);
    assert_int_equal(digits[2 * row->count + 1], 'x');
}

static const struct text {
    const char *name;
    const char *digits;
    size_t count;
    bool want;
    unsigned char want_bytes[4];
} texts[] = {
    {"none", "", 0, true, {0}},
    {"small letters", "00ff1aa1", 4, true, {0x00, 0xff, 0x1a, 0xa1}},
    {"capital letters", "0FF0ABCD", 4, true, {0x0f, 0xf0, 0xab, 0xcd}},
    {"all digits", "01234567", 4, true, {0x01, 0x23, 0x45, 0x67}},
    {"the others", "89abcdef", 4, true, {0x89, 0xab, 0xcd, 0xef}},
    {"what follows", "12zz", 1, true, {0x12}},
    {"before the digits", "/0", 1, false, {0}},
    {"behind the digits", "0:", 1, false, {0}},
    {"before the capital letters", "@0", 1, false, {0}},
    {"behind the capital letters", "0G", 1, false, {0}},
    {"before the small letters", "`0", 1, false, {0}},
    {"behind the small letters", "0g", 1, false, {0}},
    {"an end", "0", 1, false, {0}},
    {"beyond ASCII", "\3000", 1, false, {0}},
};

static void read_digits(void **state)
{
    const struct text *row = *state;
    unsigned char bytes[5] = {0, 0, 0, 0, 'x'};

    assert_int_equal(hex_read(bytes, row->digits, row->count), row->want);
    if (row->want)
        assert_memory_equal(bytes, row->want_bytes, 4);
    assert_int_equal(bytes[4], 'x');
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, write_digits, rows);
    TEST_ADD_CASES(&list, read_digits, texts);
    return test_run("hex", &list);
}
