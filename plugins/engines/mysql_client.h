/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_CLIENT_H
#define SQLCRYPT_MYSQL_CLIENT_H

/*
 * What the two client libraries of MySQL do not have in common: how they wait,
 * and how they are told to encrypt and whom to trust. configure takes one of
 * mysql_client_mariadb.c (MariaDB Connector/C) and mysql_client_oracle.c
 * (libmysqlclient of MySQL 8).
 */

#include <stdbool.h> /* which mysql.h of MySQL 8 takes for granted */
#include <sys/types.h>

#include <mysql.h>

#include "engines/sigpipe.h"
#include "engines/watchdog.h"
#include "sql/sql_engine.h"

#ifdef HAVE_MY_BOOL
typedef my_bool mysql_bool;
#else
typedef bool mysql_bool;
#endif

/* In bytes. The library does not take in a message that is longer, and no more within
 * one call than two of them and what is said about them. */
enum {
    MYSQL_LONGEST_VALUE = 1 << 20,
    MYSQL_LONGEST_MESSAGE = MYSQL_LONGEST_VALUE + (1 << 16),
    MYSQL_MOST_RECEIVED = 4 * MYSQL_LONGEST_VALUE
};

/* Calls of the library by one thread, with what they need to know. A connection that
 * is being made has a target. */
struct mysql_call {
    struct deadline deadline;
    bool is_guarded; /* the library may raise SIGPIPE */
    struct sigpipe_guard sigpipe;
    struct watchdog watchdog;

    MYSQL *mysql;
    const struct sql_target *target;
    const char *name;  /* that a certificate has to be for; NULL if no network is between */
    char *name_to_put; /* a copy for the library, until it has it */
    ino_t settled;     /* the socket whose encryption has been settled */
    bool lacks_ssl;    /* it was given up since the server does not encrypt */
};

/* Makes ready what calls need, once, when the driver is loaded. */
void mysql_client_load(void);

/* Everything that may send or receive over a connection happens between these two. The
 * error queue of OpenSSL, which this thread shares with the host, is empty at the
 * beginning, without which the library misreads it, and empty in the end.
 * False with a reason if that cannot be done: there is nothing to end, then. */
bool mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline,
                        struct reason *reason);
void mysql_client_end(struct mysql_call *call);

/* Likewise, to make a connection to a host of this name, which is NULL if no network
 * is between: sets its options, too. */
bool mysql_client_begin_connecting(struct mysql_call *call, MYSQL *mysql,
                                   const struct sql_target *target, const char *name,
                                   const struct deadline *deadline, struct reason *reason);

/* Whether the server has sent too much, so that the connection was given up. */
bool mysql_client_is_flooded(struct mysql_call *call);

/* Whether the connection was given up since the certificate of the server is for another
 * name. */
bool mysql_client_refused_name(MYSQL *mysql);

/* Whether the connection was given up over a message that was announced as longer than
 * MYSQL_LONGEST_MESSAGE. */
bool mysql_client_refused_message(MYSQL *mysql);

/* Ends a connection and does not block. Not between the above. */
void mysql_client_close(MYSQL *mysql);

/* Whether the library has to be given a host's name, rather than an address, since it
 * checks the certificate for what it connects to. It then looks the name up. */
bool mysql_client_connects_by_name(const struct sql_target *target);

/* Whether it may find several addresses when it does. */
bool mysql_client_bears_addresses(void);

/* Keeps the socket of a connection from programs that the host starts. */
void mysql_client_close_on_exec(MYSQL *mysql);

#endif
