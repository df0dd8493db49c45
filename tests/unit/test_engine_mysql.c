/* SPDX-License-Identifier: BSD-3-Clause */

/* What the driver for MySQL does if memory is short once it has been loaded: everything in the
 * process uses this program's own malloc(3), even the C library's loader of thread-local
 * storage. */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sql/sql_driver.h"
#include "support/engine_open.h"
#include "support/unit.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static volatile int left = -1; /* allocations that still succeed; -1: all */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static bool is_short(void)
{
    if (left > 0)
        left--;
    return left == 0;
}

void *malloc(size_t size)
{
    return is_short() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_short() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return is_short() ? NULL : __libc_realloc(block, size);
}
#else
static volatile int left; /* the sanitizer manages memory */
#endif

/* Whether libraries use it, too, and not one of a tool such as valgrind. */
static bool has_own_malloc(void)
{
    void *volatile block;

    left = 1;
    block = strdup("x");
    left = -1;
    free(block);
    return block == NULL;
}

enum { MANY = 2000, ENOUGH = 99 /* exit status: there was enough memory */ };

/* A port without a listener. */
static unsigned free_port(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(here);
    int probe = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(probe, (struct sockaddr *)&here, size), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&here, &size), 0);
    close(probe);
    return ntohs(here.sin_port);
}

/* In a separate process: the first session, with memory for that many
 * allocations. Returns how the process ended. */
static int open_with(const struct sql_driver *driver, const struct sql_host *host, int allocations)
{
    struct sql_target target = {.user = "u",
                                .password = "p",
                                .database = "d",
                                .ssl_mode = SQL_SSL_PREFER,
                                .ssl_ca = "",
                                .ssl_cert = "",
                                .ssl_key = "",
                                .timeout = 1000};
    const struct deadline deadline = deadline_after(10000);
    struct sql_session *session;
    struct reason reason;
    enum lookup result;
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
    }
    jail_note_root(&target.jail);
    left = allocations;
    result =
        engine_open(driver->engine, &target, host, SQL_ACCESS_READ, &deadline, &session, &reason);
    status = left == 0 ? 0 : ENOUGH;
    left = -1;
    if ((result != LOOKUP_UNAVAILABLE && result != LOOKUP_LOST) || session != NULL ||
        reason.text[0] == '\0')
        status = 1;
    _exit(status);
}

static void opens_no_session_without_memory(void **state)
{
    struct sql_host host = {.name = "127.0.0.1", .label = "127.0.0.1"};
    struct sql_driver driver;
    struct reason reason;
    int count, status = 0;

    (void)state;
    if (!has_own_malloc())
        skip();
    host.port = free_port();
    assert_true(sql_driver_load(&driver, sql_engine_kind_find("mysql"),
                                test_environment("TEST_ENGINE_DIR"), &reason));
    for (count = 1; count < MANY && status == 0; count++) {
        status = open_with(&driver, &host, count);
        if (status != 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != ENOUGH))
            fail_msg("%d allocations: status %#x", count, (unsigned)status);
    }
    assert_in_range(count, 10, MANY - 1);
    sql_driver_unload(&driver);
}

int main(void)
{
    struct test_list list = {0};

    alarm(120);
    TEST_ADD(&list, opens_no_session_without_memory);
    return test_run("engine_mysql", &list);
}
