/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPTED_HOSTS_H
#define SCRIPTED_HOSTS_H

/*
 * Scripted hosts, and a clock that runs only while code waits. The program is linked with
 * --wrap=clock_gettime, poll, getrandom and getpid.
 */

#include <poll.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

#include "sql/sql_connections.h"
#include "sql/sql_endpoints.h"
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

static unsigned drawn; /* what is drawn next; 0 for any number */

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

enum { SILENT = -1 }; /* takes longer than there is time */

/* What happens at an address, or at a host that has none. */
static struct place {
    const char *address;
    enum lookup open, select;
    int takes;           /* milliseconds */
    int64_t well_from;   /* from then on it answers LOOKUP_FOUND */
    int64_t silent_from; /* from then on it does not answer */
    unsigned opened;     /* how often */
    unsigned teaches;    /* what the driver learns from each session; 0 for nothing */
    unsigned told;       /* what the driver passed when it was last opened */
    unsigned asked;
    atomic_uint kept; /* sessions; several threads may close theirs at once */
    int64_t longest;  /* milliseconds that the longest wait would have taken */
} places[8];

/* What a name stands for. */
static struct name {
    const char *name;
    const char *addresses[HOST_ADDRESSES_MAX];
    enum host_addresses_result result;
    int takes;
    unsigned asked;
    int64_t well_from; /* from then on it answers HOST_ADDRESSES_FOUND */
} names[4];

struct sql_session {
    struct place *place;
};

static char trail[4096]; /* the addresses in the order in which they were opened or asked */

static inline struct place *place_of(const char *address)
{
    size_t i;

    for (i = 0; i < COUNT(places); i++)
        if (places[i].address != NULL && strcmp(places[i].address, address) == 0)
            return &places[i];
    fail_msg("no place is at \"%s\"", address);
    return NULL;
}

static inline void note_trail(const char *what)
{
    const size_t length = strlen(trail);

    snprintf(trail + length, sizeof(trail) - length, "%s%s", length > 0 ? " " : "", what);
}

/* Returns whether it was finished in time. */
static inline bool take(int milliseconds, const struct deadline *deadline)
{
    if (milliseconds != SILENT && clock_now + milliseconds < deadline->at) {
        clock_now += milliseconds;
        return true;
    }
    clock_now = deadline->at > clock_now ? deadline->at : clock_now;
    return false;
}

static inline enum lookup happens(const struct place *place, enum lookup well,
                                  enum lookup otherwise)
{
    return place->well_from != 0 && clock_now >= place->well_from ? well : otherwise;
}

static inline enum host_addresses_result
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

static inline enum lookup open_place(const struct sql_target *target, const struct sql_host *host,
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

static inline void close_session(struct sql_session *session)
{
    session->place->kept--;
    free(session);
}

static void (*meanwhile)(void); /* what happens during the next lookup; NULL for nothing */

static inline enum lookup select_value(struct sql_session *session,
                                       const struct sql_statement *statement,
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

static inline void start(const char *hosts)
{
    settings = (struct sql_settings){.persistent = true};
    settings.target.timeout = TIMEOUT;
    assert_true(sql_hosts_read(&settings.hosts, hosts, &reason));
    connections = sql_connections_new(&engine, &settings);
    assert_non_null(connections);
}

static inline int set_up(void **state)
{
    (void)state;
    clock_now = 1000000;
    memset(places, 0, sizeof(places));
    memset(names, 0, sizeof(names));
    meanwhile = NULL;
    trail[0] = '\0';
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    sql_connections_free(connections);
    connections = NULL;
    sql_hosts_free(&settings.hosts);
    return 0;
}

static inline struct place *add_place(const char *address, enum lookup open, enum lookup select)
{
    size_t i = 0;

    while (places[i].address != NULL)
        i++;
    assert_true(i < COUNT(places));
    places[i] = (struct place){.address = address, .open = open, .select = select};
    return &places[i];
}

static inline struct place *add_well(const char *address)
{
    return add_place(address, LOOKUP_DONE, LOOKUP_FOUND);
}

static inline struct place *add_silent(const char *address)
{
    struct place *place = add_well(address);

    place->takes = SILENT;
    return place;
}

static inline struct name *add_name(const char *name, const char *first, const char *second)
{
    size_t i = 0;

    while (names[i].name != NULL)
        i++;
    assert_true(i < COUNT(names));
    names[i] = (struct name){name, {first, second}, HOST_ADDRESSES_FOUND, 0, 0, 0};
    return &names[i];
}

static bool required = true;

/* Looks a user up. `taken` gets milliseconds. */
static inline enum lookup log_in(int64_t *taken)
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

#endif
