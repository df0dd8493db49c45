/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_answer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In bytes. */
enum {
    LONGEST_VALUE = 1 << 20,
    ORDINARY_ANSWER = 16 << 10,
    LONGEST_ANSWER = 4 << 20 /* including other columns and rows, and notices */
};

/* Takes what has arrived. OpenSSL may hold more of a record than libpq takes at once, and the
 * socket does not show that. */
static bool take(PGconn *connection)
{
    int times = PQsslInUse(connection) != 0 ? 3 : 1;
    PGnotify *notification;

    for (; times > 0; times--)
        if (PQconsumeInput(connection) == 0)
            return false;
    while ((notification = PQnotifies(connection)) != NULL)
        PQfreemem(notification);
    return true;
}

/* A lost connection has a result that says so. After other errors, such as lack of memory, libpq
 * would wait for a result without a deadline. */
static bool has_result_of_loss(const PGconn *connection, struct reason *reason)
{
    reason_set(reason, "libpq cannot go on with the connection");
    return PQstatus(connection) == CONNECTION_BAD;
}

/* Sends what is still unsent, and waits for a whole result. False with a reason. */
static bool await_result(struct pgsql_link *link, const struct pgsql_limits *limits,
                         struct reason *reason)
{
    for (;;) {
        int unsent = PQflush(link->connection);

        if (unsent == 0 && PQisBusy(link->connection) == 0)
            return true;
        if (unsent < 0)
            return has_result_of_loss(link->connection, reason);
        if (!pgsql_link_wait(link, true, unsent != 0, limits, reason))
            return false;
        if (!take(link->connection))
            return has_result_of_loss(link->connection, reason);
    }
}

static void wipe_result(PGresult *result)
{
    int row, column;

    for (row = 0; row < PQntuples(result); row++)
        for (column = 0; column < PQnfields(result); column++)
            explicit_bzero((char *)(uintptr_t)PQgetvalue(result, row, column),
                           (size_t)PQgetlength(result, row, column));
    PQclear(result);
}

/* Takes the first column of a row, if there is room. Rows come one by one only if there is
 * something to read into. */
static enum lookup read_row(const PGresult *result, struct pgsql_answer *answer,
                            struct reason *reason)
{
    size_t length;
    bool is_null;

    if (sql_rows_overflow(answer->rows))
        return LOOKUP_DONE;
    if (PQnfields(result) == 0) {
        reason_set(reason, "the statement returns no column");
        return LOOKUP_REJECTED;
    }
    length = (size_t)PQgetlength(result, 0, 0);
    is_null = PQgetisnull(result, 0, 0) != 0;
    if (length > LONGEST_VALUE) {
        reason_set(reason, "the value is longer than %d bytes", LONGEST_VALUE);
        return LOOKUP_REJECTED;
    }
    if (sql_rows_add(answer->rows, is_null ? NULL : PQgetvalue(result, 0, 0), length))
        return LOOKUP_DONE;
    reason_no_memory(reason);
    return LOOKUP_UNAVAILABLE;
}

/* The types that the server has found for a prepared statement. */
static enum lookup read_types(const PGresult *result, struct pgsql_answer *answer,
                              struct reason *reason)
{
    size_t i;

    if ((size_t)PQnparams(result) != answer->type_count) {
        reason_set(reason, "the server expects a different number of parameters");
        return LOOKUP_REJECTED;
    }
    for (i = 0; i < answer->type_count; i++)
        answer->types[i] = PQparamtype(result, (int)i);
    return LOOKUP_DONE;
}

static enum lookup read_result(const PGconn *connection, PGresult *result,
                               struct pgsql_answer *answer, struct reason *reason)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        return read_row(result, answer, reason);
    case PGRES_COMMAND_OK:
        if (answer->types != NULL)
            return read_types(result, answer, reason);
        snprintf(answer->tag, sizeof(answer->tag), "%s", PQcmdStatus(result));
        /* A procedure returns a row if it has output. */
        if (answer->rows != NULL && strcmp(answer->tag, "CALL") != 0) {
            reason_set(reason, "the statement returns no column");
            return LOOKUP_REJECTED;
        }
        /* fall through */
    case PGRES_TUPLES_OK:
        if (answer->rows == NULL)
            answer->changed = strtoul(PQcmdTuples(result), NULL, 10);
        return LOOKUP_DONE;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        return pgsql_error_judge(connection, result, &answer->error, reason);
    default:
        /* COPY, which would never end */
        reason_set(reason, "a statement of this kind cannot be used");
        return LOOKUP_UNAVAILABLE;
    }
}

/* An error that also ended the connection was not about the statement. */
static enum lookup outcome_at_end(const PGconn *connection, enum lookup outcome)
{
    return outcome == LOOKUP_REJECTED && PQstatus(connection) == CONNECTION_BAD ? LOOKUP_LOST
                                                                                : outcome;
}

static enum lookup collect(struct pgsql_link *link, struct pgsql_answer *answer,
                           const struct pgsql_limits *limits, struct reason *reason)
{
    PGconn *connection = link->connection;
    enum lookup outcome = LOOKUP_DONE;

    for (;;) {
        PGresult *result;
        enum lookup next;

        /* A server that sends results endlessly always has one ready to read. */
        if (deadline_remaining(limits->deadline) == 0) {
            reason_set(reason, "timed out waiting for an answer");
            return LOOKUP_UNAVAILABLE;
        }
        if (!await_result(link, limits, reason))
            return LOOKUP_UNAVAILABLE;
        result = PQgetResult(connection);
        if (result == NULL)
            return outcome_at_end(connection, outcome);
        next = outcome == LOOKUP_DONE ? read_result(connection, result, answer, reason) : outcome;
        wipe_result(result);
        outcome = next;
        if (outcome == LOOKUP_UNAVAILABLE || outcome == LOOKUP_LOST)
            return outcome;
    }
}

enum lookup pgsql_answer_collect(struct pgsql_link *link, struct pgsql_answer *answer,
                                 const struct deadline *deadline, struct reason *reason)
{
    const struct pgsql_limits limits = {deadline, ORDINARY_ANSWER, LONGEST_ANSWER};
    enum lookup outcome = collect(link, answer, &limits, reason);

    return pgsql_link_end(link, &limits, reason) ? outcome : LOOKUP_UNAVAILABLE;
}

enum lookup pgsql_answer_not_sent(struct reason *reason)
{
    reason_set(reason, "the connection was closed");
    return LOOKUP_LOST;
}

enum lookup pgsql_answer_command(struct pgsql_link *link, const char *text,
                                 struct pgsql_answer *answer, const struct deadline *deadline,
                                 struct reason *reason)
{
    *answer = (struct pgsql_answer){.rows = NULL};
    if (PQsendQueryParams(link->connection, text, 0, NULL, NULL, NULL, NULL, 0) == 0)
        return pgsql_answer_not_sent(reason);
    return pgsql_answer_collect(link, answer, deadline, reason);
}
