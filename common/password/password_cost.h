/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PASSWORD_COST_H
#define SQLCRYPT_PASSWORD_COST_H

/*
 * Keeps the cost of a refused login from revealing whether there is such a user and what is
 * stored. Several threads may use it at once.
 */

#include <stdint.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "password/password_scheme.h"

struct password_cost;

/* Sets what refusals cost: as much as a new text of `scheme` by `method` and `cost`, see
 * password_scheme.h. Returns NULL with a reason if such a text cannot be made. */
struct password_cost *password_cost_new(const struct password_scheme *scheme, const char *method,
                                        unsigned long cost, struct reason *reason);
void password_cost_free(struct password_cost *cost);

/* The current time, on the clock that measures costs. */
uint64_t password_cost_now(void);

/* Raises the cost of refusing `password`, counted from `start`, to what refusals cost. */
void password_cost_reach(struct password_cost *cost, struct bytes password, uint64_t start);

#endif
