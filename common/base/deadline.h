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

/* Divides the time left into `all` equal parts, at least one, and returns the end of the first
 * `parts` of them. */
struct deadline deadline_share(const struct deadline *deadline, unsigned parts, unsigned all);

/* Milliseconds left; 0 once the deadline has passed. Fits poll(2). */
int deadline_remaining(const struct deadline *deadline);

/* Like poll(2) for one descriptor, until the deadline or for `most` milliseconds, whichever is
 * sooner; signals do not end it. Returns more than 0 if the descriptor is ready, 0 if it is not
 * ready in time, and less than 0 with errno on an error. */
int deadline_poll(const struct deadline *deadline, struct pollfd *wanted, int most);

/* Sleeps for that many milliseconds, or until the deadline if that is sooner. Returns
 * false, without sleeping, if it has passed. */
bool deadline_sleep(const struct deadline *deadline, int milliseconds);

/* The deadline itself, on CLOCK_MONOTONIC. */
struct timespec deadline_time(const struct deadline *deadline);

#endif
