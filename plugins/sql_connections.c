/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_connections.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql_pool.h"

enum {
    DOWN_FOR = 30000,   /* milliseconds for which a host that failed comes last */
    FIRST_PAUSE = 25,   /* milliseconds before hosts without a free session are */
    LONGEST_PAUSE = 400 /* asked again: each time twice as long */
};

struct sql_connections {
    const struct sql_engine *engine;
    const struct sql_hosts *hosts;
    const struct sql_target *target;
    struct sql_pool *pool;
    _Atomic int64_t *down_until; /* of each host, as in struct deadline */
};

struct sql_connections *sql_connections_new(const struct sql_engine *engine,
                                            const struct sql_settings *settings)
{
    struct sql_connections *connections = calloc(1, sizeof(*connections));

    if (connections == NULL)
        return NULL;
    connections->engine = engine;
    connections->hosts = &settings->hosts;
    connections->target = &settings->target;
    connections->pool = sql_pool_new(engine, settings->persistent);
    connections->down_until = calloc(settings->hosts.count, sizeof(*connections->down_until));
    if (connections->pool != NULL && connections->down_until != NULL)
        return connections;
    sql_connections_free(connections);
    return NULL;
}

void sql_connections_free(struct sql_connections *connections)
{
    if (connections == NULL)
        return;
    sql_pool_free(connections->pool);
    free(connections->down_until);
    free(connections);
}

/* --- one host */

/* What is asked of one host after the other. */
struct request {
    const struct sql_statement *statement; /* NULL: only to open a session that stores */
    struct secret *value;
    struct sql_session *opened; /* for the caller */
    struct sql_route *route;
};

static enum lookup open_session(const struct sql_connections *connections, size_t host,
                                enum sql_access access, const struct deadline *deadline,
                                struct sql_session **session, struct reason *reason)
{
    return connections->engine->open(connections->target, &connections->hosts->items[host], access,
                                     deadline, session, reason);
}

/* Asks over the kept session, or a new one, which also replaces a kept one that
 * turns out to be lost. */
static enum lookup ask(struct sql_connections *connections, size_t host, struct request *request,
                       const struct deadline *deadline, struct sql_session **session,
                       struct reason *reason)
{
    const struct sql_engine *engine = connections->engine;
    bool kept = *session != NULL;
    enum lookup result;

    for (;;) {
        if (*session == NULL) {
            request->route->connected = true;
            result = open_session(connections, host, SQL_ACCESS_READ, deadline, session, reason);
            if (result != LOOKUP_FOUND)
                return result;
        }
        result = engine->select(*session, request->statement, deadline, request->value, reason);
        if (result != LOOKUP_LOST && result != LOOKUP_UNAVAILABLE)
            return result;
        engine->close(*session);
        *session = NULL;
        if (result == LOOKUP_UNAVAILABLE || !kept)
            return LOOKUP_UNAVAILABLE;
        kept = false;
    }
}

static enum lookup ask_host(struct sql_connections *connections, size_t host,
                            struct request *request, const struct deadline *deadline,
                            struct reason *reason)
{
    struct sql_session *session;
    enum lookup result;
    bool replaced;

    if (request->statement == NULL)
        return open_session(connections, host, SQL_ACCESS_WRITE, deadline, &request->opened,
                            reason);
    request->route->connected = false;
    switch (sql_pool_enter(connections->pool, host, deadline, &session)) {
    case SQL_POOL_NO_MEMORY:
        reason_set(reason, "out of memory");
        return LOOKUP_UNAVAILABLE;
    case SQL_POOL_FULL:
        reason_set(reason, "all %d sessions of this process were in use", SQL_POOL_PLACES);
        return LOOKUP_BUSY;
    case SQL_POOL_ENTERED:
        break;
    }
    result = ask(connections, host, request, deadline, &session, reason);
    replaced = request->route->connected && session != NULL;
    sql_pool_leave(connections->pool, host, session);
    if (replaced)
        sql_pool_close_behind(connections->pool, host);
    return result;
}

/* --- all hosts */

static bool is_down(const struct sql_connections *connections, size_t host)
{
    const struct deadline until = {atomic_load(&connections->down_until[host])};

    return deadline_remaining(&until) > 0;
}

static void mark_down(struct sql_connections *connections, size_t host)
{
    atomic_store(&connections->down_until[host], deadline_after(DOWN_FOR).at);
}

static void mark_up(struct sql_connections *connections, size_t host)
{
    atomic_store(&connections->down_until[host], 0);
}

/* Adds what is wrong with one host. */
static void complain(struct reason *reason, const struct sql_host *host, const struct reason *why)
{
    const struct reason before = *reason;

    /* Without hosts, the driver says where it has looked. */
    reason_set(reason, "%s%s%s%s%s", before.text, before.text[0] != '\0' ? "; " : "",
               host->name[0] != '\0' ? host->label : "", host->name[0] != '\0' ? ": " : "",
               why->text);
}

/* Asks one host; false if the next one is to be asked. `left` is how many hosts
 * are left, this one included. */
static bool settle_by_host(struct sql_connections *connections, size_t host,
                           struct request *request, const struct deadline *deadline, size_t left,
                           enum lookup *result, struct reason *complaints)
{
    /* The last host has all the time that is left. */
    const struct deadline share = left > 1 ? deadline_share(deadline, (unsigned)left) : *deadline;
    struct reason why;
    enum lookup answer;

    reason_clear(&why);
    answer = ask_host(connections, host, request, &share, &why);
    switch (answer) {
    case LOOKUP_BUSY:
        *result = LOOKUP_BUSY;
        break;
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_LOST:
        /* A host that cannot store, a replica perhaps, is good for lookups. */
        if (request->statement != NULL)
            mark_down(connections, host);
        break;
    case LOOKUP_REJECTED:
    case LOOKUP_SEVERAL:
    case LOOKUP_NONE:
    case LOOKUP_FOUND:
        mark_up(connections, host);
        *result = answer;
        request->route->host = connections->hosts->items[host].name[0] != '\0'
                                   ? connections->hosts->items[host].label
                                   : "";
        strcpy(request->route->passed_over.text, complaints->text);
        strcpy(complaints->text, why.text);
        return true;
    }
    complain(complaints, &connections->hosts->items[host], &why);
    return false;
}

/* Asks each host once: those that are thought to be up, then the others.
 * LOOKUP_BUSY if one of them may answer in a moment. */
static enum lookup ask_hosts(struct sql_connections *connections, struct request *request,
                             const struct deadline *deadline, struct reason *reason)
{
    size_t count = connections->hosts->count, left = count, host;
    enum lookup result = LOOKUP_UNAVAILABLE;
    bool down[count];
    unsigned round;

    for (host = 0; host < count; host++)
        down[host] = is_down(connections, host);
    reason_clear(reason);
    for (round = 0; round < 2; round++)
        for (host = 0; host < count; host++)
            if (down[host] == (round == 1) &&
                settle_by_host(connections, host, request, deadline, left--, &result, reason))
                return result;
    return result;
}

/* Waits before the next try. False if there is no time for one. */
static bool pause_before_retry(const struct deadline *deadline, int *pause)
{
    int left = deadline_remaining(deadline) - FIRST_PAUSE;
    /* Many processes that were refused at once should not come back at once. */
    int uneven = *pause / 2 + (int)((deadline_after(0).at + getpid()) % (*pause / 2 + 1));

    if (left <= 0)
        return false;
    poll(NULL, 0, uneven < left ? uneven : left);
    *pause = *pause * 2 < LONGEST_PAUSE ? *pause * 2 : LONGEST_PAUSE;
    return true;
}

static enum lookup ask_until_answered(struct sql_connections *connections, struct request *request,
                                      const struct deadline *deadline, struct reason *reason)
{
    int pause = FIRST_PAUSE;
    enum lookup result;

    do
        result = ask_hosts(connections, request, deadline, reason);
    while (result == LOOKUP_BUSY && pause_before_retry(deadline, &pause));
    return result == LOOKUP_BUSY ? LOOKUP_UNAVAILABLE : result;
}

enum lookup sql_connections_select(struct sql_connections *connections,
                                   const struct sql_statement *statement,
                                   const struct deadline *deadline, struct secret *value,
                                   struct sql_route *route, struct reason *reason)
{
    struct request request = {.statement = statement, .value = value, .route = route};

    return ask_until_answered(connections, &request, deadline, reason);
}

struct sql_session *sql_connections_open(struct sql_connections *connections,
                                         const struct deadline *deadline, struct reason *reason)
{
    struct sql_route route;
    struct request request = {.route = &route};

    ask_until_answered(connections, &request, deadline, reason);
    return request.opened;
}
