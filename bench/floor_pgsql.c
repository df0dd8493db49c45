/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include "floor_hash.h"

#include <libpq-fe.h>

static PGconn *connection;

/* Arguments: a connection string of libpq; a statement with $1. */
bool floor_open(int count, char **arguments)
{
    PGresult *result;
    bool ready;

    if (count != 2)
        return false;
    connection = PQconnectdb(arguments[0]);
    if (PQstatus(connection) != CONNECTION_OK)
        return false;
    result = PQprepare(connection, "floor", arguments[1], 1, NULL);
    ready = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return ready;
}

bool floor_verify(const char *user, const char *password)
{
    PGresult *result = PQexecPrepared(connection, "floor", 1, &user, NULL, NULL, 0);
    bool match = PQntuples(result) == 1 && floor_matches(PQgetvalue(result, 0, 0), password);

    PQclear(result);
    return match;
}
