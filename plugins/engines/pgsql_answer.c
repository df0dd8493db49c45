/* SPDX-License-Identifier: BSD-3-Clause */
#include "pgsql_answer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgsql_connect.h"
#include "pgsql_error.h"

enum { LONGEST_VALUE = 1 << 20 }; /* bytes */

/* Sends what is left to be sent, and waits for a whole result. */
static bool await_result(PGconn *connection, const struct deadline *deadline)
{
    for (;;) {
        int unsent = PQflush(connection);

        /* A connection that is lost has a result that says so. */
        if (unsent < 0 || (unsent == 0 && PQisBusy(connection) == 0))
            return true;
        if (!pgsql_wait(connection, true, unsent != 0, deadline))
            return false;
        if (PQconsumeInput(connection) == 0)
            return true;
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

/* Takes the first column of the first row, and counts the others. */
static enum lookup read_row(const PGresult *result, struct pgsql_answer *answer,
                            struct reason *reason)
{
    size_t length = (size_t)PQgetlength(result, 0, 0);

    answer->rows++;
    if (answer->value == NULL || answer->rows > 1)
        return LOOKUP_FOUND;
    if (PQnfields(result) == 0) {
        reason_set(reason, "the statement returns no column");
        return LOOKUP_REJECTED;
    }
    if (PQgetisnull(result, 0, 0)) {
        secret_wipe(answer->value);
        return LOOKUP_FOUND;
    }
    if (length > LONGEST_VALUE) {
        reason_set(reason, "the value is longer than %d bytes", LONGEST_VALUE);
        return LOOKUP_REJECTED;
    }
    if (secret_set(answer->value, PQgetvalue(result, 0, 0), length))
        return LOOKUP_FOUND;
    reason_set(reason, "out of memory");
    return LOOKUP_UNAVAILABLE;
}

static void read_error(const PGresult *error, struct pgsql_answer *answer)
{
    answer->is_prepared = pgsql_error_is_prepared(error);
    answer->is_forgotten = pgsql_error_is_forgotten(error);
    answer->is_stale = pgsql_error_is_stale(error);
    answer->is_of_protocol = pgsql_error_is_of_protocol(error);
    answer->is_untyped = pgsql_error_is_untyped(error, &answer->untyped);
    answer->is_no_row = pgsql_error_is_no_row(error);
    answer->is_several_rows = pgsql_error_is_several_rows(error);
    answer->is_of_encoding = pgsql_error_is_of_encoding(error);
    answer->is_of_parameter = pgsql_error_is_of_parameter(error);
}

static enum lookup read_result(const PGconn *connection, PGresult *result,
                               struct pgsql_answer *answer, struct reason *reason)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        return read_row(result, answer, reason);
    case PGRES_COMMAND_OK:
        snprintf(answer->tag, sizeof(answer->tag), "%s", PQcmdStatus(result));
        /* A procedure returns a row if it has something to say. */
        if (answer->value != NULL && strcmp(answer->tag, "CALL") != 0) {
            reason_set(reason, "the statement returns no column");
            return LOOKUP_REJECTED;
        }
        /* fall through */
    case PGRES_TUPLES_OK:
        if (answer->value == NULL)
            answer->rows = strtoul(PQcmdTuples(result), NULL, 10);
        return LOOKUP_FOUND;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        read_error(result, answer);
        return pgsql_error_judge(connection, result, reason);
    default:
        /* COPY, of which the end would never come. */
        reason_set(reason, "a statement of this kind cannot be used");
        return LOOKUP_UNAVAILABLE;
    }
}

/* An error that the connection did not survive was not about the statement. */
static enum lookup outcome_at_end(const PGconn *connection, enum lookup outcome)
{
    return outcome == LOOKUP_REJECTED && PQstatus(connection) == CONNECTION_BAD ? LOOKUP_LOST
                                                                                : outcome;
}

enum lookup pgsql_collect(PGconn *connection, struct pgsql_answer *answer,
                          const struct deadline *deadline, struct reason *reason)
{
    enum lookup outcome = LOOKUP_FOUND;

    for (;;) {
        /* Of rows without end, there is always one to be read. */
        bool may_have_no_end = answer->rows > 1 || outcome != LOOKUP_FOUND;
        bool is_late = may_have_no_end && deadline_remaining(deadline) == 0;
        PGresult *result;
        enum lookup next;

        if (is_late || !await_result(connection, deadline)) {
            reason_set(reason, "no answer when the time was up");
            return LOOKUP_UNAVAILABLE;
        }
        result = PQgetResult(connection);
        if (result == NULL)
            return outcome_at_end(connection, outcome);
        next = outcome == LOOKUP_FOUND ? read_result(connection, result, answer, reason) : outcome;
        wipe_result(result);
        outcome = next;
        if (outcome == LOOKUP_UNAVAILABLE || outcome == LOOKUP_LOST)
            return outcome;
    }
}
