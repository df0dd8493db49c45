/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_SASL_PROGRAM_H
#define SQLCRYPT_TESTS_SASL_PROGRAM_H

/*
 * A program that authenticates its clients through the real libsasl2, like
 * smtpd, with the plug-ins of the build tree and the stock ones. One program
 * runs at a time.
 */

#include <sasl/sasl.h>
#include <stdbool.h>
#include <stddef.h>

/* The environment says where the plug-ins are, separated by colons. */
#define OUR_PLUGINS "TEST_PLUGINS"
#define STOCK_PLUGINS "TEST_STOCK_PLUGINS"

/* Starts the program. `plugins` is its plug-in path, NULL for ours and the
 * stock ones. `configuration` is the text of its smtpd.conf. Fails the test if
 * libsasl2 cannot start. */
void program_start(const char *plugins, const char *configuration);

/* As above, with more callbacks: `extra` ends with SASL_CB_LIST_END. */
void program_start_with(const char *plugins, const char *configuration,
                        const sasl_callback_t *extra);

/* From now on, the program returns another value for an option that its configuration has. */
void program_answer(const char *name, const char *value);

/* Stops it, and fails the test if its log contains a secret. */
void program_stop(void);

/* Stops it after a failed test, if it still runs. */
void program_abandon(void);

/* A text that must never be logged from now on. It is copied. */
void program_secret(const char *text);

/* All lines that were logged since the start, each "LEVEL text\n". Threads may
 * log at the same time, but not while this is read. What libsasl2 sends to
 * syslog(3), as it does while it starts, has the level "init". Debug lines of
 * libsasl2 itself about loading plug-ins are left out. */
const char *program_log(void);
void program_clear_log(void);

/* How many lines of the log contain `text`. */
unsigned program_log_count(const char *text);

/* Logs in from a client at 192.0.2.7, in the realm example.com, and returns
 * the result of the last step. */
int login_plain(const char *user, const char *password);
int login_plain_as(const char *authzid, const char *user, const char *password);
int login_plain_message(const char *message, size_t length);
int login_login(const char *user, const char *password);
int login_login_initial(const char *user, const char *password);
int login_checkpass(const char *user, const char *password);

/* What libsasl2's own SCRAM makes of a wrong password: an error of the client, before 2.1.28. */
#define SCRAM_WRONG (SASL_VERSION_FULL < 0x02011c ? SASL_BADPROT : SASL_BADAUTH)

/* Whether login_by() has this mechanism while a program runs. Debian 11 has SCRAM in a separate
 * package. */
bool login_knows(const char *mechanism);

/* Logs in by any mechanism, with libsasl2's client at the other end. */
int login_by(const char *mechanism, const char *user, const char *password);

/* The same over a connection that may have seen other logins. */
int login_over(sasl_conn_t *server, const char *mechanism, const char *user, const char *password);

/* The names of the mechanisms that are offered, separated by blanks. */
const char *program_mechanisms(void);

/* A server's connection of this program, which the caller disposes of. */
sasl_conn_t *program_connection(void);

#endif
