/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engine driver for SQLite: `sql_database` names the file. It is never
 * created, and a session for lookups cannot change it.
 */

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engines/sqlite_files.h"
#include "sql/sql_engine.h"

enum {
    KEPT_STATEMENTS = 8,
    BUSY_WAIT = 10,          /* milliseconds between two attempts to lock */
    OPERATIONS_A_LOOK = 12,  /* of SQLite's machine, between two looks at the clock; one may work
                              * on the longest possible row for some milliseconds */
    LONGEST_VALUE = 1 << 20, /* bytes */
    /* Including other columns. SQLite 3.34 looks at all of a row to read one column of it, even
     * to skip another user. */
    LONGEST_ROW = 4 << 20
};

struct kept_statement {
    char *text;
    sqlite3_stmt *prepared;
};

struct sql_session {
    sqlite3 *database;
    const struct sql_target *target;
    bool writes;
    const struct deadline *deadline; /* of the current request, else NULL */
    struct kept_statement kept[KEPT_STATEMENTS];
    unsigned next_kept; /* where to put the next statement */
};

static int time_left(const struct sql_session *session)
{
    return session->deadline != NULL ? deadline_remaining(session->deadline) : 0;
}

/* Another process holds a lock: wait a little and try again while there is time. */
static int wait_for_lock(void *context, int tries)
{
    const struct sql_session *session = context;

    (void)tries;
    return session->deadline != NULL && deadline_sleep(session->deadline, BUSY_WAIT);
}

static int time_is_up(void *context)
{
    return time_left(context) == 0;
}

/* Turns a result code of SQLite into ours. Messages of SQLite that come from
 * running a statement may contain values, so they are not passed on. */
static enum lookup failed(const struct sql_session *session, int code, const char *message,
                          struct reason *reason)
{
    reason_set(reason, "%s: %s", session->target->database, message);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        reason_set(reason, "%s: still locked at the deadline", session->target->database);
        return LOOKUP_UNAVAILABLE;
    case SQLITE_INTERRUPT:
        reason_set(reason, "%s: the statement took too long", session->target->database);
        return LOOKUP_UNAVAILABLE;
    case SQLITE_READONLY:
        sqlite_files_explain(session->database, session->target->database, session->writes, reason);
        return LOOKUP_UNAVAILABLE;
    case SQLITE_NOMEM:
    case SQLITE_FULL:
        return LOOKUP_UNAVAILABLE;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        sqlite_files_explain(session->database, session->target->database, session->writes, reason);
        return LOOKUP_LOST;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
        return LOOKUP_LOST;
    default:
        return LOOKUP_REJECTED;
    }
}

static void forget(struct kept_statement *kept)
{
    sqlite3_finalize(kept->prepared);
    free(kept->text);
    *kept = (struct kept_statement){NULL, NULL};
}

static void close_session(struct sql_session *session)
{
    unsigned i;

    for (i = 0; i < KEPT_STATEMENTS; i++)
        forget(&session->kept[i]);
    sqlite3_close(session->database);
    free(session);
}

static void explain_open(const struct sql_session *session, int code, struct reason *reason)
{
    int error = session->database != NULL ? sqlite3_system_errno(session->database) : 0;
    struct stat status;

    /* SQLite itself does not say what is wrong with a folder. */
    if (stat(session->target->database, &status) == 0 && S_ISDIR(status.st_mode))
        error = EISDIR;
    if (error == EACCES)
        sqlite_files_explain_denied(session->target->database, reason);
    else if (error != 0)
        reason_set(reason, "%s: %s%s", session->target->database, strerror(error),
                   error == ENOENT ? jail_hint(&session->target->jail) : "");
    else
        reason_set(reason, "%s: %s", session->target->database, sqlite3_errstr(code));
}

/* Without this, a misspelt column name in double quotes is a literal, and
 * everybody's password. */
#ifdef SQLITE_DBCONFIG_DQS_DML
static void refuse_unknown_names(sqlite3 *database)
{
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
}
#else
static void refuse_unknown_names(sqlite3 *database)
{
    (void)database; /* SQLite before 3.29 has no such setting */
}
#endif

static enum lookup open_session(const struct sql_target *target, const struct sql_host *host,
                                const char *address, enum sql_access access,
                                const struct deadline *deadline, unsigned *learned,
                                struct sql_session **session, struct reason *reason)
{
    int flags = access == SQL_ACCESS_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    struct sql_session *opened;
    int code;

    (void)host, (void)address, (void)learned;
    *session = NULL;
    if (target->database[0] == '\0') {
        reason_set(reason, "sql_database is not set");
        return LOOKUP_UNAVAILABLE;
    }
    opened = calloc(1, sizeof(*opened));
    if (opened == NULL) {
        reason_no_memory(reason);
        return LOOKUP_UNAVAILABLE;
    }
    opened->target = target;
    opened->writes = access == SQL_ACCESS_WRITE;
    opened->deadline = deadline;
    code = sqlite3_open_v2(target->database, &opened->database, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        explain_open(opened, code, reason);
        close_session(opened);
        return LOOKUP_UNAVAILABLE;
    }
    sqlite3_busy_handler(opened->database, wait_for_lock, opened);
    sqlite3_progress_handler(opened->database, OPERATIONS_A_LOOK, time_is_up, opened);
    sqlite3_limit(opened->database, SQLITE_LIMIT_LENGTH, LONGEST_ROW);
    refuse_unknown_names(opened->database);
    /* Sorting must leave no temporary files behind. */
    sqlite3_exec(opened->database, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
    opened->deadline = NULL;
    *session = opened;
    return LOOKUP_DONE;
}

/* Finds the statement among the kept ones, or prepares it and keeps it. */
static enum lookup prepare(struct sql_session *session, const struct sql_statement *statement,
                           struct kept_statement **kept, struct reason *reason)
{
    struct kept_statement *slot;
    unsigned i;
    int code;

    for (i = 0; i < KEPT_STATEMENTS; i++) {
        slot = &session->kept[i];
        if (slot->text != NULL && strcmp(slot->text, statement->text) == 0) {
            *kept = slot;
            return LOOKUP_DONE;
        }
    }
    slot = &session->kept[session->next_kept];
    session->next_kept = (session->next_kept + 1) % KEPT_STATEMENTS;
    forget(slot);

    code = sqlite3_prepare_v3(session->database, statement->text, -1, SQLITE_PREPARE_PERSISTENT,
                              &slot->prepared, NULL);
    if (code != SQLITE_OK)
        return failed(session, code, sqlite3_errmsg(session->database), reason);
    slot->text = strdup(statement->text);
    if (slot->text == NULL) {
        forget(slot);
        return failed(session, SQLITE_NOMEM, sqlite3_errstr(SQLITE_NOMEM), reason);
    }
    if (sqlite3_bind_parameter_count(slot->prepared) != (int)statement->parameter_count) {
        forget(slot);
        return failed(session, SQLITE_ERROR, "the statement has parameters of its own", reason);
    }
    *kept = slot;
    return LOOKUP_DONE;
}

/* Lends the parameters to the statement until it is released. */
static int bind(sqlite3_stmt *prepared, const struct sql_statement *statement)
{
    int code = SQLITE_OK;
    size_t i;

    for (i = 0; i < statement->parameter_count && code == SQLITE_OK; i++) {
        const struct bytes parameter = statement->parameters[i];

        if (parameter.length > LONGEST_VALUE)
            code = SQLITE_TOOBIG;
        else if (parameter.start == NULL)
            code = sqlite3_bind_null(prepared, (int)i + 1);
        else
            code = sqlite3_bind_text64(prepared, (int)i + 1, parameter.start, parameter.length,
                                       SQLITE_STATIC, SQLITE_UTF8);
    }
    return code;
}

static void release(sqlite3_stmt *prepared)
{
    sqlite3_reset(prepared);
    sqlite3_clear_bindings(prepared);
}

/* Returns a result code of SQLite. */
static int add_row(sqlite3_stmt *prepared, struct sql_rows *rows)
{
    const unsigned char *text;
    size_t length;

    if (sqlite3_column_type(prepared, 0) == SQLITE_NULL)
        return sql_rows_add(rows, NULL, 0) ? SQLITE_OK : SQLITE_NOMEM;
    text = sqlite3_column_text(prepared, 0);
    length = (size_t)sqlite3_column_bytes(prepared, 0);
    if (length > LONGEST_VALUE)
        return SQLITE_TOOBIG;
    return text != NULL && sql_rows_add(rows, (const char *)text, length) ? SQLITE_OK
                                                                          : SQLITE_NOMEM;
}

/* Runs a statement until it has no more rows, or there is no room for more. */
static enum lookup read_rows(struct sql_session *session, sqlite3_stmt *prepared,
                             struct sql_rows *rows, struct reason *reason)
{
    int code;

    while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
        if (sql_rows_overflow(rows))
            return LOOKUP_FOUND;
        code = add_row(prepared, rows);
        if (code != SQLITE_OK)
            return failed(session, code, sqlite3_errstr(code), reason);
    }
    if (code != SQLITE_DONE)
        return failed(session, code, sqlite3_errstr(code), reason);
    return rows->count > 0 ? LOOKUP_FOUND : LOOKUP_NONE;
}

/* Runs a statement to its end. */
static enum lookup change_rows(struct sql_session *session, sqlite3_stmt *prepared,
                               struct reason *reason)
{
    int before = sqlite3_total_changes(session->database);
    int code;

    do
        code = sqlite3_step(prepared);
    while (code == SQLITE_ROW);
    if (code != SQLITE_DONE)
        return failed(session, code, sqlite3_errstr(code), reason);
    return sqlite3_total_changes(session->database) != before ? LOOKUP_DONE : LOOKUP_NONE;
}

/* Runs a statement: one that reads if there are `rows` to fill. */
static enum lookup run(struct sql_session *session, const struct sql_statement *statement,
                       struct sql_rows *rows, struct reason *reason)
{
    struct kept_statement *kept;
    enum lookup result = prepare(session, statement, &kept, reason);
    int code;

    if (result != LOOKUP_DONE)
        return result;
    code = bind(kept->prepared, statement);
    if (code != SQLITE_OK)
        result = failed(session, code, sqlite3_errstr(code), reason);
    else if (rows != NULL)
        result = read_rows(session, kept->prepared, rows, reason);
    else
        result = change_rows(session, kept->prepared, reason);
    release(kept->prepared);
    if (result == LOOKUP_REJECTED) {
        /* The table may have been replaced by now: preparing again says so, in
         * words that contain no values. */
        forget(kept);
        prepare(session, statement, &kept, reason);
    }
    return result;
}

/* Whether the file was replaced, or removed, since it was opened. Checking its
 * path takes a tenth of a login; but what was true a moment ago is not good
 * enough for a password. */
static bool has_moved(struct sql_session *session)
{
    int moved = 0;

    return sqlite3_file_control(session->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
               SQLITE_OK &&
           moved != 0;
}

static enum lookup select_rows(struct sql_session *session, const struct sql_statement *statement,
                               const struct deadline *deadline, struct sql_rows *rows,
                               struct reason *reason)
{
    enum lookup result;

    if (has_moved(session)) {
        reason_set(reason, "%s: the file was replaced", session->target->database);
        return LOOKUP_LOST;
    }
    session->deadline = deadline;
    result = run(session, statement, rows, reason);
    session->deadline = NULL;
    return result;
}

static enum lookup store(struct sql_session *session, const struct sql_statement *statement,
                         const struct deadline *deadline, struct reason *reason)
{
    enum lookup result;

    session->deadline = deadline;
    result = run(session, statement, NULL, reason);
    session->deadline = NULL;
    return result;
}

static enum lookup transaction(struct sql_session *session, enum sql_transaction step,
                               const struct deadline *deadline, struct reason *reason)
{
    static const char *const texts[] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
    };
    int code;

    session->deadline = deadline;
    code = sqlite3_exec(session->database, texts[step], NULL, NULL, NULL);
    session->deadline = NULL;
    if (code != SQLITE_OK)
        return failed(session, code, sqlite3_errstr(code), reason);
    return LOOKUP_DONE;
}

const struct sql_engine sqlcrypt_engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "sqlite3",
    .open = open_session,
    .close = close_session,
    .select = select_rows,
    .store = store,
    .transaction = transaction,
};
