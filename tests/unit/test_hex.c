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

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, write_digits, rows);
    return test_run("hex", &list);
}
