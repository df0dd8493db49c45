/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/utf8.h"

#include "support/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct text {
    const char *name;
    const char *bytes;
    size_t length;
    bool want_valid;
} texts[] = {
    {"nothing", TEXT(""), true},
    {"ASCII", TEXT("a password"), true},
    {"NUL", TEXT("a\0b"), true},
    {"highest of one byte", TEXT("\x7f"), true},
    {"lowest of two bytes, U+0080", TEXT("\xc2\x80"), true},
    {"highest of two bytes, U+07FF", TEXT("\xdf\xbf"), true},
    {"lowest of three bytes, U+0800", TEXT("\xe0\xa0\x80"), true},
    {"U+0FFF", TEXT("\xe0\xbf\xbf"), true},
    {"U+1000", TEXT("\xe1\x80\x80"), true},
    {"U+CFFF", TEXT("\xec\xbf\xbf"), true},
    {"last before the surrogates, U+D7FF", TEXT("\xed\x9f\xbf"), true},
    {"first after the surrogates, U+E000", TEXT("\xee\x80\x80"), true},
    {"U+FFFF", TEXT("\xef\xbf\xbf"), true},
    {"lowest of four bytes, U+10000", TEXT("\xf0\x90\x80\x80"), true},
    {"U+40000", TEXT("\xf1\x80\x80\x80"), true},
    {"U+FFFFF", TEXT("\xf3\xbf\xbf\xbf"), true},
    {"highest, U+10FFFF", TEXT("\xf4\x8f\xbf\xbf"), true},
    {"all forms in a row", TEXT("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91z"), true},
    {"Latin-1", TEXT("p\xe4ssword"), false},
    {"Latin-1 at the end", TEXT("passw\xf6"), false},
    {"continuation alone", TEXT("\x80"), false},
    {"highest continuation alone", TEXT("\xbf"), false},
    {"continuation after ASCII",
     TEXT("a\xbf"
          "b"),
     false},
    {"one continuation too many", TEXT("\xc3\xa4\xa4"), false},
    {"overlong slash, two bytes", TEXT("\xc0\xaf"), false},
    {"overlong NUL", TEXT("\xc0\x80"), false},
    {"overlong, highest of two bytes", TEXT("\xc1\xbf"), false},
    {"overlong, three bytes", TEXT("\xe0\x9f\xbf"), false},
    {"overlong, four bytes", TEXT("\xf0\x8f\xbf\xbf"), false},
    {"first surrogate", TEXT("\xed\xa0\x80"), false},
    {"last surrogate", TEXT("\xed\xbf\xbf"), false},
    {"above U+10FFFF", TEXT("\xf4\x90\x80\x80"), false},
    {"f5", TEXT("\xf5\x80\x80\x80"), false},
    {"five bytes", TEXT("\xf8\x88\x80\x80\x80"), false},
    {"fe", TEXT("\xfe"), false},
    {"ff", TEXT("\xff"), false},
    {"truncated, two bytes", TEXT("a\xc3"), false},
    {"truncated, three bytes", TEXT("\xe2\x82"), false},
    {"truncated, four bytes", TEXT("\xf0\x9f\x94"), false},
    {"second byte too low", TEXT("\xc3\x7f"), false},
    {"second byte too high", TEXT("\xc3\xc0"), false},
    {"third byte too low", TEXT("\xe2\x82\x7f"), false},
    {"third byte too high", TEXT("\xe2\x82\xc0"), false},
    {"fourth byte too low", TEXT("\xf0\x9f\x94\x7f"), false},
    {"fourth byte too high", TEXT("\xf0\x9f\x94\xc0"), false},
    {"cut by the length, not by the text", "\xc3\xa4", 1, false},
    {"valid up to the length", "a\xff", 1, true},
};

static void valid(void **state)
{
    const struct text *row = *state;
    /* Exactly this size, so that a read beyond the end shows under ASan. */
    char *copy = malloc(row->length > 0 ? row->length : 1);
    bool got;

    assert_non_null(copy);
    memcpy(copy, row->bytes, row->length);
    got = utf8_valid(copy, row->length);
    free(copy);
    assert_int_equal(got, row->want_valid);
}

/* The number of valid texts of two bytes, counted by a different rule. */
static void every_pair_of_bytes(void **state)
{
    unsigned valid_pairs = 0;
    unsigned i;

    (void)state;
    for (i = 0; i < 0x10000; i++) {
        const char pair[] = {(char)(i >> 8), (char)(i & 0xff)};

        valid_pairs += utf8_valid(pair, 2);
    }
    /* two of one byte, or U+0080 to U+07FF */
    assert_int_equal(valid_pairs, 128 * 128 + 0x780);
}

static void characters(void **state)
{
    (void)state;
    assert_int_equal(utf8_character("a", 1), 1);
    assert_int_equal(utf8_character("", 1), 1); /* NUL */
    assert_int_equal(utf8_character("", 0), 0);
    assert_int_equal(utf8_character("\303\244b", 3), 2);
    assert_int_equal(utf8_character("\303\244b", 1), 0);
    assert_int_equal(utf8_character("\342\202\254", 3), 3);
    assert_int_equal(utf8_character("\360\237\224\221", 4), 4);
    assert_int_equal(utf8_character("\360\237\224\221", 3), 0);
    assert_int_equal(utf8_character("\244", 1), 0);
}

static void cuts(void **state)
{
    static const char text[] = "ab\303\244\342\202\254\360\237\224\221";
    static const size_t wants[] = {0, 1, 2, 2, 4, 4, 4, 7, 7, 7, 7, 11};
    static const char invalid[] = "\200\200\200\200\200\200";
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(wants); i++)
        assert_int_equal(utf8_cut(text, i), wants[i]);
    for (i = 0; i < sizeof(invalid); i++)
        assert_int_equal(utf8_cut(invalid, i), i);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, valid, texts);
    TEST_ADD(&list, every_pair_of_bytes);
    TEST_ADD(&list, characters);
    TEST_ADD(&list, cuts);
    return test_run("utf8", &list);
}
