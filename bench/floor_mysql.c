/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include "floor_hash.h"

#include <stdint.h>
#include <stdlib.h>

#include <mysql.h>

static MYSQL *connection;
static MYSQL_STMT *statement;
static char stored[200];

/* Arguments: host or socket, port, user, password, database; a statement with ?. */
bool floor_open(int count, char **arguments)
{
    static MYSQL_BIND column = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = stored, .buffer_length = sizeof(stored)};

    bool is_socket;

    if (count != 6)
        return false;
    is_socket = arguments[0][0] == '/';
    connection = mysql_init(NULL);
    if (connection == NULL ||
        mysql_real_connect(connection, is_socket ? NULL : arguments[0], arguments[2], arguments[3],
                           arguments[4], (unsigned)atoi(arguments[1]),
                           is_socket ? arguments[0] : NULL, 0) == NULL)
        return false;
    statement = mysql_stmt_init(connection);
    return statement != NULL &&
           mysql_stmt_prepare(statement, arguments[5], strlen(arguments[5])) == 0 &&
           mysql_stmt_bind_result(statement, &column) == 0;
}

bool floor_verify(const char *user, const char *password)
{
    MYSQL_BIND parameter = {.buffer_type = MYSQL_TYPE_STRING,
                            .buffer = (void *)(uintptr_t)user,
                            .buffer_length = strlen(user)};
    bool match;

    match = mysql_stmt_bind_param(statement, &parameter) == 0 &&
            mysql_stmt_execute(statement) == 0 && mysql_stmt_fetch(statement) == 0 &&
            floor_matches(stored, password);
    mysql_stmt_free_result(statement);
    return match;
}
