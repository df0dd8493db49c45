/* SPDX-License-Identifier: BSD-3-Clause */

/* MySQL and MariaDB for the tests of all engines: a database for each test.
 * TEST_MYSQL_HOST is the path of the socket, TEST_MYSQL_TCP is ADDRESS:PORT. */

#include <mysql.h>
#include <time.h>

#include "support/engines.h"
#include "support/unit.h"

static char database[64]; /* "" until the first start */
static struct sql_host socket_host, tcp_host;
static MYSQL *beside;
static MYSQL *locker;
static MYSQL *filler; /* of a test that fills the server, else NULL */

static bool available(void)
{
    return getenv("TEST_MYSQL_HOST") != NULL;
}

/* --- connections */

/* Also reads what the statements after the first return. */
static bool run(MYSQL *connection, const char *statements)
{
    int code = mysql_query(connection, statements);

    while (code == 0) {
        mysql_free_result(mysql_store_result(connection));
        if (mysql_errno(connection) != 0)
            break;
        code = mysql_next_result(connection);
    }
    if (mysql_errno(connection) != 0)
        print_error("%.200s: %s\n", statements, mysql_error(connection));
    return mysql_errno(connection) == 0;
}

static MYSQL *connect_to_server(void)
{
    MYSQL *connection = mysql_init(NULL);

    if (connection == NULL)
        return NULL;
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(connection, NULL, test_environment("TEST_MYSQL_USER"),
                           test_environment("TEST_MYSQL_PASSWORD"), NULL, 0, socket_host.name,
                           CLIENT_MULTI_STATEMENTS) == NULL)
        print_error("%s\n", mysql_error(connection));
    else if (run(connection, "SET lock_wait_timeout = 30"))
        return connection;
    mysql_close(connection);
    return NULL;
}

/* --- the database */

static bool prepare(void)
{
    const char *tcp = test_environment("TEST_MYSQL_TCP");
    const char *colon = strrchr(tcp, ':');

    if (colon == NULL)
        abort();
    socket_host.name = strdup(test_environment("TEST_MYSQL_HOST"));
    socket_host.label = strdup(test_environment("TEST_MYSQL_HOST"));
    tcp_host.name = strndup(tcp, (size_t)(colon - tcp));
    tcp_host.label = strdup(tcp);
    tcp_host.port = (unsigned)strtoul(colon + 1, NULL, 10);
    snprintf(database, sizeof(database), "sqlcrypt_%ld_%ld", (long)getpid(), (long)time(NULL));
    beside = connect_to_server();
    locker = connect_to_server();
    return beside != NULL && locker != NULL;
}

/* Runs a statement about the database. */
static bool run_named(MYSQL *connection, const char *format)
{
    char statement[256];

    snprintf(statement, sizeof(statement), format, database);
    return run(connection, statement);
}

static void name_user(struct sql_target *target)
{
    target->user = test_environment("TEST_MYSQL_USER");
    target->password = test_environment("TEST_MYSQL_PASSWORD");
}

static bool start(struct sql_target *target, struct sql_host *host, struct sql_host *by_address)
{
    if (database[0] == '\0' && !prepare())
        return false;
    name_user(target);
    target->database = database;
    target->ssl_ca = target->ssl_cert = target->ssl_key = "";
    target->timeout = 60000;
    jail_note_root(&target->jail);
    *host = socket_host;
    *by_address = tcp_host;
    return beside != NULL && locker != NULL && run_named(beside, "DROP DATABASE IF EXISTS %s") &&
           run_named(beside, "CREATE DATABASE %s CHARACTER SET utf8mb4 "
                             "COLLATE utf8mb4_bin") &&
           run_named(beside, "USE %s") && run_named(locker, "USE %s");
}

static void stop(void)
{
    if (beside == NULL || locker == NULL)
        return;
    run(locker, "UNLOCK TABLES");
    run_named(beside, "DROP DATABASE %s");
    if (filler != NULL)
        mysql_close(filler);
    filler = NULL;
    run_named(beside, "DROP USER IF EXISTS %s@'%%'");
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
    if (beside != NULL)
        mysql_close(beside);
    if (locker != NULL)
        mysql_close(locker);
    free_host(&socket_host);
    free_host(&tcp_host);
    mysql_library_end();
}

/* --- statements */

static bool execute(const char *statements)
{
    return run(beside, statements);
}

static char *query(const char *statement)
{
    MYSQL_RES *result = mysql_query(beside, statement) == 0 ? mysql_store_result(beside) : NULL;
    MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
    char *value = row != NULL && row[0] != NULL ? strdup(row[0]) : NULL;

    if (result == NULL)
        print_error("%s: %s\n", statement, mysql_error(beside));
    mysql_free_result(result);
    return value;
}

static char *literal(const char *text)
{
    size_t length = strlen(text);
    char *spelt = malloc(2 * length + 3);
    unsigned long spelt_length;

    if (spelt == NULL)
        return NULL;
    spelt_length = mysql_real_escape_string(beside, spelt + 1, text, (unsigned long)length);
    spelt[0] = spelt[spelt_length + 1] = '\'';
    spelt[spelt_length + 2] = '\0';
    return spelt;
}

static bool lock(void)
{
    return run(locker, "LOCK TABLES users WRITE");
}

static bool unlock(void)
{
    return run(locker, "UNLOCK TABLES");
}

/* --- sessions */

static char *ask_for_sessions(const char *what)
{
    char statement[512];

    snprintf(statement, sizeof(statement),
             "SELECT %s FROM information_schema.processlist "
             "WHERE db = DATABASE() AND id NOT IN (%lu, %lu)",
             what, mysql_thread_id(beside), mysql_thread_id(locker));
    return query(statement);
}

static char *sessions(void)
{
    return ask_for_sessions("COALESCE(GROUP_CONCAT(id ORDER BY id SEPARATOR ' '), '')");
}

/* A session that has ended on its own meanwhile is not an error. */
static bool end_session(const char *id)
{
    enum { NO_SUCH_THREAD = 1094 };
    char statement[64];

    snprintf(statement, sizeof(statement), "KILL %s", id);
    return mysql_query(beside, statement) == 0 || mysql_errno(beside) == NO_SUCH_THREAD;
}

static bool end_sessions(void)
{
    char *ids = sessions(), *rest = ids, *id;
    bool done = ids != NULL;

    while (done && (id = strsep(&rest, " ")) != NULL)
        done = id[0] == '\0' || end_session(id);
    free(ids);
    return done;
}

/* A user, named as the database is, who may have one session: `filler`. */

static bool fill(struct sql_target *target)
{
    char statement[512];

    snprintf(statement, sizeof(statement),
             "CREATE USER %s@'%%' IDENTIFIED BY 'filler' WITH MAX_USER_CONNECTIONS 1", database);
    filler = mysql_init(NULL);
    target->user = database;
    target->password = "filler";
    return filler != NULL && run(beside, statement) &&
           mysql_real_connect(filler, NULL, database, target->password, NULL, 0, socket_host.name,
                              0) != NULL;
}

static bool unfill(struct sql_target *target)
{
    mysql_close(filler);
    filler = NULL;
    name_user(target);
    return true;
}

/* --- what other engines lack */

#define LATIN                                                                                      \
    "CREATE TABLE latin (name VARCHAR(64), secret TEXT) CHARACTER SET latin1;"                     \
    "INSERT INTO latin VALUES ('j\303\266rg', 'wonderland'), ('?mega', 'other'), ('xmega', "       \
    "'more');"
#define BY_LATIN_NAME "SELECT secret FROM latin WHERE name = ^"
#define OMEGA "\316\251mega"

/* Two collations that cannot be compared */
#define UNEQUAL(what)                                                                              \
    "SELECT secret FROM users WHERE name COLLATE utf8mb4_bin = " what " COLLATE "                  \
    "utf8mb4_general_ci"

#define PROCEDURE(body)                                                                            \
    "CREATE PROCEDURE find (wanted VARCHAR(64) CHARACTER SET utf8mb4) BEGIN " body "; END"
#define FIND "SELECT secret FROM users WHERE name = wanted"
#define IF_MISSING "IF wanted <> 'alice' THEN "

static const struct engine_case cases[] = {
    {"name that the column holds", LATIN, BY_LATIN_NAME, "j\303\266rg", LOOKUP_FOUND},
    {"name that it cannot hold", LATIN, BY_LATIN_NAME, OMEGA, LOOKUP_NONE},
    {"name that it cannot hold, nor another character", LATIN, BY_LATIN_NAME, "\360\237\224\221",
     LOOKUP_NONE},
    {"name that a procedure cannot be told",
     LATIN "CREATE PROCEDURE find (wanted VARCHAR(6) CHARACTER SET latin1)"
           " SELECT secret FROM latin WHERE name = wanted",
     "CALL find(^)", OMEGA, LOOKUP_NONE},
    {"procedure that asks for it", LATIN PROCEDURE("SELECT secret FROM latin WHERE name = wanted"),
     "CALL find(^)", OMEGA, LOOKUP_NONE},
    {"collations that do not fit", "DO 0", UNEQUAL("^"), "alice", LOOKUP_REJECTED},
    {"collations that do not fit, other name", "DO 0", UNEQUAL("^"), OMEGA, LOOKUP_REJECTED},
    {"collations that do not fit, in a procedure", PROCEDURE(UNEQUAL("wanted")), "CALL find(^)",
     OMEGA, LOOKUP_REJECTED},
    {"procedure with a row", PROCEDURE(FIND), "CALL find(^)", "alice", LOOKUP_FOUND},
    {"procedure without a row", PROCEDURE(FIND), "call `find`(^)", "nobody", LOOKUP_NONE},
    {"procedure with two rows", PROCEDURE(FIND), "CALL find(^)", "twin", LOOKUP_SEVERAL},
    {"procedure without a result", PROCEDURE("SET @wanted = wanted"), "CALL find(^)", "alice",
     LOOKUP_NONE},
    {"procedure after comments", PROCEDURE("SET @wanted = wanted"),
     "-- one\n # two\n/* three */ Call/**/find(^)", "alice", LOOKUP_NONE},
    {"procedure that signals 02000", PROCEDURE(IF_MISSING "SIGNAL SQLSTATE '02000'; END IF; " FIND),
     "CALL find(^)", "nobody", LOOKUP_NONE},
    {"procedure that does not", PROCEDURE(IF_MISSING "SIGNAL SQLSTATE '02000'; END IF; " FIND),
     "CALL find(^)", "alice", LOOKUP_FOUND},
    {"procedure that signals 45000", PROCEDURE(IF_MISSING "SIGNAL SQLSTATE '45000'; END IF; " FIND),
     "CALL find(^)", "nobody", LOOKUP_REJECTED},
    {"procedure that signals 02000 after a row", PROCEDURE(FIND "; SIGNAL SQLSTATE '02000'"),
     "CALL find(^)", "alice", LOOKUP_REJECTED},
    {"procedure that signals 02000 after no row", PROCEDURE(FIND "; SIGNAL SQLSTATE '02000'"),
     "CALL find(^)", "nobody", LOOKUP_NONE},
    {"row that fails after a good one",
     "CREATE FUNCTION refuse () RETURNS TEXT BEGIN SIGNAL SQLSTATE '45000'; RETURN ''; END",
     "SELECT IF(name = ^, secret, refuse()) FROM users WHERE name IN ('alice', 'bob') "
     "ORDER BY name",
     "alice", LOOKUP_REJECTED},
    {"no procedure", "DO 0", "CALL find(^)", "alice", LOOKUP_REJECTED},
    {"variable", "DO 0", "SET @wanted = ^", "alice", LOOKUP_REJECTED},
    {"change", "DO 0", "UPDATE users SET secret = secret WHERE name = ^", "alice", LOOKUP_REJECTED},
    {NULL, NULL, NULL, NULL, LOOKUP_UNAVAILABLE},
};

const struct engine_fixture test_engines_mysql = {
    .engine = "mysql",
    .text_type = "LONGTEXT",
    .blob_type = "BLOB",
    .blob = "x'00ff27fe00'",
    .want_blob = "\0\377'\376\0",
    .want_blob_length = 5,
    .has_nul = true,
    .reads_no_long_message = true,
    .cases = cases,
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
