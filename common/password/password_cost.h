/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PASSWORD_COST_H
#define SQLCRYPT_PASSWORD_COST_H

/*
 * Keeps the cost of a refused login from telling whether there is such a user, and what is
 * stored. May be used by several threads at once.
 */

#include <stdint.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "password/password_scheme.h"

struct password_cost;

/* What refusals are to cost: as much as a text of `scheme`, new by `method` and `cost`, see
 * password_scheme.h. Returns NULL with a reason if there is none to be had. */
struct password_cost *password_cost_new(const struct password_scheme *scheme, const char *method,
                                        unsigned long cost, struct reason *reason);
void password_cost_free(struct password_cost *cost);

/* A moment, on the clock by which costs are counted. */
uint64_t password_cost_now(void);

/* Brings what has been spent since `start` on the refusal of `password` to what refusals
 * cost. */
void password_cost_reach(struct password_cost *cost, struct bytes password, uint64_t start);

#endif
