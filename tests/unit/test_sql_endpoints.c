/* SPDX-License-Identifier: BSD-3-Clause */

/* Which host is asked, in which order, and for how long. */

#include <limits.h>

#include "support/scripted_hosts.h"

/* --- a name with several addresses counts as several hosts */

static const struct first {
    const char *name;
    enum lookup open, select;
    int takes;
    int64_t most; /* milliseconds of the first login */
    const char *complaint;
} firsts[] = {
    {"silent", LOOKUP_DONE, LOOKUP_FOUND, SILENT, TIMEOUT / 2, "192.0.2.1 does not open"},
    {"refuses", LOOKUP_LOST, LOOKUP_FOUND, 0, 0, "192.0.2.1 does not open"},
    {"has another password", LOOKUP_UNAVAILABLE, LOOKUP_FOUND, 0, 0, "192.0.2.1 does not open"},
    {"is full", LOOKUP_BUSY, LOOKUP_FOUND, 0, 0, "192.0.2.1 does not open"},
    {"rejects queries", LOOKUP_DONE, LOOKUP_LOST, 0, 0, "192.0.2.1 does not say"},
    {"is ill", LOOKUP_DONE, LOOKUP_UNAVAILABLE, 0, 0, "192.0.2.1 does not say"},
    {"replicates", LOOKUP_DONE, LOOKUP_CONFLICT, 0, 0, "192.0.2.1 does not say"},
    {"has no such table", LOOKUP_DONE, LOOKUP_UNREADY, 0, 0, "192.0.2.1 does not say"},
};

static void expect_second(const struct first *row, const char *first_login, const char *label)
{
    int64_t taken;
    char want[200];

    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_string_equal(trail, first_login);
    assert_in_range(taken, 0, row->most);
    snprintf(want, sizeof(want), "%s: %s", label, row->complaint);
    assert_string_equal(route.passed_over.text, want);
    /* From now on the second is asked at once, and nothing is logged about the first. */
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_string_equal(trail, "");
    assert_int_equal(taken, 0);
    assert_string_equal(route.passed_over.text, "");
}

static void second_address_answers(void **state)
{
    const struct first *row = *state;

    add_place("192.0.2.1", row->open, row->select)->takes = row->takes;
    add_well("192.0.2.2");
    add_name("db", "192.0.2.1", "192.0.2.2");
    start("db:5432");
    expect_second(row, "192.0.2.1 192.0.2.2", "db:5432 at 192.0.2.1");
    assert_string_equal(route.host.text, "db:5432 at 192.0.2.2");
    assert_int_equal(names[0].asked, 1);
}

static void second_host_answers(void **state)
{
    const struct first *row = *state;

    add_place("192.0.2.1", row->open, row->select)->takes = row->takes;
    add_well("192.0.2.2");
    start("192.0.2.1 192.0.2.2");
    expect_second(row, "192.0.2.1 192.0.2.2", "192.0.2.1");
    assert_string_equal(route.host.text, "192.0.2.2");
}

/* The addresses of one entry make no difference to its neighbours. */
static void entries_follow_their_addresses(void **state)
{
    (void)state;
    add_place("192.0.2.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_place("192.0.2.2", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_place("192.0.2.3", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_well("192.0.2.4");
    add_name("one", "192.0.2.1", "192.0.2.2");
    add_name("two", "192.0.2.3", "192.0.2.4");
    start("one two");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(trail, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
    assert_int_equal(names[1].asked, 1);
}

/* A host is not looked up before it is needed. */
static void later_names_are_not_looked_up(void **state)
{
    (void)state;
    add_well("192.0.2.1");
    add_name("one", "192.0.2.1", NULL);
    add_name("two", "192.0.2.2", NULL);
    start("one two");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(names[0].asked, 1);
    assert_int_equal(names[1].asked, 0);
}

/* An IPv6 address that does not lead to the server is nothing to fix. */
static void other_family_is_no_news(void **state)
{
    (void)state;
    add_place("::1", LOOKUP_LOST, LOOKUP_FOUND);
    add_well("127.0.0.1");
    add_name("localhost", "::1", "127.0.0.1");
    start("localhost");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(trail, "::1 127.0.0.1");
    assert_string_equal(route.passed_over.text, "");
}

/* But one that does not answer is worth a line: it costs time. */
static void silent_family_is_news(void **state)
{
    (void)state;
    add_silent("::1");
    add_well("127.0.0.1");
    add_name("localhost", "::1", "127.0.0.1");
    start("localhost");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.passed_over.text, "localhost at ::1: ::1 does not open");
}

static void outage_of_both_families_is_told_in_full(void **state)
{
    (void)state;
    add_place("::1", LOOKUP_LOST, LOOKUP_FOUND);
    add_place("127.0.0.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_name("localhost", "::1", "127.0.0.1");
    start("localhost");
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_string_equal(reason.text, "localhost at 127.0.0.1: 127.0.0.1 does not open; "
                                     "localhost at ::1: ::1 does not open");
}

static void first_host_is_used_again(void **state)
{
    struct place *first = add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND);
    struct place *second = add_well("192.0.2.2");

    (void)state;
    start("192.0.2.1 192.0.2.2");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    first->open = LOOKUP_DONE;
    clock_now += 29999;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.2");
    clock_now += 1;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.1");
    assert_int_equal(second->kept, 0); /* it only stood in */
    assert_int_equal(first->kept, 1);
}

/* Which address stands in for which is independent of the entries. */
static void nearer_stand_in_replaces_the_farther(void **state)
{
    struct place *second = add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);
    struct place *third = add_place("192.0.2.3", LOOKUP_LOST, LOOKUP_FOUND);
    struct place *last = add_well("192.0.2.4");

    (void)state;
    add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND);
    add_name("one", "192.0.2.1", "192.0.2.2");
    add_name("two", "192.0.2.3", "192.0.2.4");
    start("one two");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    third->open = LOOKUP_DONE;
    clock_now += 30000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "two at 192.0.2.3");
    assert_int_equal(last->kept, 0);
    second->open = LOOKUP_DONE;
    clock_now += 30000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "one at 192.0.2.2");
    assert_int_equal(third->kept, 0);
    assert_int_equal(second->kept, 1);
}

/* A failure over a kept session that has not ended would happen over any session. */
static void kept_session_is_not_replaced_in_vain(void **state)
{
    struct place *ill = add_well("192.0.2.1");

    (void)state;
    start("192.0.2.1");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    ill->select = LOOKUP_UNAVAILABLE;
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_int_equal(ill->opened, 1);
    assert_int_equal(ill->asked, 2);
    assert_int_equal(ill->kept, 0);
}

/* --- names that move */

/* A socket has no name to look up. */
static void what_needs_no_address_is_not_looked_up_again(void **state)
{
    struct name *name = add_name("/socket", "", NULL);
    struct place *place = add_well("");

    (void)state;
    name->result = HOST_ADDRESSES_NEEDLESS;
    start("/socket");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    place->open = place->select = LOOKUP_LOST;
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    clock_now += 61000;
    place->open = LOOKUP_DONE;
    place->select = LOOKUP_FOUND;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(name->asked, 1);
}

static void moved_name_is_followed(void **state)
{
    struct place *old = add_well("192.0.2.1"), *new = add_well("192.0.2.2");
    struct name *name = add_name("db", "192.0.2.1", NULL);

    (void)state;
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    name->addresses[0] = "192.0.2.2";
    clock_now += 59000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(name->asked, 1);
    clock_now += 2000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(trail, "192.0.2.2");
    assert_int_equal(name->asked, 2);
    assert_int_equal(old->kept, 0);
    assert_int_equal(new->kept, 1);
}

static void log_in_beside(void)
{
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
}

static void move_on(void)
{
    clock_now += 2000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(trail, "192.0.2.2");
}

/* Not even by a thread that was at the old server when another one learned of it. */
static void moved_name_leaves_no_session_behind(void **state)
{
    struct place *old = add_well("192.0.2.1"), *new = add_well("192.0.2.2");
    struct name *name = add_name("db", "192.0.2.1", NULL);

    (void)state;
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    clock_now += 59000;
    meanwhile = log_in_beside;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(old->kept, 2);
    /* The first login that finds the lookup due asks the new server. */
    name->addresses[0] = "192.0.2.2";
    assert_int_equal(name->asked, 1);
    meanwhile = move_on;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(name->asked, 2);
    assert_int_equal(old->kept, 0);
    assert_int_equal(new->kept, 1);
}

/* If the old server is down, no login waits for the minute to pass. */
static void moved_name_is_followed_from_a_lost_server(void **state)
{
    struct place *old = add_well("192.0.2.1");
    struct name *name = add_name("db", "192.0.2.1", NULL);
    int64_t taken;

    (void)state;
    add_well("192.0.2.2");
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    old->open = old->select = LOOKUP_LOST;
    name->addresses[0] = "192.0.2.2";
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "db");
    assert_string_equal(route.passed_over.text, "");
    assert_in_range(taken, 500, 2000);
    assert_int_equal(name->asked, 2);
}

/* The name server is not asked at each attempt. */
static void lost_server_is_looked_up_now_and_then(void **state)
{
    struct name *name = add_name("db", "192.0.2.1", NULL);

    (void)state;
    add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND);
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_in_range(name->asked, 5, 1 + TIMEOUT / 1000);
}

/* The order of a name server's answer does not matter. */
static void turned_answer_changes_nothing(void **state)
{
    struct name *name = add_name("db", "192.0.2.1", "192.0.2.2");

    (void)state;
    add_well("192.0.2.1");
    add_well("192.0.2.2");
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    name->addresses[0] = "192.0.2.2";
    name->addresses[1] = "192.0.2.1";
    clock_now += 61000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(name->asked, 2);
    assert_string_equal(trail, "");
}

static const struct outage_of_names {
    const char *name;
    enum host_addresses_result result;
    int takes;
    int64_t most;
} outages_of_names[] = {
    {"silent", HOST_ADDRESSES_FOUND, SILENT, 1000},
    {"no answer now", HOST_ADDRESSES_NOT_NOW, 0, 0},
    {"forgotten", HOST_ADDRESSES_UNKNOWN, 0, 0},
};

/* The old addresses then stay in use; and not every login waits. */
static void outage_of_the_name_server_is_survived(void **state)
{
    const struct outage_of_names *row = *state;
    struct name *name = add_name("db", "192.0.2.1", NULL);
    int64_t taken;

    add_well("192.0.2.1");
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    name->result = row->result;
    name->takes = row->takes;
    clock_now += 61000;
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_in_range(taken, 0, row->most);
    assert_string_equal(trail, "");
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_int_equal(taken, 0);
    assert_int_equal(name->asked, 2);
}

/* However short the time is. */
static void name_server_leaves_time_for_the_host(void **state)
{
    const struct sql_statement statement = {"SELECT", NULL, 0};
    struct name *name = add_name("db", "192.0.2.1", NULL);
    struct secret value = SECRET_EMPTY;
    struct sql_rows rows = {.values = &value, .room = 1};
    struct deadline deadline;

    (void)state;
    add_well("192.0.2.1");
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    name->takes = SILENT;
    clock_now += 61000;
    deadline = deadline_after(200);
    assert_lookup(sql_connections_select(connections, &statement, required, &deadline, &rows,
                                         &route, &reason),
                  LOOKUP_FOUND);
    secret_wipe(&value);
    assert_int_equal(name->asked, 2);
    assert_in_range(clock_now, deadline.at - 100, deadline.at - 1);
}

static void name_server_comes_back(void **state)
{
    struct name *name = add_name("db", "192.0.2.1", NULL);
    int64_t taken;

    (void)state;
    add_well("192.0.2.1");
    name->result = HOST_ADDRESSES_NOT_NOW;
    name->well_from = clock_now + 3000;
    start("db");
    assert_lookup(log_in(&taken), LOOKUP_FOUND);
    assert_in_range(taken, 3000, 3500);
}

static void name_that_is_unknown_is_no_wait(void **state)
{
    int64_t taken;

    (void)state;
    add_name("db", NULL, NULL)->result = HOST_ADDRESSES_UNKNOWN;
    start("db");
    assert_lookup(log_in(&taken), LOOKUP_UNAVAILABLE);
    assert_int_equal(taken, 0);
    assert_string_equal(reason.text, "db: no answer about the name");
}

/* --- shares of the time */

static void silent_hosts_have_equal_shares(void **state)
{
    struct place *first = add_silent("192.0.2.1"), *second = add_silent("192.0.2.2");
    struct place *third = add_well("192.0.2.3");

    (void)state;
    add_name("db", "192.0.2.1", "192.0.2.2");
    start("db 192.0.2.3");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    /* While a name has no known addresses, it counts as one. */
    assert_in_range(first->longest, TIMEOUT / 3 - 1, TIMEOUT / 3 + 1);
    assert_in_range(second->longest, TIMEOUT / 3 - 1, TIMEOUT / 3 + 1);
    assert_in_range(third->longest, TIMEOUT / 3 - 1, TIMEOUT / 3 + 1);
}

/* A host that refuses at once leaves its time to a slow one. */
static void slow_host_has_what_others_leave(void **state)
{
    struct place *slow = add_well("192.0.2.1");

    (void)state;
    slow->takes = 7000;
    add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);
    start("192.0.2.1 192.0.2.2");
    log_in(NULL); /* finds out which is which */
    clock_now += 31000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_in_range(slow->longest, 7500, 8500);
}

/* Until it is up again. */
static void refusing_host_gets_its_share_again(void **state)
{
    struct place *slow = add_well("192.0.2.1"), *away = add_place("192.0.2.2", LOOKUP_LOST, 0);

    (void)state;
    slow->takes = SILENT;
    away->select = LOOKUP_FOUND;
    start("192.0.2.1 192.0.2.2");
    log_in(NULL);
    away->open = LOOKUP_DONE;
    clock_now += 31000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    slow->longest = 0;
    clock_now += 31000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_in_range(slow->longest, TIMEOUT / 2 - 1, TIMEOUT / 2 + 1);
}

/* But it gets a share: it may be the one that is up again. */
static void refusing_host_is_not_forgotten(void **state)
{
    struct place *away = add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);

    (void)state;
    add_silent("192.0.2.1");
    start("192.0.2.1 192.0.2.2");
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_string_equal(reason.text,
                        "192.0.2.1: 192.0.2.1 does not open; 192.0.2.2: 192.0.2.2 does not open");
    clock_now += 31000;
    away->open = LOOKUP_DONE;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
}

/* --- limits */

/* Eight for each host. */
static enum host_addresses_result find_many(const struct sql_target *target,
                                            const struct sql_host *host,
                                            const struct deadline *deadline,
                                            struct host_addresses *found, struct reason *why)
{
    (void)target, (void)deadline, (void)why;
    for (found->count = 0; found->count < HOST_ADDRESSES_MAX; found->count++)
        snprintf(found->text[found->count], sizeof(found->text[0]), "%s.%u", host->name,
                 found->count);
    return HOST_ADDRESSES_FOUND;
}

/* A walk is long, but finite. */
static void walk_ends_before_all_of_too_many(void **state)
{
    static const struct sql_engine many = {.abi = SQL_ENGINE_ABI, .find_addresses = find_many};
    const struct deadline deadline = deadline_after(TIMEOUT);
    struct sql_walk walk = {.count = 0}, dropped;
    struct sql_endpoints *endpoints;
    struct sql_endpoint endpoint;
    struct deadline share;
    unsigned asked = 0;

    (void)state;
    start("a b c d e f g h i j");
    endpoints = sql_endpoints_new(&many, &settings);
    assert_non_null(endpoints);
    while (sql_endpoints_next(endpoints, &walk, &deadline, &endpoint, &share)) {
        if (endpoint.is_looked_up)
            asked++;
        else
            assert_int_equal(
                sql_endpoints_look_up(endpoints, &endpoint, &deadline, &dropped, &reason),
                HOST_ADDRESSES_FOUND);
        assert_in_range(share.at, clock_now + 1, deadline.at);
    }
    assert_int_equal(walk.count, SQL_WALK_MOST);
    assert_int_equal(asked, SQL_WALK_MOST - 8); /* one place for each name */
    sql_endpoints_free(endpoints);
}

static const struct answer {
    const char *name;
    enum sql_endpoint_event event;
    bool ends_read, ends_write; /* whether the waiting ends */
} answers[] = {
    {"failed", ENDPOINT_FAILED, false, false},     {"refused", ENDPOINT_REFUSED, false, false},
    {"was busy", ENDPOINT_WAS_BUSY, false, false}, {"went on", ENDPOINT_WENT_ON, true, false},
    {"answered", ENDPOINT_ANSWERED, true, false},  {"stored", ENDPOINT_STORED, true, true},
};

static void answer_is_worth_waiting_for(void **state)
{
    const struct answer *row = *state;
    const struct deadline deadline = deadline_after(TIMEOUT);
    struct sql_walk walk = {.count = 0};
    struct sql_endpoints *endpoints;
    struct sql_endpoint endpoint;
    struct deadline share;

    start("192.0.2.1");
    endpoints = sql_endpoints_new(&engine, &settings);
    assert_non_null(endpoints);
    assert_true(sql_endpoints_next(endpoints, &walk, &deadline, &endpoint, &share));
    sql_endpoints_give_up(endpoints, SQL_ACCESS_READ);
    sql_endpoints_give_up(endpoints, SQL_ACCESS_WRITE);
    sql_endpoints_note(endpoints, endpoint.id, row->event);
    assert_int_equal(sql_endpoints_given_up(endpoints, SQL_ACCESS_READ), !row->ends_read);
    assert_int_equal(sql_endpoints_given_up(endpoints, SQL_ACCESS_WRITE), !row->ends_write);
    sql_endpoints_free(endpoints);
}

/* --- the order */

static void random_order_begins_anywhere(void **state)
{
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
    unsigned i, first[COUNT(addresses)] = {0};
    size_t j;

    (void)state;
    for (j = 0; j < COUNT(addresses); j++)
        add_well(addresses[j]);
    for (i = 0; i < 200; i++) {
        start("192.0.2.1 192.0.2.2 192.0.2.3");
        settings.random_order = true;
        assert_lookup(log_in(NULL), LOOKUP_FOUND);
        for (j = 0; j < COUNT(addresses); j++)
            first[j] += strcmp(trail, addresses[j]) == 0;
        tear_down(NULL);
    }
    for (j = 0; j < COUNT(addresses); j++)
        assert_in_range(first[j], 20, 150);
}

/* Also if names have as many addresses as there are names. */
static void random_order_begins_at_any_address(void **state)
{
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
    unsigned i, first[COUNT(addresses)] = {0};
    size_t j;

    (void)state;
    for (j = 0; j < COUNT(addresses); j++)
        add_well(addresses[j]);
    add_name("one", addresses[0], addresses[1]);
    add_name("two", addresses[2], addresses[3]);
    for (i = 0; i < 200; i++) {
        start("one two");
        settings.random_order = true;
        assert_lookup(log_in(NULL), LOOKUP_FOUND);
        for (j = 0; j < COUNT(addresses); j++)
            first[j] += strcmp(trail, addresses[j]) == 0;
        tear_down(NULL);
    }
    for (j = 0; j < COUNT(addresses); j++)
        assert_in_range(first[j], 10, 150);
}

/* Wherever it begins, each is asked once. */
static void random_order_leaves_nobody_out(void **state)
{
    static const struct {
        const char *hosts;
        unsigned drawn;
        const char *trail;
    } rows[] = {
        {"db", UINT_MAX, "192.0.2.1 192.0.2.2 192.0.2.3"},
        {"db", UINT_MAX - 1, "192.0.2.3 192.0.2.1 192.0.2.2"},
        {"192.0.2.1 192.0.2.2 192.0.2.3", UINT_MAX, "192.0.2.1 192.0.2.2 192.0.2.3"},
        {"192.0.2.1 192.0.2.2 192.0.2.3", UINT_MAX - 1, "192.0.2.3 192.0.2.1 192.0.2.2"},
    };
    size_t i;

    (void)state;
    add_place("192.0.2.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_place("192.0.2.2", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_place("192.0.2.3", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_name("db", "192.0.2.1", "192.0.2.2")->addresses[2] = "192.0.2.3";
    for (i = 0; i < COUNT(rows); i++) {
        start(rows[i].hosts);
        settings.random_order = true;
        drawn = rows[i].drawn;
        assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
        assert_string_equal(trail, rows[i].trail);
        drawn = 0;
        tear_down(NULL);
    }
}

/* Each process has its own order, and keeps to it. */
static void random_order_lasts(void **state)
{
    char before[sizeof(trail)];
    unsigned i;

    (void)state;
    add_place("192.0.2.1", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_place("192.0.2.2", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    add_place("192.0.2.3", LOOKUP_UNAVAILABLE, LOOKUP_FOUND);
    start("192.0.2.1 192.0.2.2 192.0.2.3");
    settings.random_order = true;
    log_in(NULL);
    strcpy(before, trail);
    for (i = 0; i < 10; i++) {
        clock_now += 31000;
        log_in(NULL);
        assert_string_equal(trail, before);
    }
}

int main(void)
{
    struct test_list list = {NULL, 0};
    size_t i;

    TEST_ADD_CASES(&list, second_address_answers, firsts);
    TEST_ADD_CASES(&list, second_host_answers, firsts);
    TEST_ADD(&list, entries_follow_their_addresses);
    TEST_ADD(&list, later_names_are_not_looked_up);
    TEST_ADD(&list, other_family_is_no_news);
    TEST_ADD(&list, silent_family_is_news);
    TEST_ADD(&list, outage_of_both_families_is_told_in_full);
    TEST_ADD(&list, first_host_is_used_again);
    TEST_ADD(&list, nearer_stand_in_replaces_the_farther);
    TEST_ADD(&list, kept_session_is_not_replaced_in_vain);
    TEST_ADD(&list, what_needs_no_address_is_not_looked_up_again);
    TEST_ADD(&list, moved_name_is_followed);
    TEST_ADD(&list, moved_name_leaves_no_session_behind);
    TEST_ADD(&list, moved_name_is_followed_from_a_lost_server);
    TEST_ADD(&list, lost_server_is_looked_up_now_and_then);
    TEST_ADD(&list, turned_answer_changes_nothing);
    TEST_ADD_CASES(&list, outage_of_the_name_server_is_survived, outages_of_names);
    TEST_ADD(&list, name_server_leaves_time_for_the_host);
    TEST_ADD(&list, name_server_comes_back);
    TEST_ADD(&list, name_that_is_unknown_is_no_wait);
    TEST_ADD(&list, silent_hosts_have_equal_shares);
    TEST_ADD(&list, slow_host_has_what_others_leave);
    TEST_ADD(&list, refusing_host_gets_its_share_again);
    TEST_ADD(&list, refusing_host_is_not_forgotten);
    TEST_ADD(&list, walk_ends_before_all_of_too_many);
    TEST_ADD_CASES(&list, answer_is_worth_waiting_for, answers);
    TEST_ADD(&list, random_order_begins_anywhere);
    TEST_ADD(&list, random_order_begins_at_any_address);
    TEST_ADD(&list, random_order_leaves_nobody_out);
    TEST_ADD(&list, random_order_lasts);
    for (i = 0; i < list.count; i++) {
        list.items[i].setup_func = set_up;
        list.items[i].teardown_func = tear_down;
    }
    return test_run("sql_endpoints", &list);
}
