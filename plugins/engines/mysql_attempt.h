/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_ATTEMPT_H
#define SQLCRYPT_MYSQL_ATTEMPT_H

/*
 * One attempt to connect to a MySQL or MariaDB server at one place, until its deadline,
 * whatever the client library does in the meantime.
 */

#include "engines/mysql_client.h"
#include "sql/sql_engine.h"

/* Where to connect: to a socket, or to an address by TCP. */
struct mysql_place {
    const char *socket;  /* "" is the library's default, NULL means TCP */
    const char *address; /* of TCP */
    unsigned port;
    const char *name; /* of the host, or its address; NULL for a socket */
};

struct mysql_attempt {
    const struct sql_target *target;
    const struct mysql_place *place;
    struct deadline deadline;

    MYSQL *mysql;
    enum lookup result;
    struct reason reason;
};

/* Makes the attempt. LOOKUP_DONE if there is a connection; else LOOKUP_UNAVAILABLE, LOOKUP_LOST
 * or LOOKUP_BUSY with a reason. In either case, the caller closes `mysql`, which is NULL if
 * there is none. */
void mysql_attempt_make(struct mysql_attempt *attempt);

#endif
