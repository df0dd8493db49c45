/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "thread.h"

struct kept {
    struct sql_session *session;
    size_t host;
};

/* The places of one process. The lock is never held while waiting for a server. */
struct places {
    pid_t owner;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    unsigned taken;
    unsigned idle_count; /* taken + idle_count <= SQL_POOL_PLACES */
    struct kept idle[SQL_POOL_PLACES];
};

struct sql_pool {
    const struct sql_engine *engine;
    bool persistent;
    _Atomic(struct places *) places;
};

struct sql_pool *sql_pool_new(const struct sql_engine *engine, bool persistent)
{
    struct sql_pool *pool = calloc(1, sizeof(*pool));

    if (pool != NULL) {
        pool->engine = engine;
        pool->persistent = persistent;
    }
    return pool;
}

static struct places *places_new(void)
{
    struct places *places = calloc(1, sizeof(*places));

    if (places == NULL)
        return NULL;
    places->owner = getpid();
    pthread_mutex_init(&places->lock, NULL);
    thread_condition_init(&places->freed);
    return places;
}

static void places_free(struct places *places)
{
    pthread_cond_destroy(&places->freed);
    pthread_mutex_destroy(&places->lock);
    free(places);
}

/* The places of this process; NULL when out of memory. Those of a parent are
 * given up as they are: another thread may have held their lock during the
 * fork. */
static struct places *own_places(struct sql_pool *pool)
{
    struct places *places = atomic_load(&pool->places), *fresh;

    if (places != NULL && places->owner == getpid())
        return places;
    fresh = places_new();
    if (fresh == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(&pool->places, &places, fresh))
        return fresh;
    /* Another thread was faster. */
    places_free(fresh);
    return places;
}

static struct sql_session *remove_idle(struct places *places, unsigned i)
{
    struct sql_session *session = places->idle[i].session;

    places->idle[i] = places->idle[--places->idle_count];
    return session;
}

/* Finds the last kept session with `host`, the warmest one; NULL if there is none. */
static struct sql_session *take_idle(struct places *places, size_t host)
{
    unsigned i;

    for (i = places->idle_count; i-- > 0;)
        if (places->idle[i].host == host)
            return remove_idle(places, i);
    return NULL;
}

void sql_pool_free(struct sql_pool *pool)
{
    struct places *places;

    if (pool == NULL)
        return;
    places = atomic_load(&pool->places);
    if (places != NULL && places->owner == getpid()) {
        while (places->idle_count > 0)
            pool->engine->close(remove_idle(places, 0));
        places_free(places);
    }
    free(pool);
}

bool sql_pool_enter(struct sql_pool *pool, size_t host, const struct deadline *deadline,
                    struct sql_session **session)
{
    const struct timespec until = deadline_time(deadline);
    struct places *places = own_places(pool);
    struct sql_session *in_the_way = NULL;
    bool entered = false;

    *session = NULL;
    if (places == NULL)
        return false;
    pthread_mutex_lock(&places->lock);
    while (places->taken == SQL_POOL_PLACES &&
           pthread_cond_timedwait(&places->freed, &places->lock, &until) == 0)
        continue;
    if (places->taken < SQL_POOL_PLACES) {
        *session = take_idle(places, host);
        if (*session == NULL && places->taken + places->idle_count == SQL_POOL_PLACES)
            in_the_way = remove_idle(places, 0);
        places->taken++;
        entered = true;
    }
    pthread_mutex_unlock(&places->lock);
    if (in_the_way != NULL)
        pool->engine->close(in_the_way);
    return entered;
}

void sql_pool_leave(struct sql_pool *pool, size_t host, struct sql_session *session)
{
    struct places *places = own_places(pool); /* there: it was entered */

    if (session != NULL && !pool->persistent) {
        pool->engine->close(session);
        session = NULL;
    }
    pthread_mutex_lock(&places->lock);
    places->taken--;
    if (session != NULL)
        places->idle[places->idle_count++] = (struct kept){session, host};
    pthread_cond_signal(&places->freed);
    pthread_mutex_unlock(&places->lock);
}

void sql_pool_close_behind(struct sql_pool *pool, size_t host)
{
    struct places *places = own_places(pool);
    struct sql_session *closing[SQL_POOL_PLACES];
    unsigned count = 0, i;

    if (places == NULL)
        return;
    pthread_mutex_lock(&places->lock);
    for (i = places->idle_count; i-- > 0;)
        if (places->idle[i].host > host)
            closing[count++] = remove_idle(places, i);
    pthread_mutex_unlock(&places->lock);
    while (count > 0)
        pool->engine->close(closing[--count]);
}
