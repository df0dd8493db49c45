/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/stored_text.h"

#include "support/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct padded {
    const char *name;
    const char *stored;
    size_t length;
    const char *want_trimmed;
    size_t want_trimmed_length;
    size_t want_length_without_nuls;
} paddeds[] = {
    {"nothing around", TEXT("abc"), TEXT("abc"), 3},
    {"nothing", TEXT(""), TEXT(""), 0},
    {"blanks of CHAR(n)", TEXT("abc   "), TEXT("abc"), 6},
    {"NULs of BINARY(n)", TEXT("abc\0\0\0"), TEXT("abc"), 3},
    {"line feed", TEXT("abc\n"), TEXT("abc"), 4},
    {"carriage return and line feed", TEXT("abc\r\n"), TEXT("abc"), 5},
    {"tab, vertical tab, form feed", TEXT("\t\v\fabc\t\v\f"), TEXT("abc"), 9},
    {"blanks in front", TEXT("  abc"), TEXT("abc"), 5},
    {"line feed in BINARY(n)", TEXT("abc\n\0\0"), TEXT("abc"), 4},
    {"NULs, then blanks", TEXT("abc\0\0  \0"), TEXT("abc"), 7},
    {"blank inside", TEXT(" a b "), TEXT("a b"), 5},
    {"NUL inside", TEXT("a\0b\0"), TEXT("a\0b"), 3},
    {"NUL in front", TEXT("\0abc"), TEXT("\0abc"), 4},
    {"NUL behind a blank in front", TEXT(" \0abc"), TEXT("\0abc"), 5},
    {"no-break spaces", TEXT("\302\240abc\302\240"), TEXT("abc"), 7},
    {"byte order mark", TEXT("\357\273\277abc"), TEXT("abc"), 6},
    {"zero width, wide and narrow", TEXT("\342\200\213\343\200\200abc\342\200\257"), TEXT("abc"),
     12},
    {"letters beyond ASCII", TEXT("\303\240abc\303\205"), TEXT("\303\240abc\303\205"), 7},
    {"half of a no-break space", TEXT("\240abc\302"), TEXT("\240abc\302"), 5},
    {"control character", TEXT("\001abc\177"), TEXT("\001abc\177"), 5},
    {"blanks alone", TEXT("    "), TEXT(""), 4},
    {"NULs alone", TEXT("\0\0\0"), TEXT(""), 0},
    {"all kinds alone", TEXT(" \302\240\0\n\0"), TEXT(""), 5},
};

static void trims(void **state)
{
    const struct padded *row = *state;
    /* Exactly this size, so that a read beyond the end shows under ASan. */
    char *bytes = malloc(row->length > 0 ? row->length : 1);
    const struct bytes stored = {bytes, row->length};
    struct bytes text;

    assert_non_null(bytes);
    memcpy(bytes, row->stored, row->length);
    text = stored_text_trim(stored);
    assert_int_equal(text.length, row->want_trimmed_length);
    assert_memory_equal(text.start, row->want_trimmed, text.length);
    text = stored_text_without_nuls(stored);
    assert_int_equal(text.length, row->want_length_without_nuls);
    assert_memory_equal(text.start, row->stored, text.length);
    free(bytes);
}

static void null_is_empty(void **state)
{
    (void)state;
    assert_int_equal(stored_text_trim(BYTES_NONE).length, 0);
    assert_int_equal(stored_text_without_nuls(BYTES_NONE).length, 0);
    assert_int_equal(stored_text_space(BYTES_NONE), 0);
    assert_false(stored_text_is_mysql_hash(BYTES_NONE));
    assert_false(stored_text_may_be_old_mysql_hash(BYTES_NONE));
}

static void space(void **state)
{
    (void)state;
    assert_int_equal(stored_text_space((struct bytes){TEXT("")}), 0);
    assert_int_equal(stored_text_space((struct bytes){TEXT("abc ")}), 0);
    assert_int_equal(stored_text_space((struct bytes){TEXT(" \t\302\240abc")}), 4);
    assert_int_equal(stored_text_space((struct bytes){TEXT("\0 ")}), 0);
    assert_int_equal(stored_text_space((struct bytes){"\302\240", 1}), 0);
}

#define DIGITS16 "6f8c114b58f2ce9e"
#define DIGITS40 "2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"

static const struct mysql {
    const char *name;
    const char *text;
    bool want_new, want_old;
} mysqls[] = {
    {"PASSWORD()", "*" DIGITS40, true, false},
    {"OLD_PASSWORD()", DIGITS16, false, true},
    {"no star", DIGITS40, false, false},
    {"another mark", "!" DIGITS40, false, false},
    {"star and 39 digits", "*470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", false, false},
    {"star and 41 digits", "*" DIGITS40 "0", false, false},
    {"star and 40 letters", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E1X", false, false},
    {"star and 16 digits", "*" DIGITS16, false, false},
    {"15 digits", "6f8c114b58f2ce9", false, false},
    {"17 digits", DIGITS16 "0", false, false},
    {"16 letters", "6f8c114b58f2ce9x", false, false},
    {"nothing", "", false, false},
};

static void mysql_hash(void **state)
{
    const struct mysql *row = *state;
    const struct bytes text = bytes_of(row->text);

    assert_int_equal(stored_text_is_mysql_hash(text), row->want_new);
    assert_int_equal(stored_text_may_be_old_mysql_hash(text), row->want_old);
}

/* --- locks */

static const struct lock {
    const char *name;
    struct bytes stored;
    bool want;
} locks[] = {
    {"NULL", {NULL, 0}, true},
    {"nothing", {TEXT("")}, true},
    {"blanks", {TEXT("    ")}, true},
    {"NULs", {TEXT("\0\0\0\0")}, true},
    {"blanks and NULs", {TEXT(" \0 \0")}, true},
    {"a byte order mark", {TEXT("\357\273\277")}, true},
    {"a mark", {TEXT("!")}, true},
    {"the other mark", {TEXT("*")}, true},
    {"a mark before a hash", {TEXT("!$1$ab$BGweqrca.3UvnWSg8yFZd1")}, true},
    {"a mark after a blank", {TEXT(" !hunter2")}, true},
    {"a mark after a line break", {TEXT("\n*")}, true},
    {"a mark after a byte order mark", {TEXT("\357\273\277*hunter2")}, true},
    {"a mark before NULs", {TEXT("*\0\0")}, true},
    {"a mark after a NUL", {TEXT("\0!")}, false},
    {"a mark later", {TEXT("a!*")}, false},
    {"a password", {TEXT("hunter2")}, false},
    {"a password after a blank", {TEXT(" hunter2")}, false},
    {"a hash", {TEXT("$1$ab$BGweqrca.3UvnWSg8yFZd1")}, false},
};

static void is_locked(void **state)
{
    const struct lock *row = *state;

    assert_int_equal(stored_text_is_locked(row->stored), row->want);
}

/* --- what is certainly a hash */

static const struct likeness {
    const char *name;
    const char *text;
    bool want_hash;
} likenesses[] = {
    {"a word", "hunter2", false},
    {"nothing", "", false},
    {"thirteen letters, as DES has", "abhqWgdm30m6k", false},
    {"MD5 digits", "0cc175b9c0f1b6a831c399e269772661", false},
    {"dollar sign alone", "$", false},
    {"dollar signs in a short password", "$1$two$three", false},
    {"a method of others", "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", true},
    {"dollar signs around a pass phrase", "$my very long$ pass phrase indeed", false},
    {"long password that starts with a dollar sign", "$ome very long pass phrase indeed", false},
    {"shortest of crypt", "$1$$I2o9Z7NcvQAKp7wyCTlia0", true},
    {"one byte shorter", "$1$$I2o9Z7NcvQAKp7wyCTlia", false},
    {"CRYPT prefix alone", "{CRYPT}", false},
    {"CRYPT prefix of a word", "{CRYPT}x", false},
    {"SSHA", "{SSHA}lhT1zH7vgGmGGTJZxdf6vJzDUDAwMDA=", true},
    {"suffix", "{SSHA512.HEX}0123456789abcdef0123456789abcdef", true},
    {"SHA512-CRYPT", "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO", true},
    {"braces around a pass phrase", "{my} very long pass phrase indeed", false},
    {"CRYPT prefix in small letters", "{crypt}abhqWgdm30m6k", true},
    {"other prefix", "{PLAIN}hunter2", false},
    {"blanks after a hash", "$1$ab$BGweqrca.3UvnWSg8yFZd1    ", true},
    {"blank in front of a hash", " $1$ab$BGweqrca.3UvnWSg8yFZd1", true},
    {"line feed after a hash", "$1$ab$BGweqrca.3UvnWSg8yFZd1\n", true},
    {"tab and carriage return around a hash", "\t$1$ab$BGweqrca.3UvnWSg8yFZd1\r", true},
    {"byte order mark in front of a hash", "\357\273\277$1$ab$BGweqrca.3UvnWSg8yFZd1", true},
    {"no-break space after a hash", "$1$ab$BGweqrca.3UvnWSg8yFZd1\302\240", true},
    {"the same in ISO 8859-1", "$1$ab$BGweqrca.3UvnWSg8yFZd1\240", true},
    {"control characters around a hash", "\001$1$ab$BGweqrca.3UvnWSg8yFZd1\177", true},
    {"blank inside a hash", "$1$ab$BGweqrca.3UvnW Sg8yFZd1", false},
    {"blanks after a CRYPT prefix", "{CRYPT}  abhqWgdm30m6k", true},
    {"blanks around it all", " {CRYPT} abhqWgdm30m6k ", true},
    {"blanks around a word", "  hunter2  ", false},
    {"blanks alone", "    ", false},
    {"too short without its blanks", "$1$$I2o9Z7NcvQAKp7wyCTlia ", false},
    {"prefix without an end", "{CRYPT", false},
    {"brace alone", "{", false},
    {"no id between dollar signs", "$$ab$BGweqrca.3UvnWSg8yFZd1BGweqrca", false},
    {"an id to the end", "$1abBGweqrca3UvnWSg8yFZd1BGweqrca", false},
    {"prefix without a name", "{}abhqWgdm30m6k", false},
    {"blanks around a SCRAM verifier", " SCRAM-SHA-1$4096:c2FsdA==$a2V5:a2V5\n", true},
    {"SCRAM verifier", "SCRAM-SHA-1$4096:c2FsdA==$a2V5:a2V5", true},
    {"unfinished SCRAM verifier", "SCRAM-SHA-1$4096:c2FsdA==$a2V5", true},
};

static void is_hash(void **state)
{
    const struct likeness *row = *state;
    char *copy = strdup(row->text);
    bool got;

    assert_non_null(copy);
    got = stored_text_is_hash(bytes_of(copy));
    free(copy);
    assert_int_equal(got, row->want_hash);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, trims, paddeds);
    TEST_ADD(&list, null_is_empty);
    TEST_ADD(&list, space);
    TEST_ADD_CASES(&list, mysql_hash, mysqls);
    TEST_ADD_CASES(&list, is_locked, locks);
    TEST_ADD_CASES(&list, is_hash, likenesses);
    return test_run("stored_text", &list);
}
