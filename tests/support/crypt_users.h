/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_CRYPT_USERS_H
#define SQLCRYPT_TESTS_CRYPT_USERS_H

/*
 * Users with hashed passwords in a table of SQLite, and the configuration that lets them log in.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/hashes.h"
#include "support/sasl_program.h"
#include "support/sqlite_table.h"

#define DATABASE "users.db"
#define CHEAP "password_store_scheme: MD5-CRYPT\n" /* refusals cost as much */
#define SELECT "sql_select: SELECT password FROM users WHERE name='%u' AND realm='%r'\n"

/* A configuration whose users are in DATABASE, valid until the next call.
 * `options` come first, so that they win. */
static inline const char *configuration(const char *options)
{
    static char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "password_format: crypt\n" CHEAP "pwcheck_method: auxprop\n"
             "auxprop_plugin: sqlcrypt\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n%s",
             options, folder(), SELECT);
    return text;
}

static inline void start(const char *options)
{
    program_start(NULL, configuration(options));
}

static inline void add_user(const char *name, const char *stored)
{
    run_sql(DATABASE, "INSERT INTO users VALUES ('%s', 'example.com', '%s')", name, stored);
}

static inline int make_table(void **state)
{
    (void)state;
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, realm TEXT, password TEXT)");
    add_user("alice", hash_of("correct horse", "$6$rounds=1000$salt"));
    program_secret("correct horse");
    program_secret(hash_of("correct horse", "$6$rounds=1000$salt"));
    return 0;
}

static inline int remove_table(void **state)
{
    (void)state;
    program_abandon();
    folder_remove();
    return 0;
}

/* Every way to type a password, with the same expected answer. */
static inline void expect_all(const char *user, const char *password, int want)
{
    assert_int_equal(login_plain(user, password), want);
    assert_int_equal(login_login(user, password), want);
    assert_int_equal(login_login_initial(user, password), want);
}

#define MESSAGE(text) text, sizeof(text) - 1

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_table, remove_table)

#endif
