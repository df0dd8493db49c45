/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_POOL_H
#define SQLCRYPT_SQL_POOL_H

/*
 * Keeps the engine sessions of this process between logins: a small number of
 * places for any number of threads. Anything that a process inherits from its
 * parent is left alone, unused and not even closed: the server would notice.
 */

#include <stdbool.h>

#include "sql/sql_engine.h"

/* The most sessions for lookups that a process has. */
enum { SQL_POOL_PLACES = 8 };

struct sql_pool;

/* With `persistent` false, no session is kept. Returns NULL when out of memory. */
struct sql_pool *sql_pool_new(const struct sql_engine *engine, bool persistent);

/* Closes what this process has opened. No thread may hold a place. */
void sql_pool_free(struct sql_pool *pool);

enum sql_pool_entry { SQL_POOL_NO_MEMORY, SQL_POOL_FULL, SQL_POOL_ENTERED };

/* Takes a place, and with it a kept session with `endpoint`, a number chosen by the caller, if
 * there is one: else *session is NULL, and the caller may open one. Waits while all places are
 * taken: SQL_POOL_FULL at the deadline. */
enum sql_pool_entry sql_pool_enter(struct sql_pool *pool, unsigned endpoint,
                                   const struct deadline *deadline, struct sql_session **session);

/* Gives the place back, and `session` to be kept; NULL if it is closed. Endpoints of a
 * higher `rank` stand in for those of a lower one. */
void sql_pool_leave(struct sql_pool *pool, unsigned endpoint, unsigned rank,
                    struct sql_session *session);

/* Closes what is kept with endpoints after that rank: they have stood in for it. */
void sql_pool_close_behind(struct sql_pool *pool, unsigned rank);

/* Closes what is kept with an endpoint. */
void sql_pool_close_of(struct sql_pool *pool, unsigned endpoint);

#endif
