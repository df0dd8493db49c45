/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_MAIL_USERS_H
#define SQLCRYPT_TESTS_MAIL_USERS_H

/*
 * A table of mail users in the database of one engine, and the smtpd.conf of a
 * program (sasl_program.h) that logs them in.
 */

#include "support/engines.h"

/* Makes a database with the empty table
 *
 *     users (name, realm, address, password)
 *
 * Fails the test if it cannot be made. */
void mail_users_make(const struct engine_fixture *fixture);

/* Removes the database, if there is one. */
void mail_users_remove(void);

/* Adds a row for NAME in the realm example.com, with what is stored as the
 * password; NULL for NULL. The log of the program must not contain that, unless
 * it is short. */
void mail_users_add(const char *name, const char *stored);

/* Runs statements without the plug-ins; {text} in them is the type of strings
 * without a limit. */
void mail_users_run(const char *statements);

/* What is stored for that name, from malloc(3); NULL for NULL and for no row. */
char *mail_users_stored(const char *name);

/* The first value of the first row, from malloc(3). */
char *mail_users_query(const char *statement);

/* How many rows there are. */
unsigned mail_users_count(void);

/* The text of smtpd.conf, valid until the next call. Lines of `options` come
 * first, so that they win. */
const char *mail_users_configuration(const char *options);

/* The server's address for sql_hostnames, by TCP or else by its socket; "" for a
 * file. */
const char *mail_users_host(bool by_address);

/* Names the sessions that others than the test have at the server, from
 * malloc(3); "" if there are none. */
char *mail_users_sessions(void);

/* Waits until there are none, since a server takes its time. Returns false if
 * that does not happen. */
bool mail_users_wait_for_no_sessions(void);

/* Makes the server end them, and waits until it has. */
void mail_users_end_sessions(void);

/* Keeps everyone from reading the table, until it is unlocked. */
void mail_users_lock(void);
void mail_users_unlock(void);

/* Makes the server accept no more sessions. The configuration is that of a user
 * who would need one. */
void mail_users_fill_server(void);
void mail_users_unfill_server(void);

#endif
