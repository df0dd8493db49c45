/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_ALICE_H
#define SQLCRYPT_TESTS_ALICE_H

/*
 * Starts the tests that log in with every engine: a table with one user, alice.
 */

#include <sasl/sasl.h>

#include "support/engine_runs.h"
#include "support/hashes.h"
#include "support/mail_users.h"
#include "support/sasl_program.h"

#define RIGHT "correct horse" /* her password */

static inline int remove_users(void **state)
{
    (void)state;
    program_abandon();
    mail_users_remove();
    return 0;
}

/* Makes the table, with a hash by that setting of crypt(3). */
static inline const struct run *make_alice(void **state, const char *setting)
{
    const struct run *run = *state;

    mail_users_make(run->fixture);
    program_secret(RIGHT);
    mail_users_add("alice", hash_of(RIGHT, setting));
    return run;
}

static inline void start(const char *options)
{
    program_start(NULL, mail_users_configuration(options));
}

static inline void expect_errors(unsigned want)
{
    if (program_log_count("ERR ") != want)
        print_error("%s", program_log());
    assert_int_equal(program_log_count("ERR "), want);
}

/* Both mechanisms, with the same expected answer. */
static inline void expect(const char *user, const char *password, int want)
{
    int plain = login_plain(user, password);
    int login = login_login(user, password);

    if (plain != want || login != want)
        print_error("%.60s, %.60s: PLAIN %d, LOGIN %d, want %d\n%s", user, password, plain, login,
                    want, program_log());
    assert_int_equal(plain, want);
    assert_int_equal(login, want);
}

static inline int set_password(const char *user, const char *password)
{
    sasl_conn_t *connection = program_connection();
    int result =
        sasl_setpass(connection, user, password, password != NULL ? (unsigned)strlen(password) : 0,
                     NULL, 0, password != NULL ? SASL_SET_CREATE : SASL_SET_DISABLE);

    sasl_dispose(&connection);
    return result;
}

static inline void expect_stored(const char *name, const char *start_of_value)
{
    char *stored = mail_users_stored(name);

    assert_non_null(stored);
    if (strncmp(stored, start_of_value, strlen(start_of_value)) != 0)
        print_error("%s does not start with %s\n", stored, start_of_value);
    assert_int_equal(strncmp(stored, start_of_value, strlen(start_of_value)), 0);
    free(stored);
}

#endif
