/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_connections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/sql_question.h"

/* Milliseconds until hosts that may answer in a moment are asked again, doubled each time. */
enum { FIRST_PAUSE = 25, LONGEST_PAUSE = 400 };

struct sql_connections {
    const struct sql_engine *engine;
    const struct sql_settings *settings;
    struct sql_endpoints *endpoints;
    struct sql_pool *pool;
};

struct sql_connections *sql_connections_new(const struct sql_engine *engine,
                                            const struct sql_settings *settings)
{
    struct sql_connections *connections = calloc(1, sizeof(*connections));

    if (connections == NULL)
        return NULL;
    connections->engine = engine;
    connections->settings = settings;
    connections->endpoints = sql_endpoints_new(engine, settings);
    connections->pool = sql_pool_new(engine, settings->persistent);
    if (connections->endpoints != NULL && connections->pool != NULL)
        return connections;
    sql_connections_free(connections);
    return NULL;
}

void sql_connections_free(struct sql_connections *connections)
{
    if (connections == NULL)
        return;
    sql_pool_free(connections->pool);
    sql_endpoints_free(connections->endpoints);
    free(connections);
}

/* One call, on its way from endpoint to endpoint. */
struct request {
    struct sql_question question;
    const struct deadline *deadline;
    bool is_optional; /* not worth waiting for a host that may have what another lacks */
    struct sql_route *route;

    struct sql_walk walk;
    size_t settled_count; /* at the beginning of the walk: those whose answer is final */
    bool is_unready;      /* one of those */
    bool is_down_for_now, is_busy_for_now; /* one that may answer in a moment */
    struct reason certain;                 /* what the settled ones said */
    struct reason complaints;              /* and those that were asked in this walk */
    struct reason news;                    /* likewise, without what need not be said */
};

/* --- addresses */

/* Makes the addresses of a host next in the walk. LOOKUP_DONE; else with a reason. */
static enum lookup look_up(struct request *request, const struct sql_endpoint *endpoint,
                           const struct deadline *deadline, struct reason *reason)
{
    struct sql_walk dropped;
    const enum host_addresses_result result =
        sql_endpoints_look_up(request->question.endpoints, endpoint, deadline, &dropped, reason);
    size_t i;

    for (i = 0; i < dropped.count; i++)
        sql_pool_close_of(request->question.pool, dropped.asked[i]);
    if (result == HOST_ADDRESSES_FOUND)
        return LOOKUP_DONE;
    return result == HOST_ADDRESSES_NOT_NOW ? LOOKUP_LOST : LOOKUP_UNAVAILABLE;
}

/* --- what an endpoint says */

static enum sql_access access_of(const struct request *request)
{
    return request->question.statement != NULL ? SQL_ACCESS_READ : SQL_ACCESS_WRITE;
}

static const struct sql_host *host_of(const struct request *request,
                                      const struct sql_endpoint *endpoint)
{
    return &request->question.settings->hosts.items[endpoint->host];
}

/* How log lines name an endpoint; "" if the driver says where it has looked. Every login runs
 * this: formatting the name takes as long as everything else about hosts. */
static void name_endpoint(const struct request *request, const struct sql_endpoint *endpoint,
                          struct reason *name)
{
    const struct sql_host *host = host_of(request, endpoint);
    const char *label = host->name[0] != '\0' ? host->label : "";

    if (endpoint->has_siblings || strlen(label) >= sizeof(name->text))
        reason_set(name, "%s at %s", label, endpoint->address);
    else
        strcpy(name->text, label);
}

static void add(struct reason *complaints, const struct reason *name, const struct reason *why)
{
    reason_append(complaints, "%s%s%s%s", complaints->text[0] != '\0' ? "; " : "", name->text,
                  name->text[0] != '\0' ? ": " : "", why->text);
}

/* Leaves the last endpoint of this walk out of later walks. */
static void settle_last(struct request *request)
{
    struct sql_walk *walk = &request->walk;
    const unsigned last = walk->asked[walk->count - 1];

    walk->asked[walk->count - 1] = walk->asked[request->settled_count];
    walk->asked[request->settled_count++] = last;
}

/* Notes an endpoint that has settled the matter. */
static void note_answer(const struct request *request, unsigned id)
{
    struct sql_endpoints *endpoints = request->question.endpoints;

    if (request->question.statement != NULL)
        sql_endpoints_note(endpoints, id,
                           request->question.connected ? ENDPOINT_ANSWERED : ENDPOINT_WENT_ON);
    else if (request->question.fate == LOOKUP_DONE)
        sql_endpoints_note(endpoints, id, ENDPOINT_STORED);
    else if (request->question.fate == LOOKUP_LOST)
        sql_endpoints_note(endpoints, id, ENDPOINT_REFUSED);
}

static void accept_answer(struct request *request, const struct sql_endpoint *endpoint)
{
    struct sql_endpoints *endpoints = request->question.endpoints;
    size_t i;

    note_answer(request, endpoint->id);
    name_endpoint(request, endpoint, &request->route->host);
    request->route->passed_over = request->news;
    /* Others were not ready for what this one can do. */
    for (i = 0;
         request->question.statement != NULL && request->is_unready && i < request->settled_count;
         i++)
        sql_endpoints_note(endpoints, request->walk.asked[i], ENDPOINT_REFUSED);
}

/* An endpoint that cannot store, such as a replica, is good for lookups, unless it loses its
 * sessions. If none is ready, the statement is wrong. */
static bool is_to_note(const struct request *request, enum lookup answer)
{
    if (answer == LOOKUP_BUSY)
        return true;
    return request->question.statement != NULL ? answer != LOOKUP_UNREADY
                                               : request->question.fate == LOOKUP_LOST;
}

/* Notes that an endpoint has not answered. */
static void go_past(struct request *request, const struct sql_endpoint *endpoint,
                    enum lookup answer, const struct deadline *share, const struct reason *why)
{
    const bool in_time = deadline_remaining(share) > 0;
    enum sql_endpoint_event event = in_time ? ENDPOINT_REFUSED : ENDPOINT_FAILED;
    struct reason name;
    /* Many servers can be reached over only one family of addresses. */
    bool is_news = !request->question.is_crowded &&
                   !(answer == LOOKUP_LOST && in_time && endpoint->has_other_family);
    bool is_certain = false;

    if (answer == LOOKUP_BUSY) {
        event = ENDPOINT_WAS_BUSY;
        request->is_busy_for_now = true;
    } else if (answer == LOOKUP_LOST || !in_time) {
        request->is_down_for_now = true;
    } else {
        request->is_unready = request->is_unready || answer == LOOKUP_UNREADY;
        is_certain = true;
    }
    if (!request->question.is_crowded && is_to_note(request, answer))
        is_news = sql_endpoints_note(request->question.endpoints, endpoint->id, event) && is_news;
    name_endpoint(request, endpoint, &name);
    request->route->host = name;
    add(&request->complaints, &name, why);
    if (is_news)
        add(&request->news, &name, why);
    if (is_certain) {
        add(&request->certain, &name, why);
        settle_last(request);
    }
}

/* Asks one endpoint. Returns whether it has answered. */
static bool settle_by_endpoint(struct request *request, const struct sql_endpoint *endpoint,
                               const struct deadline *share, enum lookup *result,
                               struct reason *reason)
{
    reason_clear(reason);
    *result = sql_question_ask(&request->question, endpoint, share, reason);
    request->route->connected = request->question.connected;
    switch (*result) {
    case LOOKUP_CONFLICT:
        if (request->question.statement != NULL) {
            /* That soon passes. */
            go_past(request, endpoint, LOOKUP_BUSY, share, reason);
            break;
        }
        /* fallthrough */
    case LOOKUP_REJECTED:
    case LOOKUP_SEVERAL:
    case LOOKUP_DONE:
    case LOOKUP_NONE:
    case LOOKUP_FOUND:
        accept_answer(request, endpoint);
        return true;
    case LOOKUP_BUSY:
    case LOOKUP_LOST:
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_UNREADY:
        go_past(request, endpoint, *result, share, reason);
        break;
    }
    return false;
}

/* --- all endpoints */

/* Asks each endpoint that has not settled, once. Returns whether one has answered. */
static bool walk(struct request *request, enum lookup *result, struct reason *reason)
{
    struct sql_endpoint endpoint;
    struct deadline share;

    request->complaints = request->news = request->certain;
    request->is_busy_for_now = request->is_down_for_now = false;
    request->walk.count = request->settled_count;
    while (sql_endpoints_next(request->question.endpoints, &request->walk, request->deadline,
                              &endpoint, &share)) {
        request->question.is_crowded = false;
        if (request->is_optional && request->is_unready && endpoint.is_down)
            continue;
        if (!endpoint.is_looked_up) {
            const enum lookup found = look_up(request, &endpoint, &share, reason);

            if (found != LOOKUP_DONE)
                go_past(request, &endpoint, found, &share, reason);
        } else if (endpoint.is_due && look_up(request, &endpoint, &share, reason) == LOOKUP_DONE) {
            request->walk.count--; /* if it still exists, it is to be asked */
        } else if (settle_by_endpoint(request, &endpoint, &share, result, reason)) {
            return true;
        }
    }
    if (request->complaints.text[0] == '\0')
        reason_no_memory(&request->complaints);
    return false;
}

/* Waits before the next try. False if there is no time for one. */
static bool pause_before_retry(const struct deadline *deadline, int *pause)
{
    const struct deadline until = {deadline->at - FIRST_PAUSE};
    /* Processes that were refused at the same time should not come back at the same time. */
    int uneven = *pause / 2 + (int)((deadline_after(0).at + getpid()) % (*pause / 2 + 1));

    if (!deadline_sleep(&until, uneven))
        return false;
    *pause = *pause * 2 < LONGEST_PAUSE ? *pause * 2 : LONGEST_PAUSE;
    return true;
}

/* Whether to go round once more. Only one login in a while waits for hosts that are down: the
 * others would only keep the host's processes from other work. */
static bool is_worth_waiting(struct request *request)
{
    return request->is_busy_for_now ||
           (request->is_down_for_now &&
            !sql_endpoints_given_up(request->question.endpoints, access_of(request)));
}

/* All endpoints that were asked lack something, so the statement is wrong; `why` is from the
 * last one. */
static enum lookup refuse(struct request *request, const struct reason *why, struct reason *reason)
{
    if (request->settled_count == 1 && !request->is_down_for_now && !request->is_busy_for_now) {
        *reason = *why; /* the route names the host */
        return LOOKUP_REJECTED;
    }
    reason_clear(&request->route->host);
    *reason = request->complaints;
    return LOOKUP_REJECTED;
}

static enum lookup ask_until_answered(struct request *request, struct reason *reason)
{
    int pause = FIRST_PAUSE;
    enum lookup result;
    struct reason why;

    reason_clear(reason);
    while (!walk(request, &result, &why)) {
        if (request->is_unready &&
            (request->is_optional || (!request->is_down_for_now && !request->is_busy_for_now)))
            return refuse(request, &why, reason);
        /* An endpoint that is asked at the deadline says nothing useful. */
        if (reason->text[0] == '\0' || deadline_remaining(request->deadline) > 0)
            *reason = request->complaints;
        if (is_worth_waiting(request) && pause_before_retry(request->deadline, &pause))
            continue;
        if (request->is_down_for_now && deadline_remaining(request->deadline) <= FIRST_PAUSE)
            sql_endpoints_give_up(request->question.endpoints, access_of(request));
        reason_clear(&request->route->host);
        return LOOKUP_UNAVAILABLE;
    }
    *reason = why;
    return result;
}

enum lookup sql_connections_select(struct sql_connections *connections,
                                   const struct sql_statement *statement, bool required,
                                   const struct deadline *deadline, struct sql_rows *rows,
                                   struct sql_route *route, struct reason *reason)
{
    struct request request = {.question = {.engine = connections->engine,
                                           .settings = connections->settings,
                                           .endpoints = connections->endpoints,
                                           .pool = connections->pool,
                                           .statement = statement,
                                           .rows = rows},
                              .deadline = deadline,
                              .is_optional = !required,
                              .route = route};

    reason_clear(&route->host);
    return ask_until_answered(&request, reason);
}

enum lookup sql_connections_store(struct sql_connections *connections, sql_task *task,
                                  void *context, const struct deadline *deadline,
                                  struct sql_route *route, struct reason *reason)
{
    struct request request = {.question = {.engine = connections->engine,
                                           .settings = connections->settings,
                                           .endpoints = connections->endpoints,
                                           .pool = connections->pool,
                                           .task = task,
                                           .context = context},
                              .deadline = deadline,
                              .route = route};

    reason_clear(&route->host);
    return ask_until_answered(&request, reason);
}
