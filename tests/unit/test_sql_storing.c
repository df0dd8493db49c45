/* SPDX-License-Identifier: BSD-3-Clause */

/* Which host something is stored on, what happens to one that loses its session, and what
 * drivers have learned about one. */

#include "support/scripted_hosts.h"

/* --- storing */

enum end { LASTS, IS_LOST, IS_SILENT };

/* The outcome of a task at each attempt, and where it was. */
static struct {
    enum lookup results[8];
    enum end end; /* of the session of the first try */
    unsigned tries;
    char where[200];
} stored;

static enum lookup store_scripted(void *context, struct sql_session *session, enum lookup *fate,
                                  struct reason *why)
{
    const size_t length = strlen(stored.where);

    assert_ptr_equal(context, &stored);
    snprintf(stored.where + length, sizeof(stored.where) - length, "%s%s", length > 0 ? " " : "",
             session->place->address);
    reason_set(why, "%s does not store", session->place->address);
    assert_true(stored.tries < COUNT(stored.results));
    assert_lookup(*fate, LOOKUP_DONE);
    if (stored.tries == 0 && stored.end != LASTS)
        *fate = stored.end == IS_LOST ? LOOKUP_LOST : LOOKUP_UNAVAILABLE;
    return stored.results[stored.tries++];
}

static const struct storing {
    const char *name;
    enum lookup open;       /* of the first host */
    enum lookup results[4]; /* of the tries */
    const char *want_where;
    enum lookup want;
    const char *want_host;
} storings[] = {
    {"at once", LOOKUP_DONE, {LOOKUP_DONE}, "192.0.2.1", LOOKUP_DONE, "192.0.2.1"},
    {"first is read-only",
     LOOKUP_UNAVAILABLE,
     {LOOKUP_DONE},
     "192.0.2.2",
     LOOKUP_DONE,
     "192.0.2.2"},
    {"first is down", LOOKUP_LOST, {LOOKUP_DONE}, "192.0.2.2", LOOKUP_DONE, "192.0.2.2"},
    {"first is not ready",
     LOOKUP_DONE,
     {LOOKUP_UNREADY, LOOKUP_DONE},
     "192.0.2.1 192.0.2.2",
     LOOKUP_DONE,
     "192.0.2.2"},
    {"first is lost before anything is kept",
     LOOKUP_DONE,
     {LOOKUP_LOST, LOOKUP_DONE},
     "192.0.2.1 192.0.2.2",
     LOOKUP_DONE,
     "192.0.2.2"},
    {"conflict",
     LOOKUP_DONE,
     {LOOKUP_CONFLICT, LOOKUP_DONE},
     "192.0.2.1 192.0.2.1",
     LOOKUP_DONE,
     "192.0.2.1"},
    {"conflict twice",
     LOOKUP_DONE,
     {LOOKUP_CONFLICT, LOOKUP_CONFLICT},
     "192.0.2.1 192.0.2.1",
     LOOKUP_CONFLICT,
     "192.0.2.1"},
    {"conflict at two hosts",
     LOOKUP_DONE,
     {LOOKUP_CONFLICT, LOOKUP_LOST, LOOKUP_CONFLICT},
     "192.0.2.1 192.0.2.1 192.0.2.2",
     LOOKUP_CONFLICT,
     "192.0.2.2"},
    {"settled", LOOKUP_DONE, {LOOKUP_REJECTED}, "192.0.2.1", LOOKUP_REJECTED, "192.0.2.1"},
    {"nobody is ready",
     LOOKUP_DONE,
     {LOOKUP_UNREADY, LOOKUP_UNREADY},
     "192.0.2.1 192.0.2.2",
     LOOKUP_REJECTED,
     ""},
};

static void store_goes_through_the_hosts(void **state)
{
    const struct storing *row = *state;
    const struct deadline deadline = deadline_after(TIMEOUT);

    memset(&stored, 0, sizeof(stored));
    memcpy(stored.results, row->results, sizeof(row->results));
    add_place("192.0.2.1", row->open, LOOKUP_FOUND);
    add_well("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    assert_lookup(
        sql_connections_store(connections, store_scripted, &stored, &deadline, &route, &reason),
        row->want);
    assert_string_equal(stored.where, row->want_where);
    assert_string_equal(route.host.text, row->want_host);
    assert_int_equal(places[0].kept, 0);
    assert_int_equal(places[1].kept, 0);
    /* A host that cannot store is still good for lookups. */
    places[0].open = LOOKUP_DONE;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.1");
}

/* Returns what `stored` says. */
static enum lookup store(int64_t *taken)
{
    const struct deadline deadline = deadline_after(TIMEOUT);
    const int64_t before = clock_now;
    enum lookup result =
        sql_connections_store(connections, store_scripted, &stored, &deadline, &route, &reason);

    *taken = clock_now - before;
    return result;
}

static enum lookup store_somewhere(int64_t *taken)
{
    memset(&stored, 0, sizeof(stored));
    stored.results[0] = LOOKUP_DONE;
    return store(taken);
}

/* --- a session that ends while it stores */

static const struct ending {
    const char *name;
    enum lookup results[2]; /* of the attempts */
    enum end end;           /* of the first attempt's session */
    enum lookup want;
    const char *want_where; /* it was stored, if anywhere */
    const char *want_next;  /* the host asked for the next login */
    bool want_waiting;      /* whether the next store waits for hosts that are down */
} endings[] = {
    {"stored", {LOOKUP_DONE}, LASTS, LOOKUP_DONE, "192.0.2.1", "192.0.2.1", true},
    {"refused", {LOOKUP_REJECTED}, LASTS, LOOKUP_REJECTED, "192.0.2.1", "192.0.2.1", true},
    {"lost, and nobody knows",
     {LOOKUP_REJECTED},
     IS_LOST,
     LOOKUP_REJECTED,
     "192.0.2.1",
     "192.0.2.2",
     false},
    {"lost before anything is kept",
     {LOOKUP_LOST, LOOKUP_DONE},
     IS_LOST,
     LOOKUP_DONE,
     "192.0.2.1 192.0.2.2",
     "192.0.2.2",
     true},
    /* A row may be locked: for lookups, the host is as good as before. */
    {"silent, and nobody knows",
     {LOOKUP_REJECTED},
     IS_SILENT,
     LOOKUP_REJECTED,
     "192.0.2.1",
     "192.0.2.1",
     false},
    {"silent before anything is kept",
     {LOOKUP_UNAVAILABLE, LOOKUP_DONE},
     IS_SILENT,
     LOOKUP_DONE,
     "192.0.2.1 192.0.2.2",
     "192.0.2.1",
     true},
};

static void session_ends_while_it_stores(void **state)
{
    const struct ending *row = *state;
    int64_t taken;

    add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND);
    add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);
    start("192.0.2.1 192.0.2.2");
    assert_lookup(store_somewhere(&taken), LOOKUP_UNAVAILABLE); /* hosts are given up */
    places[0].open = places[1].open = LOOKUP_DONE;
    memset(&stored, 0, sizeof(stored));
    memcpy(stored.results, row->results, sizeof(row->results));
    stored.end = row->end;
    assert_lookup(store(&taken), row->want);
    assert_string_equal(stored.where, row->want_where);
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(trail, row->want_next);
    places[0].open = places[1].open = LOOKUP_LOST;
    assert_lookup(store_somewhere(&taken), LOOKUP_UNAVAILABLE);
    assert_in_range(taken, row->want_waiting ? TIMEOUT - 500 : 0, row->want_waiting ? TIMEOUT : 0);
}

/* Even if lookups are answered meanwhile: a login may store something, too. */
static void lasting_outage_of_the_primary_is_waited_for_once(void **state)
{
    struct place *standby = add_place("192.0.2.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    struct place *primary = add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);
    int64_t taken;

    (void)state;
    start("192.0.2.1 192.0.2.2");
    assert_lookup(store_somewhere(&taken), LOOKUP_UNAVAILABLE);
    assert_in_range(taken, TIMEOUT - 500, TIMEOUT);
    standby->open = LOOKUP_DONE;
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    standby->open = LOOKUP_UNAVAILABLE;
    assert_lookup(store_somewhere(&taken), LOOKUP_UNAVAILABLE);
    assert_int_equal(taken, 0);
    assert_string_equal(reason.text, "192.0.2.1: 192.0.2.1 does not open; "
                                     "192.0.2.2: 192.0.2.2 does not open");
    primary->open = LOOKUP_DONE;
    assert_lookup(store_somewhere(&taken), LOOKUP_DONE);
    primary->open = LOOKUP_LOST;
    assert_lookup(store_somewhere(&taken), LOOKUP_UNAVAILABLE);
    assert_in_range(taken, TIMEOUT - 500, TIMEOUT);
}

/* --- what a driver has learned */

/* Opens a new session. Returns what the driver was told. */
static unsigned told_at(struct place *place)
{
    const unsigned before = place->opened;

    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(place->opened, before + 1);
    return place->told;
}

static struct place *start_with_teacher(const char *hosts)
{
    struct place *place = add_well("192.0.2.1");

    place->teaches = 5;
    start(hosts);
    settings.persistent = false;
    sql_connections_free(connections);
    connections = sql_connections_new(&engine, &settings);
    assert_non_null(connections);
    return place;
}

static void driver_is_told_what_it_has_learned(void **state)
{
    struct place *place = start_with_teacher("192.0.2.1 192.0.2.2");
    struct place *other = add_well("192.0.2.2");
    int64_t taken;

    (void)state;
    assert_int_equal(told_at(place), 0);
    assert_int_equal(told_at(place), 5);
    assert_lookup(store_somewhere(&taken), LOOKUP_DONE);
    assert_int_equal(place->told, 5);
    place->teaches = 7;
    assert_int_equal(told_at(place), 5);
    assert_int_equal(told_at(place), 7);
    /* It applies to one address only. */
    place->open = LOOKUP_BUSY;
    assert_int_equal(told_at(other), 0);
    place->open = LOOKUP_DONE;
    clock_now += 3000;
    assert_int_equal(told_at(place), 7);
}

/* The server may be a different one by then. */
static void what_was_learned_is_forgotten(void **state)
{
    struct place *place = start_with_teacher("192.0.2.1");
    int64_t taken;

    (void)state;
    assert_int_equal(told_at(place), 0);
    clock_now += 600000 - 1;
    assert_int_equal(told_at(place), 5);
    clock_now++;
    assert_int_equal(told_at(place), 0);
    place->open = LOOKUP_LOST;
    place->well_from = clock_now + 1000;
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_int_equal(place->told, 0);
    /* That the time has passed again is counted from the first session. */
    clock_now += 600000 - 1;
    assert_int_equal(told_at(place), 5);
}

static void what_was_learned_of_an_address_stays_with_it(void **state)
{
    struct place *place = start_with_teacher("db");
    struct place *moved = add_well("192.0.2.2");

    (void)state;
    add_name("db", "192.0.2.1", NULL);
    assert_int_equal(told_at(place), 0);
    clock_now += 60001; /* the name is looked up again, and stays */
    assert_int_equal(told_at(place), 5);
    names[0].addresses[0] = "192.0.2.2";
    clock_now += 60001;
    assert_int_equal(told_at(moved), 0);
    names[0].addresses[0] = "192.0.2.1";
    clock_now += 60001;
    assert_int_equal(told_at(place), 0);
}

int main(void)
{
    struct test_list list = {NULL, 0};
    size_t i;

    TEST_ADD_CASES(&list, store_goes_through_the_hosts, storings);
    TEST_ADD_CASES(&list, session_ends_while_it_stores, endings);
    TEST_ADD(&list, lasting_outage_of_the_primary_is_waited_for_once);
    TEST_ADD(&list, driver_is_told_what_it_has_learned);
    TEST_ADD(&list, what_was_learned_is_forgotten);
    TEST_ADD(&list, what_was_learned_of_an_address_stays_with_it);
    for (i = 0; i < list.count; i++) {
        list.items[i].setup_func = set_up;
        list.items[i].teardown_func = tear_down;
    }
    return test_run("sql_storing", &list);
}
