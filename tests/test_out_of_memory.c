/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Every allocation of common/ fails once, by the linker's --wrap: the call that
 * needed it says so, and nothing is left held. Leaks show under ASan and
 * valgrind.
 */

#include <stddef.h>

#include "host_addresses.h"
#include "password_policy.h"
#include "sql_settings.h"
#include "sql_template.h"
#include "test_support.h"
#include "user_realm.h"

/* How many allocations succeed before one fails; negative: all do. */
static int allocations_left = -1;
static unsigned failures;

static bool fails(void)
{
    if (allocations_left < 0 || allocations_left-- > 0)
        return false;
    failures++;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t length);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return fails() ? NULL : __real_realloc(pointer, size);
}

char *__wrap_strdup(const char *string)
{
    return fails() ? NULL : __real_strdup(string);
}

char *__wrap_strndup(const char *string, size_t length)
{
    return fails() ? NULL : __real_strndup(string, length);
}

/* Runs `attempt` with the first allocation failing, then with the second, and
 * so on until none is left to fail. Each time it tells whether it succeeded. */
static void fail_each_allocation(bool (*attempt)(void), unsigned want_at_least)
{
    unsigned allocations;

    for (allocations = 0; allocations < 1000; allocations++) {
        bool done;

        failures = 0;
        allocations_left = (int)allocations;
        done = attempt();
        allocations_left = -1;
        if (failures == 0) {
            assert_true(done);
            assert_true(allocations >= want_at_least);
            return;
        }
        if (done)
            print_error("succeeds although allocation %u fails\n", allocations + 1);
        assert_false(done);
    }
    fail();
}

static bool set_secret(void)
{
    struct secret secret = SECRET_EMPTY;
    bool done = secret_set(&secret, "hunter2", 7);

    if (!done)
        assert_null(secret.bytes);
    secret_wipe(&secret);
    return done;
}

static bool split_name(void)
{
    struct user_realm names = {NULL, NULL};
    bool done = user_realm_split(&names, "alice@example.org", 17, "");

    if (!done) {
        assert_null(names.user);
        assert_null(names.realm);
    }
    user_realm_free(&names);
    return done;
}

static const char *no_option(void *context, const char *name)
{
    (void)context;
    (void)name;
    return NULL;
}

static bool read_settings(void)
{
    struct reason reason = {""};
    struct sql_settings *settings = sql_settings_read(no_option, NULL, &reason);

    if (settings == NULL)
        assert_contains(reason.text, "out of memory");
    sql_settings_free(settings);
    return settings != NULL;
}

static bool read_hosts(void)
{
    struct reason reason = {""};
    struct sql_hosts hosts = {NULL, 0};
    bool done = sql_hosts_read(&hosts, "db1, db2:5433 /run/postgresql", &reason);

    if (!done) {
        assert_string_equal(reason.text, "out of memory");
        assert_null(hosts.items);
    }
    sql_hosts_free(&hosts);
    return done;
}

static bool find_addresses(void)
{
    const struct deadline deadline = deadline_after(60000);
    struct reason reason = {""};
    struct host_addresses found;
    bool done = host_addresses_find("localhost", &deadline, &found, &reason);

    if (!done)
        assert_string_not_equal(reason.text, "");
    return done;
}

static bool parse_template(const struct sql_dialect *dialect, const char *text)
{
    struct reason reason = {""};
    struct sql_template *template = sql_template_parse(text, SQL_TEMPLATE_STORE, dialect, &reason);

    if (template == NULL)
        assert_contains(reason.text, "out of memory");
    sql_template_free(template);
    return template != NULL;
}

static bool parse_pgsql(void)
{
    return parse_template(&sql_dialect_pgsql,
                          "/* c */ UPDATE \"t\"\"%p\" SET %p = '%v%%' WHERE n = E'a\\'%u' AND "
                          "r = $q$%r$q$ AND a = %a AND x = x'00' AND y = 'it''s' -- end");
}

static bool parse_mysql(void)
{
    return parse_template(&sql_dialect_mysql,
                          "UPDATE `t` SET %p = \"%v\\n\" WHERE n = 'a\\'%u' # end");
}

static bool parse_sqlite3(void)
{
    return parse_template(&sql_dialect_sqlite3, "UPDATE [t] SET \"%p\" = \"%v\" WHERE n = '%u';");
}

static struct sql_template *template;

static bool bind_values(void)
{
    static char bytes[] = "value";
    const struct secret value = {bytes, 5};
    const struct sql_values values = {"alice", "example.org", "p", "::1", &value};
    struct secret parameters[3];
    bool done = sql_template_bind(template, &values, parameters);
    size_t i;

    for (i = 0; i < COUNT(parameters); i++) {
        assert_true((parameters[i].bytes != NULL) == done);
        secret_wipe(&parameters[i]);
    }
    return done;
}

static bool make_text(void)
{
    char *text = sql_template_text(template, "userPassword");

    free(text);
    return text != NULL;
}

static void use_template(void **state)
{
    struct reason reason;

    (void)state;
    template = sql_template_parse("UPDATE t SET %p = '%v' WHERE n = '%u@%r' AND a = %a",
                                  SQL_TEMPLATE_STORE, &sql_dialect_sqlite3, &reason);
    assert_non_null(template);
    fail_each_allocation(bind_values, 3);
    fail_each_allocation(make_text, 1);
    sql_template_free(template);
}

static bool make_policy(const char *format, const char *store_scheme)
{
    struct reason reason = {""};
    struct password_policy *policy = password_policy_new(format, store_scheme, &reason);

    if (policy == NULL)
        assert_string_not_equal(reason.text, "");
    password_policy_free(policy);
    return policy != NULL;
}

static bool make_crypt_policy(void)
{
    return make_policy("crypt", "MD5-CRYPT");
}

static bool make_md5_policy(void)
{
    return make_policy("md5", NULL);
}

static struct password_policy *policy;

static const char des_hash[] = "abhqWgdm30m6k";

/* Whether the right password gets in, and if not, that it is not called wrong. */
static bool judge(void)
{
    const struct secret stored = lend(des_hash), password = lend("Tr0ub4d");
    struct reason reason = {""};
    enum verdict verdict = password_policy_judge(policy, &stored, &password, &reason);

    if (verdict == VERDICT_MATCH)
        return true;
    assert_verdict(verdict, VERDICT_NO_MEMORY);
    assert_string_equal(reason.text, "out of memory");
    return false;
}

static bool store(void)
{
    const struct secret password = lend("hunter2");
    struct secret stored = SECRET_EMPTY;
    struct reason reason = {""};
    bool done = password_policy_store(policy, &password, &stored, &reason);

    if (!done) {
        assert_null(stored.bytes);
        assert_contains(reason.text, "out of memory");
    }
    secret_wipe(&stored);
    return done;
}

/* The stored text takes one, its hash two; a fourth is what is kept to compare costs
 * by, and its loss is no failure. */
static void judge_without_memory(void **state)
{
    struct reason reason;
    int allocations;

    (void)state;
    policy = password_policy_new("crypt", "MD5-CRYPT", &reason);
    assert_non_null(policy);
    for (allocations = 0; allocations < 3; allocations++) {
        allocations_left = allocations;
        assert_false(judge());
        allocations_left = -1;
    }
    for (allocations = 3; allocations < 7; allocations++) {
        allocations_left = allocations;
        assert_true(judge());
        allocations_left = -1;
    }
    /* An unknown user stays one, with or without a sample. */
    for (allocations = 0; allocations < 4; allocations++) {
        const struct secret password = lend("Tr0ub4d");
        enum verdict verdict;

        allocations_left = allocations;
        verdict = password_policy_judge(policy, NULL, &password, &reason);
        allocations_left = -1;
        assert_verdict(verdict, VERDICT_NO_USER);
    }
    password_policy_free(policy);
}

static void store_md5_without_memory(void **state)
{
    struct reason reason;

    (void)state;
    policy = password_policy_new("md5", NULL, &reason);
    assert_non_null(policy);
    fail_each_allocation(store, 1);
    password_policy_free(policy);
}

static void store_plain_without_memory(void **state)
{
    struct reason reason;

    (void)state;
    policy = password_policy_new("plain", NULL, &reason);
    assert_non_null(policy);
    fail_each_allocation(store, 1);
    password_policy_free(policy);
}

static void store_crypt_without_memory(void **state)
{
    struct reason reason;

    (void)state;
    policy = password_policy_new("crypt", "MD5-CRYPT", &reason);
    assert_non_null(policy);
    fail_each_allocation(store, 2);
    password_policy_free(policy);
}

static const struct allocation {
    const char *name;
    bool (*attempt)(void);
    unsigned want_at_least;
} allocations[] = {
    {"set a secret", set_secret, 1},
    {"split a name", split_name, 1},
    {"read settings", read_settings, 8},
    {"read hosts", read_hosts, 6},
    {"find addresses", find_addresses, 1},
    {"parse a template of pgsql", parse_pgsql, 20},
    {"parse a template of mysql", parse_mysql, 20},
    {"parse a template of sqlite3", parse_sqlite3, 20},
    {"make a policy for crypt", make_crypt_policy, 3},
    {"make a policy for md5", make_md5_policy, 2},
};

static void fail_each(void **state)
{
    const struct allocation *row = *state;

    fail_each_allocation(row->attempt, row->want_at_least);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, fail_each, allocations);
    TEST_ADD(&list, use_template);
    TEST_ADD(&list, judge_without_memory);
    TEST_ADD(&list, store_plain_without_memory);
    TEST_ADD(&list, store_crypt_without_memory);
    TEST_ADD(&list, store_md5_without_memory);
    return test_run("out_of_memory", &list);
}
