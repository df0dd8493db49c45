/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/per_process.h"
#include "base/thread.h"

struct kept {
    struct sql_session *session;
    unsigned endpoint;
    unsigned rank;
};

/* A thread that waits for a place. */
struct waiter {
    pthread_cond_t call;
    bool is_called;
    struct waiter *next;
};

/* The places of one process. The lock is never held while waiting for a server. */
struct places {
    pthread_mutex_t lock;
    struct waiter *first, **end; /* waiting threads, in their order */
    unsigned taken;              /* or promised to a thread that was woken */
    unsigned idle_count;         /* with those in use, at most as many as there are places */
    struct kept idle[SQL_POOL_PLACES];
};

struct sql_pool {
    const struct sql_engine *engine;
    bool persistent;
    struct per_process places;
};

static void *places_new(void *context)
{
    struct places *places = calloc(1, sizeof(*places));

    (void)context;
    if (places == NULL)
        return NULL;
    pthread_mutex_init(&places->lock, NULL);
    places->end = &places->first;
    return places;
}

static void places_free(void *thing)
{
    struct places *places = thing;

    pthread_mutex_destroy(&places->lock);
    free(places);
}

struct sql_pool *sql_pool_new(const struct sql_engine *engine, bool persistent)
{
    struct sql_pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return NULL;
    pool->engine = engine;
    pool->persistent = persistent;
    pool->places.make = places_new;
    pool->places.discard = places_free;
    return pool;
}

static struct sql_session *remove_idle(struct places *places, unsigned i)
{
    struct sql_session *session = places->idle[i].session;

    places->idle_count--;
    memmove(&places->idle[i], &places->idle[i + 1],
            (places->idle_count - i) * sizeof(places->idle[0]));
    return session;
}

/* Finds the most recently kept session with `endpoint`; NULL if there is none. */
static struct sql_session *take_idle(struct places *places, unsigned endpoint)
{
    unsigned i;

    for (i = places->idle_count; i-- > 0;)
        if (places->idle[i].endpoint == endpoint)
            return remove_idle(places, i);
    return NULL;
}

void sql_pool_free(struct sql_pool *pool)
{
    struct places *places;

    if (pool == NULL)
        return;
    places = per_process_release(&pool->places);
    if (places != NULL) {
        while (places->idle_count > 0)
            pool->engine->close(remove_idle(places, 0));
        places_free(places);
    }
    free(pool);
}

static void leave_queue(struct places *places, struct waiter *waiter)
{
    struct waiter **link = &places->first;

    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    if (waiter->next == NULL)
        places->end = link;
}

/* Waits for a place, which is then taken. */
static bool queue(struct places *places, const struct deadline *deadline)
{
    const struct timespec until = deadline_time(deadline);
    struct waiter waiter = {.is_called = false};

    thread_condition_init(&waiter.call);
    *places->end = &waiter;
    places->end = &waiter.next;
    while (!waiter.is_called && pthread_cond_timedwait(&waiter.call, &places->lock, &until) == 0)
        continue;
    if (!waiter.is_called)
        leave_queue(places, &waiter);
    pthread_cond_destroy(&waiter.call);
    return waiter.is_called;
}

/* Gives a place up to the thread that has waited longest, and to no newcomer. Otherwise the
 * waiting thread could wake up for nothing, again and again. */
static void give_up_place(struct places *places)
{
    struct waiter *waiter = places->first;

    if (waiter == NULL) {
        places->taken--;
        return;
    }
    leave_queue(places, waiter);
    waiter->is_called = true;
    pthread_cond_signal(&waiter->call);
}

enum sql_pool_entry sql_pool_enter(struct sql_pool *pool, unsigned endpoint,
                                   const struct deadline *deadline, struct sql_session **session)
{
    struct places *places = per_process_get(&pool->places);
    struct sql_session *in_the_way = NULL;
    bool entered = true;

    *session = NULL;
    if (places == NULL)
        return SQL_POOL_NO_MEMORY;
    pthread_mutex_lock(&places->lock);
    if (places->taken < SQL_POOL_PLACES)
        places->taken++;
    else
        entered = queue(places, deadline);
    if (entered) {
        *session = take_idle(places, endpoint);
        if (*session == NULL && places->taken + places->idle_count > SQL_POOL_PLACES)
            in_the_way = remove_idle(places, 0);
    }
    pthread_mutex_unlock(&places->lock);
    if (in_the_way != NULL)
        pool->engine->close(in_the_way);
    return entered ? SQL_POOL_ENTERED : SQL_POOL_FULL;
}

void sql_pool_leave(struct sql_pool *pool, unsigned endpoint, unsigned rank,
                    struct sql_session *session)
{
    struct places *places = per_process_get(&pool->places); /* not NULL: the pool was entered */

    if (session != NULL && !pool->persistent) {
        pool->engine->close(session);
        session = NULL;
    }
    pthread_mutex_lock(&places->lock);
    if (session != NULL)
        places->idle[places->idle_count++] = (struct kept){session, endpoint, rank};
    give_up_place(places);
    pthread_mutex_unlock(&places->lock);
}

/* Which of the kept sessions to close. */
struct criterion {
    unsigned behind; /* the rank of their endpoint */
    unsigned of;     /* their endpoint; 0 for any */
};

static bool meets(const struct kept *kept, const struct criterion *criterion)
{
    return criterion->of != 0 ? kept->endpoint == criterion->of : kept->rank > criterion->behind;
}

static void close_kept(struct sql_pool *pool, const struct criterion *criterion)
{
    struct places *places = per_process_get(&pool->places);
    struct sql_session *closing[SQL_POOL_PLACES];
    unsigned count = 0, held, i;

    if (places == NULL)
        return;
    pthread_mutex_lock(&places->lock);
    for (i = places->idle_count; i-- > 0;)
        if (meets(&places->idle[i], criterion))
            closing[count++] = remove_idle(places, i);
    /* Places are held until they are closed. A session kept beside a promised place has none. */
    held = SQL_POOL_PLACES - places->taken;
    held = count < held ? count : held;
    places->taken += held;
    pthread_mutex_unlock(&places->lock);
    for (i = 0; i < count; i++)
        pool->engine->close(closing[i]);
    pthread_mutex_lock(&places->lock);
    for (i = 0; i < held; i++)
        give_up_place(places);
    pthread_mutex_unlock(&places->lock);
}

void sql_pool_close_behind(struct sql_pool *pool, unsigned rank)
{
    const struct criterion criterion = {.behind = rank};

    close_kept(pool, &criterion);
}

void sql_pool_close_of(struct sql_pool *pool, unsigned endpoint)
{
    const struct criterion criterion = {.of = endpoint};

    close_kept(pool, &criterion);
}
