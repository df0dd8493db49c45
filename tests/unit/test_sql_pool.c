/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

#include "support/unit.h"

enum {
    PATIENCE = 60000, /* milliseconds for what is immediate on an idle machine */
    SESSIONS = 32,
    NOWHERE = 99 /* a host for which nothing is kept */
};

/* --- an engine that only records what is closed */

struct sql_session {
    atomic_uint closed;
    atomic_uint users;
    unsigned host;
};

static struct sql_session sessions[SESSIONS];
static void (*during_close)(void); /* NULL for nothing */

static void close_session(struct sql_session *session)
{
    session->closed++;
    if (during_close != NULL)
        during_close();
}

static const struct sql_engine engine = {
    .abi = SQL_ENGINE_ABI, .name = "scripted", .close = close_session};

/* Whether `count` sessions from `first` on have been closed once, and no others. */
static bool closed_are(unsigned first, unsigned count)
{
    unsigned i;

    for (i = 0; i < SESSIONS; i++)
        if (sessions[i].closed != (i >= first && i < first + count ? 1 : 0))
            return false;
    return true;
}

static bool none_is_closed(void)
{
    return closed_are(0, 0);
}

static unsigned count_closed(void)
{
    unsigned count = 0, i;

    for (i = 0; i < SESSIONS; i++)
        count += sessions[i].closed;
    return count;
}

/* --- places */

static struct sql_pool *pool;

static void leave(struct sql_pool *where, unsigned host, struct sql_session *session)
{
    sql_pool_leave(where, host, host, session);
}

static bool enters(unsigned host, struct sql_session **session)
{
    const struct deadline deadline = deadline_after(PATIENCE);

    return sql_pool_enter(pool, host, &deadline, session) == SQL_POOL_ENTERED;
}

static struct sql_session *enter(unsigned host)
{
    struct sql_session *session;

    assert_true(enters(host, &session));
    return session;
}

static void take_places(unsigned count)
{
    while (count-- > 0)
        assert_null(enter(NOWHERE));
}

static void leave_places(unsigned count)
{
    while (count-- > 0)
        leave(pool, NOWHERE, NULL);
}

/* Whether no place is free for a caller without time to wait for one. */
static bool is_full(void)
{
    const struct deadline over = {0};
    struct sql_session *session = &sessions[0];

    return sql_pool_enter(pool, NOWHERE, &over, &session) == SQL_POOL_FULL && session == NULL;
}

/* Keeps `count` sessions from `first` on, in this order. */
static void keep(unsigned host, unsigned first, unsigned count)
{
    unsigned i;

    take_places(count);
    for (i = first; i < first + count; i++)
        leave(pool, host, &sessions[i]);
}

static void start_with(bool persistent)
{
    memset(sessions, 0, sizeof(sessions));
    during_close = NULL;
    pool = sql_pool_new(&engine, persistent);
    assert_non_null(pool);
}

static void start(void)
{
    start_with(true);
}

/* Ends every test that has given back all its places. */
static void stop(void)
{
    unsigned i;

    take_places(SQL_POOL_PLACES);
    assert_true(is_full());
    leave_places(SQL_POOL_PLACES);
    sql_pool_free(pool);
    for (i = 0; i < SESSIONS; i++)
        assert_in_range(sessions[i].closed, 0, 1);
}

/* --- threads that wait for a place */

enum manner {
    WAITS,              /* as threads do */
    WAITS_AS_TOLD,      /* until the test wakes it up: a thread may be slow */
    WAITS_WITH_THE_LOCK /* the same, just before it releases the lock */
};

struct visitor {
    pthread_t thread;
    unsigned host;
    enum manner manner;
    atomic_bool waits;
    sem_t waking;
    int waking_result; /* of pthread_cond_timedwait() */
    bool entered;
    struct sql_session *session;
};

static struct visitor visitors[SQL_POOL_PLACES];
static _Thread_local struct visitor *self; /* NULL in other threads */

int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *until);

/* The lock of the places is held here: a thread that gets it after a visitor
 * was seen waiting finds that visitor in the queue, and waiting. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                  const struct timespec *until)
{
    if (self != NULL)
        self->waits = true;
    if (self == NULL || self->manner == WAITS)
        return __real_pthread_cond_timedwait(condition, lock, until);
    if (self->manner == WAITS_AS_TOLD)
        pthread_mutex_unlock(lock);
    while (sem_wait(&self->waking) != 0)
        continue;
    if (self->manner == WAITS_AS_TOLD)
        pthread_mutex_lock(lock);
    return self->waking_result;
}

/* A visitor that is called is woken up: it does not discover that its deadline has passed. */
static void *visit(void *context)
{
    const struct deadline deadline = deadline_after(PATIENCE);

    self = context;
    self->entered =
        sql_pool_enter(pool, self->host, &deadline, &self->session) == SQL_POOL_ENTERED &&
        deadline_remaining(&deadline) > 0;
    return NULL;
}

static void await_waiting(const struct visitor *visitor)
{
    const struct deadline deadline = deadline_after(PATIENCE);

    while (!visitor->waits && deadline_remaining(&deadline) > 0)
        poll(NULL, 0, 1);
    assert_true(visitor->waits);
}

/* Returns once the visitor waits. All places are taken. */
static void queue_up(unsigned number, unsigned host, enum manner manner)
{
    struct visitor *visitor = &visitors[number];

    *visitor = (struct visitor){.host = host, .manner = manner};
    sem_init(&visitor->waking, 0, 0);
    assert_int_equal(pthread_create(&visitor->thread, NULL, visit, visitor), 0);
    await_waiting(visitor);
}

static void wake(unsigned number, int result)
{
    visitors[number].waits = false;
    visitors[number].waking_result = result;
    sem_post(&visitors[number].waking);
}

/* Whether the visitor has got a place. A visitor that has not been called waits
 * until its deadline. */
static bool is_served(unsigned number)
{
    assert_int_equal(pthread_join(visitors[number].thread, NULL), 0);
    sem_destroy(&visitors[number].waking);
    return visitors[number].entered;
}

/* Gives up a place, which the visitor gets. */
static void serve(unsigned number)
{
    leave_places(1);
    assert_true(is_served(number));
}

/* --- what is kept */

static void place_without_a_kept_session(void **state)
{
    (void)state;
    start();
    assert_null(enter(1));
    leave(pool, 1, NULL);
    assert_null(enter(1));
    leave(pool, 1, NULL);
    assert_true(none_is_closed());
    stop();
    assert_true(none_is_closed());
}

static void comes_back_for_its_host(void **state)
{
    (void)state;
    start();
    keep(1, 0, 1);
    assert_null(enter(2));
    assert_ptr_equal(enter(1), &sessions[0]);
    assert_null(enter(1)); /* it is in use */
    assert_true(none_is_closed());
    leave_places(3);
    stop();
}

static void last_kept_is_first_taken(void **state)
{
    (void)state;
    start();
    keep(1, 0, 3);
    assert_ptr_equal(enter(1), &sessions[2]);
    assert_ptr_equal(enter(1), &sessions[1]);
    leave(pool, 1, &sessions[2]);
    assert_ptr_equal(enter(1), &sessions[2]);
    assert_ptr_equal(enter(1), &sessions[0]);
    assert_true(none_is_closed());
    leave_places(3);
    stop();
}

static void keeps_none_unless_persistent(void **state)
{
    (void)state;
    start_with(false);
    assert_null(enter(1));
    leave(pool, 1, &sessions[0]);
    assert_true(closed_are(0, 1));
    assert_null(enter(1));
    leave_places(1);
    stop();
    assert_true(closed_are(0, 1));
}

static bool was_full_during_close;

static void note_whether_full(void)
{
    was_full_during_close = is_full();
}

/* Otherwise a process would have one more than it may have. */
static void closes_before_the_place_is_given_up(void **state)
{
    (void)state;
    start_with(false);
    take_places(SQL_POOL_PLACES);
    during_close = note_whether_full;
    was_full_during_close = false;
    leave(pool, 1, &sessions[0]);
    assert_true(was_full_during_close);
    assert_true(closed_are(0, 1));
    assert_false(is_full());
    leave_places(SQL_POOL_PLACES);
    stop();
}

static void free_closes_all_kept(void **state)
{
    (void)state;
    start();
    keep(1, 0, 3);
    keep(2, 3, 5);
    assert_true(none_is_closed());
    sql_pool_free(pool);
    assert_true(closed_are(0, 8));
}

static void free_without_places(void **state)
{
    (void)state;
    start();
    sql_pool_free(pool);
    sql_pool_free(NULL);
    assert_true(none_is_closed());
}

static void closes_what_is_kept_behind_a_host(void **state)
{
    (void)state;
    start();
    sql_pool_close_behind(pool, 0);
    keep(0, 0, 1);
    keep(1, 1, 1);
    keep(2, 2, 2);
    keep(3, 4, 1);
    sql_pool_close_behind(pool, 3);
    assert_true(none_is_closed());
    sql_pool_close_behind(pool, 1);
    assert_true(closed_are(2, 3));
    assert_ptr_equal(enter(0), &sessions[0]);
    assert_ptr_equal(enter(1), &sessions[1]);
    assert_null(enter(2));
    leave_places(3);
    stop();
}

static void close_behind_leaves_alone_what_is_in_use(void **state)
{
    (void)state;
    start();
    keep(2, 0, 2);
    assert_ptr_equal(enter(2), &sessions[1]);
    sql_pool_close_behind(pool, 1);
    assert_true(closed_are(0, 1));
    leave(pool, 2, &sessions[1]);
    assert_ptr_equal(enter(2), &sessions[1]);
    leave_places(1);
    stop();
}

/* --- room */

static const struct wait {
    const char *name;
    unsigned milliseconds;
} waits[] = {{"has passed", 0}, {"passes soon", 30}};

static void full_until_the_deadline(void **state)
{
    const struct wait *row = *state;
    struct deadline deadline;
    struct sql_session *session = &sessions[0];

    start();
    take_places(SQL_POOL_PLACES);
    deadline = deadline_after(row->milliseconds);
    assert_int_equal(sql_pool_enter(pool, 1, &deadline, &session), SQL_POOL_FULL);
    assert_null(session);
    assert_int_equal(deadline_remaining(&deadline), 0);
    leave_places(1);
    take_places(1);
    assert_true(is_full());
    leave_places(SQL_POOL_PLACES);
    stop();
}

static void makes_no_room_while_there_is_some(void **state)
{
    (void)state;
    start();
    keep(1, 0, SQL_POOL_PLACES - 1);
    assert_null(enter(2));
    assert_true(none_is_closed());
    leave_places(1);
    stop();
}

/* The session that was kept first goes first. */
static void makes_room_for_another_host(void **state)
{
    unsigned i;

    (void)state;
    start();
    keep(1, 0, SQL_POOL_PLACES);
    assert_null(enter(2));
    assert_true(closed_are(0, 1));
    for (i = 2; i <= SQL_POOL_PLACES; i++) {
        assert_null(enter(2));
        assert_int_equal(count_closed(), i);
    }
    assert_true(closed_are(0, SQL_POOL_PLACES));
    leave_places(SQL_POOL_PLACES);
    stop();
}

static void makes_room_for_a_waiter_of_another_host(void **state)
{
    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 2, WAITS);
    leave(pool, 1, &sessions[0]);
    assert_true(is_served(0));
    assert_null(visitors[0].session);
    assert_true(closed_are(0, 1));
    leave_places(SQL_POOL_PLACES);
    stop();
}

static void waiter_gets_the_kept_session_of_its_host(void **state)
{
    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 1, WAITS);
    leave(pool, 1, &sessions[0]);
    assert_true(is_served(0));
    assert_ptr_equal(visitors[0].session, &sessions[0]);
    assert_true(none_is_closed());
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* --- the queue */

static void waiters_come_in_their_order(void **state)
{
    unsigned i;

    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    for (i = 0; i < 5; i++)
        queue_up(i, 1, WAITS);
    for (i = 0; i < 5; i++)
        serve(i);
    assert_true(is_full());
    leave_places(SQL_POOL_PLACES);
    stop();
}

static void newcomer_does_not_overtake_who_was_called(void **state)
{
    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 1, WAITS_AS_TOLD);
    leave_places(1);
    assert_true(is_full());
    queue_up(1, 1, WAITS);
    wake(0, 0);
    assert_true(is_served(0));
    serve(1);
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* But it takes a place that is given up meanwhile, and the session kept last. */
static void newcomer_takes_another_place(void **state)
{
    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 1, WAITS_AS_TOLD);
    leave(pool, 1, &sessions[0]);
    leave(pool, 1, &sessions[1]);
    assert_ptr_equal(enter(1), &sessions[1]);
    assert_true(is_full());
    wake(0, 0);
    assert_true(is_served(0));
    assert_ptr_equal(visitors[0].session, &sessions[0]);
    assert_true(none_is_closed());
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* The place would be lost if the visitor left without it. */
static void called_when_time_is_up(void **state)
{
    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 1, WAITS_AS_TOLD);
    leave(pool, 1, &sessions[0]);
    wake(0, ETIMEDOUT);
    assert_true(is_served(0));
    assert_ptr_equal(visitors[0].session, &sessions[0]);
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* A thread may wake up for no reason. */
static void waits_on_when_woken_in_vain(void **state)
{
    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 1, WAITS_AS_TOLD);
    queue_up(1, 1, WAITS);
    wake(0, 0);
    await_waiting(&visitors[0]);
    leave_places(1);
    wake(0, 0);
    assert_true(is_served(0));
    serve(1);
    leave_places(SQL_POOL_PLACES);
    stop();
}

enum { QUEUE = 5 };

static const struct quitter {
    const char *name;
    unsigned number;
} quitters[] = {{"first", 0}, {"middle", 2}, {"last", QUEUE - 1}};

static void quits(unsigned number)
{
    wake(number, ETIMEDOUT);
    assert_false(is_served(number));
    assert_null(visitors[number].session);
}

static void quitter_leaves_the_others_in_their_order(void **state)
{
    const struct quitter *row = *state;
    unsigned i;

    start();
    take_places(SQL_POOL_PLACES);
    for (i = 0; i < QUEUE; i++)
        queue_up(i, 1, i == row->number ? WAITS_AS_TOLD : WAITS);
    quits(row->number);
    queue_up(QUEUE, 1, WAITS); /* after the last one, whichever that is now */
    for (i = 0; i <= QUEUE; i++)
        if (i != row->number)
            serve(i);
    assert_true(is_full());
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* The links of the queue never lead to a visitor that has left. */
static void all_quit_but_one(void **state)
{
    const struct quitter *row = *state;
    unsigned i;

    start();
    take_places(SQL_POOL_PLACES);
    for (i = 0; i < QUEUE; i++)
        queue_up(i, 1, i == row->number ? WAITS : WAITS_AS_TOLD);
    for (i = 0; i < QUEUE; i++)
        if (i != row->number)
            quits(i);
    queue_up(QUEUE, 1, WAITS);
    serve(row->number);
    serve(QUEUE);
    leave_places(SQL_POOL_PLACES);
    stop();
}

static const struct crowd {
    const char *name;
    unsigned host; /* of the waiting visitors */
    unsigned want_closed;
} crowds[] = {{"same host", 1, 0}, {"another host", 2, SQL_POOL_PLACES}};

/* As many sessions are kept as there are places, and all places are promised. */
static void all_are_called_before_one_wakes(void **state)
{
    const struct crowd *row = *state;
    unsigned i;

    start();
    take_places(SQL_POOL_PLACES);
    for (i = 0; i < SQL_POOL_PLACES; i++)
        queue_up(i, row->host, WAITS_AS_TOLD);
    for (i = 0; i < SQL_POOL_PLACES; i++)
        leave(pool, 1, &sessions[i]);
    assert_true(is_full());
    for (i = 0; i < SQL_POOL_PLACES; i++) {
        wake(i, 0);
        assert_true(is_served(i));
        if (visitors[i].session != NULL)
            visitors[i].session->users++;
    }
    assert_true(closed_are(0, row->want_closed));
    for (i = 0; i < SQL_POOL_PLACES; i++)
        assert_int_equal(sessions[i].users, row->want_closed > 0 ? 0 : 1);
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* A promised place covers the session kept beside it: if that one is closed before the called
 * thread wakes up, there is no more room than before. */
static void closes_what_is_kept_before_one_wakes(void **state)
{
    enum { CALLED = 3, ALL = CALLED + 1 };
    unsigned i;

    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    for (i = 0; i < ALL; i++)
        queue_up(i, 1, WAITS_AS_TOLD);
    for (i = 0; i < CALLED; i++)
        leave(pool, 2, &sessions[i]);
    sql_pool_close_of(pool, 2);
    assert_true(closed_are(0, CALLED));
    for (i = 0; i < CALLED; i++) {
        wake(i, 0);
        assert_true(is_served(i));
        assert_null(visitors[i].session);
    }
    /* The last one is called only by a thread that leaves. */
    quits(CALLED);
    assert_true(is_full());
    leave_places(SQL_POOL_PLACES);
    stop();
    assert_true(closed_are(0, CALLED));
}

/* --- children */

/* A child that succeeds ends by SIGKILL, so that no leak check sees the places that it has
 * abandoned. */
static bool child_holds(bool (*holds)(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        alarm(PATIENCE / 1000);
        if (holds())
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

enum { KEPT = 5 }; /* by the parent, from the first session on */

/* With places that are taken and sessions that are kept. */
static void start_parent(void)
{
    start();
    keep(1, 0, KEPT);
    take_places(SQL_POOL_PLACES - KEPT);
}

static void stop_parent(void)
{
    unsigned i;

    assert_true(none_is_closed());
    for (i = KEPT; i-- > 0;)
        assert_ptr_equal(enter(1), &sessions[i]);
    assert_true(is_full());
    for (i = 0; i < KEPT; i++)
        leave(pool, 1, &sessions[i]);
    leave_places(SQL_POOL_PLACES - KEPT);
    sql_pool_free(pool);
    assert_true(closed_are(0, KEPT));
}

static bool takes_all_places(void)
{
    struct sql_session *session;
    unsigned i;

    for (i = 0; i < SQL_POOL_PLACES; i++)
        if (!enters(1, &session) || session != NULL)
            return false;
    return is_full();
}

static bool has_its_own(void)
{
    enum { FIRST = 10 };
    struct sql_session *session;
    unsigned i;

    if (!takes_all_places())
        return false;
    for (i = 0; i < SQL_POOL_PLACES; i++)
        leave(pool, 1, &sessions[FIRST + i]);
    if (!enters(1, &session) || session != &sessions[FIRST + SQL_POOL_PLACES - 1])
        return false;
    leave(pool, 1, session);
    if (!none_is_closed())
        return false;
    sql_pool_free(pool);
    return closed_are(FIRST, SQL_POOL_PLACES);
}

static void child_has_its_own(void **state)
{
    (void)state;
    start_parent();
    assert_true(child_holds(has_its_own));
    stop_parent();
}

static bool has_a_child_with_its_own(void)
{
    leave_places(takes_all_places() ? SQL_POOL_PLACES : 0);
    return child_holds(has_its_own) && takes_all_places() && none_is_closed();
}

static void grandchild_has_its_own(void **state)
{
    (void)state;
    start_parent();
    assert_true(child_holds(has_a_child_with_its_own));
    stop_parent();
}

static bool frees_at_once(void)
{
    sql_pool_free(pool);
    return none_is_closed();
}

static void child_frees_without_closing(void **state)
{
    (void)state;
    start_parent();
    assert_true(child_holds(frees_at_once));
    stop_parent();
}

static bool closes_nothing_behind(void)
{
    sql_pool_close_behind(pool, 0);
    return none_is_closed();
}

static void child_closes_nothing_behind_a_host(void **state)
{
    (void)state;
    start_parent();
    assert_true(child_holds(closes_nothing_behind));
    stop_parent();
}

/* No thread of the child releases that lock. */
static void child_of_a_parent_with_a_locked_place(void **state)
{
    bool good;

    (void)state;
    start();
    take_places(SQL_POOL_PLACES);
    queue_up(0, 1, WAITS_WITH_THE_LOCK);
    good = child_holds(has_its_own);
    wake(0, ETIMEDOUT);
    assert_false(is_served(0));
    assert_true(good);
    leave_places(SQL_POOL_PLACES);
    stop();
}

/* --- many threads */

enum { THREADS = 32, ROUNDS = 200, HOSTS = 3 };

static struct {
    atomic_uint in_use; /* places */
    atomic_uint open;   /* sessions */
    atomic_uint wrong;
} crush;

static struct sql_session *open_one(unsigned host)
{
    struct sql_session *session = calloc(1, sizeof(*session));

    if (session == NULL)
        abort();
    session->host = host;
    crush.wrong += crush.open++ >= SQL_POOL_PLACES;
    return session;
}

static void close_one(struct sql_session *session)
{
    crush.wrong += session->users != 0;
    crush.open--;
    free(session);
}

static void use_one(struct sql_session *session, unsigned host)
{
    crush.wrong += session->host != host;
    crush.wrong += session->users++ != 0;
    sched_yield();
    session->users--;
}

/* Some cannot wait, and some find that their session is lost. */
static void visit_once(unsigned number)
{
    const bool is_patient = number % 5 != 0;
    const struct deadline deadline = deadline_after(is_patient ? PATIENCE : number % 2);
    const unsigned host = number % HOSTS;
    struct sql_session *session;

    if (sql_pool_enter(pool, host, &deadline, &session) != SQL_POOL_ENTERED) {
        crush.wrong += is_patient;
        return;
    }
    crush.wrong += crush.in_use++ >= SQL_POOL_PLACES;
    if (session == NULL)
        session = open_one(host);
    use_one(session, host);
    if (number % 7 == 0) {
        close_one(session);
        session = NULL;
    }
    crush.in_use--;
    leave(pool, host, session);
}

static void *visit_often(void *context)
{
    const unsigned *first = context;
    unsigned i;

    for (i = 0; i < ROUNDS; i++)
        visit_once(*first + i);
    return NULL;
}

static const struct persistence {
    const char *name;
    bool persistent;
} persistences[] = {{"kept", true}, {"not kept", false}};

static void threads_share_the_places(void **state)
{
    static const struct sql_engine with_memory = {.abi = SQL_ENGINE_ABI, .close = close_one};
    const struct persistence *row = *state;
    pthread_t threads[THREADS];
    unsigned firsts[THREADS], i;

    crush.in_use = crush.open = crush.wrong = 0;
    pool = sql_pool_new(&with_memory, row->persistent);
    assert_non_null(pool);
    for (i = 0; i < THREADS; i++) {
        firsts[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, visit_often, &firsts[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(crush.wrong, 0);
    stop();
    assert_int_equal(crush.open, 0);
}

/* Whatever was taken from the kept ones meanwhile. */
static void last_kept_is_first_taken_among_hosts(void **state)
{
    (void)state;
    start();
    keep(2, 0, 1);
    keep(1, 1, 2);
    assert_ptr_equal(enter(2), &sessions[0]);
    assert_ptr_equal(enter(1), &sessions[2]);
    assert_ptr_equal(enter(1), &sessions[1]);
    leave_places(3);
    stop();
}

/* The one that was kept first goes first, each time. */
static void makes_room_in_the_order_of_keeping(void **state)
{
    unsigned i;

    (void)state;
    start();
    keep(1, 0, SQL_POOL_PLACES);
    for (i = 1; i <= SQL_POOL_PLACES; i++) {
        assert_null(enter(2));
        assert_true(closed_are(0, i));
    }
    leave_places(SQL_POOL_PLACES);
    stop();
}

static unsigned sessions_during_close, newcomers;

/* Newcomers enter while the first session is closed: those that get none open one. */
static void open_during_close(void)
{
    during_close = NULL;
    sessions_during_close = SQL_POOL_PLACES - count_closed();
    for (newcomers = 0; !is_full(); newcomers++)
        sessions_during_close++;
}

/* Until a session is closed, it counts as one that the process has. */
static void close_behind_leaves_no_room_before_it_is_done(void **state)
{
    (void)state;
    start();
    keep(2, 0, SQL_POOL_PLACES - 1);
    assert_null(enter(1)); /* its session is its own: that is as many as allowed */
    during_close = open_during_close;
    sql_pool_close_behind(pool, 1);
    assert_in_range(sessions_during_close, 1, SQL_POOL_PLACES);
    leave_places(1 + newcomers);
    stop();
}

int main(void)
{
    struct test_list list = {0};

    alarm(600); /* a thread that never returns is stopped here */
    TEST_ADD(&list, place_without_a_kept_session);
    TEST_ADD(&list, comes_back_for_its_host);
    TEST_ADD(&list, last_kept_is_first_taken);
    TEST_ADD(&list, keeps_none_unless_persistent);
    TEST_ADD(&list, closes_before_the_place_is_given_up);
    TEST_ADD(&list, free_closes_all_kept);
    TEST_ADD(&list, free_without_places);
    TEST_ADD(&list, closes_what_is_kept_behind_a_host);
    TEST_ADD(&list, close_behind_leaves_alone_what_is_in_use);
    TEST_ADD_CASES(&list, full_until_the_deadline, waits);
    TEST_ADD(&list, makes_no_room_while_there_is_some);
    TEST_ADD(&list, makes_room_for_another_host);
    TEST_ADD(&list, makes_room_for_a_waiter_of_another_host);
    TEST_ADD(&list, waiter_gets_the_kept_session_of_its_host);
    TEST_ADD(&list, waiters_come_in_their_order);
    TEST_ADD(&list, newcomer_does_not_overtake_who_was_called);
    TEST_ADD(&list, newcomer_takes_another_place);
    TEST_ADD(&list, called_when_time_is_up);
    TEST_ADD(&list, waits_on_when_woken_in_vain);
    TEST_ADD_CASES(&list, quitter_leaves_the_others_in_their_order, quitters);
    TEST_ADD_CASES(&list, all_quit_but_one, quitters);
    TEST_ADD_CASES(&list, all_are_called_before_one_wakes, crowds);
    TEST_ADD(&list, closes_what_is_kept_before_one_wakes);
    TEST_ADD(&list, child_has_its_own);
    TEST_ADD(&list, grandchild_has_its_own);
    TEST_ADD(&list, child_frees_without_closing);
    TEST_ADD(&list, child_closes_nothing_behind_a_host);
    TEST_ADD(&list, child_of_a_parent_with_a_locked_place);
    TEST_ADD_CASES(&list, threads_share_the_places, persistences);
    TEST_ADD(&list, last_kept_is_first_taken_among_hosts);
    TEST_ADD(&list, makes_room_in_the_order_of_keeping);
    TEST_ADD(&list, close_behind_leaves_no_room_before_it_is_done);
    return test_run("sql_pool", &list);
}
