/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/stored_password.h"

#include "support/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define DES_HASH "abhqWgdm30m6k" /* of "Tr0ub4d" */
#define MD5_HASH "$1$ab$BGweqrca.3UvnWSg8yFZd1"
#define MD5_DIGITS "0cc175b9c0f1b6a831c399e269772661" /* of "a" */

/* --- what a text is */

static const struct reading {
    const char *name;
    const struct password_scheme *scheme;
    const char *text;
    size_t length;
    enum stored_kind want;
    const char *want_payload; /* or a part of the reason */
} readings[] = {
    {"plain", &scheme_plain, TEXT("hunter2"), STORED_PASSWORD, "hunter2"},
    {"plain, blanks", &scheme_plain, TEXT(" hunter2 "), STORED_PASSWORD, " hunter2 "},
    {"plain, NULs", &scheme_plain, TEXT("hunter2\0\0"), STORED_PASSWORD, "hunter2"},
    {"plain, NUL within", &scheme_plain, TEXT("hun\0ter2"), STORED_UNREADABLE, "holds a NUL"},
    {"plain, braces", &scheme_plain, TEXT("{CRYPT}" DES_HASH), STORED_PASSWORD, "{CRYPT}" DES_HASH},
    {"plain, 16 digits", &scheme_plain, TEXT("6f8c114b58f2ce9e"), STORED_PASSWORD,
     "6f8c114b58f2ce9e"},
    {"crypt", &scheme_crypt, TEXT(MD5_HASH), STORED_PASSWORD, MD5_HASH},
    {"crypt, padding", &scheme_crypt, TEXT(" \t" MD5_HASH "\n \0"), STORED_PASSWORD, MD5_HASH},
    {"crypt, prefix", &scheme_crypt, TEXT("{CRYPT}" DES_HASH), STORED_PASSWORD, DES_HASH},
    {"crypt, prefix in small letters", &scheme_crypt, TEXT("{crypt}" DES_HASH), STORED_PASSWORD,
     DES_HASH},
    {"crypt, prefix and space", &scheme_crypt, TEXT(" {CRYPT}\302\240 " DES_HASH "  "),
     STORED_PASSWORD, DES_HASH},
    {"crypt, prefix twice", &scheme_crypt, TEXT("{CRYPT}{CRYPT}" DES_HASH), STORED_PASSWORD,
     "{CRYPT}" DES_HASH},
    {"crypt, prefix alone", &scheme_crypt, TEXT("{CRYPT}"), STORED_PASSWORD, ""},
    {"crypt, unfinished prefix", &scheme_crypt, TEXT("{CRYPT"), STORED_PASSWORD, "{CRYPT"},
    {"crypt, another prefix", &scheme_crypt, TEXT("{SHA}" DES_HASH), STORED_PASSWORD,
     "{SHA}" DES_HASH},
    {"crypt, NUL within", &scheme_crypt, TEXT("$1$\0ab$"), STORED_UNREADABLE, "holds a NUL"},
    {"crypt, OLD_PASSWORD()", &scheme_crypt, TEXT("6f8c114b58f2ce9e "), STORED_UNREADABLE,
     "OLD_PASSWORD()"},
    {"crypt_trad, prefix", &scheme_crypt_trad, TEXT("{CRYPT}" DES_HASH), STORED_PASSWORD, DES_HASH},
    {"md5", &scheme_md5, TEXT(MD5_DIGITS "  "), STORED_PASSWORD, MD5_DIGITS},
    {"md5, prefix", &scheme_md5, TEXT("{CRYPT}" MD5_DIGITS), STORED_PASSWORD, "{CRYPT}" MD5_DIGITS},
    {"NULL", &scheme_crypt, NULL, 0, STORED_LOCKED, "no password or is locked"},
    {"NULL, plain", &scheme_plain, NULL, 0, STORED_LOCKED, "no password or is locked"},
    {"nothing", &scheme_md5, TEXT(""), STORED_LOCKED, "no password or is locked"},
    {"blanks", &scheme_plain, TEXT("  "), STORED_LOCKED, "no password or is locked"},
    {"locked", &scheme_crypt, TEXT("!" MD5_HASH), STORED_LOCKED, "no password or is locked"},
    {"locked, plain", &scheme_plain, TEXT(" *hunter2"), STORED_LOCKED, "no password or is locked"},
    {"PASSWORD()", &scheme_plain, TEXT("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"),
     STORED_UNREADABLE, "PASSWORD()"},
};

static void parse(void **state)
{
    const struct reading *row = *state;
    /* Exactly this size, so that a read beyond the end shows under ASan. */
    char *copy = malloc(row->length > 0 ? row->length : 1);
    struct bytes text = {row->text != NULL ? copy : NULL, row->length};
    struct stored_password stored = {NULL, PASSWORD_AS_TEXT, BYTES_NONE};
    struct reason reason = {""};

    assert_non_null(copy);
    memcpy(copy, row->text != NULL ? row->text : "", row->length);
    assert_int_equal(stored_password_parse(&stored, row->scheme, text, &reason), row->want);
    if (row->want == STORED_PASSWORD) {
        assert_ptr_equal(stored.scheme, row->scheme);
        assert_int_equal(stored.encoding, row->scheme->encoding);
        assert_int_equal(stored.payload.length, strlen(row->want_payload));
        assert_memory_equal(stored.payload.start, row->want_payload, stored.payload.length);
        assert_string_equal(reason.text, "");
    } else {
        assert_contains(reason.text, row->want_payload);
        assert_null(stored.scheme);
    }
    free(copy);
}

/* --- a scheme that only makes: here, the letters of the password in reverse */

static enum password_made next = PASSWORD_MADE;

static enum password_made reverse(struct bytes stored, struct bytes password, struct secret *out,
                                  struct reason *reason)
{
    size_t i;

    (void)stored;
    if (next == PASSWORD_UNREADABLE)
        reason_set(reason, "nothing that reverse makes");
    if (next != PASSWORD_MADE)
        return next;
    assert_true(secret_set(out, password.start, password.length));
    for (i = 0; i < password.length; i++)
        out->bytes[i] = password.start[password.length - 1 - i];
    return PASSWORD_MADE;
}

static const struct password_scheme as_text = {
    .name = "reverse", .longest = PASSWORD_MAX, .make = reverse};
static const struct password_scheme in_hex = {
    .name = "reverse.hex",
    .longest = PASSWORD_MAX,
    .encoding = PASSWORD_IN_HEX,
    .size = 3,
    .description = "three bytes in hexadecimal digits",
    .make = reverse,
};

static const struct comparing {
    const char *name;
    const struct password_scheme *scheme;
    const char *stored;
    enum password_made made;
    enum verdict want;
    const char *want_reason;
} comparings[] = {
    {"text", &as_text, "cba", PASSWORD_MADE, VERDICT_MATCH, ""},
    {"other text", &as_text, "abc", PASSWORD_MADE, VERDICT_MISMATCH, "wrong password"},
    {"start of the text", &as_text, "cb", PASSWORD_MADE, VERDICT_MISMATCH, "wrong password"},
    {"more text", &as_text, "cbaa", PASSWORD_MADE, VERDICT_MISMATCH, "wrong password"},
    {"text that cannot be read", &as_text, "cba", PASSWORD_UNREADABLE, VERDICT_UNUSABLE,
     "nothing that reverse makes"},
    {"no memory for text", &as_text, "cba", PASSWORD_NO_MEMORY, VERDICT_NO_MEMORY, "out of memory"},
    {"digits", &in_hex, "636261", PASSWORD_MADE, VERDICT_MATCH, ""},
    {"other digits", &in_hex, "616263", PASSWORD_MADE, VERDICT_MISMATCH, "wrong password"},
    {"too few digits", &in_hex, "6362", PASSWORD_MADE, VERDICT_UNUSABLE,
     "the stored value is not three bytes in hexadecimal digits"},
    {"one digit more", &in_hex, "6362616", PASSWORD_MADE, VERDICT_UNUSABLE, "is not three bytes"},
    {"too many digits", &in_hex, "63626100", PASSWORD_MADE, VERDICT_UNUSABLE, "is not three bytes"},
    {"no digits", &in_hex, "63626g", PASSWORD_MADE, VERDICT_UNUSABLE, "is not three bytes"},
    {"no memory for digits", &in_hex, "636261", PASSWORD_NO_MEMORY, VERDICT_NO_MEMORY,
     "out of memory"},
};

static void make_and_compare(void **state)
{
    const struct comparing *row = *state;
    struct stored_password stored;
    struct reason reason = {""};

    assert_int_equal(stored_password_parse(&stored, row->scheme, bytes_of(row->stored), &reason),
                     STORED_PASSWORD);
    next = row->made;
    assert_verdict(stored_password_judge(&stored, bytes_of("abc"), &reason), row->want);
    next = PASSWORD_MADE;
    assert_contains(reason.text, row->want_reason);
}

static void make_new(void **state)
{
    struct secret out = SECRET_EMPTY;
    struct reason reason = {""};

    (void)state;
    assert_true(stored_password_make(&as_text, NULL, 0, bytes_of("abc"), &out, &reason));
    assert_string_equal(out.bytes, "cba");
    assert_true(stored_password_make(&in_hex, NULL, 0, bytes_of("xyz"), &out, &reason));
    assert_string_equal(out.bytes, "7a7978");
    secret_wipe(&out);
    next = PASSWORD_NO_MEMORY;
    assert_false(stored_password_make(&in_hex, NULL, 0, bytes_of("xyz"), &out, &reason));
    next = PASSWORD_MADE;
    assert_null(out.bytes);
    assert_string_equal(reason.text, "out of memory");
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, parse, readings);
    TEST_ADD_CASES(&list, make_and_compare, comparings);
    TEST_ADD(&list, make_new);
    return test_run("stored_password", &list);
}
