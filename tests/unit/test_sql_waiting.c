/* SPDX-License-Identifier: BSD-3-Clause */

/* What a login waits for: hosts that may answer in a moment, and places of this process. */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>

#include "sql/sql_pool.h"
#include "support/scripted_hosts.h"

/* --- hosts that may answer in a moment */

static const struct absence {
    const char *name;
    enum lookup open, select;
    int64_t lasts; /* milliseconds */
} absences[] = {
    {"refuses for 2 s", LOOKUP_LOST, LOOKUP_FOUND, 2000},
    {"refuses for 9 s", LOOKUP_LOST, LOOKUP_FOUND, TIMEOUT - 1000},
    {"is full for 9 s", LOOKUP_BUSY, LOOKUP_FOUND, TIMEOUT - 1000},
    {"rejects queries for 9 s", LOOKUP_DONE, LOOKUP_LOST, TIMEOUT - 1000},
    {"replicates for 9 s", LOOKUP_DONE, LOOKUP_CONFLICT, TIMEOUT - 1000},
};

static void single_host_comes_back(void **state)
{
    const struct absence *row = *state;
    struct place *place = add_place("192.0.2.1", row->open, row->select);
    int64_t taken;

    place->well_from = clock_now + row->lasts;
    start("192.0.2.1");
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_in_range(taken, row->lasts, row->lasts + 500);
    /* The pauses double to at least 200 ms, and may all be that short. */
    assert_in_range(place->opened, 2, 50);
    assert_string_equal(route.passed_over.text, "");
}

/* One login waits, and the others of this process do not meanwhile. */
static void lasting_outage_is_waited_for_once(void **state)
{
    struct place *place = add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND);
    int64_t taken;

    (void)state;
    start("192.0.2.1");
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_in_range(taken, TIMEOUT - 500, TIMEOUT);
    assert_string_equal(reason.text, "192.0.2.1: 192.0.2.1 does not open");
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_int_equal(taken, 0);
    assert_string_equal(trail, "192.0.2.1");
    /* Failed attempts of others meanwhile do not prolong it. */
    clock_now += 29900;
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_int_equal(taken, 0);
    clock_now += 100;
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_in_range(taken, TIMEOUT - 500, TIMEOUT);
    place->open = LOOKUP_DONE;
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    /* And the next outage is a new one. */
    place->open = LOOKUP_LOST;
    place->select = LOOKUP_LOST;
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_in_range(taken, TIMEOUT - 500, TIMEOUT);
}

/* The last attempt may have no time to find out anything. */
static void outage_is_told_by_who_had_time(void **state)
{
    (void)state;
    add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND)->silent_from = clock_now + TIMEOUT - 300;
    start("192.0.2.1");
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_string_equal(reason.text, "192.0.2.1: 192.0.2.1 does not open");
}

/* Processes that were refused at the same time do not come back at the same time. */
static void processes_come_back_one_by_one(void **state)
{
    enum { PROCESSES = 10, MOST = 100 };
    unsigned together[MOST] = {0};
    pid_t i;

    (void)state;
    for (i = 1; i <= PROCESSES; i++) {
        struct place *place = add_place("192.0.2.1", LOOKUP_BUSY, LOOKUP_FOUND);
        int64_t taken;

        place->well_from = clock_now + 1;
        process = i;
        start("192.0.2.1");
        assert_lookup(log_in(&taken), LOOKUP_FOUND);
        assert_in_range(taken, 1, MOST - 1);
        assert_in_range(++together[taken], 1, PROCESSES / 2);
        tear_down(NULL);
        set_up(NULL);
    }
    process = 0;
}

/* Each login waits for a full server. */
static void full_host_is_waited_for(void **state)
{
    int64_t taken;
    unsigned i;

    (void)state;
    add_place("192.0.2.1", LOOKUP_BUSY, LOOKUP_FOUND);
    start("192.0.2.1");
    for (i = 0; i < 2; i++) {
        assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
        assert_in_range(taken, TIMEOUT - 500, TIMEOUT);
        assert_string_equal(reason.text, "192.0.2.1: 192.0.2.1 does not open");
    }
}

static void what_is_certain_is_not_asked_again(void **state)
{
    struct place *place = add_place("192.0.2.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    int64_t taken;

    (void)state;
    start("192.0.2.1");
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_int_equal(taken, 0);
    assert_int_equal(place->opened, 1);
}

/* Not even next to a host that may come back. */
static void only_what_may_pass_is_asked_again(void **state)
{
    struct place *wrong = add_place("192.0.2.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    struct place *away = add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);

    (void)state;
    away->well_from = clock_now + 3000;
    start("192.0.2.1 192.0.2.2");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(wrong->opened, 1);
    assert_in_range(away->opened, 3, 40);
}

/* --- full hosts */

static void full_host_comes_last_and_is_named_once(void **state)
{
    struct place *full = add_place("192.0.2.1", LOOKUP_BUSY, LOOKUP_FOUND);
    unsigned i, said = 0;

    (void)state;
    add_well("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    for (i = 0; i < 150; i++) {
        assert_lookup(log_in(NULL), LOOKUP_FOUND);
        said += route.passed_over.text[0] != '\0';
        clock_now += 100;
    }
    assert_int_equal(said, 1);
    assert_in_range(full->opened, 2, 8);
    full->open = LOOKUP_DONE;
    clock_now += 2000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.1");
    /* The next time it is full, that is news. */
    full->open = LOOKUP_BUSY;
    full->select = LOOKUP_LOST;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.passed_over.text, "192.0.2.1: 192.0.2.1 does not open");
}

static unsigned told; /* how often a full host was reported */

static void log_in_at_second(void)
{
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.2");
    told += route.passed_over.text[0] != '\0';
}

/* An answer over an existing session does not mean that it accepts another. */
static void full_host_is_full_beside_a_kept_session(void **state)
{
    struct place *full = add_well("192.0.2.1"), *second = add_well("192.0.2.2");
    unsigned i;

    (void)state;
    start("192.0.2.1 192.0.2.2");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    full->open = LOOKUP_BUSY;
    for (i = told = 0; i < 10; i++) {
        meanwhile = log_in_at_second;
        assert_lookup(log_in(NULL), LOOKUP_FOUND);
        assert_string_equal(route.host.text, i == 0 || i == 5 ? "192.0.2.1" : "192.0.2.2");
        clock_now += i == 4 ? 2000 : 0;
    }
    assert_int_equal(told, 1);
    assert_int_equal(full->opened, 3);
    /* Nor are the sessions closed that stand in for the others. */
    assert_int_equal(second->opened, 2);
}

/* A standby that gives precedence to replication is fine a moment later. */
static void conflict_does_not_last(void **state)
{
    struct place *standby = add_place("192.0.2.1", LOOKUP_DONE, LOOKUP_CONFLICT);

    (void)state;
    add_well("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.2");
    standby->select = LOOKUP_FOUND;
    clock_now += 2500;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.1");
}

/* --- hosts that are not ready */

static const struct opinion {
    const char *name;
    enum lookup first, second;
    enum lookup want;
    const char *want_reason; /* NULL if it does not matter */
} opinions[] = {
    {"the second is ready", LOOKUP_UNREADY, LOOKUP_FOUND, LOOKUP_FOUND, NULL},
    {"the second finds nobody", LOOKUP_UNREADY, LOOKUP_NONE, LOOKUP_NONE, NULL},
    {"all agree", LOOKUP_UNREADY, LOOKUP_UNREADY, LOOKUP_REJECTED,
     "192.0.2.1: 192.0.2.1 does not say; 192.0.2.2: 192.0.2.2 does not say"},
    {"the statement is wrong anyway", LOOKUP_REJECTED, LOOKUP_FOUND, LOOKUP_REJECTED,
     "192.0.2.1 does not say"},
    {"the second says what is wrong", LOOKUP_UNREADY, LOOKUP_REJECTED, LOOKUP_REJECTED,
     "192.0.2.2 does not say"},
};

static void all_are_asked_before_a_statement_is_wrong(void **state)
{
    const struct opinion *row = *state;

    add_place("192.0.2.1", LOOKUP_DONE, row->first);
    add_place("192.0.2.2", LOOKUP_DONE, row->second);
    start("192.0.2.1 192.0.2.2");
    assert_lookup(log_in(NULL), row->want);
    if (row->want_reason != NULL)
        assert_string_equal(reason.text, row->want_reason);
    /* If no host is ready, that is not the first one's fault. */
    log_in(NULL);
    if (row->first == LOOKUP_UNREADY)
        assert_int_equal(places[0].asked, row->second == LOOKUP_UNREADY ? 2 : 1);
}

/* A column that may not be read costs no login any time because another host is down. */
static void optional_property_is_not_waited_for(void **state)
{
    int64_t taken;

    (void)state;
    add_place("192.0.2.1", LOOKUP_DONE, LOOKUP_UNREADY);
    add_silent("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    required = false;
    assert_lookup(log_in(NULL), LOOKUP_REJECTED);
    /* The first one says so. */
    assert_string_equal(route.host.text, "");
    assert_string_equal(reason.text, "192.0.2.1: 192.0.2.1 does not say; "
                                     "192.0.2.2: 192.0.2.2 does not open");
    assert_lookup(log_in(&taken), LOOKUP_REJECTED);
    assert_int_equal(taken, 0);
    required = true;
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
}

/* A full host is asked: that takes no time. */
static void optional_property_may_be_at_a_full_host(void **state)
{
    struct place *full = add_place("192.0.2.2", LOOKUP_BUSY, LOOKUP_FOUND);

    (void)state;
    add_place("192.0.2.1", LOOKUP_DONE, LOOKUP_UNREADY);
    start("192.0.2.1 192.0.2.2");
    required = false;
    assert_lookup(log_in(NULL), LOOKUP_REJECTED);
    full->open = LOOKUP_DONE;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    required = true;
}

static void single_host_says_what_is_wrong(void **state)
{
    (void)state;
    add_place("192.0.2.1", LOOKUP_DONE, LOOKUP_UNREADY);
    start("192.0.2.1");
    assert_lookup(log_in(NULL), LOOKUP_REJECTED);
    assert_string_equal(reason.text, "192.0.2.1 does not say");
    assert_string_equal(route.host.text, "192.0.2.1");
}

/* --- all places of the process are taken */

static struct {
    pthread_t threads[SQL_POOL_PLACES];
    sem_t inside, way_out;
    int64_t leaves_at; /* when one of them gives its place to a waiting login; 0 for never */
} crowd;

static void wait_on(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *until)
{
    static const struct timespec at_last = {.tv_sec = INT_MAX};
    const int64_t end = (int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000;

    if (crowd.leaves_at == 0 || crowd.leaves_at >= end) {
        clock_now = end > clock_now ? end : clock_now;
        return ETIMEDOUT;
    }
    clock_now = crowd.leaves_at;
    crowd.leaves_at = 0;
    sem_post(&crowd.way_out);
    return __real_pthread_cond_timedwait(condition, lock, &at_last);
}

static void stay_inside(void)
{
    sem_post(&crowd.inside);
    wait_on(&crowd.way_out);
}

static void *log_in_of_the_crowd(void *context)
{
    const struct sql_statement statement = {"SELECT", NULL, 0};
    const struct deadline deadline = deadline_after(TIMEOUT);
    struct secret value = SECRET_EMPTY;
    struct sql_rows rows = {.values = &value, .room = 1};
    enum lookup result;
    struct sql_route its_route;
    struct reason its_reason;

    result = sql_connections_select(connections, &statement, true, &deadline, &rows, &its_route,
                                    &its_reason);
    secret_wipe(&value);
    return result == LOOKUP_FOUND ? NULL : context;
}

/* One after the other, until each has a session with the first host. */
static void crowd_comes(bool persistent)
{
    size_t i;

    settings.persistent = persistent;
    sql_connections_free(connections);
    connections = sql_connections_new(&engine, &settings);
    assert_non_null(connections);
    sem_init(&crowd.inside, 0, 0);
    sem_init(&crowd.way_out, 0, 0);
    crowd.leaves_at = 0;
    for (i = 0; i < SQL_POOL_PLACES; i++) {
        meanwhile = stay_inside;
        assert_int_equal(pthread_create(&crowd.threads[i], NULL, log_in_of_the_crowd, &crowd), 0);
        wait_on(&crowd.inside);
    }
    assert_int_equal(places[0].asked, SQL_POOL_PLACES);
}

/* `left` of them remain. */
static void crowd_goes(unsigned left)
{
    void *failed;
    size_t i;

    while (left-- > 0)
        sem_post(&crowd.way_out);
    for (i = 0; i < SQL_POOL_PLACES; i++) {
        assert_int_equal(pthread_join(crowd.threads[i], &failed), 0);
        assert_null(failed);
    }
    sem_destroy(&crowd.inside);
    sem_destroy(&crowd.way_out);
}

/* The hosts are not to blame. */
static void no_place_is_no_fault_of_a_host(void **state)
{
    int64_t taken;

    (void)state;
    add_well("192.0.2.1");
    add_well("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    crowd_comes(true);
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_int_equal(taken, TIMEOUT);
    assert_non_null(strstr(reason.text, "192.0.2.1: all 8 sessions of this process were in use"));
    crowd_goes(SQL_POOL_PLACES);
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.1");
    assert_int_equal(places[1].opened, 0);
}

static const struct late_place {
    const char *name;
    int left;         /* of the host's share, in milliseconds, when a place is free */
    enum lookup open; /* from then on */
    int takes;        /* milliseconds */
    const char *want_host, *want_news;
    const char *want_next; /* the host asked next, once all are up again */
} late_places[] = {
    {"in time", 1000, LOOKUP_DONE, 500, "192.0.2.1", "", "192.0.2.1"},
    {"too little time", 1000, LOOKUP_DONE, 1500, "192.0.2.2", "", "192.0.2.1"},
    {"no time", 1, LOOKUP_DONE, 1, "192.0.2.2", "", "192.0.2.1"},
    {"none in time", -500, LOOKUP_DONE, 0, "192.0.2.2", "", "192.0.2.1"},
    {"most of the time, and silent", 4000, LOOKUP_DONE, SILENT, "192.0.2.2",
     "192.0.2.1: 192.0.2.1 does not open", "192.0.2.2"},
    {"little time, and refused at once", 1000, LOOKUP_LOST, 0, "192.0.2.2",
     "192.0.2.1: 192.0.2.1 does not open", "192.0.2.2"},
    {"little time, and full", 1000, LOOKUP_BUSY, 0, "192.0.2.2",
     "192.0.2.1: 192.0.2.1 does not open", "192.0.2.2"},
};

static void waiting_for_a_place_is_no_fault_of_a_host(void **state)
{
    const struct late_place *row = *state;

    add_well("192.0.2.1");
    add_well("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    crowd_comes(false);
    places[0].open = row->open;
    places[0].takes = row->takes;
    crowd.leaves_at = clock_now + TIMEOUT / 2 - row->left;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, row->want_host);
    assert_string_equal(route.passed_over.text, row->want_news);
    places[0].open = LOOKUP_DONE;
    places[0].takes = 0;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, row->want_next);
    crowd_goes(SQL_POOL_PLACES - 1);
}

int main(void)
{
    struct test_list list = {NULL, 0};
    size_t i;

    TEST_ADD_CASES(&list, single_host_comes_back, absences);
    TEST_ADD(&list, lasting_outage_is_waited_for_once);
    TEST_ADD(&list, outage_is_told_by_who_had_time);
    TEST_ADD(&list, processes_come_back_one_by_one);
    TEST_ADD(&list, full_host_is_waited_for);
    TEST_ADD(&list, what_is_certain_is_not_asked_again);
    TEST_ADD(&list, only_what_may_pass_is_asked_again);
    TEST_ADD(&list, full_host_comes_last_and_is_named_once);
    TEST_ADD(&list, full_host_is_full_beside_a_kept_session);
    TEST_ADD(&list, conflict_does_not_last);
    TEST_ADD_CASES(&list, all_are_asked_before_a_statement_is_wrong, opinions);
    TEST_ADD(&list, optional_property_is_not_waited_for);
    TEST_ADD(&list, optional_property_may_be_at_a_full_host);
    TEST_ADD(&list, single_host_says_what_is_wrong);
    TEST_ADD(&list, no_place_is_no_fault_of_a_host);
    TEST_ADD_CASES(&list, waiting_for_a_place_is_no_fault_of_a_host, late_places);
    for (i = 0; i < list.count; i++) {
        list.items[i].setup_func = set_up;
        list.items[i].teardown_func = tear_down;
    }
    return test_run("sql_waiting", &list);
}
