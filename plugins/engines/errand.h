/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_ERRAND_H
#define SQLCRYPT_ERRAND_H

/*
 * Runs a function that has no deadline, such as getaddrinfo(3), under one: a
 * thread runs it, and continues on its own if it is late. The shared object
 * with this code must therefore stay in memory (-z nodelete).
 */

#include "base/deadline.h"

/* Runs `run(context)` in a thread and waits for it. Returns
 * - 0: it has returned, and the context is the caller's again;
 * - ETIMEDOUT: it has not, and the context is lost to the caller: the thread calls
 *   `discard(context)` after `run`;
 * - EBUSY: too many are already late; or another error of errno(3): nothing was run,
 *   and the context is the caller's. */
int errand_run(void (*run)(void *context), void (*discard)(void *context), void *context,
               const struct deadline *deadline);

#endif
