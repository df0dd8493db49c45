/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_SCRIPTED_AUTHDAEMOND_H
#define SQLCRYPT_TESTS_SCRIPTED_AUTHDAEMOND_H

/*
 * A daemon that knows one user, and answers "login" and the challenges of CRAM-MD5 and its
 * relatives as Courier's does. It runs in a thread of this process, which never calls the
 * program's own malloc(3).
 */

/* Listens in the folder of sqlite_table.h. */
void authdaemond_start(const char *user, const char *password);
void authdaemond_stop(void);

/* Its socket. */
const char *authdaemond_path(void);

/* How many questions it was asked, and the last one. */
unsigned authdaemond_questions(void);
const char *authdaemond_question(void);

#endif
