/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engine driver for PostgreSQL, by libpq.
 *
 * The statement of a lookup is prepared once in a session, under a name that is
 * made of its text: a pooler such as PgBouncer may lead a session to a server
 * connection that others have used, where the name must not mean anything else.
 * There, the statement may also be missing: then it is prepared again, and if
 * that does not help, runs without a name.
 */

#include <limits.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgsql_connect.h"
#include "pgsql_error.h"
#include "sql_engine.h"

enum {
    KEPT_STATEMENTS = 16,
    LONGEST_VALUE = 1 << 20, /* bytes */
    DIGEST_USED = 16         /* bytes of SHA-256: enough to tell statements apart */
};

struct prepared {
    char *text;
    char name[sizeof("sqlcrypt_") + 2 * DIGEST_USED];
};

struct sql_session {
    PGconn *connection;
    bool by_name; /* whether statements are worth a name */
    unsigned prepared_count;
    struct prepared prepared[KEPT_STATEMENTS];
};

static void close_session(struct sql_session *session)
{
    PQfinish(session->connection);
    while (session->prepared_count > 0)
        free(session->prepared[--session->prepared_count].text);
    free(session);
}

static enum lookup open_session(const struct sql_target *target, const struct sql_host *host,
                                enum sql_access access, const struct deadline *deadline,
                                struct sql_session **session, struct reason *reason)
{
    struct sql_session *opened = calloc(1, sizeof(*opened));
    enum lookup result;

    *session = NULL;
    if (opened == NULL) {
        reason_set(reason, "out of memory");
        return LOOKUP_UNAVAILABLE;
    }
    result = pgsql_connect(target, host, access, deadline, &opened->connection, reason);
    if (result != LOOKUP_FOUND) {
        free(opened);
        return result;
    }
    /* A session that stores runs each statement once, and a name that is taken
     * would spoil its transaction. */
    opened->by_name = access == SQL_ACCESS_READ;
    *session = opened;
    return LOOKUP_FOUND;
}

/* --- results */

/* What came back for one statement. */
struct answer {
    struct secret *value; /* to read into, NULL for a statement that stores */
    unsigned long rows;
    bool is_prepared;     /* the name was taken */
    bool is_forgotten;    /* the name means nothing */
    bool is_stale;        /* what it means is of no use any more */
    bool is_of_encoding;  /* a character cannot be expressed */
    bool is_of_parameter; /* a parameter is of the wrong type */
    char tag[16];         /* of what was stored, such as COMMIT */
};

/* Sends what is left to be sent, and waits for a whole result. */
static bool await_result(struct sql_session *session, const struct deadline *deadline)
{
    for (;;) {
        int unsent = PQflush(session->connection);

        /* A connection that is lost has a result that says so. */
        if (unsent < 0 || (unsent == 0 && PQisBusy(session->connection) == 0))
            return true;
        if (!pgsql_wait(session->connection, true, unsent != 0, deadline))
            return false;
        if (PQconsumeInput(session->connection) == 0)
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
static enum lookup read_row(const PGresult *result, struct answer *answer, struct reason *reason)
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

static enum lookup read_result(const struct sql_session *session, const PGresult *result,
                               struct answer *answer, struct reason *reason)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        return read_row(result, answer, reason);
    case PGRES_COMMAND_OK:
        if (answer->value != NULL) {
            reason_set(reason, "the statement returns no column");
            return LOOKUP_REJECTED;
        }
        /* fall through */
    case PGRES_TUPLES_OK:
        if (answer->value != NULL)
            return LOOKUP_FOUND;
        answer->rows = strtoul(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
        snprintf(answer->tag, sizeof(answer->tag), "%s",
                 PQcmdStatus((PGresult *)(uintptr_t)result));
        return LOOKUP_FOUND;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        answer->is_prepared = pgsql_error_is_prepared(result);
        answer->is_forgotten = pgsql_error_is_forgotten(result);
        answer->is_stale = pgsql_error_is_stale(result);
        answer->is_of_encoding = pgsql_error_is_of_encoding(result);
        answer->is_of_parameter = pgsql_error_is_of_parameter(result);
        return pgsql_error_judge(session->connection, result, reason);
    default:
        /* COPY, of which the end would never come. */
        reason_set(reason, "a statement of this kind cannot be used");
        return LOOKUP_UNAVAILABLE;
    }
}

/* Reads all results of what was sent. LOOKUP_FOUND if there was no error,
 * whatever the number of rows. */
static enum lookup collect(struct sql_session *session, struct answer *answer,
                           const struct deadline *deadline, struct reason *reason)
{
    enum lookup outcome = LOOKUP_FOUND;

    for (;;) {
        /* Of rows without end, there is always one to be read. */
        bool may_have_no_end = answer->rows > 1 || outcome != LOOKUP_FOUND;
        bool is_late = may_have_no_end && deadline_remaining(deadline) == 0;
        PGresult *result;
        enum lookup next;

        if (is_late || !await_result(session, deadline)) {
            reason_set(reason, "no answer when the time was up");
            return LOOKUP_UNAVAILABLE;
        }
        result = PQgetResult(session->connection);
        if (result == NULL)
            return outcome;
        next = outcome == LOOKUP_FOUND ? read_result(session, result, answer, reason) : outcome;
        wipe_result(result);
        outcome = next;
        if (outcome == LOOKUP_UNAVAILABLE || outcome == LOOKUP_LOST)
            return outcome;
    }
}

static enum lookup not_sent(struct reason *reason)
{
    reason_set(reason, "the connection was closed");
    return LOOKUP_LOST;
}

/* --- statements */

/* A name that no other statement has. False if there is no SHA-256. */
static bool make_name(const char *text, char *name, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t i;
    int length;

    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    length = snprintf(name, size, "sqlcrypt_");
    for (i = 0; i < DIGEST_USED; i++)
        length += snprintf(name + length, size - (size_t)length, "%02x", digest[i]);
    return true;
}

static enum lookup prepare(struct sql_session *session, const struct sql_statement *statement,
                           const struct deadline *deadline, struct prepared **prepared,
                           struct reason *reason)
{
    struct prepared *slot = session->prepared;
    struct prepared *end = slot + session->prepared_count;
    struct answer answer = {.value = NULL};
    enum lookup result;

    while (slot < end && strcmp(slot->text, statement->text) != 0)
        slot++;
    *prepared = slot;
    if (slot < end)
        return LOOKUP_FOUND;
    if (session->prepared_count == KEPT_STATEMENTS ||
        !make_name(statement->text, slot->name, sizeof(slot->name))) {
        *prepared = NULL;
        return LOOKUP_FOUND;
    }
    if (PQsendPrepare(session->connection, slot->name, statement->text, 0, NULL) == 0)
        return not_sent(reason);
    result = collect(session, &answer, deadline, reason);
    if (result != LOOKUP_FOUND && !answer.is_prepared)
        return result;
    slot->text = strdup(statement->text);
    if (slot->text == NULL) {
        reason_set(reason, "out of memory");
        return LOOKUP_UNAVAILABLE;
    }
    session->prepared_count++;
    return LOOKUP_FOUND;
}

static void forget(struct sql_session *session, struct prepared *prepared)
{
    free(prepared->text);
    *prepared = session->prepared[--session->prepared_count];
}

/* Runs a statement by its name, or by its text if `prepared` is NULL. */
static enum lookup execute(struct sql_session *session, const struct sql_statement *statement,
                           const struct prepared *prepared, struct answer *answer,
                           const struct deadline *deadline, struct reason *reason)
{
    int count = (int)statement->parameter_count;
    const char *values[count + 1];
    int i, sent;

    values[count] = NULL;
    for (i = 0; i < count; i++)
        values[i] = statement->parameters[i].bytes;
    if (prepared != NULL)
        sent =
            PQsendQueryPrepared(session->connection, prepared->name, count, values, NULL, NULL, 0);
    else
        sent = PQsendQueryParams(session->connection, statement->text, count, NULL, values, NULL,
                                 NULL, 0);
    if (sent == 0)
        return not_sent(reason);
    /* Row by row: of a table without WHERE, there might be many. */
    if (answer->value != NULL && PQsetSingleRowMode(session->connection) == 0)
        return not_sent(reason);
    return collect(session, answer, deadline, reason);
}

/* libpq takes a parameter as a string that ends in a NUL. */
static bool parameters_fit(const struct sql_statement *statement, struct reason *reason)
{
    size_t i;

    for (i = 0; i < statement->parameter_count; i++) {
        const struct secret *parameter = &statement->parameters[i];

        if (parameter->bytes != NULL && strlen(parameter->bytes) != parameter->length) {
            reason_set(reason, "a parameter holds a NUL");
            return false;
        }
    }
    return true;
}

/* Runs a statement in the way that fits the session. */
static enum lookup run(struct sql_session *session, const struct sql_statement *statement,
                       struct secret *value, struct answer *answer, const struct deadline *deadline,
                       struct reason *reason)
{
    unsigned tries;

    if (!parameters_fit(statement, reason))
        return LOOKUP_REJECTED;
    for (tries = 0; session->by_name && tries < 2; tries++) {
        struct prepared *prepared;
        enum lookup result = prepare(session, statement, deadline, &prepared, reason);

        if (result != LOOKUP_FOUND)
            return result;
        if (prepared == NULL)
            break;
        *answer = (struct answer){.value = value};
        result = execute(session, statement, prepared, answer, deadline, reason);
        if (!answer->is_forgotten && !answer->is_stale)
            return result;
        forget(session, prepared);
        /* Twice in a row, a pooler has given each statement another server. And a
         * server that has kept a stale one would find it again. */
        session->by_name = tries == 0 && !answer->is_stale;
    }
    *answer = (struct answer){.value = value};
    return execute(session, statement, NULL, answer, deadline, reason);
}

static bool is_ascii(const struct sql_statement *statement)
{
    size_t i, at;

    for (i = 0; i < statement->parameter_count; i++)
        for (at = 0; at < statement->parameters[i].length; at++)
            if ((unsigned char)statement->parameters[i].bytes[at] >= 0x80)
                return false;
    return true;
}

static enum lookup select_value(struct sql_session *session, const struct sql_statement *statement,
                                const struct deadline *deadline, struct secret *value,
                                struct reason *reason)
{
    struct answer answer = {.value = NULL};
    enum lookup result = run(session, statement, value, &answer, deadline, reason);

    /* No row holds a name that the database cannot express, or that is no number where
     * only numbers are. */
    if (result == LOOKUP_REJECTED &&
        (answer.is_of_parameter || (answer.is_of_encoding && !is_ascii(statement))))
        return LOOKUP_NONE;
    if (result != LOOKUP_FOUND || answer.rows == 1)
        return result;
    if (answer.rows == 0)
        return LOOKUP_NONE;
    reason_set(reason, "more than one row for one user");
    return LOOKUP_SEVERAL;
}

static enum lookup store(struct sql_session *session, const struct sql_statement *statement,
                         const struct deadline *deadline, struct reason *reason)
{
    struct answer answer = {.value = NULL};
    enum lookup result = run(session, statement, NULL, &answer, deadline, reason);

    if (result == LOOKUP_FOUND && answer.rows == 0)
        return LOOKUP_NONE;
    return result;
}

static enum lookup transaction(struct sql_session *session, enum sql_transaction step,
                               const struct deadline *deadline, struct reason *reason)
{
    static const char *const texts[] = {
        [SQL_BEGIN] = "BEGIN",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
    };
    const struct sql_statement statement = {texts[step], NULL, 0};
    struct answer answer = {.value = NULL};
    enum lookup result = execute(session, &statement, NULL, &answer, deadline, reason);

    /* COMMIT of a transaction that has failed is answered with ROLLBACK. */
    if (result == LOOKUP_FOUND && strcmp(answer.tag, texts[step]) != 0) {
        reason_set(reason, "the server has rolled back");
        return LOOKUP_REJECTED;
    }
    return result;
}

const struct sql_engine sqlcrypt_engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "pgsql",
    .open = open_session,
    .close = close_session,
    .select = select_value,
    .store = store,
    .transaction = transaction,
};
