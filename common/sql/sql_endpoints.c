/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/per_process.h"
#include "sql/sql_endpoint_table.h"

/* Milliseconds */
enum {
    DOWN_FOR = 30000,       /* how long an endpoint that failed comes last */
    BUSY_FOR = 2000,        /* how long one that was busy comes after the others */
    GIVEN_UP_FOR = 30000,   /* how long no login waits for hosts that did not come back */
    LOOK_UP_AFTER = 60000,  /* how old an address gets */
    LOOK_UP_SOONER = 1000,  /* or if it does not answer: its host may have moved */
    LOOK_UP_PATIENCE = 250, /* how long a login waits for that, if it has an address */
    LEARNED_FOR = 600000,   /* how long drivers get back what they learned */
};

/* An endpoint that was quick to refuse needs less of the time left. */
enum { USUAL_WEIGHT = 4, WEIGHT_OF_REFUSING = 1 };

struct sql_endpoints {
    const struct sql_engine *engine;
    const struct sql_settings *settings;
    struct per_process table;
};

static int64_t now(void)
{
    return deadline_after(0).at;
}

/* --- the table of a process */

/* Returns it locked; NULL when out of memory. */
static struct sql_endpoint_table *open_table(struct sql_endpoints *endpoints)
{
    struct sql_endpoint_table *table = per_process_get(&endpoints->table);

    if (table != NULL)
        pthread_mutex_lock(&table->lock);
    return table;
}

static void close_table(struct sql_endpoint_table *table)
{
    pthread_mutex_unlock(&table->lock);
}

struct sql_endpoints *sql_endpoints_new(const struct sql_engine *engine,
                                        const struct sql_settings *settings)
{
    struct sql_endpoints *endpoints = calloc(1, sizeof(*endpoints));

    if (endpoints == NULL)
        return NULL;
    endpoints->engine = engine;
    endpoints->settings = settings;
    endpoints->table.make = sql_endpoint_table_new;
    endpoints->table.discard = sql_endpoint_table_free;
    endpoints->table.context = (void *)(uintptr_t)settings;
    return endpoints;
}

void sql_endpoints_free(struct sql_endpoints *endpoints)
{
    struct sql_endpoint_table *table;

    if (endpoints == NULL)
        return;
    table = per_process_release(&endpoints->table);
    if (table != NULL)
        sql_endpoint_table_free(table);
    free(endpoints);
}

/* --- the next endpoint */

static bool is_in(const struct sql_walk *walk, unsigned id)
{
    size_t i;

    for (i = 0; i < walk->count; i++)
        if (walk->asked[i] == id)
            return true;
    return false;
}

static enum sql_endpoint_state state_of(const struct sql_endpoint_known *known, int64_t when)
{
    return known->until > when ? known->state : ENDPOINT_IS_UP;
}

/* The endpoints of a table that a walk has not reached, and the first of them. */
struct choice {
    struct sql_endpoint_host *host;
    struct sql_endpoint_known *known; /* NULL if there is none */
    enum sql_endpoint_state state;
    size_t host_number;
    unsigned rank;
    unsigned weights; /* of all of them */
};

static unsigned weight_of(const struct sql_endpoint_known *known)
{
    return known->refuses ? WEIGHT_OF_REFUSING : USUAL_WEIGHT;
}

/* Compares those of one host with the best one so far. */
static void choose_of_host(struct sql_endpoint_table *table, size_t number, unsigned rank,
                           const struct sql_walk *walk, int64_t when, struct choice *choice)
{
    struct sql_endpoint_host *host = &table->hosts[number];
    /* Which address comes first is independent of which host does. */
    const unsigned turn = table->start / (unsigned)table->count % host->count;
    unsigned i;

    for (i = 0; i < host->count; i++) {
        struct sql_endpoint_known *known = &host->known[(turn + i) % host->count];
        const enum sql_endpoint_state state = state_of(known, when);

        if (is_in(walk, known->id))
            continue;
        choice->weights += weight_of(known);
        if (choice->known == NULL || state < choice->state)
            *choice = (struct choice){host, known, state, number, rank + i, choice->weights};
    }
}

static struct choice choose(struct sql_endpoint_table *table, const struct sql_walk *walk,
                            int64_t when)
{
    struct choice choice = {.known = NULL};
    const size_t turn = table->start % table->count;
    size_t i;

    for (i = 0; i < table->count; i++)
        choose_of_host(table, (turn + i) % table->count, (unsigned)i * HOST_ADDRESSES_MAX, walk,
                       when, &choice);
    return choice;
}

static bool has_other_family(const struct sql_endpoint_host *host, const char *address)
{
    const bool is_ipv6 = strchr(address, ':') != NULL;
    unsigned i;

    for (i = 0; i < host->count; i++)
        if ((strchr(host->known[i].address, ':') != NULL) != is_ipv6)
            return true;
    return false;
}

bool sql_endpoints_next(struct sql_endpoints *endpoints, struct sql_walk *walk,
                        const struct deadline *deadline, struct sql_endpoint *endpoint,
                        struct deadline *share)
{
    const int64_t when = now();
    struct sql_endpoint_table *table;
    struct choice choice;

    if (walk->count == SQL_WALK_MOST)
        return false;
    table = open_table(endpoints);
    if (table == NULL)
        return false;
    choice = choose(table, walk, when);
    if (choice.known != NULL) {
        *endpoint = (struct sql_endpoint){
            .host = choice.host_number,
            .id = choice.known->id,
            .rank = choice.rank,
            .learned = choice.known->learned_until > when ? choice.known->learned : 0,
            .is_looked_up = choice.host->is_looked_up,
            .is_due = choice.host->is_looked_up && choice.host->look_up_at <= when,
            .is_down = choice.state == ENDPOINT_IS_DOWN,
            .has_siblings = choice.host->count > 1,
            .has_other_family = has_other_family(choice.host, choice.known->address),
        };
        strcpy(endpoint->address, choice.known->address);
        *share = deadline_share(deadline, weight_of(choice.known), choice.weights);
        walk->asked[walk->count++] = choice.known->id;
        if (endpoint->is_due)
            choice.host->look_up_at = when + LOOK_UP_AFTER; /* so that others do not do it, too */
    }
    close_table(table);
    return choice.known != NULL;
}

/* --- addresses */

/* How long a login waits for something optional: most of its time is for the host. */
static struct deadline patience_of(const struct deadline *deadline)
{
    const struct deadline patience = deadline_after(LOOK_UP_PATIENCE);
    const struct deadline half = deadline_share(deadline, 1, 2);

    return patience.at < half.at ? patience : half;
}

enum host_addresses_result sql_endpoints_look_up(struct sql_endpoints *endpoints,
                                                 const struct sql_endpoint *endpoint,
                                                 const struct deadline *deadline,
                                                 struct sql_walk *dropped, struct reason *reason)
{
    const struct deadline until = endpoint->is_due ? patience_of(deadline) : *deadline;
    const struct sql_engine *engine = endpoints->engine;
    struct host_addresses found = {.count = 1, .text = {""}};
    enum host_addresses_result result = HOST_ADDRESSES_NEEDLESS;
    struct sql_endpoint_table *table;

    dropped->count = 0;
    if (engine->find_addresses != NULL)
        result = engine->find_addresses(&endpoints->settings->target,
                                        &endpoints->settings->hosts.items[endpoint->host], &until,
                                        &found, reason);
    if (result != HOST_ADDRESSES_FOUND && result != HOST_ADDRESSES_NEEDLESS)
        return result;
    table = open_table(endpoints);
    if (table == NULL) {
        reason_no_memory(reason);
        return HOST_ADDRESSES_NOT_NOW;
    }
    sql_endpoint_table_replace(table, &table->hosts[endpoint->host], &found, dropped);
    table->hosts[endpoint->host].look_up_at =
        result == HOST_ADDRESSES_FOUND ? now() + LOOK_UP_AFTER : INT64_MAX;
    close_table(table);
    return HOST_ADDRESSES_FOUND;
}

/* --- what happens to them */

/* At most once in that time, however often an address does not answer. */
static void look_up_sooner(struct sql_endpoint_host *host)
{
    const int64_t at = now() + LOOK_UP_SOONER;

    if (host->is_looked_up && host->look_up_at != INT64_MAX && host->look_up_at > at)
        host->look_up_at = at;
}

/* Returns whether it is worth logging. */
static bool note(struct sql_endpoint_host *host, struct sql_endpoint_known *known,
                 enum sql_endpoint_event event)
{
    bool is_news = true;

    switch (event) {
    case ENDPOINT_WENT_ON: /* whether it accepts another session is still unknown */
        break;
    case ENDPOINT_ANSWERED:
    case ENDPOINT_STORED:
        known->state = ENDPOINT_IS_UP;
        known->refuses = known->said_busy = false;
        break;
    case ENDPOINT_WAS_BUSY:
        known->state = ENDPOINT_IS_BUSY;
        known->until = now() + BUSY_FOR;
        is_news = !known->said_busy;
        known->said_busy = true;
        break;
    case ENDPOINT_REFUSED:
    case ENDPOINT_FAILED:
        known->state = ENDPOINT_IS_DOWN;
        known->until = now() + DOWN_FOR;
        known->refuses = event == ENDPOINT_REFUSED;
        known->learned = 0;
        look_up_sooner(host);
        break;
    }
    return is_news;
}

bool sql_endpoints_note(struct sql_endpoints *endpoints, unsigned id, enum sql_endpoint_event event)
{
    struct sql_endpoint_table *table = open_table(endpoints);
    struct sql_endpoint_host *host;
    struct sql_endpoint_known *known;
    bool is_news = true;

    if (table == NULL)
        return is_news;
    known = sql_endpoint_table_find(table, id, &host);
    if (known != NULL)
        is_news = note(host, known, event);
    if (event == ENDPOINT_WENT_ON || event == ENDPOINT_ANSWERED || event == ENDPOINT_STORED)
        table->given_up_until[SQL_ACCESS_READ] = 0;
    if (event == ENDPOINT_STORED)
        table->given_up_until[SQL_ACCESS_WRITE] = 0;
    close_table(table);
    return is_news;
}

void sql_endpoints_learn(struct sql_endpoints *endpoints, unsigned id, unsigned learned)
{
    struct sql_endpoint_table *table = open_table(endpoints);
    struct sql_endpoint_host *host;
    struct sql_endpoint_known *known;

    if (table == NULL)
        return;
    known = sql_endpoint_table_find(table, id, &host);
    if (known != NULL) {
        known->learned = learned;
        known->learned_until = now() + LEARNED_FOR;
    }
    close_table(table);
}

bool sql_endpoints_is_gone(struct sql_endpoints *endpoints, const struct sql_endpoint *endpoint)
{
    struct sql_endpoint_table *table;
    struct sql_endpoint_host *host;
    bool is_gone;

    if (endpoint->address[0] == '\0')
        return false;
    table = open_table(endpoints);
    if (table == NULL)
        return false;
    is_gone = sql_endpoint_table_find(table, endpoint->id, &host) == NULL;
    close_table(table);
    return is_gone;
}

void sql_endpoints_give_up(struct sql_endpoints *endpoints, enum sql_access access)
{
    struct sql_endpoint_table *table = open_table(endpoints);

    if (table == NULL)
        return;
    table->given_up_until[access] = now() + GIVEN_UP_FOR;
    close_table(table);
}

bool sql_endpoints_given_up(struct sql_endpoints *endpoints, enum sql_access access)
{
    struct sql_endpoint_table *table = open_table(endpoints);
    bool given_up;

    if (table == NULL)
        return true;
    given_up = table->given_up_until[access] > now();
    close_table(table);
    return given_up;
}
