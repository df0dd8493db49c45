/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_QUESTION_H
#define SQLCRYPT_SQL_QUESTION_H

/*
 * Asks one endpoint: a lookup goes over a kept session or a new one, a task over a new one.
 * Which endpoints are asked, and how often, is for sql_connections.c to say.
 */

#include <stdbool.h>

#include "sql/sql_connections.h"
#include "sql/sql_endpoints.h"
#include "sql/sql_pool.h"

/* What to ask one endpoint after the other. */
struct sql_question {
    const struct sql_engine *engine;
    const struct sql_settings *settings;
    struct sql_endpoints *endpoints;
    struct sql_pool *pool;

    const struct sql_statement *statement; /* NULL if there is a task */
    struct sql_rows *rows;
    sql_task *task;
    void *context;

    bool had_conflict;
    enum lookup fate; /* of the session that the task has had last */
    bool is_crowded;  /* this process itself kept the endpoint from being asked */
    bool connected;   /* by a new session */
};

/* As `select` of sql_engine.h, or as the task returns; else why it was not asked:
 * LOOKUP_UNAVAILABLE, LOOKUP_LOST or LOOKUP_BUSY, with a reason. */
enum lookup sql_question_ask(struct sql_question *question, const struct sql_endpoint *endpoint,
                             const struct deadline *deadline, struct reason *reason);

#endif
