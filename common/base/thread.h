/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_THREAD_H
#define SQLCRYPT_THREAD_H

/*
 * Our own threads in the host's process, for work that offers no other way to
 * wait for it, and condition variables that use the clock of struct deadline.
 */

#include <pthread.h>

/* Starts a detached thread that receives none of the host's signals. Returns 0, or an error of
 * errno(3). */
int thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/* Initialises a condition for pthread_cond_timedwait() with deadline_time(). */
void thread_condition_init(pthread_cond_t *condition);

#endif
