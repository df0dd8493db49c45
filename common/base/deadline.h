/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_DEADLINE_H
#define SQLCRYPT_DEADLINE_H

/*
 * The moment at which waiting ends, on the monotonic clock: one deadline
 * covers everything that a login asks of a back end.
 */

#include <poll.h>
#include <stdbool.h>
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

/* As poll(2) of one descriptor, until the deadline or for `most` milliseconds, whichever is
 * sooner; signals do not end it. More than 0 if it is ready, 0 if it is not in time, less
 * than 0 with errno. */
int deadline_poll(const struct deadline *deadline, struct pollfd *wanted, int most);

/* Sleeps for that many milliseconds, or until the deadline if that is sooner. Returns
 * false, without sleeping, if it has passed. */
bool deadline_sleep(const struct deadline *deadline, int milliseconds);

/* The moment itself, on CLOCK_MONOTONIC. */
struct timespec deadline_time(const struct deadline *deadline);

#endif
