/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_question.h"

static enum lookup open_session(const struct sql_question *question,
                                const struct sql_endpoint *endpoint, enum sql_access access,
                                const struct deadline *deadline, struct sql_session **session,
                                struct reason *reason)
{
    const struct sql_settings *settings = question->settings;
    unsigned learned = endpoint->learned;
    const enum lookup result =
        question->engine->open(&settings->target, &settings->hosts.items[endpoint->host],
                               endpoint->address, access, deadline, &learned, session, reason);

    if (learned != endpoint->learned)
        sql_endpoints_learn(question->endpoints, endpoint->id, learned);
    return result;
}

static enum lookup judge_rows(const struct sql_question *question, enum lookup result,
                              struct reason *reason)
{
    result = sql_rows_judge(question->rows, result, reason);
    if (result == LOOKUP_SEVERAL)
        sql_settings_name_file(question->settings, reason);
    return result;
}

/* Asks over the kept session, or a new one, which also replaces a kept one that
 * turns out to be lost. */
static enum lookup ask(struct sql_question *question, const struct sql_endpoint *endpoint,
                       const struct deadline *deadline, struct sql_session **session,
                       struct reason *reason)
{
    const struct sql_engine *engine = question->engine;
    bool kept = *session != NULL;
    enum lookup result;

    for (;;) {
        if (*session == NULL) {
            question->connected = true;
            result = open_session(question, endpoint, SQL_ACCESS_READ, deadline, session, reason);
            if (result != LOOKUP_DONE)
                return result;
        }
        sql_rows_wipe(question->rows);
        result = engine->select(*session, question->statement, deadline, question->rows, reason);
        result = judge_rows(question, result, reason);
        if (result != LOOKUP_LOST && result != LOOKUP_UNAVAILABLE && result != LOOKUP_CONFLICT)
            return result;
        engine->close(*session);
        *session = NULL;
        if (result == LOOKUP_UNAVAILABLE || !kept)
            return result;
        kept = false;
    }
}

static void say_crowded(struct reason *reason)
{
    reason_set(reason, "all %d sessions of this process were in use", SQL_POOL_PLACES);
}

/* Takes a place in the pool. An endpoint that then has less than half of its time left is not to
 * blame if that is too little. LOOKUP_DONE; else with a reason. */
static enum lookup enter_pool(struct sql_question *question, const struct sql_endpoint *endpoint,
                              const struct deadline *deadline, struct sql_session **session,
                              struct reason *reason)
{
    const struct deadline half = deadline_share(deadline, 1, 2);

    question->is_crowded = true;
    switch (sql_pool_enter(question->pool, endpoint->id, deadline, session)) {
    case SQL_POOL_NO_MEMORY:
        reason_no_memory(reason);
        return LOOKUP_UNAVAILABLE;
    case SQL_POOL_FULL:
        say_crowded(reason);
        return LOOKUP_BUSY;
    case SQL_POOL_ENTERED:
        break;
    }
    question->is_crowded = deadline_remaining(&half) == 0;
    return LOOKUP_DONE;
}

static enum lookup ask_over_pool(struct sql_question *question, const struct sql_endpoint *endpoint,
                                 const struct deadline *deadline, struct reason *reason)
{
    struct sql_pool *pool = question->pool;
    struct sql_session *session;
    enum lookup result = enter_pool(question, endpoint, deadline, &session, reason);
    bool replaced;

    question->connected = false;
    if (result != LOOKUP_DONE)
        return result;
    result = ask(question, endpoint, deadline, &session, reason);
    /* An answer in time still counts. */
    question->is_crowded = question->is_crowded && deadline_remaining(deadline) == 0 &&
                           (result == LOOKUP_LOST || result == LOOKUP_UNAVAILABLE);
    if (question->is_crowded) {
        say_crowded(reason);
        result = LOOKUP_BUSY;
    }
    replaced = question->connected && session != NULL;
    sql_pool_leave(pool, endpoint->id, endpoint->rank, session);
    /* The thread that found out closed only what was kept at that time. */
    if (session != NULL && sql_endpoints_is_gone(question->endpoints, endpoint))
        sql_pool_close_of(pool, endpoint->id);
    if (replaced)
        sql_pool_close_behind(pool, endpoint->rank);
    return result;
}

/* A task may take all the time once it has begun. */
static enum lookup run_task(struct sql_question *question, const struct sql_endpoint *endpoint,
                            const struct deadline *deadline, struct reason *reason)
{
    struct sql_session *session;
    enum lookup result =
        open_session(question, endpoint, SQL_ACCESS_WRITE, deadline, &session, reason);

    question->fate = LOOKUP_DONE;
    if (result != LOOKUP_DONE)
        return result;
    result = question->task(question->context, session, &question->fate, reason);
    if (result == LOOKUP_CONFLICT && !question->had_conflict) {
        question->had_conflict = true;
        result = question->task(question->context, session, &question->fate, reason);
    }
    question->engine->close(session);
    return result;
}

enum lookup sql_question_ask(struct sql_question *question, const struct sql_endpoint *endpoint,
                             const struct deadline *deadline, struct reason *reason)
{
    return question->statement != NULL ? ask_over_pool(question, endpoint, deadline, reason)
                                       : run_task(question, endpoint, deadline, reason);
}
