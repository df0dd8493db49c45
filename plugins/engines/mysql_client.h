/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_CLIENT_H
#define SQLCRYPT_MYSQL_CLIENT_H

/*
 * How the two client libraries of MySQL differ: how they wait, and how to tell
 * them to encrypt and whom to trust. configure chooses one of
 * mysql_client_mariadb.c (MariaDB Connector/C) and mysql_client_oracle.c
 * (libmysqlclient of MySQL 8).
 */

#include <stdbool.h> /* which mysql.h of MySQL 8 fails to include */
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

/* In bytes. The library does not accept a longer message, and one call takes in no more than two
 * of them and their metadata. */
enum {
    MYSQL_LONGEST_VALUE = 1 << 20,
    MYSQL_LONGEST_MESSAGE = MYSQL_LONGEST_VALUE + (1 << 16),
    MYSQL_MOST_RECEIVED = 4 * MYSQL_LONGEST_VALUE
};

/* Calls of the library by one thread, with what they need to know. Only a connection that is
 * being made has a target. */
struct mysql_call {
    struct deadline deadline;
    bool is_guarded; /* the library may raise SIGPIPE */
    struct sigpipe_guard sigpipe;
    struct watchdog watchdog;

    MYSQL *mysql;
    const struct sql_target *target;
    const char *name;  /* that a certificate must be for; NULL if there is no network between */
    char *name_to_put; /* a copy for the library, until it takes it */
    ino_t settled;     /* the socket whose encryption has been decided */
    bool lacks_ssl;    /* it was given up because the server does not encrypt */
};

/* Prepares what calls need, once, when the driver is loaded. */
void mysql_client_load(void);

/* Everything that may send or receive over a connection happens between these two. OpenSSL's
 * error queue, which this thread shares with the host, is empty at the beginning, since
 * the library would otherwise misread it, and at the end. False with a reason if that cannot be
 * done: there is then nothing to end. */
bool mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline,
                        struct reason *reason);
void mysql_client_end(struct mysql_call *call);

/* The same, to connect to a host of this name, which is NULL if there is no network between:
 * also sets its options. */
bool mysql_client_begin_connecting(struct mysql_call *call, MYSQL *mysql,
                                   const struct sql_target *target, const char *name,
                                   const struct deadline *deadline, struct reason *reason);

/* Whether the server has sent too much, so that the connection was given up. */
bool mysql_client_is_flooded(struct mysql_call *call);

/* Whether the connection was given up because the server's certificate is for another name. */
bool mysql_client_refused_name(MYSQL *mysql);

/* Whether the connection was given up because a message was announced as longer than
 * MYSQL_LONGEST_MESSAGE. */
bool mysql_client_refused_message(MYSQL *mysql);

/* Ends a connection and does not block. Not to be called between the above. */
void mysql_client_close(MYSQL *mysql);

/* Whether the library needs a host's name, rather than an address, because it checks the
 * certificate for what it connects to. It then looks the name up. */
bool mysql_client_connects_by_name(const struct sql_target *target);

/* Whether it can handle several addresses when it does. */
bool mysql_client_bears_addresses(void);

/* Keeps the socket of a connection from programs that the host starts. */
void mysql_client_close_on_exec(MYSQL *mysql);

#endif
