/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_DEADLINE_H
#define SQLCRYPT_DEADLINE_H

/*
 * The moment at which waiting ends, on the monotonic clock: one deadline
 * covers everything that a login asks of a back end.
 */

#include <stdint.h>
#include <time.h>

struct deadline {
    int64_t at; /* milliseconds of CLOCK_MONOTONIC */
};

/* The deadline `milliseconds` from now. */
struct deadline deadline_after(unsigned milliseconds);

/* The end of the first `parts` of as many equal parts of what is left as `all` says.
 * `all` is not 0. */
struct deadline deadline_share(const struct deadline *deadline, unsigned parts, unsigned all);

/* Milliseconds that are left; 0 once it has passed. Fits poll(2). */
int deadline_remaining(const struct deadline *deadline);

/* The moment itself, on CLOCK_MONOTONIC. */
struct timespec deadline_time(const struct deadline *deadline);

#endif
