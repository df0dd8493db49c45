/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/secret.h"

#include "support/unit.h"

/* Sees through free(3), by the linker's --wrap: the memory it watches must be
 * zero when it is freed. */
static struct {
    char *bytes;
    size_t length;
    bool freed;
    bool clean;
} watched;

void __real_free(void *pointer);
void __wrap_free(void *pointer);

void __wrap_free(void *pointer)
{
    size_t i;

    if (pointer != NULL && pointer == watched.bytes) {
        watched.freed = true;
        watched.clean = true;
        for (i = 0; i < watched.length; i++)
            if (watched.bytes[i] != '\0')
                watched.clean = false;
        watched.bytes = NULL;
    }
    __real_free(pointer);
}

static void watch(char *bytes, size_t length)
{
    watched.bytes = bytes;
    watched.length = length;
    watched.freed = watched.clean = false;
}

static void assert_freed_clean(void)
{
    assert_true(watched.freed);
    assert_true(watched.clean);
}

struct setting {
    const char *name;
    const char *bytes;
    size_t length;
};

static const struct setting values[] = {
    {"text", "hunter2", 7},
    {"part of a text", "hunter2", 3},
    {"no bytes", "", 0},
    {"no bytes at NULL", NULL, 0},
    {"NUL inside", "a\0b", 3},
    {"NUL at the end", "ab\0", 3},
    {"high bytes", "\377\200\1", 3},
};

static void set_takes_a_copy(void **state)
{
    const struct setting *row = *state;
    const struct secret want = lend_bytes(row->bytes != NULL ? row->bytes : "", row->length);
    struct secret secret = SECRET_EMPTY;

    assert_true(secret_set(&secret, row->bytes, row->length));
    assert_secret(&secret, &want);
    assert_ptr_not_equal(secret.bytes, row->bytes);
    assert_int_equal(secret.bytes[secret.length], '\0');
    watch(secret.bytes, secret.length);
    secret_wipe(&secret);
    assert_freed_clean();
    assert_null(secret.bytes);
    assert_int_equal(secret.length, 0);
}

static void set_wipes_what_was_held(void **state)
{
    const struct secret want = {(char[]){"new"}, 3};
    struct secret secret = SECRET_EMPTY;

    (void)state;
    assert_true(secret_set(&secret, "something old", 13));
    watch(secret.bytes, secret.length);
    assert_true(secret_set(&secret, "new", 3));
    assert_freed_clean();
    assert_secret(&secret, &want);
    secret_wipe(&secret);
}

static void set_takes_a_part_of_itself(void **state)
{
    const struct secret want = {(char[]){"part"}, 4};
    struct secret secret = SECRET_EMPTY;

    (void)state;
    assert_true(secret_set(&secret, "a part of it", 12));
    assert_true(secret_set(&secret, secret.bytes + 2, 4));
    assert_secret(&secret, &want);
    secret_wipe(&secret);
}

static void set_without_memory_holds_nothing(void **state)
{
    struct secret secret = SECRET_EMPTY;

    (void)state;
    assert_true(secret_set(&secret, "held before", 11));
    watch(secret.bytes, secret.length);
    assert_false(secret_set(&secret, "x", SIZE_MAX));
    assert_freed_clean();
    assert_null(secret.bytes);
    assert_int_equal(secret.length, 0);
}

static void wipe_may_be_repeated(void **state)
{
    struct secret secret = SECRET_EMPTY;

    (void)state;
    secret_wipe(&secret);
    assert_true(secret_set(&secret, "x", 1));
    secret_wipe(&secret);
    secret_wipe(&secret);
    assert_null(secret.bytes);
    assert_int_equal(secret.length, 0);
}

static void wipe_covers_a_long_secret(void **state)
{
    struct secret secret = SECRET_EMPTY;
    char bytes[5000];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    assert_true(secret_set(&secret, bytes, sizeof(bytes)));
    watch(secret.bytes, secret.length);
    secret_wipe(&secret);
    assert_freed_clean();
}

static void free_string_wipes(void **state)
{
    char *string = strdup("a password");

    (void)state;
    assert_non_null(string);
    watch(string, strlen(string));
    secret_free_string(string);
    assert_freed_clean();
    secret_free_string(NULL);
}

static const struct comparison {
    const char *name;
    const char *a;
    size_t a_length;
    const char *b;
    size_t b_length;
    bool want_equal;
} comparisons[] = {
    {"same", "hunter2", 7, "hunter2", 7, true},
    {"both empty", "", 0, "", 0, true},
    {"both empty, other bytes behind", "a", 0, "b", 0, true},
    {"one empty", "", 0, "a", 1, false},
    {"other empty", "a", 1, "", 0, false},
    {"first byte", "xunter2", 7, "hunter2", 7, false},
    {"last byte", "hunter2", 7, "hunter3", 7, false},
    {"one bit", "a", 1, "`", 1, false},
    {"highest bit", "a", 1, "\341", 1, false},
    {"two differences that cancel out", "ab", 2, "ba", 2, false},
    {"start of the other", "hunter", 6, "hunter2", 7, false},
    {"other is the start", "hunter2", 7, "hunter", 6, false},
    {"same up to the length", "hunter2", 6, "hunter3", 6, true},
    {"NUL inside, same", "a\0b", 3, "a\0b", 3, true},
    {"NUL inside, other behind", "a\0b", 3, "a\0c", 3, false},
    {"NUL at the end", "a\0", 2, "a", 1, false},
    {"letter case", "Hunter2", 7, "hunter2", 7, false},
};

static void equal(void **state)
{
    const struct comparison *row = *state;

    assert_int_equal(
        secret_equal((struct bytes){row->a, row->a_length}, (struct bytes){row->b, row->b_length}),
        row->want_equal);
}

/* A length whose lowest bits agree is another length. */
static void equal_sees_lengths_that_agree_in_one_byte(void **state)
{
    char bytes[257];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    assert_false(secret_equal((struct bytes){bytes, 257}, (struct bytes){bytes, 1}));
    assert_false(secret_equal((struct bytes){bytes, 256}, (struct bytes){bytes, 0}));
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, set_takes_a_copy, values);
    TEST_ADD(&list, set_wipes_what_was_held);
    TEST_ADD(&list, set_takes_a_part_of_itself);
    TEST_ADD(&list, set_without_memory_holds_nothing);
    TEST_ADD(&list, wipe_may_be_repeated);
    TEST_ADD(&list, wipe_covers_a_long_secret);
    TEST_ADD(&list, free_string_wipes);
    TEST_ADD_CASES(&list, equal, comparisons);
    TEST_ADD(&list, equal_sees_lengths_that_agree_in_one_byte);
    return test_run("secret", &list);
}
