/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_greeting.h"

#include "support/unit.h"

/* A packet whose length is LENGTH, up to the bytes with the server's capabilities. */
#define PACKET(length, version, abilities)                                                         \
    length "\0\0\0\x0a" version "\0"                                                               \
           "\1\2\3\4"                                                                              \
           "challeng"                                                                              \
           "\0" abilities
#define WITH_SSL "\xff\xff"
#define WITHOUT_SSL "\xff\xf7"

static const struct greeting {
    const char *name;
    const char *bytes;
    size_t length;
    enum mysql_greeting want;
} greetings[] = {
#define GREETING(name, text, want)                                                                 \
    {                                                                                              \
        name, text, sizeof(text) - 1, want                                                         \
    }
    GREETING("with encryption", PACKET("\x40", "8.0.36", WITH_SSL) "and more", GREETING_WITH_SSL),
    GREETING("without", PACKET("\x40", "5.5.5-10.11.6-MariaDB", WITHOUT_SSL) "and more",
             GREETING_WITHOUT_SSL),
    GREETING("that bit alone", PACKET("\x40", "8", "\0\x08"), GREETING_WITH_SSL),
    GREETING("no version", PACKET("\x40", "", WITH_SSL), GREETING_WITH_SSL),
    GREETING("shortest packet", PACKET("\x18", "8.0.36", WITH_SSL), GREETING_WITH_SSL),
    GREETING("a packet that ends before", PACKET("\x16", "8.0.36", WITH_SSL), GREETING_UNKNOWN),
    GREETING("empty packet", PACKET("\0", "8.0.36", WITH_SSL), GREETING_UNKNOWN),
    GREETING("another protocol",
             "\x20\0\0\0\x09"
             "3.20\0",
             GREETING_UNKNOWN),
    GREETING("mail", "220 mail.example.com ESMTP\r\n", GREETING_UNKNOWN),
    GREETING("refusal", "\x17\0\0\0\xff\x10\x04Too many connections", GREETING_REFUSAL),
    GREETING("progress report", "\x17\0\0\0\xff\xff\xff\1\2\3\4", GREETING_UNKNOWN),
    GREETING("refusal without its number", "\x17\0\0\0\xff\x10", GREETING_UNFINISHED),
};

static void read_greeting(void **state)
{
    const struct greeting *row = *state;
    size_t length;

    assert_int_equal(mysql_greeting_read((const unsigned char *)row->bytes, row->length),
                     row->want);
    /* A part of it never gives another result. */
    for (length = 0; length < row->length; length++) {
        enum mysql_greeting part = mysql_greeting_read((const unsigned char *)row->bytes, length);

        assert_true(part == GREETING_UNFINISHED || part == row->want);
    }
}

/* The version is so long that the capabilities are out of sight. */
static void read_endless_greeting(void **state)
{
    unsigned char bytes[MYSQL_GREETING_MAX];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, "\xff\xff\0\0\x0a", 5);
    assert_int_equal(mysql_greeting_read(bytes, sizeof(bytes) - 1), GREETING_UNFINISHED);
    assert_int_equal(mysql_greeting_read(bytes, sizeof(bytes)), GREETING_UNKNOWN);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, read_greeting, greetings);
    TEST_ADD(&list, read_endless_greeting);
    return test_run("mysql_greeting", &list);
}
