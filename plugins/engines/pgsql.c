/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engine driver for PostgreSQL, with libpq.
 *
 * The statement of a lookup is prepared once in a session, under a name that is
 * derived from its text: a pooler such as PgBouncer may lead a session to a
 * server connection that others have used, where the name may only mean the
 * same. The statement may also be missing there: it is then prepared again, and
 * if that does not help, runs without a name.
 *
 * A parameter has the type that the server finds for it, so that a number is
 * compared as a number; if the server finds none, it is text, as a literal would be.
 */

#include <stdlib.h>
#include <string.h>

#include "engines/host_lookup.h"
#include "engines/openssl_ready.h"
#include "engines/pgsql_answer.h"
#include "engines/pgsql_connect.h"
#include "engines/pgsql_known.h"
#include "engines/pgsql_parameters.h"
#include "sql/sql_engine.h"

struct sql_session {
    struct pgsql_link link;
    bool by_name; /* whether statements are worth a name */
    struct pgsql_knowns knowns;
};

static void close_session(struct sql_session *session)
{
    PQfinish(session->link.connection);
    pgsql_known_free(&session->knowns);
    free(session);
}

static enum host_addresses_result
find_addresses(const struct sql_target *target, const struct sql_host *host,
               const struct deadline *deadline, struct host_addresses *found, struct reason *reason)
{
    if (host->name[0] == '\0' || sql_hosts_is_path(host))
        return HOST_ADDRESSES_NEEDLESS;
    return host_lookup_find(host->name, &target->jail, deadline, found, reason);
}

static enum lookup open_session(const struct sql_target *target, const struct sql_host *host,
                                const char *address, enum sql_access access,
                                const struct deadline *deadline, unsigned *learned,
                                struct sql_session **session, struct reason *reason)
{
    struct sql_session *opened = calloc(1, sizeof(*opened));
    enum lookup result;

    *session = NULL;
    if (opened == NULL) {
        reason_no_memory(reason);
        return LOOKUP_UNAVAILABLE;
    }
    result = pgsql_connect(target, host, address, access, deadline, learned, &opened->link, reason);
    if (result != LOOKUP_DONE) {
        free(opened);
        return result;
    }
    /* A session that stores runs each statement once, and a name that is
     * already in use would break its transaction. */
    opened->by_name = access == SQL_ACCESS_READ;
    *session = opened;
    return LOOKUP_DONE;
}

/* --- statements */

static void load(void)
{
    openssl_ready();
    pgsql_known_load();
}

static enum lookup prepare(struct sql_session *session, struct pgsql_known *known,
                           struct pgsql_answer *answer, const struct deadline *deadline,
                           struct reason *reason)
{
    enum lookup result;

    if (PQsendPrepare(session->link.connection, known->name, known->text,
                      (int)known->parameter_count, pgsql_known_types(known)) == 0)
        return pgsql_answer_not_sent(reason);
    result = pgsql_answer_collect(&session->link, answer, deadline, reason);
    known->is_prepared = result == LOOKUP_DONE || answer->error.kind == PGSQL_ERROR_PREPARED;
    return known->is_prepared ? LOOKUP_DONE : result;
}

/* Runs a statement by its name if it is prepared, else by its text. */
static enum lookup execute(struct sql_session *session, const struct pgsql_known *known,
                           const struct bytes *parameters, struct pgsql_answer *answer,
                           const struct deadline *deadline, struct reason *reason)
{
    const int count = (int)known->parameter_count;
    size_t i;
    int sent;

    for (i = 0; i < known->parameter_count; i++)
        known->values[i] = parameters[i].start;
    if (known->is_prepared)
        sent = PQsendQueryPrepared(session->link.connection, known->name, count, known->values,
                                   NULL, NULL, 0);
    else
        sent = PQsendQueryParams(session->link.connection, known->text, count,
                                 pgsql_known_types(known), known->values, NULL, NULL, 0);
    if (sent == 0)
        return pgsql_answer_not_sent(reason);
    /* Rows come one by one: without WHERE, a table may return many. */
    if (answer->rows != NULL && PQsetSingleRowMode(session->link.connection) == 0)
        return pgsql_answer_not_sent(reason);
    return pgsql_answer_collect(&session->link, answer, deadline, reason);
}

/* libpq takes a parameter as a NUL-terminated string. */
static bool parameters_fit(const struct sql_statement *statement, struct reason *reason)
{
    size_t i;

    for (i = 0; i < statement->parameter_count; i++)
        if (bytes_have_nul(statement->parameters[i])) {
            reason_set(reason, "a parameter holds a NUL");
            return false;
        }
    return true;
}

/* Within a transaction, an error of one statement breaks those that follow,
 * unless there is a savepoint to go back to. */
static enum lookup set_savepoint(struct sql_session *session, const struct deadline *deadline,
                                 struct reason *reason)
{
    struct pgsql_answer answer;

    if (PQtransactionStatus(session->link.connection) != PQTRANS_INTRANS)
        return LOOKUP_DONE;
    return pgsql_answer_command(&session->link, "SAVEPOINT sqlcrypt", &answer, deadline, reason);
}

static enum lookup return_to_savepoint(struct sql_session *session, const struct deadline *deadline,
                                       struct reason *reason)
{
    struct pgsql_answer answer;

    if (PQtransactionStatus(session->link.connection) != PQTRANS_INERROR)
        return LOOKUP_DONE;
    return pgsql_answer_command(&session->link, "ROLLBACK TO SAVEPOINT sqlcrypt", &answer, deadline,
                                reason);
}

/* Runs a statement in the way that fits the session. */
static enum lookup run_once(struct sql_session *session, const struct sql_statement *statement,
                            struct pgsql_known *known, struct sql_rows *rows,
                            struct pgsql_answer *answer, const struct deadline *deadline,
                            struct reason *reason)
{
    enum lookup result = LOOKUP_DONE;

    *answer = (struct pgsql_answer){.rows = NULL};
    if (!session->by_name)
        known->is_prepared = false;
    else if (!known->is_prepared && known->name[0] != '\0')
        result = prepare(session, known, answer, deadline, reason);
    if (result != LOOKUP_DONE)
        return result;
    if (rows != NULL)
        sql_rows_wipe(rows);
    *answer = (struct pgsql_answer){.rows = rows};
    result = execute(session, known, statement->parameters, answer, deadline, reason);
    /* The server accepted it before: something in between has lost track. */
    if (result == LOOKUP_REJECTED && answer->error.kind == PGSQL_ERROR_PROTOCOL &&
        known->has_worked)
        return LOOKUP_LOST;
    known->has_worked = known->has_worked || result == LOOKUP_DONE;
    return result;
}

/* Whether to run a statement again after that answer. */
static bool is_worth_another_try(struct sql_session *session, struct pgsql_known *known,
                                 const struct pgsql_answer *answer, bool *was_forgotten)
{
    const bool is_stale = answer->error.kind == PGSQL_ERROR_STALE;

    if (answer->error.kind == PGSQL_ERROR_UNTYPED)
        return pgsql_known_add_type(known, answer->error.untyped);
    if (!known->is_prepared || (answer->error.kind != PGSQL_ERROR_FORGOTTEN && !is_stale))
        return false;
    known->is_prepared = false;
    /* If it is missing twice in a row, a pooler gives each statement another server. And a
     * server that has kept a stale statement would find it again. */
    session->by_name = !*was_forgotten && !is_stale;
    *was_forgotten = true;
    return true;
}

static enum lookup run(struct sql_session *session, const struct sql_statement *statement,
                       struct sql_rows *rows, struct pgsql_answer *answer,
                       const struct deadline *deadline, struct reason *reason)
{
    bool was_forgotten = false;
    struct pgsql_known *known;
    enum lookup result;

    *answer = (struct pgsql_answer){.rows = NULL};
    if (!parameters_fit(statement, reason))
        return LOOKUP_REJECTED;
    known = pgsql_known_find(&session->knowns, statement, reason);
    if (known == NULL)
        return LOOKUP_UNAVAILABLE;
    result = set_savepoint(session, deadline, reason);
    while (result == LOOKUP_DONE) {
        result = run_once(session, statement, known, rows, answer, deadline, reason);
        if (result != LOOKUP_REJECTED ||
            !is_worth_another_try(session, known, answer, &was_forgotten))
            return result;
        result = return_to_savepoint(session, deadline, reason);
    }
    return result;
}

/* What an error about an unsuitable value means. */
static enum lookup judge_values(struct sql_session *session, const struct sql_statement *statement,
                                const struct pgsql_answer *answer, const struct deadline *deadline,
                                struct reason *reason)
{
    const struct reason why = *reason;
    const struct pgsql_known *known = pgsql_known_find(&session->knowns, statement, reason);
    enum lookup result = LOOKUP_UNAVAILABLE, restored = LOOKUP_DONE;

    if (known != NULL)
        result = return_to_savepoint(session, deadline, reason);
    if (result == LOOKUP_DONE) {
        const struct pgsql_refused refused = {statement, pgsql_known_types(known),
                                              known->is_prepared ? known->name : "",
                                              answer->error.state};

        result = pgsql_parameters_judge(&session->link, &refused, deadline, reason);
    }
    if (result == LOOKUP_NONE || result == LOOKUP_REJECTED)
        restored = return_to_savepoint(session, deadline, reason);
    if (result == LOOKUP_REJECTED && restored == LOOKUP_DONE)
        *reason = why;
    return restored == LOOKUP_DONE ? result : restored;
}

/* What an error of a statement that reads means for the lookup. */
static enum lookup judge_error(struct sql_session *session, const struct sql_statement *statement,
                               const struct pgsql_answer *answer, const struct deadline *deadline,
                               struct reason *reason)
{
    enum lookup restored;

    switch (answer->error.kind) {
    case PGSQL_ERROR_VALUE:
        return judge_values(session, statement, answer, deadline, reason);
    case PGSQL_ERROR_SEVERAL_ROWS:
        /* A function wanted one row, and has returned none of them. */
        answer->rows->has_more = true;
        return LOOKUP_FOUND;
    case PGSQL_ERROR_NO_ROW:
        restored = return_to_savepoint(session, deadline, reason);
        return restored == LOOKUP_DONE ? LOOKUP_NONE : restored;
    case PGSQL_ERROR_OTHER:
    case PGSQL_ERROR_PREPARED:
    case PGSQL_ERROR_FORGOTTEN:
    case PGSQL_ERROR_STALE:
    case PGSQL_ERROR_PROTOCOL:
    case PGSQL_ERROR_UNTYPED:
    case PGSQL_ERROR_TAKEN:
        break;
    }
    return LOOKUP_REJECTED;
}

static enum lookup select_rows(struct sql_session *session, const struct sql_statement *statement,
                               const struct deadline *deadline, struct sql_rows *rows,
                               struct reason *reason)
{
    struct pgsql_answer answer;
    enum lookup result = run(session, statement, rows, &answer, deadline, reason);

    if (result == LOOKUP_REJECTED)
        return judge_error(session, statement, &answer, deadline, reason);
    if (result != LOOKUP_DONE)
        return result;
    return rows->count > 0 ? LOOKUP_FOUND : LOOKUP_NONE;
}

static enum lookup store(struct sql_session *session, const struct sql_statement *statement,
                         const struct deadline *deadline, struct reason *reason)
{
    struct pgsql_answer answer;
    enum lookup result = run(session, statement, NULL, &answer, deadline, reason);

    if (result == LOOKUP_DONE && answer.changed == 0)
        return LOOKUP_NONE;
    /* The next lookup finds it. */
    if (result == LOOKUP_REJECTED && answer.error.kind == PGSQL_ERROR_TAKEN)
        return LOOKUP_CONFLICT;
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
    struct pgsql_answer answer;
    enum lookup result =
        pgsql_answer_command(&session->link, texts[step], &answer, deadline, reason);

    /* The answer to COMMIT of a failed transaction is ROLLBACK. */
    if (result == LOOKUP_DONE && strcmp(answer.tag, texts[step]) != 0) {
        reason_set(reason, "the server rolled the transaction back");
        return LOOKUP_REJECTED;
    }
    return result;
}

const struct sql_engine sqlcrypt_engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "pgsql",
    .load = load,
    .find_addresses = find_addresses,
    .open = open_session,
    .close = close_session,
    .select = select_rows,
    .store = store,
    .transaction = transaction,
};
