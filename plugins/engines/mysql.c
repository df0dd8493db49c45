/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engine driver for MySQL and MariaDB, with either of their client
 * libraries.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engines/mysql_connect.h"
#include "engines/mysql_plugins.h"
#include "engines/mysql_request.h"
#include "engines/mysql_rows.h"
#include "engines/mysql_statement.h"
#include "sql/sql_engine.h"

static void forget(struct mysql_kept *kept)
{
    if (kept->prepared != NULL)
        mysql_stmt_close(kept->prepared);
    free(kept->binds);
    free(kept->text);
    *kept = (struct mysql_kept){.text = NULL};
}

static enum lookup open_session(const struct sql_target *target, const struct sql_host *host,
                                const char *address, enum sql_access access,
                                const struct deadline *deadline, unsigned *learned,
                                struct sql_session **session, struct reason *reason)
{
    struct sql_session *opened = calloc(1, sizeof(*opened));
    enum lookup result;

    (void)learned;
    *session = NULL;
    if (opened == NULL) {
        reason_no_memory(reason);
        return LOOKUP_UNAVAILABLE;
    }
    result = mysql_connect(target, host, address, access, deadline, &opened->mysql, reason);
    if (result == LOOKUP_DONE)
        *session = opened;
    else
        free(opened);
    return result;
}

static void close_session(struct sql_session *session)
{
    unsigned i;

    /* This comes first: the statements then have nothing to send to the server. */
    mysql_client_close(session->mysql);
    for (i = 0; i < MYSQL_KEPT_STATEMENTS; i++)
        forget(&session->kept[i]);
    free(session);
}

/* --- one statement */

static enum lookup prepare_new(const struct mysql_request *request, struct mysql_kept *slot)
{
    const char *text = request->statement->text;

    slot->prepared = mysql_stmt_init(request->session->mysql);
    slot->text = strdup(text);
    if (slot->prepared == NULL || slot->text == NULL)
        return mysql_request_no_memory(request);
    if (mysql_stmt_prepare(slot->prepared, text, (unsigned long)strlen(text)) != 0)
        return mysql_request_statement_failed(request, slot->prepared, false);
    if (mysql_stmt_param_count(slot->prepared) != request->statement->parameter_count) {
        reason_set(request->reason, "the statement has parameters of its own");
        return LOOKUP_REJECTED;
    }
    slot->parameter_count = request->statement->parameter_count;
    slot->binds = calloc(slot->parameter_count + 1, sizeof(*slot->binds));
    return slot->binds != NULL ? LOOKUP_DONE : mysql_request_no_memory(request);
}

static bool is_same(const struct mysql_kept *kept, const struct sql_statement *statement)
{
    return kept->text != NULL && kept->parameter_count == statement->parameter_count &&
           strcmp(kept->text, statement->text) == 0;
}

/* Finds the statement among the kept ones, or prepares it and keeps it. */
static enum lookup prepare(const struct mysql_request *request, struct mysql_kept **kept)
{
    struct sql_session *session = request->session;
    struct mysql_kept *slot;
    enum lookup result;
    unsigned i;

    for (i = 0; i < MYSQL_KEPT_STATEMENTS; i++) {
        slot = &session->kept[i];
        if (is_same(slot, request->statement)) {
            *kept = slot;
            return LOOKUP_DONE;
        }
    }
    slot = &session->kept[session->next_kept];
    session->next_kept = (session->next_kept + 1) % MYSQL_KEPT_STATEMENTS;
    forget(slot);
    result = prepare_new(request, slot);
    if (result == LOOKUP_DONE)
        *kept = slot;
    else
        forget(slot);
    return result;
}

/* Lends a parameter to the library, which only reads it. */
static void bind(MYSQL_BIND *bind, struct bytes parameter)
{
    bind->buffer_type = parameter.start != NULL ? MYSQL_TYPE_STRING : MYSQL_TYPE_NULL;
    bind->buffer = (char *)(uintptr_t)parameter.start;
    bind->buffer_length = (unsigned long)parameter.length;
    bind->length = &bind->buffer_length;
}

/* Sends the parameters and waits for the beginning of the result. Returns false
 * on an error. */
static bool execute(const struct mysql_request *request, const struct mysql_kept *kept)
{
    const struct sql_statement *statement = request->statement;
    size_t i;

    for (i = 0; i < statement->parameter_count; i++)
        bind(&kept->binds[i], statement->parameters[i]);
    return (statement->parameter_count == 0 ||
            mysql_stmt_bind_param(kept->prepared, kept->binds) == 0) &&
           mysql_stmt_execute(kept->prepared) == 0;
}

/* Reads what is left: more rows, and further results of a procedure. Returns
 * false if that fails: the session cannot be used again. */
static bool drain(const struct mysql_request *request, MYSQL_STMT *prepared)
{
    for (;;) {
        /* Without columns there is nothing to free; Connector/C 3.4 calls the attempt an error. */
        if (mysql_stmt_field_count(prepared) > 0 && mysql_stmt_free_result(prepared) != 0)
            return false;
        if (!mysql_more_results(request->session->mysql))
            return true;
        if (mysql_stmt_next_result(prepared) != 0)
            return false;
    }
}

/* --- the driver */

static enum lookup run_prepared(const struct mysql_request *request, MYSQL_STMT *prepared,
                                struct sql_rows *rows)
{
    enum lookup result;

    /* MariaDB's library crashes on this; no server sends it intentionally. */
    if (mysql_field_count(request->session->mysql) == 0 &&
        mysql_more_results(request->session->mysql)) {
        reason_set(request->reason, "malformed reply");
        return LOOKUP_UNAVAILABLE;
    }
    if (rows != NULL)
        result = mysql_rows_read(request, prepared, rows);
    else
        result = mysql_stmt_field_count(prepared) > 0 || mysql_stmt_affected_rows(prepared) > 0
                     ? LOOKUP_DONE
                     : LOOKUP_NONE;
    /* What follows a good row may still be an error. */
    if (!drain(request, prepared) && result != LOOKUP_UNAVAILABLE && result != LOOKUP_LOST) {
        enum lookup before = result;

        result = mysql_request_statement_failed(request, prepared, true);
        /* "Not found" after a row was found */
        if (result == LOOKUP_NONE && before != LOOKUP_NONE)
            result = LOOKUP_REJECTED;
    }
    return result;
}

/* Runs a statement: one that reads if there are `rows` to fill. */
static enum lookup run(const struct mysql_request *request, struct sql_rows *rows)
{
    bool again = true;

    for (;;) {
        struct mysql_kept *kept;
        enum lookup result = prepare(request, &kept);

        if (result != LOOKUP_DONE)
            return result;
        if (execute(request, kept))
            return run_prepared(request, kept->prepared, rows);
        if (!again || mysql_error_kind(mysql_stmt_errno(kept->prepared)) != MYSQL_ERROR_FORGOTTEN)
            return mysql_request_statement_failed(request, kept->prepared, true);
        forget(kept);
        again = false;
    }
}

/* No row holds a name that a column's character set cannot express. But a statement that
 * compares incompatible values, whoever logs in, causes the same error: it then fails for an
 * ASCII name, too. */
static enum lookup run_in_ascii(const struct mysql_request *request, struct sql_rows *rows)
{
    struct mysql_ascii ascii;
    const struct mysql_request again = {request->session, &ascii.statement, request->call,
                                        request->reason};
    enum lookup result = mysql_statement_to_ascii(request->statement, &ascii)
                             ? run(&again, rows)
                             : mysql_request_no_memory(request);

    mysql_statement_free_ascii(&ascii);
    /* They may be another user's. */
    sql_rows_wipe(rows);
    return result == LOOKUP_FOUND ? LOOKUP_NONE : result;
}

static enum lookup run_lookup(const struct mysql_request *request, struct sql_rows *rows)
{
    enum lookup result = run(request, rows);

    if (result == LOOKUP_REJECTED &&
        mysql_error_kind(request->session->error) == MYSQL_ERROR_CHARACTERS &&
        !mysql_statement_is_ascii(request->statement)) {
        sql_rows_wipe(rows);
        return run_in_ascii(request, rows);
    }
    return result;
}

static enum lookup run_within(struct sql_session *session, const struct sql_statement *statement,
                              const struct deadline *deadline, struct sql_rows *rows,
                              struct reason *reason)
{
    struct mysql_call call;
    const struct mysql_request request = {session, statement, &call, reason};
    enum lookup result;

    session->error = 0;
    if (!mysql_client_begin(&call, session->mysql, deadline, reason))
        return LOOKUP_UNAVAILABLE;
    result = rows != NULL ? run_lookup(&request, rows) : run(&request, NULL);
    mysql_client_end(&call);
    return result;
}

static enum lookup select_rows(struct sql_session *session, const struct sql_statement *statement,
                               const struct deadline *deadline, struct sql_rows *rows,
                               struct reason *reason)
{
    return run_within(session, statement, deadline, rows, reason);
}

static enum lookup store(struct sql_session *session, const struct sql_statement *statement,
                         const struct deadline *deadline, struct reason *reason)
{
    const enum lookup result = run_within(session, statement, deadline, NULL, reason);

    return mysql_error_of_storing(session->error, result);
}

static enum lookup transaction(struct sql_session *session, enum sql_transaction step,
                               const struct deadline *deadline, struct reason *reason)
{
    static const char *const texts[] = {
        [SQL_BEGIN] = "START TRANSACTION",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
    };
    struct mysql_call call;
    const struct mysql_request request = {session, NULL, &call, reason};
    enum lookup result = LOOKUP_DONE;

    if (!mysql_client_begin(&call, session->mysql, deadline, reason))
        return LOOKUP_UNAVAILABLE;
    if (mysql_real_query(session->mysql, texts[step], (unsigned long)strlen(texts[step])) != 0) {
        const struct mysql_error error = mysql_connect_error(session->mysql);

        result = mysql_request_failed(&request, &error, false);
    }
    mysql_client_end(&call);
    return result;
}

const struct sql_engine sqlcrypt_engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "mysql",
    .load = mysql_plugins_load,
    .find_addresses = mysql_connect_find_addresses,
    .open = open_session,
    .close = close_session,
    .select = select_rows,
    .store = store,
    .transaction = transaction,
};
