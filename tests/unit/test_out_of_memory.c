/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Every allocation of common/ fails once, by the linker's --wrap: the call that needed it says
 * so, and nothing remains held. Leaks show under ASan and valgrind. What libcrypt and libcrypto
 * allocate fails as well: by mmap(2), which is defined here, by libcrypto's own hooks, and by a
 * limit of the process.
 */

#include <crypt.h>
#include <dlfcn.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/fork_mark.h"
#include "base/user_realm.h"
#include "engines/host_lookup.h"
#include "password/crypt_method.h"
#include "password/password_policy.h"
#include "password/stored_password.h"
#include "sql/sql_settings.h"
#include "sql/sql_template.h"
#include "support/unit.h"

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

#include "support/failing_memory.h"

/* --- of libraries */

/* How many calls of mmap(2) by libraries have failed, if they are to. */
static bool no_mappings;
static unsigned failed_mappings;

/* Replaces the C library's. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);

    if (no_mappings) {
        failed_mappings++;
        errno = ENOMEM;
        return MAP_FAILED;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap");
    return real(address, length, protection, flags, fd, offset);
}

/* Whether libcrypto's allocations count. */
static bool counts_libcrypto;

static void *malloc_of_libcrypto(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return counts_libcrypto && fails() ? NULL : __real_malloc(size);
}

static void *realloc_of_libcrypto(void *pointer, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return counts_libcrypto && fails() ? NULL : __real_realloc(pointer, size);
}

static void free_of_libcrypto(void *pointer, const char *file, int line)
{
    (void)file, (void)line;
    free(pointer);
}

/* Runs `attempt` with the first allocation failing, then with the second, and
 * so on until none is left to fail. `attempt` returns whether it succeeded. */
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
    const struct options options = {no_option, NULL};
    struct reason reason = {""};
    struct sql_settings *settings = sql_settings_read(&options, &reason);

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
    struct jail jail;
    bool done;

    jail_note_root(&jail);
    done = host_lookup_find("localhost", &jail, &deadline, &found, &reason) == HOST_ADDRESSES_FOUND;

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
                          "r = $q$%r$q$ AND a = %a AND x = x'00' AND y = 'it''s' AND "
                          "d = DATE '%u' -- end");
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
    const struct bytes value = {bytes, 5};
    const struct sql_values values = {"alice", "example.org", "p", "::1", value};
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
    struct password_policy *policy = password_policy_new(format, store_scheme, NULL, &reason);

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

/* Whether the right password gets in, and if not, that it is not reported as wrong. */
static bool judge(void)
{
    const struct bytes stored = bytes_of(des_hash), password = bytes_of("Tr0ub4d");
    struct reason reason = {""};
    enum verdict verdict = password_policy_judge(policy, stored, password, &reason);

    if (verdict == VERDICT_MATCH)
        return true;
    assert_verdict(verdict, VERDICT_NO_MEMORY);
    assert_string_equal(reason.text, "out of memory");
    return false;
}

static bool store(void)
{
    const struct bytes password = bytes_of("hunter2");
    struct secret stored = SECRET_EMPTY;
    struct reason reason = {""};
    bool done = password_policy_store(policy, password, &stored, &reason);

    if (!done) {
        assert_null(stored.bytes);
        assert_contains(reason.text, "out of memory");
    }
    secret_wipe(&stored);
    return done;
}

/* The stored text needs one, its hash two; the fourth is kept for comparing costs, and its loss
 * is not a failure. */
static void judge_without_memory(void **state)
{
    struct reason reason;
    int allocations;

    (void)state;
    policy = password_policy_new("crypt", "MD5-CRYPT", NULL, &reason);
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
    /* An unknown user remains one, with or without a sample. */
    for (allocations = 0; allocations < 4; allocations++) {
        const struct bytes password = bytes_of("Tr0ub4d");
        enum verdict verdict;

        allocations_left = allocations;
        verdict = password_policy_refuse(policy, password, &reason);
        allocations_left = -1;
        assert_verdict(verdict, VERDICT_NO_USER);
    }
    password_policy_free(policy);
}

/* --- libcrypt, which reports lack of memory as a malformed hash */

static const struct mapping {
    const char *name;
    const char *setting;
    enum verdict want;
} mappings[] = {
    {"yescrypt", "$y$j75$LdJMENpBABJJ3hIHjB1B$", VERDICT_NO_MEMORY},
    {"yescrypt, prefixed", "{CRYPT}$y$j75$LdJMENpBABJJ3hIHjB1B$", VERDICT_NO_MEMORY},
    {"gost-yescrypt", "$gy$j75$LdJMENpBABJJ3hIHjB1B$", VERDICT_NO_MEMORY},
    {"scrypt", "$7$C6..../....SodiumChloride$", VERDICT_NO_MEMORY},
    {"yescrypt, damaged salt", "$y$j75$LdJMENpBABJJ3hIHjB1B2$", VERDICT_UNUSABLE},
    {"yescrypt, damaged parameters", "$y$j.5$LdJMENpBABJJ3hIHjB1B$", VERDICT_UNUSABLE},
    {"gost-yescrypt, damaged salt", "$gy$j75$LdJ,ENpBABJJ3hIHjB1B$", VERDICT_UNUSABLE},
    {"scrypt, damaged salt", "$7$C6..../....Sodium-Chloride$", VERDICT_UNUSABLE},
    {"bcrypt, damaged salt", "$2b$04$abcdefghij-lmnopqrstuu", VERDICT_UNUSABLE},
    {"method that libcrypt lacks", "$sm3y$j75$LdJMENpBABJJ3hIHjB1B$", VERDICT_UNUSABLE},
    {"SHA-256", "$5$rounds=1000$salt$", VERDICT_MISMATCH},
};

/* A text of the right length: with memory, it is a wrong password. */
static void fill_hash(char text[200], const char *setting)
{
    snprintf(text, 200, "%s%s", setting, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP.");
}

static enum verdict judge_by(const struct password_scheme *scheme, const char *stored,
                             const char *password, struct reason *reason)
{
    struct stored_password parsed;

    assert_int_equal(stored_password_parse(&parsed, scheme, bytes_of(stored), reason),
                     STORED_PASSWORD);
    return stored_password_judge(&parsed, bytes_of(password), reason);
}

static enum verdict judge_setting(const char *setting, struct reason *reason)
{
    char text[200];

    fill_hash(text, setting);
    return judge_by(&scheme_crypt, text, "Tr0ub4d", reason);
}

/* Whether this system's libcrypt has the method. */
static bool is_known(const char *setting)
{
    return crypt_checksalt(strchr(setting, '$')) != CRYPT_SALT_INVALID;
}

static void judge_without_mappings(void **state)
{
    const struct mapping *row = *state;
    struct reason reason = {""};
    enum verdict verdict;

    if (row->want == VERDICT_NO_MEMORY && !is_known(row->setting))
        skip();
    if (row->want == VERDICT_UNUSABLE && strstr(row->setting, "$sm3y$") != NULL &&
        is_known(row->setting))
        skip();
    failed_mappings = 0;
    no_mappings = true;
    verdict = judge_setting(row->setting, &reason);
    no_mappings = false;
    assert_verdict(verdict, row->want);
    assert_int_equal(failed_mappings > 0, row->want == VERDICT_NO_MEMORY);
    if (row->want != VERDICT_NO_MEMORY)
        return;
    assert_string_equal(reason.text, "out of memory");
    /* With memory, it is a hash like any other. */
    assert_verdict(judge_setting(row->setting, &reason), VERDICT_MISMATCH);
}

static const struct making {
    const char *name;
    const char *method;
    bool want;
} makings[] = {
    {"yescrypt", "YESCRYPT", false},
    {"gost-yescrypt", "GOST-YESCRYPT", false},
    {"scrypt", "SCRYPT-CRYPT", false},
    {"SHA-256", "SHA256-CRYPT", true},
};

static void store_without_mappings(void **state)
{
    const struct making *row = *state;
    const struct bytes password = bytes_of("Tr0ub4d");
    struct secret stored = SECRET_EMPTY;
    struct reason reason = {""};
    char *setting = crypt_method_new_setting(row->method, 0, &reason);
    bool done;

    if (setting == NULL)
        skip();
    free(setting);
    no_mappings = true;
    done = stored_password_make(&scheme_crypt, row->method, 0, password, &stored, &reason);
    no_mappings = false;
    assert_int_equal(done, row->want);
    if (!done) {
        assert_null(stored.bytes);
        assert_string_equal(reason.text, "out of memory");
    }
    secret_wipe(&stored);
}

/* Sanitizers need address space themselves. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAS_SANITIZER = true };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { HAS_SANITIZER = true };
#else
enum { HAS_SANITIZER = false };
#endif
#else
enum { HAS_SANITIZER = false };
#endif

/* Leaves the process `more` bytes of address space. */
static bool limit_memory(size_t more)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;
    struct rlimit limit;

    if (file == NULL || fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    limit.rlim_cur = limit.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
    return pages > 0 && setrlimit(RLIMIT_AS, &limit) == 0;
}

static const struct limit {
    const char *name;
    const char *setting;
} limits[] = {
    {"yescrypt", "$y$j9T$LdJMENpBABJJ3hIHjB1B$"},
    {"yescrypt, 256 MiB", "$y$jDT$LdJMENpBABJJ3hIHjB1B$"},
    {"gost-yescrypt", "$gy$j9T$LdJMENpBABJJ3hIHjB1B$"},
    {"scrypt", "$7$CU..../....SodiumChloride$"},
};

/* A child with 4 MiB to spare, as under "ulimit -v". */
static void judge_within_a_limit(void **state)
{
    const struct limit *row = *state;
    int status = 0;
    pid_t child;

    if (HAS_SANITIZER || !is_known(row->setting))
        skip();
    child = fork();
    if (child == 0) {
        struct reason reason = {""};
        bool right = limit_memory((size_t)1 << 22) &&
                     judge_setting(row->setting, &reason) == VERDICT_NO_MEMORY &&
                     strcmp(reason.text, "out of memory") == 0;

        _exit(right ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Without a page of its own, the id distinguishes a process from its children. */
static void fork_mark_without_mappings(void **state)
{
    struct fork_mark mark;
    int status = 0;
    pid_t child;

    (void)state;
    no_mappings = true;
    fork_mark_set(&mark);
    no_mappings = false;
    assert_null(mark.page);
    assert_true(fork_mark_holds(&mark));
    child = fork();
    if (child == 0)
        _exit(fork_mark_holds(&mark) ? 1 : 0);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fork_mark_free(&mark);
}

/* --- libcrypto */

static bool judge_md5(void)
{
    struct reason reason = {""};
    enum verdict verdict = judge_by(&scheme_md5, "0cc175b9c0f1b6a831c399e269772661", "a", &reason);

    /* The error queue belongs to the program. */
    assert_int_equal(ERR_peek_error(), 0);
    if (verdict == VERDICT_MATCH)
        return true;
    assert_verdict(verdict, VERDICT_NO_MEMORY);
    assert_string_equal(reason.text, "out of memory");
    return false;
}

/* libcrypto can do without some of its allocations. */
static void judge_md5_without_memory(void **state)
{
    unsigned allocations, refused = 0;

    (void)state;
    counts_libcrypto = true;
    for (allocations = 0; allocations < 100; allocations++) {
        failures = 0;
        allocations_left = (int)allocations;
        refused += !judge_md5();
        allocations_left = -1;
        if (failures == 0)
            break;
    }
    counts_libcrypto = false;
    assert_int_equal(failures, 0);
    assert_true(refused > 0);
    assert_true(judge_md5());
}

/* A refusal is not reported as lack of memory. */
static void md5_is_refused(void **state)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    const struct bytes password = bytes_of("a");
    struct secret stored = SECRET_EMPTY;
    struct reason reason = {""}, reason_of_store = {""};
    struct password_policy *none;

    (void)state;
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    none = password_policy_new("md5", NULL, NULL, &reason);
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_null(none);
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    assert_false(stored_password_make(&scheme_md5, NULL, 0, password, &stored, &reason_of_store));
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_null(stored.bytes);
    assert_string_not_equal(reason_of_store.text, "");
    assert_string_equal(reason.text,
                        "password_format: md5: libcrypto makes no MD5 digest: it is restricted to "
                        "FIPS methods, or out of memory");
    assert_int_equal(ERR_peek_error(), 0);
#else
    (void)state;
    skip(); /* only a specially configured system refuses it */
#endif
}

static void store_md5_without_memory(void **state)
{
    struct reason reason;

    (void)state;
    policy = password_policy_new("md5", NULL, NULL, &reason);
    assert_non_null(policy);
    fail_each_allocation(store, 1);
    password_policy_free(policy);
}

static void store_plain_without_memory(void **state)
{
    struct reason reason;

    (void)state;
    policy = password_policy_new("plain", NULL, NULL, &reason);
    assert_non_null(policy);
    fail_each_allocation(store, 1);
    password_policy_free(policy);
}

static void store_crypt_without_memory(void **state)
{
    struct reason reason;

    (void)state;
    policy = password_policy_new("crypt", "MD5-CRYPT", NULL, &reason);
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
    struct reason reason;

    /* Before libcrypto allocates anything. Whatever libcrypto sets up only once is set up here:
     * it does not try again if that fails. */
    if (CRYPTO_set_mem_functions(malloc_of_libcrypto, realloc_of_libcrypto, free_of_libcrypto) !=
            1 ||
        ERR_peek_error() != 0 || !scheme_md5.is_available(&reason))
        return 1;
    TEST_ADD_CASES(&list, fail_each, allocations);
    TEST_ADD(&list, use_template);
    TEST_ADD(&list, judge_without_memory);
    TEST_ADD(&list, store_plain_without_memory);
    TEST_ADD(&list, store_crypt_without_memory);
    TEST_ADD(&list, store_md5_without_memory);
    TEST_ADD(&list, judge_md5_without_memory);
    TEST_ADD(&list, md5_is_refused);
    TEST_ADD_CASES(&list, judge_without_mappings, mappings);
    TEST_ADD_CASES(&list, store_without_mappings, makings);
    TEST_ADD(&list, fork_mark_without_mappings);
    TEST_ADD_CASES(&list, judge_within_a_limit, limits);
    return test_run("out_of_memory", &list);
}
