/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_addresses.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "thread.h"

/* More threads than this wait for a name server that does not answer. */
enum { THREADS = 32 };

static atomic_int running;
static _Atomic pid_t counted_in; /* the process: a child has none of its parent's threads */

/* What the thread and its caller share. The one who is last frees it. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
    bool abandoned;
    int error; /* of getaddrinfo */
    struct host_addresses found;
    char name[]; /* a copy: the caller's may be gone */
};

/* Returns what getaddrinfo(3) does. */
static int look_up(const char *name, int flags, struct host_addresses *found)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list, *item;
    int error = getaddrinfo(name, NULL, &hints, &list);

    found->count = 0;
    if (error != 0)
        return error;
    for (item = list; item != NULL && found->count < HOST_ADDRESSES_MAX; item = item->ai_next)
        if (getnameinfo(item->ai_addr, item->ai_addrlen, found->text[found->count],
                        sizeof(found->text[0]), NULL, 0, NI_NUMERICHOST) == 0)
            found->count++;
    freeaddrinfo(list);
    return found->count > 0 ? 0 : EAI_NONAME;
}

static struct question *question_new(const char *name)
{
    size_t size = strlen(name) + 1;
    struct question *question = calloc(1, sizeof(*question) + size);

    if (question == NULL)
        return NULL;
    memcpy(question->name, name, size);
    pthread_mutex_init(&question->lock, NULL);
    thread_condition_init(&question->answered);
    return question;
}

static void question_free(struct question *question)
{
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->lock);
    free(question);
}

static void *answer(void *context)
{
    struct question *question = context;
    struct host_addresses found;
    int error = look_up(question->name, 0, &found);
    bool abandoned;

    atomic_fetch_sub(&running, 1);
    pthread_mutex_lock(&question->lock);
    question->found = found;
    question->error = error;
    question->done = true;
    abandoned = question->abandoned;
    pthread_cond_signal(&question->answered);
    pthread_mutex_unlock(&question->lock);
    if (abandoned)
        question_free(question);
    return NULL;
}

/* The thread belongs to nobody. Returns 0 or an error of errno(3). */
static int start_thread(struct question *question)
{
    pthread_t thread;
    int error = EBUSY;

    if (atomic_exchange(&counted_in, getpid()) != getpid())
        atomic_store(&running, 0);
    if (atomic_fetch_add(&running, 1) < THREADS)
        error = thread_start(&thread, true, answer, question);
    if (error != 0)
        atomic_fetch_sub(&running, 1);
    return error;
}

/* Waits for the thread. Returns false if time is up. */
static bool wait_for_answer(struct question *question, const struct deadline *deadline)
{
    const struct timespec until = deadline_time(deadline);
    bool done;

    pthread_mutex_lock(&question->lock);
    while (!question->done &&
           pthread_cond_timedwait(&question->answered, &question->lock, &until) == 0)
        continue;
    done = question->done;
    question->abandoned = !done;
    pthread_mutex_unlock(&question->lock);
    return done;
}

bool host_addresses_find(const char *name, const struct deadline *deadline,
                         struct host_addresses *found, struct reason *reason)
{
    struct question *question;
    bool done = false;
    int error;

    if (look_up(name, AI_NUMERICHOST, found) == 0)
        return true;
    question = question_new(name);
    error = question != NULL ? start_thread(question) : ENOMEM;
    if (error == EBUSY) {
        reason_set(reason, "the name server has not answered other lookups yet");
    } else if (error != 0) {
        reason_set(reason, "cannot look up the name: %s", strerror(error));
    } else if (!wait_for_answer(question, deadline)) {
        reason_set(reason, "no answer from the name server when the time was up");
        return false; /* the thread frees the question */
    } else if (question->error != 0) {
        reason_set(reason, "%s", gai_strerror(question->error));
    } else {
        *found = question->found;
        done = true;
    }
    if (question != NULL)
        question_free(question);
    return done;
}
