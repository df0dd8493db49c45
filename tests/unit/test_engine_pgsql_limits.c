/* SPDX-License-Identifier: BSD-3-Clause */

/* The first lookup of a process in PostgreSQL, with TLS and without, when memory or descriptors
 * are short: it fails for the moment, and the process continues. Without a server, nothing runs. */

#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sql/sql_driver.h"
#include "support/engine_open.h"
#include "support/unit.h"

enum { LONG_TIME = 60000 }; /* milliseconds */

static struct {
    struct sql_target target;
    struct sql_host host;
    struct sql_driver driver;
    struct reason reason;
} world;

static const struct shortage {
    const char *name;
    __rlimit_resource_t resource;
    unsigned long room; /* bytes, or descriptors, beyond those in use */
    bool is_enough;     /* for a lookup, once OpenSSL is ready */
    bool is_enough_for_tls;
} rows[] = {
    {"no memory", RLIMIT_AS, 0, false, false},
    {"64 KiB", RLIMIT_AS, 64 << 10, false, false},
    {"128 KiB", RLIMIT_AS, 128 << 10, false, false},
    {"256 KiB", RLIMIT_AS, 256 << 10, true, false},
    {"512 KiB", RLIMIT_AS, 512 << 10, true, false},
    {"1 MiB", RLIMIT_AS, 1 << 20, true, false},
    {"4 MiB", RLIMIT_AS, 4 << 20, true, true},
    {"no descriptor", RLIMIT_NOFILE, 0, false, false},
    {"one descriptor", RLIMIT_NOFILE, 1, false, false},
    {"two descriptors", RLIMIT_NOFILE, 2, false, false},
    {"three descriptors", RLIMIT_NOFILE, 3, false, false},
    {"four descriptors", RLIMIT_NOFILE, 4, true, true},
    {"ten descriptors", RLIMIT_NOFILE, 10, true, true},
};

static unsigned long memory(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL || fscanf(file, "%lu", &pages) != 1)
        abort();
    fclose(file);
    return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

/* The open ones, and the one that counts them. */
static unsigned long descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned long count = 0;
    const struct dirent *entry;

    if (directory == NULL)
        abort();
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static bool is_tls(void)
{
    return world.target.ssl_mode == SQL_SSL_REQUIRE;
}

static enum lookup look_up(void)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    const struct bytes parameter = bytes_of("alice");
    const struct sql_statement statement = {"SELECT $1 || '@'", &parameter, 1};
    struct sql_session *session;
    struct secret value = {NULL, 0};
    enum lookup result = engine_open(world.driver.engine, &world.target, &world.host,
                                     SQL_ACCESS_READ, &deadline, &session, &world.reason);

    if (result != LOOKUP_DONE)
        return result;
    result =
        engine_select(world.driver.engine, session, &statement, &deadline, &value, &world.reason);
    world.driver.engine->close(session);
    secret_wipe(&value);
    return result;
}

static void limit(const struct shortage *row, bool is_short)
{
    struct rlimit limits;

    if (getrlimit(row->resource, &limits) != 0)
        abort();
    limits.rlim_cur = limits.rlim_max;
    if (is_short)
        limits.rlim_cur = (row->resource == RLIMIT_AS ? memory() : descriptors() - 1) + row->room;
    if (setrlimit(row->resource, &limits) != 0)
        abort();
}

/* The child's exit status: 0 if all is well. */
static int run_short(const struct shortage *row)
{
    unsigned long before = descriptors();
    enum lookup result;

    limit(row, true);
    result = look_up();
    limit(row, false);
    if (result != LOOKUP_FOUND && result != LOOKUP_UNAVAILABLE && result != LOOKUP_LOST)
        return 1;
    if (result != LOOKUP_FOUND && (is_tls() ? row->is_enough_for_tls : row->is_enough))
        return 2;
    if (look_up() != LOOKUP_FOUND)
        return 3;
    return descriptors() == before ? 0 : 4;
}

static void run_in_child(const struct shortage *row, enum sql_ssl_mode mode)
{
    int status;
    pid_t child;

    world.target.ssl_mode = mode;
    child = fork();
    if (child == 0)
        _exit(run_short(row));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void goes_on(void **state)
{
    run_in_child(*state, SQL_SSL_DISABLE);
}

static void goes_on_with_tls(void **state)
{
    run_in_child(*state, SQL_SSL_REQUIRE);
}

static bool start(void)
{
    char *text = strdup(test_environment("TEST_PGSQL_TCP")), *colon;

    if (text == NULL || (colon = strrchr(text, ':')) == NULL)
        abort();
    *colon = '\0';
    world.host = (struct sql_host){text, (unsigned)strtoul(colon + 1, NULL, 10), text};
    world.target = (struct sql_target){
        .user = test_environment("TEST_PGSQL_USER"),
        .password = test_environment("TEST_PGSQL_PASSWORD"),
        .database = test_environment("TEST_PGSQL_DATABASE"),
        .ssl_ca = "",
        .ssl_cert = "",
        .ssl_key = "",
        .timeout = LONG_TIME,
    };
    jail_note_root(&world.target.jail);
    return sql_driver_load(&world.driver, sql_engine_kind_find("pgsql"),
                           test_environment("TEST_ENGINE_DIR"), &world.reason);
}

#if defined(__SANITIZE_ADDRESS__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

int main(void)
{
    struct test_list list = {0};
    int failed;

    /* With TEST_TURNS, a tool is at work that needs memory itself. */
    if (getenv("TEST_PGSQL_TCP") == NULL || getenv("TEST_TURNS") != NULL || IS_SANITIZED) {
        printf("1..0 # SKIP no server to test against, or a tool that needs memory itself\n");
        return 0;
    }
    if (!start()) {
        print_error("%s\n", world.reason.text);
        return 1;
    }
    alarm(900); /* a driver that never returns is stopped here */
    TEST_ADD_CASES(&list, goes_on, rows);
    TEST_ADD_CASES(&list, goes_on_with_tls, rows);
    failed = test_run("engine_pgsql_limits", &list);
    sql_driver_unload(&world.driver);
    free(world.host.name);
    return failed;
}
