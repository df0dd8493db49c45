/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_connections.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* More threads than this at once open sessions of their own and close them. */
enum { KEPT_SESSIONS = 16 };

struct connection {
    struct sql_session *session;
    pid_t owner;
};

struct sql_connections {
    const struct sql_engine *engine;
    const struct sql_target *target;
    bool persistent;

    /* Idle connections. A thread takes one out by exchanging it for NULL: a
     * lock could be held by another thread while the process forks. */
    _Atomic(struct connection *) idle[KEPT_SESSIONS];
};

struct sql_connections *sql_connections_new(const struct sql_engine *engine,
                                            const struct sql_target *target, bool persistent)
{
    struct sql_connections *connections = calloc(1, sizeof(*connections));

    if (connections != NULL) {
        connections->engine = engine;
        connections->target = target;
        connections->persistent = persistent;
    }
    return connections;
}

/* The session of a parent process is not even closed: it would hear of it. */
static void discard(const struct sql_connections *connections, struct connection *connection)
{
    if (connection->owner == getpid())
        connections->engine->close(connection->session);
    free(connection);
}

static struct connection *take_idle(struct sql_connections *connections)
{
    struct connection *connection;
    size_t i;

    for (i = 0; i < KEPT_SESSIONS; i++) {
        connection = atomic_exchange(&connections->idle[i], NULL);
        if (connection != NULL && connection->owner == getpid())
            return connection;
        if (connection != NULL)
            discard(connections, connection);
    }
    return NULL;
}

static void give_back(struct sql_connections *connections, struct connection *connection)
{
    size_t i;

    for (i = 0; i < KEPT_SESSIONS && connections->persistent; i++) {
        struct connection *none = NULL;

        if (atomic_compare_exchange_strong(&connections->idle[i], &none, connection))
            return;
    }
    discard(connections, connection);
}

static struct connection *open_connection(const struct sql_connections *connections,
                                          const struct deadline *deadline, struct reason *reason)
{
    struct connection *connection = malloc(sizeof(*connection));

    if (connection == NULL) {
        reason_set(reason, "out of memory");
        return NULL;
    }
    connection->owner = getpid();
    connection->session =
        connections->engine->open(connections->target, SQL_ACCESS_READ, deadline, reason);
    if (connection->session == NULL) {
        free(connection);
        return NULL;
    }
    return connection;
}

void sql_connections_free(struct sql_connections *connections)
{
    struct connection *connection;

    if (connections == NULL)
        return;
    while ((connection = take_idle(connections)) != NULL)
        discard(connections, connection);
    free(connections);
}

enum lookup sql_connections_select(struct sql_connections *connections,
                                   const struct sql_statement *statement,
                                   const struct deadline *deadline, struct secret *value,
                                   struct reason *reason)
{
    struct connection *connection = take_idle(connections);
    bool kept = connection != NULL;

    for (;;) {
        enum lookup result;

        if (connection == NULL)
            connection = open_connection(connections, deadline, reason);
        if (connection == NULL)
            return LOOKUP_UNAVAILABLE;
        result =
            connections->engine->select(connection->session, statement, deadline, value, reason);
        if (result != LOOKUP_LOST) {
            give_back(connections, connection);
            return result;
        }
        discard(connections, connection);
        connection = NULL;
        if (!kept)
            return LOOKUP_UNAVAILABLE;
        kept = false;
    }
}
