/* SPDX-License-Identifier: BSD-3-Clause */

/* Which host is asked, when, and for how long: hosts that are scripted, and a clock that
 * only runs while somebody waits. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

#include "sql/sql_connections.h"
#include "sql/sql_endpoints.h"
#include "sql/sql_pool.h"
#include "support/unit.h"

enum { TIMEOUT = 10000 }; /* milliseconds */

/* --- the clock */

static atomic_int_least64_t clock_now; /* milliseconds */

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    *time = (struct timespec){.tv_sec = (time_t)(clock_now / 1000),
                              .tv_nsec = (long)(clock_now % 1000) * 1000000};
    return 0;
}

int __wrap_poll(struct pollfd *descriptors, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *descriptors, nfds_t count, int timeout, size_t size);
int __wrap_poll(struct pollfd *descriptors, nfds_t count, int timeout)
{
    assert_null(descriptors);
    assert_int_equal(count, 0);
    assert_true(timeout > 0);
    clock_now += timeout;
    return 0;
}

/* What poll(2) is to a compiler that checks sizes. */
int __wrap___poll_chk(struct pollfd *descriptors, nfds_t count, int timeout, size_t size)
{
    (void)size;
    return __wrap_poll(descriptors, count, timeout);
}

/* --- random numbers */

static unsigned drawn; /* what is drawn next; 0 for anything */

ssize_t __real_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
    if (drawn == 0)
        return __real_getrandom(bytes, size, flags);
    assert_int_equal(size, sizeof(drawn));
    memcpy(bytes, &drawn, sizeof(drawn));
    return (ssize_t)size;
}

/* --- processes */

static pid_t process; /* 0 for this one */

pid_t __real_getpid(void);
pid_t __wrap_getpid(void);
pid_t __wrap_getpid(void)
{
    return process != 0 ? process : __real_getpid();
}

/* --- the hosts */

enum { SILENT = -1 }; /* to take longer than there is time */

/* What happens at an address, or at a host that has none. */
static struct place {
    const char *address;
    enum lookup open, select;
    int takes;           /* milliseconds */
    int64_t well_from;   /* then it answers LOOKUP_FOUND */
    int64_t silent_from; /* or does not answer any more */
    unsigned opened;     /* how often */
    unsigned teaches;    /* the driver, with each session; 0 for nothing */
    unsigned told;       /* by the driver, when it was last opened */
    unsigned asked;
    atomic_uint kept; /* sessions; several threads may close theirs at once */
    int64_t longest;  /* milliseconds that somebody would have waited */
} places[8];

/* What a name stands for. */
static struct name {
    const char *name;
    const char *addresses[HOST_ADDRESSES_MAX];
    enum host_addresses_result result;
    int takes;
    unsigned asked;
    int64_t well_from; /* then it answers HOST_ADDRESSES_FOUND */
} names[4];

struct sql_session {
    struct place *place;
};

static char trail[4096]; /* the addresses in the order in which they were opened or asked */

static struct place *place_of(const char *address)
{
    size_t i;

    for (i = 0; i < COUNT(places); i++)
        if (places[i].address != NULL && strcmp(places[i].address, address) == 0)
            return &places[i];
    fail_msg("no place is at \"%s\"", address);
    return NULL;
}

static void note_trail(const char *what)
{
    const size_t length = strlen(trail);

    snprintf(trail + length, sizeof(trail) - length, "%s%s", length > 0 ? " " : "", what);
}

/* Returns whether it was done in time. */
static bool take(int milliseconds, const struct deadline *deadline)
{
    if (milliseconds != SILENT && clock_now + milliseconds < deadline->at) {
        clock_now += milliseconds;
        return true;
    }
    clock_now = deadline->at > clock_now ? deadline->at : clock_now;
    return false;
}

static enum lookup happens(const struct place *place, enum lookup well, enum lookup otherwise)
{
    return place->well_from != 0 && clock_now >= place->well_from ? well : otherwise;
}

static enum host_addresses_result
find_addresses(const struct sql_target *target, const struct sql_host *host,
               const struct deadline *deadline, struct host_addresses *found, struct reason *reason)
{
    size_t i;

    (void)target;
    for (i = 0; i < COUNT(names); i++)
        if (names[i].name != NULL && strcmp(names[i].name, host->name) == 0)
            break;
    if (i == COUNT(names)) {
        found->count = 1;
        strcpy(found->text[0], host->name);
        return HOST_ADDRESSES_FOUND;
    }
    names[i].asked++;
    reason_set(reason, "no answer about the name");
    if (!take(names[i].takes, deadline))
        return HOST_ADDRESSES_NOT_NOW;
    for (found->count = 0; names[i].addresses[found->count] != NULL; found->count++)
        strcpy(found->text[found->count], names[i].addresses[found->count]);
    return names[i].well_from != 0 && clock_now >= names[i].well_from ? HOST_ADDRESSES_FOUND
                                                                      : names[i].result;
}

static enum lookup open_place(const struct sql_target *target, const struct sql_host *host,
                              const char *address, enum sql_access access,
                              const struct deadline *deadline, unsigned *learned,
                              struct sql_session **session, struct reason *reason)
{
    struct place *place = place_of(address);
    enum lookup result;

    (void)target, (void)host, (void)access;
    *session = NULL;
    note_trail(address);
    place->opened++;
    place->told = *learned;
    if (deadline->at - clock_now > place->longest)
        place->longest = deadline->at - clock_now;
    reason_set(reason, "%s does not open", address);
    result = happens(place, LOOKUP_DONE, place->open);
    if (place->silent_from != 0 && clock_now >= place->silent_from) {
        take(SILENT, deadline);
        reason_set(reason, "connection timed out");
        return LOOKUP_UNAVAILABLE;
    }
    if (!take(place->takes, deadline))
        return LOOKUP_UNAVAILABLE;
    if (result != LOOKUP_DONE)
        return result;
    *session = malloc(sizeof(**session));
    assert_non_null(*session);
    (*session)->place = place;
    place->kept++;
    if (place->teaches != 0)
        *learned = place->teaches;
    return LOOKUP_DONE;
}

static void close_session(struct sql_session *session)
{
    session->place->kept--;
    free(session);
}

static void (*meanwhile)(void); /* what others do during the next lookup; NULL for nothing */

static enum lookup select_value(struct sql_session *session, const struct sql_statement *statement,
                                const struct deadline *deadline, struct sql_rows *rows,
                                struct reason *reason)
{
    void (*others)(void) = meanwhile;
    enum lookup result;

    (void)statement, (void)deadline;
    session->place->asked++;
    meanwhile = NULL;
    if (others != NULL)
        others();
    reason_set(reason, "%s does not say", session->place->address);
    result = happens(session->place, LOOKUP_FOUND, session->place->select);
    if (result == LOOKUP_FOUND || result == LOOKUP_SEVERAL)
        assert_true(sql_rows_add(rows, "value", strlen("value")));
    if (result != LOOKUP_SEVERAL)
        return result;
    assert_true(sql_rows_add(rows, "other", strlen("other")));
    return LOOKUP_FOUND;
}

static const struct sql_engine engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "scripted",
    .find_addresses = find_addresses,
    .open = open_place,
    .close = close_session,
    .select = select_value,
};

/* --- logins */

static struct sql_settings settings;
static struct sql_connections *connections;
static struct sql_route route;
static struct reason reason;

static void start(const char *hosts)
{
    settings = (struct sql_settings){.persistent = true};
    settings.target.timeout = TIMEOUT;
    assert_true(sql_hosts_read(&settings.hosts, hosts, &reason));
    connections = sql_connections_new(&engine, &settings);
    assert_non_null(connections);
}

static int set_up(void **state)
{
    (void)state;
    clock_now = 1000000;
    memset(places, 0, sizeof(places));
    memset(names, 0, sizeof(names));
    meanwhile = NULL;
    trail[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sql_connections_free(connections);
    connections = NULL;
    sql_hosts_free(&settings.hosts);
    return 0;
}

static struct place *add_place(const char *address, enum lookup open, enum lookup select)
{
    size_t i = 0;

    while (places[i].address != NULL)
        i++;
    assert_true(i < COUNT(places));
    places[i] = (struct place){.address = address, .open = open, .select = select};
    return &places[i];
}

static struct place *add_well(const char *address)
{
    return add_place(address, LOOKUP_DONE, LOOKUP_FOUND);
}

static struct place *add_silent(const char *address)
{
    struct place *place = add_well(address);

    place->takes = SILENT;
    return place;
}

static struct name *add_name(const char *name, const char *first, const char *second)
{
    size_t i = 0;

    while (names[i].name != NULL)
        i++;
    assert_true(i < COUNT(names));
    names[i] = (struct name){name, {first, second}, HOST_ADDRESSES_FOUND, 0, 0, 0};
    return &names[i];
}

static bool required = true;

/* Looks somebody up. `taken` gets milliseconds. */
static enum lookup log_in(int64_t *taken)
{
    const struct sql_statement statement = {"SELECT", NULL, 0};
    const struct deadline deadline = deadline_after(TIMEOUT);
    const int64_t before = clock_now;
    struct secret value = SECRET_EMPTY;
    struct sql_rows rows = {.values = &value, .room = 1};
    struct sql_route its_route;
    struct reason its_reason;
    enum lookup result;

    trail[0] = '\0';
    reason_clear(&its_route.passed_over);
    result = sql_connections_select(connections, &statement, required, &deadline, &rows, &its_route,
                                    &its_reason);
    assert_int_equal(value.bytes != NULL, rows.count);
    secret_wipe(&value);
    route = its_route;
    reason = its_reason;
    if (taken != NULL)
        *taken = clock_now - before;
    assert_true(clock_now <= deadline.at);
    return result;
}

/* --- a name with several addresses is several hosts */

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
    /* From now on the second is asked at once, and nothing is said about the first. */
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

/* What an entry stands for makes no difference to its neighbours. */
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

/* That IPv6 does not lead to the server is nothing to mend. */
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

/* But that it does not answer is: it costs time. */
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

/* Which address stands in for which does not depend on the entries. */
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

/* What fails over a kept session, and not since that has ended, fails over any. */
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

/* A socket has no name. */
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

/* Also by a thread that was at the old server when another one has heard of it. */
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
    /* The first to find out that it is time to look the name up asks the new server. */
    name->addresses[0] = "192.0.2.2";
    assert_int_equal(name->asked, 1);
    meanwhile = move_on;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_int_equal(name->asked, 2);
    assert_int_equal(old->kept, 0);
    assert_int_equal(new->kept, 1);
}

/* Nobody waits for the minute to be over if the old server is away. */
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

/* The name server is not asked with each try. */
static void lost_server_is_looked_up_now_and_then(void **state)
{
    struct name *name = add_name("db", "192.0.2.1", NULL);

    (void)state;
    add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND);
    start("db");
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_in_range(name->asked, 5, 1 + TIMEOUT / 1000);
}

/* The order of a name server's answer means nothing. */
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

/* Then the addresses are those of before; and not every login waits. */
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
    assert_in_range(place->opened, 2, 40);
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
    /* That others have tried in vain meanwhile makes it no longer. */
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

/* The last try may have no time to find out anything. */
static void outage_is_told_by_who_had_time(void **state)
{
    (void)state;
    add_place("192.0.2.1", LOOKUP_LOST, LOOKUP_FOUND)->silent_from = clock_now + TIMEOUT - 300;
    start("192.0.2.1");
    assert_lookup(log_in(NULL), LOOKUP_UNAVAILABLE);
    assert_string_equal(reason.text, "192.0.2.1: 192.0.2.1 does not open");
}

/* Those that were refused at once do not come back at once. */
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

/* A full server is waited for by each login. */
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

/* Nor beside a host that may come back. */
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

/* --- shares of the time */

static void silent_hosts_have_equal_shares(void **state)
{
    struct place *first = add_silent("192.0.2.1"), *second = add_silent("192.0.2.2");
    struct place *third = add_well("192.0.2.3");

    (void)state;
    add_name("db", "192.0.2.1", "192.0.2.2");
    start("db 192.0.2.3");
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    /* While the name is only a name, it counts as one. */
    assert_in_range(first->longest, TIMEOUT / 3 - 1, TIMEOUT / 3 + 1);
    assert_in_range(second->longest, TIMEOUT / 3 - 1, TIMEOUT / 3 + 1);
    assert_in_range(third->longest, TIMEOUT / 3 - 1, TIMEOUT / 3 + 1);
}

/* Who refuses at once leaves the time to a slow one. */
static void slow_host_has_what_others_leave(void **state)
{
    struct place *slow = add_well("192.0.2.1");

    (void)state;
    slow->takes = 7000;
    add_place("192.0.2.2", LOOKUP_LOST, LOOKUP_FOUND);
    start("192.0.2.1 192.0.2.2");
    log_in(NULL); /* finds out who is who */
    clock_now += 31000;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_in_range(slow->longest, 7500, 8500);
}

/* Until it is well again. */
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

/* But has a share: it may be the one that is well again. */
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
    /* When it is full the next time, that is new. */
    full->open = LOOKUP_BUSY;
    full->select = LOOKUP_LOST;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.passed_over.text, "192.0.2.1: 192.0.2.1 does not open");
}

static unsigned told; /* how often a full host was named */

static void log_in_at_second(void)
{
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.2");
    told += route.passed_over.text[0] != '\0';
}

/* That it answers who has a session with it says nothing of whether it takes another. */
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
    /* Nor are those closed that stand in for the others. */
    assert_int_equal(second->opened, 2);
}

/* A standby that has put what it replicates first is well a moment later. */
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
    /* If nobody is ready, it is not the first one's fault. */
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
    /* It is the first one that says so. */
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

/* --- storing */

enum end { LASTS, IS_LOST, IS_SILENT };

/* What a task comes to at each try, and where it was. */
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
    /* Who cannot store is good for lookups. */
    places[0].open = LOOKUP_DONE;
    assert_lookup(log_in(NULL), LOOKUP_FOUND);
    assert_string_equal(route.host.text, "192.0.2.1");
}

/* With what `stored` says. */
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
    enum lookup results[2]; /* of the tries */
    enum end end;           /* of the first one's session */
    enum lookup want;
    const char *want_where; /* it was stored, if anywhere */
    const char *want_next;  /* who is asked for the next login */
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

/* Though lookups are answered meanwhile: a login may store something, too. */
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

/* --- all places of the process are taken */

static struct {
    pthread_t threads[SQL_POOL_PLACES];
    sem_t inside, way_out;
    int64_t leaves_at; /* when one of them gives its place to who waits; 0 for never */
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

/* `left` of them are still there. */
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

/* The hosts have nothing to do with it. */
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
    int left;         /* of the host's share, in milliseconds, when there is a place */
    enum lookup open; /* from then on */
    int takes;        /* milliseconds */
    const char *want_host, *want_news;
    const char *want_next; /* who is asked then, with all well again */
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

/* --- what a driver has learned */

/* Opens a new session. Returns what the driver has been told. */
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
    assert_lookup(store_somewhere(&taken), LOOKUP_FOUND);
    assert_int_equal(place->told, 5);
    place->teaches = 7;
    assert_int_equal(told_at(place), 5);
    assert_int_equal(told_at(place), 7);
    /* It is of one address alone. */
    place->open = LOOKUP_BUSY;
    assert_int_equal(told_at(other), 0);
    place->open = LOOKUP_DONE;
    clock_now += 3000;
    assert_int_equal(told_at(place), 7);
}

/* The server may be another one by then. */
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
    /* That time has passed again is known from the first session on. */
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

/* A walk is long, but not without an end. */
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
    bool ends_read, ends_write; /* that nobody waits */
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

/* Also where names have as many addresses as there are names. */
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

/* Wherever that is, each is asked once. */
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

/* Each process has an order of its own, and keeps to it. */
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
    TEST_ADD_CASES(&list, single_host_comes_back, absences);
    TEST_ADD(&list, lasting_outage_is_waited_for_once);
    TEST_ADD(&list, outage_is_told_by_who_had_time);
    TEST_ADD(&list, processes_come_back_one_by_one);
    TEST_ADD(&list, full_host_is_waited_for);
    TEST_ADD(&list, what_is_certain_is_not_asked_again);
    TEST_ADD(&list, only_what_may_pass_is_asked_again);
    TEST_ADD(&list, silent_hosts_have_equal_shares);
    TEST_ADD(&list, slow_host_has_what_others_leave);
    TEST_ADD(&list, refusing_host_gets_its_share_again);
    TEST_ADD(&list, refusing_host_is_not_forgotten);
    TEST_ADD(&list, full_host_comes_last_and_is_named_once);
    TEST_ADD(&list, full_host_is_full_beside_a_kept_session);
    TEST_ADD(&list, conflict_does_not_last);
    TEST_ADD_CASES(&list, all_are_asked_before_a_statement_is_wrong, opinions);
    TEST_ADD(&list, optional_property_is_not_waited_for);
    TEST_ADD(&list, optional_property_may_be_at_a_full_host);
    TEST_ADD(&list, single_host_says_what_is_wrong);
    TEST_ADD_CASES(&list, store_goes_through_the_hosts, storings);
    TEST_ADD_CASES(&list, session_ends_while_it_stores, endings);
    TEST_ADD(&list, driver_is_told_what_it_has_learned);
    TEST_ADD(&list, what_was_learned_is_forgotten);
    TEST_ADD(&list, what_was_learned_of_an_address_stays_with_it);
    TEST_ADD(&list, no_place_is_no_fault_of_a_host);
    TEST_ADD_CASES(&list, waiting_for_a_place_is_no_fault_of_a_host, late_places);
    TEST_ADD(&list, lasting_outage_of_the_primary_is_waited_for_once);
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
