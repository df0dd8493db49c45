/* SPDX-License-Identifier: BSD-3-Clause */

/* Many threads that look up over one set of connections, while hosts fill up, go down and move:
 * one host is always up. The clock runs faster than real time. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "sql/sql_connections.h"
#include "sql/sql_pool.h"
#include "support/unit.h"

enum {
    THREADS = 2 * SQL_POOL_PLACES,
    LOGINS = 300,    /* of each thread */
    TIMEOUT = 600000 /* milliseconds */
};

/* --- the clock */

static atomic_int ahead; /* milliseconds */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    const int result = __real_clock_gettime(clock, time);

    time->tv_sec += atomic_load(&ahead) / 1000;
    return result;
}

/* --- hosts that change with each use */

struct sql_session {
    atomic_int users;
};

static atomic_uint turn;   /* rises with everything that happens */
static atomic_int opened;  /* sessions that exist */
static atomic_int most;    /* the most that existed at once */
static atomic_uint shared; /* sessions that two threads used at once */

static unsigned take_turn(void)
{
    const unsigned number = atomic_fetch_add(&turn, 1);

    if (number % 16 == 0)
        atomic_fetch_add(&ahead, 1000);
    return number;
}

/* Two to eight addresses, some of which existed before. */
static enum host_addresses_result
find_addresses(const struct sql_target *target, const struct sql_host *host,
               const struct deadline *deadline, struct host_addresses *found, struct reason *reason)
{
    const unsigned number = take_turn();
    unsigned i;

    (void)target, (void)deadline;
    if (strcmp(host->name, "well") != 0 && number % 5 == 0) {
        reason_set(reason, "no answer about the name");
        return HOST_ADDRESSES_NOT_NOW;
    }
    found->count = 2 + number % (HOST_ADDRESSES_MAX - 1);
    for (i = 0; i < found->count; i++)
        snprintf(found->text[i], sizeof(found->text[i]), "192.0.2.%u", (number / 4 + i) % 200);
    return HOST_ADDRESSES_FOUND;
}

static enum lookup open_session(const struct sql_target *target, const struct sql_host *host,
                                const char *address, enum sql_access access,
                                const struct deadline *deadline, unsigned *learned,
                                struct sql_session **session, struct reason *reason)
{
    static const enum lookup failures[] = {LOOKUP_LOST, LOOKUP_BUSY, LOOKUP_UNAVAILABLE,
                                           LOOKUP_BUSY};
    const unsigned number = take_turn();
    int count, before;

    (void)target, (void)access, (void)deadline;
    *learned += number;
    *session = NULL;
    if (strcmp(host->name, "well") != 0 && number % 3 != 0) {
        reason_set(reason, "%s does not open", address);
        return failures[number % COUNT(failures)];
    }
    *session = calloc(1, sizeof(**session));
    if (*session == NULL)
        abort();
    count = atomic_fetch_add(&opened, 1) + 1;
    before = atomic_load(&most);
    while (count > before && !atomic_compare_exchange_weak(&most, &before, count))
        continue;
    return LOOKUP_DONE;
}

static void close_session(struct sql_session *session)
{
    free(session);
    atomic_fetch_sub(&opened, 1);
}

static enum lookup select_value(struct sql_session *session, const struct sql_statement *statement,
                                const struct deadline *deadline, struct sql_rows *rows,
                                struct reason *reason)
{
    const unsigned number = take_turn();

    (void)statement, (void)rows, (void)deadline;
    if (atomic_fetch_add(&session->users, 1) != 0)
        atomic_fetch_add(&shared, 1);
    sched_yield();
    atomic_fetch_sub(&session->users, 1);
    if (number % 7 != 0)
        return LOOKUP_FOUND;
    reason_set(reason, "the connection was closed");
    return LOOKUP_LOST;
}

static const struct sql_engine engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "scripted",
    .find_addresses = find_addresses,
    .open = open_session,
    .close = close_session,
    .select = select_value,
};

/* --- threads */

static struct sql_connections *connections;

/* Returns NULL if everything was found. */
static void *log_in(void *context)
{
    const struct sql_statement statement = {"SELECT", NULL, 0};
    unsigned i, failed = 0;

    for (i = 0; i < LOGINS; i++) {
        const struct deadline deadline = deadline_after(TIMEOUT);
        struct secret value = SECRET_EMPTY;
        struct sql_rows rows = {.values = &value, .room = 1};
        struct sql_route route;
        struct reason reason;

        if (sql_connections_select(connections, &statement, true, &deadline, &rows, &route,
                                   &reason) != LOOKUP_FOUND)
            failed++;
    }
    return failed > 0 ? context : NULL;
}

static const struct kind {
    const char *name;
    bool persistent, random_order;
} kinds[] = {{"listed", true, false}, {"random", true, true}, {"not kept", false, false}};

static void all_threads_are_answered(void **state)
{
    const struct kind *row = *state;
    struct sql_settings settings = {.persistent = row->persistent,
                                    .random_order = row->random_order};
    pthread_t threads[THREADS];
    struct reason reason;
    void *failed;
    size_t i;

    settings.target.timeout = TIMEOUT;
    atomic_store(&most, 0);
    assert_true(sql_hosts_read(&settings.hosts, "one two three well", &reason));
    connections = sql_connections_new(&engine, &settings);
    assert_non_null(connections);
    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_in, &settings), 0);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(shared, 0);
    assert_in_range(opened, 0, row->persistent ? SQL_POOL_PLACES : 0);
    assert_in_range(most, 2, 2 * SQL_POOL_PLACES);
    sql_connections_free(connections);
    assert_int_equal(opened, 0);
    sql_hosts_free(&settings.hosts);
}

int main(void)
{
    struct test_list list = {NULL, 0};

    TEST_ADD_CASES(&list, all_threads_are_answered, kinds);
    return test_run("sql_crowd", &list);
}
