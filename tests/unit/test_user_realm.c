/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/user_realm.h"

#include "support/unit.h"

static const struct split {
    const char *name;
    const char *login;
    size_t length;
    const char *default_realm;
    const char *want_user;
    const char *want_realm;
} splits[] = {
    {"user and realm", "alice@example.org", 17, "mail.example.net", "alice", "example.org"},
    {"user alone", "alice", 5, "mail.example.net", "alice", "mail.example.net"},
    {"user alone, no default", "alice", 5, "", "alice", ""},
    {"two at signs", "alice@b@example.org", 19, "d", "alice", "b@example.org"},
    {"realm empty", "alice@", 6, "d", "alice", ""},
    {"user empty", "@example.org", 12, "d", "", "example.org"},
    {"at sign alone", "@", 1, "d", "", ""},
    {"nothing", "", 0, "d", "", "d"},
    {"bytes behind the length", "alice@example.org", 8, "d", "alice", "ex"},
    {"at sign behind the length", "alice@example.org", 5, "d", "alice", "d"},
    {"at sign last in the length", "alice@example.org", 6, "d", "alice", ""},
    {"letter case stays", "Alice@Example.ORG", 17, "d", "Alice", "Example.ORG"},
    {"not ASCII", "b\303\274rgi@m\303\274nchen.de", 18, "d", "b\303\274rgi", "m\303\274nchen.de"},
    {"blanks and quotes stay", " a'b\"@ %u", 9, "d", " a'b\"", " %u"},
};

static void split(void **state)
{
    const struct split *row = *state;
    char *copy = malloc(row->length > 0 ? row->length : 1);
    struct user_realm names = {NULL, NULL};

    assert_non_null(copy);
    memcpy(copy, row->login, row->length);
    assert_true(user_realm_split(&names, copy, row->length, row->default_realm));
    free(copy);
    assert_string_equal(names.user, row->want_user);
    assert_string_equal(names.realm, row->want_realm);
    user_realm_free(&names);
    assert_null(names.user);
    assert_null(names.realm);
}

static void free_of_nothing(void **state)
{
    struct user_realm names = {NULL, NULL};

    (void)state;
    user_realm_free(&names);
    user_realm_free(&names);
    assert_null(names.user);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, split, splits);
    TEST_ADD(&list, free_of_nothing);
    return test_run("user_realm", &list);
}
