/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/errand.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/thread.h"

/* The most threads that wait for something that does not answer. */
enum { THREADS = 32 };

static atomic_int running;
static _Atomic pid_t counted_in; /* the process: a child has none of its parent's threads */

/* What the thread and its caller share. Whichever finishes last frees it. */
struct errand {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    bool done;
    bool abandoned;
    void (*run)(void *context);
    void (*discard)(void *context);
    void *context;
};

static struct errand *errand_new(void)
{
    struct errand *errand = calloc(1, sizeof(*errand));

    if (errand == NULL)
        return NULL;
    pthread_mutex_init(&errand->lock, NULL);
    thread_condition_init(&errand->returned);
    return errand;
}

static void errand_free(struct errand *errand)
{
    pthread_cond_destroy(&errand->returned);
    pthread_mutex_destroy(&errand->lock);
    free(errand);
}

static void *work(void *shared)
{
    struct errand *errand = shared;
    bool abandoned;

    errand->run(errand->context);
    atomic_fetch_sub(&running, 1);
    pthread_mutex_lock(&errand->lock);
    errand->done = true;
    abandoned = errand->abandoned;
    pthread_cond_signal(&errand->returned);
    pthread_mutex_unlock(&errand->lock);
    if (abandoned) {
        errand->discard(errand->context);
        errand_free(errand);
    }
    return NULL;
}

/* Returns 0 or an error of errno(3). */
static int start_thread(struct errand *errand)
{
    pthread_t thread;
    int error = EBUSY;

    if (atomic_exchange(&counted_in, getpid()) != getpid())
        atomic_store(&running, 0);
    if (atomic_fetch_add(&running, 1) < THREADS)
        error = thread_start(&thread, work, errand);
    if (error != 0)
        atomic_fetch_sub(&running, 1);
    return error;
}

/* Returns false if the deadline has passed: the thread then frees the errand. */
static bool wait_for(struct errand *errand, const struct deadline *deadline)
{
    const struct timespec until = deadline_time(deadline);
    bool done;

    pthread_mutex_lock(&errand->lock);
    while (!errand->done && pthread_cond_timedwait(&errand->returned, &errand->lock, &until) == 0)
        continue;
    done = errand->done;
    errand->abandoned = !done;
    pthread_mutex_unlock(&errand->lock);
    return done;
}

int errand_run(void (*run)(void *context), void (*discard)(void *context), void *context,
               const struct deadline *deadline)
{
    struct errand *errand = errand_new();
    int error;

    if (errand == NULL)
        return ENOMEM;
    errand->run = run;
    errand->discard = discard;
    errand->context = context;
    error = start_thread(errand);
    if (error == 0 && !wait_for(errand, deadline))
        return ETIMEDOUT;
    errand_free(errand);
    return error;
}
