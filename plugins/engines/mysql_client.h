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

#include <mysql.h>

#include "sigpipe.h"
#include "sql_engine.h"

#ifdef HAVE_MY_BOOL
typedef my_bool mysql_bool;
#else
typedef bool mysql_bool;
#endif

/* Every call of the library that may send or receive happens between these two.
 * Without a deadline, nothing is waited for. `mysql` is NULL before there is a
 * connection. */
struct mysql_call {
    bool is_guarded; /* the library may raise SIGPIPE */
    struct sigpipe_guard sigpipe;
};
void mysql_client_begin(struct mysql_call *call, MYSQL *mysql, const struct deadline *deadline);
void mysql_client_end(const struct mysql_call *call);

/* Sets the options of a connection that is made next, in this thread: time limits,
 * encryption, who may authenticate. `local` says that no network is between. */
void mysql_client_set_options(MYSQL *mysql, const struct sql_target *target, bool local,
                              const struct deadline *deadline);

/* Whether a server's certificate is checked for the name that is connected to. */
bool mysql_client_checks_name(const struct sql_target *target);

/* Whether the last connection was given up because the server does not encrypt. */
bool mysql_client_lacks_ssl(void);

/* Keeps the socket of a connection from programs that the host starts. */
void mysql_client_close_on_exec(MYSQL *mysql);

#endif
