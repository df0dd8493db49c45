/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_THREAD_H
#define SQLCRYPT_THREAD_H

/*
 * Threads of ours in the host's process, for what cannot be waited for otherwise,
 * and conditions that are waited for on the clock of struct deadline.
 */

#include <pthread.h>

/* Starts a thread that takes none of the host's signals and that nobody joins. Returns 0,
 * or an error of errno(3). */
int thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/* Initialises a condition for pthread_cond_timedwait() with deadline_time(). */
void thread_condition_init(pthread_cond_t *condition);

#endif
