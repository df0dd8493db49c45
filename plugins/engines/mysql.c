/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engine driver for MySQL and MariaDB, by either of their client
 * libraries.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engines/mysql_client.h"
#include "engines/mysql_connect.h"
#include "engines/mysql_error.h"
#include "engines/mysql_plugins.h"
#include "engines/mysql_statement.h"
#include "sql/sql_engine.h"

enum {
    KEPT_STATEMENTS = 8,
    SHORT_VALUE = 512 /* bytes that are fetched at once */
};

struct kept_statement {
    char *text;
    MYSQL_STMT *prepared;
    MYSQL_BIND *binds; /* for its parameters */
    size_t parameter_count;
};

struct sql_session {
    MYSQL *mysql;
    struct kept_statement kept[KEPT_STATEMENTS];
    unsigned next_kept; /* where the next statement goes */
    unsigned error;     /* the number of the last one */
};

static void forget(struct kept_statement *kept)
{
    if (kept->prepared != NULL)
        mysql_stmt_close(kept->prepared);
    free(kept->binds);
    free(kept->text);
    *kept = (struct kept_statement){.text = NULL};
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

    /* First: the statements then have nothing to tell the server. */
    mysql_client_close(session->mysql);
    for (i = 0; i < KEPT_STATEMENTS; i++)
        forget(&session->kept[i]);
    free(session);
}

/* --- one statement */

/* On its way to its result. */
struct request {
    struct sql_session *session;
    const struct sql_statement *statement;
    struct mysql_call *call;
    struct reason *reason;
};

static enum lookup failed(const struct request *request, const struct mysql_error *error,
                          bool has_values)
{
    enum lookup result = mysql_error_judge(error, has_values, request->reason);

    request->session->error = error->number;
    if (result != LOOKUP_LOST)
        return result;
    if (mysql_client_refused_message(request->session->mysql))
        reason_set(request->reason, "the server sends a message longer than %d bytes",
                   MYSQL_LONGEST_MESSAGE);
    else if (deadline_remaining(&request->call->deadline) == 0)
        reason_set(request->reason, "no answer when the time was up");
    else if (mysql_client_is_flooded(request->call))
        reason_set(request->reason, "the server sends too much");
    else
        return result;
    return LOOKUP_UNAVAILABLE;
}

static enum lookup statement_failed(const struct request *request, MYSQL_STMT *prepared,
                                    bool has_values)
{
    struct mysql_error error = {mysql_stmt_errno(prepared), mysql_stmt_sqlstate(prepared),
                                mysql_stmt_error(prepared)};

    /* Of an error while rows are read, only the connection knows. */
    if (error.number == 0)
        error = mysql_connect_error(request->session->mysql);
    return failed(request, &error, has_values);
}

static enum lookup out_of_memory(const struct request *request)
{
    reason_no_memory(request->reason);
    return LOOKUP_UNAVAILABLE;
}

static enum lookup prepare_new(const struct request *request, struct kept_statement *slot)
{
    const char *text = request->statement->text;

    slot->prepared = mysql_stmt_init(request->session->mysql);
    slot->text = strdup(text);
    if (slot->prepared == NULL || slot->text == NULL)
        return out_of_memory(request);
    if (mysql_stmt_prepare(slot->prepared, text, (unsigned long)strlen(text)) != 0)
        return statement_failed(request, slot->prepared, false);
    if (mysql_stmt_param_count(slot->prepared) != request->statement->parameter_count) {
        reason_set(request->reason, "the statement has parameters of its own");
        return LOOKUP_REJECTED;
    }
    slot->parameter_count = request->statement->parameter_count;
    slot->binds = calloc(slot->parameter_count + 1, sizeof(*slot->binds));
    return slot->binds != NULL ? LOOKUP_DONE : out_of_memory(request);
}

static bool is_same(const struct kept_statement *kept, const struct sql_statement *statement)
{
    return kept->text != NULL && kept->parameter_count == statement->parameter_count &&
           strcmp(kept->text, statement->text) == 0;
}

/* Finds the statement among the kept ones, or prepares it and keeps it. */
static enum lookup prepare(const struct request *request, struct kept_statement **kept)
{
    struct sql_session *session = request->session;
    struct kept_statement *slot;
    enum lookup result;
    unsigned i;

    for (i = 0; i < KEPT_STATEMENTS; i++) {
        slot = &session->kept[i];
        if (is_same(slot, request->statement)) {
            *kept = slot;
            return LOOKUP_DONE;
        }
    }
    slot = &session->kept[session->next_kept];
    session->next_kept = (session->next_kept + 1) % KEPT_STATEMENTS;
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

/* Sends the parameters and awaits the beginning of the result. False if there
 * is an error. */
static bool execute(const struct request *request, const struct kept_statement *kept)
{
    const struct sql_statement *statement = request->statement;
    size_t i;

    for (i = 0; i < statement->parameter_count; i++)
        bind(&kept->binds[i], statement->parameters[i]);
    return (statement->parameter_count == 0 ||
            mysql_stmt_bind_param(kept->prepared, kept->binds) == 0) &&
           mysql_stmt_execute(kept->prepared) == 0;
}

/* --- rows */

/* Where the first column of a row goes. */
struct column {
    char bytes[SHORT_VALUE];
    unsigned long length;
    mysql_bool is_null;
};

static bool bind_columns(MYSQL_STMT *prepared, struct column *column)
{
    unsigned count = mysql_stmt_field_count(prepared);
    MYSQL_BIND *binds = calloc(count, sizeof(*binds));
    bool done;

    if (binds == NULL)
        return false;
    binds[0].buffer_type = MYSQL_TYPE_STRING;
    binds[0].buffer = column->bytes;
    binds[0].buffer_length = sizeof(column->bytes);
    binds[0].length = &column->length;
    binds[0].is_null = &column->is_null;
    while (--count > 0)
        binds[count].buffer_type = MYSQL_TYPE_STRING; /* without room: not wanted */
    done = mysql_stmt_bind_result(prepared, binds) == 0;
    free(binds);
    return done;
}

static bool has_row(int fetched)
{
    return fetched == 0 || fetched == MYSQL_DATA_TRUNCATED;
}

/* Adds a value that was too long for the first try. */
static enum lookup add_long(const struct request *request, MYSQL_STMT *prepared,
                            unsigned long length, struct sql_rows *rows)
{
    char *bytes = malloc(length);
    unsigned long got = 0;
    MYSQL_BIND bind = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = bytes, .buffer_length = length, .length = &got};
    enum lookup result = LOOKUP_DONE;

    if (bytes == NULL)
        return out_of_memory(request);
    if (mysql_stmt_fetch_column(prepared, &bind, 0, 0) != 0)
        result = statement_failed(request, prepared, true);
    else if (!sql_rows_add(rows, bytes, length))
        result = out_of_memory(request);
    explicit_bzero(bytes, length);
    free(bytes);
    return result;
}

static enum lookup add_row(const struct request *request, MYSQL_STMT *prepared,
                           const struct column *column, struct sql_rows *rows)
{
    if (column->length > MYSQL_LONGEST_VALUE && !column->is_null) {
        reason_set(request->reason, "the value is longer than %d bytes", MYSQL_LONGEST_VALUE);
        return LOOKUP_REJECTED;
    }
    if (column->length > sizeof(column->bytes) && !column->is_null)
        return add_long(request, prepared, column->length, rows);
    return sql_rows_add(rows, column->is_null ? NULL : column->bytes, column->length)
               ? LOOKUP_DONE
               : out_of_memory(request);
}

/* Reads the rows by way of `column`, until there is no room for more. */
static enum lookup read_by_column(const struct request *request, MYSQL_STMT *prepared,
                                  struct column *column, struct sql_rows *rows)
{
    enum lookup result;
    int fetched;

    if (mysql_stmt_field_count(prepared) == 0) {
        if (mysql_statement_is_call(request->statement->text))
            return LOOKUP_NONE;
        reason_set(request->reason, "the statement returns no column");
        return LOOKUP_REJECTED;
    }
    if (!bind_columns(prepared, column))
        return out_of_memory(request);
    while ((fetched = mysql_stmt_fetch(prepared)) != MYSQL_NO_DATA) {
        if (!has_row(fetched))
            return statement_failed(request, prepared, true);
        if (sql_rows_overflow(rows))
            return LOOKUP_FOUND;
        result = add_row(request, prepared, column, rows);
        if (result != LOOKUP_DONE)
            return result;
    }
    return rows->count > 0 ? LOOKUP_FOUND : LOOKUP_NONE;
}

static enum lookup read_rows(const struct request *request, MYSQL_STMT *prepared,
                             struct sql_rows *rows)
{
    struct column column;
    enum lookup result;

    column.length = 0;
    column.is_null = 0;
    result = read_by_column(request, prepared, &column, rows);
    explicit_bzero(&column, sizeof(column));
    return result;
}

/* Reads what is left: more rows, and further results of a procedure. False if
 * that fails: the session must not be used any more. */
static bool drain(const struct request *request, MYSQL_STMT *prepared)
{
    for (;;) {
        /* Without columns there is nothing to free, which Connector/C 3.4 calls an error. */
        if (mysql_stmt_field_count(prepared) > 0 && mysql_stmt_free_result(prepared) != 0)
            return false;
        if (!mysql_more_results(request->session->mysql))
            return true;
        if (mysql_stmt_next_result(prepared) != 0)
            return false;
    }
}

/* --- the driver */

static enum lookup run_prepared(const struct request *request, MYSQL_STMT *prepared,
                                struct sql_rows *rows)
{
    enum lookup result;

    /* MariaDB's library crashes over that, which no server means to send. */
    if (mysql_field_count(request->session->mysql) == 0 &&
        mysql_more_results(request->session->mysql)) {
        reason_set(request->reason, "malformed reply");
        return LOOKUP_UNAVAILABLE;
    }
    if (rows != NULL)
        result = read_rows(request, prepared, rows);
    else
        result = mysql_stmt_field_count(prepared) > 0 || mysql_stmt_affected_rows(prepared) > 0
                     ? LOOKUP_DONE
                     : LOOKUP_NONE;
    /* What comes after a good row may still be an error. */
    if (!drain(request, prepared) && result != LOOKUP_UNAVAILABLE && result != LOOKUP_LOST) {
        enum lookup before = result;

        result = statement_failed(request, prepared, true);
        /* "Not found" after a row was found */
        if (result == LOOKUP_NONE && before != LOOKUP_NONE)
            result = LOOKUP_REJECTED;
    }
    return result;
}

/* Runs a statement: one that reads if there are `rows` to read into. */
static enum lookup run(const struct request *request, struct sql_rows *rows)
{
    bool again = true;

    for (;;) {
        struct kept_statement *kept;
        enum lookup result = prepare(request, &kept);

        if (result != LOOKUP_DONE)
            return result;
        if (execute(request, kept))
            return run_prepared(request, kept->prepared, rows);
        if (!again || mysql_error_kind(mysql_stmt_errno(kept->prepared)) != MYSQL_ERROR_FORGOTTEN)
            return statement_failed(request, kept->prepared, true);
        forget(kept);
        again = false;
    }
}

/* No row holds a name that a column's character set cannot express. But the same
 * error stands for a statement that compares what cannot be compared, whoever logs in:
 * then it fails for an ASCII name, too. */
static enum lookup run_in_ascii(const struct request *request, struct sql_rows *rows)
{
    struct mysql_ascii ascii;
    const struct request again = {request->session, &ascii.statement, request->call,
                                  request->reason};
    enum lookup result = mysql_statement_to_ascii(request->statement, &ascii)
                             ? run(&again, rows)
                             : out_of_memory(request);

    mysql_statement_free_ascii(&ascii);
    /* Those of another user, perhaps. */
    sql_rows_wipe(rows);
    return result == LOOKUP_FOUND ? LOOKUP_NONE : result;
}

static enum lookup run_lookup(const struct request *request, struct sql_rows *rows)
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
    const struct request request = {session, statement, &call, reason};
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
    const struct request request = {session, NULL, &call, reason};
    enum lookup result = LOOKUP_DONE;

    if (!mysql_client_begin(&call, session->mysql, deadline, reason))
        return LOOKUP_UNAVAILABLE;
    if (mysql_real_query(session->mysql, texts[step], (unsigned long)strlen(texts[step])) != 0) {
        const struct mysql_error error = mysql_connect_error(session->mysql);

        result = failed(&request, &error, false);
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
