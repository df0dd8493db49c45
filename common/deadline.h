/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_DEADLINE_H
#define SQLCRYPT_DEADLINE_H

/*
 * The moment at which waiting ends, on the monotonic clock: one deadline
 * covers everything that a login asks of a back end.
 */

#include <stdint.h>

struct deadline {
    int64_t at; /* milliseconds of CLOCK_MONOTONIC */
};

/* The deadline `milliseconds` from now. */
struct deadline deadline_after(unsigned milliseconds);

/* Milliseconds that are left; 0 once it has passed. Fits poll(2). */
int deadline_remaining(const struct deadline *deadline);

#endif
