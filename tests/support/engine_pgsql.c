/* SPDX-License-Identifier: BSD-3-Clause */

/* PostgreSQL for the tests of all engines: a database for the program, with a
 * schema for each test. TEST_PGSQL_HOST is DIRECTORY:PORT of the socket,
 * TEST_PGSQL_TCP is ADDRESS:PORT. */

#include <libpq-fe.h>
#include <time.h>

#include "support/engines.h"
#include "support/unit.h"

#define OURS "sqlcrypt test" /* application_name of our own connections */

static char database[64]; /* "" until it has been created */
static struct sql_host socket_host, tcp_host;
static PGconn *beside;
static PGconn *locker;

static bool available(void)
{
    return getenv("TEST_PGSQL_HOST") != NULL;
}

/* --- connections */

static void split(const char *variable, struct sql_host *host)
{
    const char *text = test_environment(variable);
    const char *colon = strrchr(text, ':');

    if (colon == NULL)
        abort();
    host->name = strndup(text, (size_t)(colon - text));
    host->port = (unsigned)strtoul(colon + 1, NULL, 10);
    host->label = strdup(text);
    if (host->name == NULL || host->label == NULL)
        abort();
}

static void ignore_notice(void *context, const char *message)
{
    (void)context, (void)message;
}

static bool run(PGconn *connection, const char *statements)
{
    PGresult *result = PQexec(connection, statements);
    bool done =
        PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;

    if (!done)
        print_error("%.200s: %s", statements, PQerrorMessage(connection));
    PQclear(result);
    return done;
}

static PGconn *connect_to(const char *name)
{
    char port[16];
    const char *const keywords[] = {
        "host", "port", "user", "dbname", "application_name", "client_encoding", "password", NULL};
    const char *const values[] = {socket_host.name,
                                  port,
                                  test_environment("TEST_PGSQL_USER"),
                                  name,
                                  OURS,
                                  "UTF8",
                                  test_environment("TEST_PGSQL_PASSWORD"),
                                  NULL};
    PGconn *connection;

    snprintf(port, sizeof(port), "%u", socket_host.port);
    connection = PQconnectdbParams(keywords, values, 0);
    if (PQstatus(connection) != CONNECTION_OK) {
        print_error("%s", PQerrorMessage(connection));
        PQfinish(connection);
        return NULL;
    }
    PQsetNoticeProcessor(connection, ignore_notice, NULL);
    if (!run(connection, "SET lock_timeout = '30s'")) {
        PQfinish(connection);
        return NULL;
    }
    return connection;
}

/* --- the database */

static bool run_beside(const char *format)
{
    PGconn *connection = connect_to(test_environment("TEST_PGSQL_DATABASE"));
    char statement[256];
    bool done;

    snprintf(statement, sizeof(statement), format, database);
    done = connection != NULL && run(connection, statement);
    PQfinish(connection);
    return done;
}

/* Sessions find the tables of a test through the database's default. */
static bool create(void)
{
    char statement[256];

    split("TEST_PGSQL_HOST", &socket_host);
    split("TEST_PGSQL_TCP", &tcp_host);
    snprintf(database, sizeof(database), "sqlcrypt_%ld_%ld", (long)getpid(), (long)time(NULL));
    if (!run_beside("CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'"))
        return false;
    snprintf(statement, sizeof(statement), "ALTER DATABASE %s SET search_path = work", database);
    beside = connect_to(database);
    if (beside == NULL || !run(beside, statement))
        return false;
    PQreset(beside);
    locker = connect_to(database);
    PQsetNoticeProcessor(beside, ignore_notice, NULL);
    return locker != NULL && run(beside, "SET lock_timeout = '30s'");
}

static bool start(struct sql_target *target, struct sql_host *host, struct sql_host *by_address)
{
    if (database[0] == '\0' && !create())
        return false;
    target->user = test_environment("TEST_PGSQL_USER");
    target->password = test_environment("TEST_PGSQL_PASSWORD");
    target->database = database;
    target->ssl_ca = target->ssl_cert = target->ssl_key = "";
    target->timeout = 60000;
    jail_note_root(&target->jail);
    *host = socket_host;
    *by_address = tcp_host;
    return beside != NULL && run(beside, "DROP SCHEMA IF EXISTS work CASCADE; CREATE SCHEMA work");
}

static void stop(void)
{
    if (locker != NULL && PQtransactionStatus(locker) != PQTRANS_IDLE)
        run(locker, "ROLLBACK");
    if (beside != NULL)
        run(beside, "DROP SCHEMA work CASCADE");
}

static void free_host(struct sql_host *host)
{
    free(host->name);
    free(host->label);
}

static void finish(void)
{
    if (database[0] == '\0')
        return;
    PQfinish(beside);
    PQfinish(locker);
    beside = locker = NULL;
    run_beside("DROP DATABASE %s WITH (FORCE)");
    free_host(&socket_host);
    free_host(&tcp_host);
}

/* --- statements */

static bool execute(const char *statements)
{
    return run(beside, statements);
}

static char *query(const char *statement)
{
    PGresult *result = PQexec(beside, statement);
    char *value = NULL;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        print_error("%s: %s", statement, PQerrorMessage(beside));
    else if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
        value = strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

static char *literal(const char *text)
{
    char *spelt = PQescapeLiteral(beside, text, strlen(text));
    char *copy = spelt != NULL ? strdup(spelt) : NULL;

    PQfreemem(spelt);
    return copy;
}

static bool lock(void)
{
    return run(locker, "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
}

static bool unlock(void)
{
    return run(locker, "ROLLBACK");
}

/* --- sessions */

#define OTHERS                                                                                     \
    "FROM pg_stat_activity WHERE datname = current_database() AND "                                \
    "backend_type = 'client backend' AND application_name <> '" OURS "'"

static char *sessions(void)
{
    return query("SELECT COALESCE(string_agg(pid::text, ' ' ORDER BY pid), '') " OTHERS);
}

static bool end_sessions(void)
{
    return run(beside, "SELECT pg_terminate_backend(pid) " OTHERS);
}

/* Our own two connections fill it. */
static bool fill(struct sql_target *target)
{
    char statement[256];

    (void)target;
    snprintf(statement, sizeof(statement), "ALTER DATABASE %s CONNECTION LIMIT 2", database);
    return run(beside, statement);
}

static bool unfill(struct sql_target *target)
{
    char statement[256];

    (void)target;
    snprintf(statement, sizeof(statement), "ALTER DATABASE %s CONNECTION LIMIT -1", database);
    return run(beside, statement);
}

const struct engine_fixture test_engines_pgsql = {
    .engine = "pgsql",
    .text_type = "TEXT",
    .blob_type = "BYTEA",
    .blob = "'\\x00ff27fe00'",
    .want_blob = "\\x00ff27fe00",
    .want_blob_length = 12,
    .forget = "DEALLOCATE ALL",
    .available = available,
    .start = start,
    .stop = stop,
    .finish = finish,
    .execute = execute,
    .query = query,
    .literal = literal,
    .lock = lock,
    .unlock = unlock,
    .sessions = sessions,
    .end_sessions = end_sessions,
    .fill = fill,
    .unfill = unfill,
};
