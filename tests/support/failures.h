/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_FAILURES_H
#define SQLCRYPT_TESTS_FAILURES_H

/*
 * What is shared by the tests that have both plug-ins linked into them, so that what these rely
 * on can fail: a table with one user, an authdaemond, callbacks, and a list of tests.
 */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "glue/sasl_glue.h"
#include "support/hashes.h"
#include "support/linked_plugins.h"
#include "support/sasl_program.h"
#include "support/scripted_authdaemond.h"
#include "support/sqlite_table.h"
#include "support/unit.h"

#define DATABASE "users.db"
#define USER "alice"
#define RIGHT "correct horse"
#define MESSAGE(text) text, sizeof(text) - 1
#define RIGHT_MESSAGE MESSAGE("\0" USER "\0" RIGHT)

static inline sasl_callback_t callback(unsigned long id, any_function function)
{
    return (sasl_callback_t){id, (sasl_callback_ft)function, NULL};
}

/* --- the program */

static char hash[200];

/* Lines of `options` come first, so that they win. */
static inline const char *configuration(const char *options)
{
    static char text[4000];

    snprintf(text, sizeof(text),
             "%s"
             "log_level: 5\n"
             "password_format: crypt\n"
             "password_store_scheme: MD5-CRYPT\n"
             "auxprop_plugin: sqlcrypt\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n"
             "authdaemond_path: %s/authdaemond\n%s",
             options, folder(), folder(),
             "sql_select: SELECT %p FROM users WHERE name='%u' AND realm='%r'\n"
             "sql_insert: INSERT INTO users (name, realm, %p) VALUES ('%u', '%r', '%v')\n"
             "sql_update: UPDATE users SET %p = '%v' WHERE name='%u' AND realm='%r'\n");
    return text;
}

static inline void start(const char *options)
{
    linked_start(configuration(options), NULL);
    assert_int_equal(linked.mechanisms_result, SASL_OK);
    program_secret(hash);
    program_clear_log();
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(hash, sizeof(hash), "%s", hash_of(RIGHT, "$1$abcdefgh"));
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, realm TEXT, userPassword TEXT, mail TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('" USER "', 'example.com', '%s', 'a@b')", hash);
    authdaemond_start(USER "@example.com", RIGHT);
    return 0;
}

/* The teardown of each list of tests, or the start of its own one. */
static inline int failures_end(void **state)
{
    (void)state;
    no_random_bytes = false;
    linked_use_engine(NULL);
    program_abandon();
    authdaemond_stop();
    folder_remove();
    return 0;
}

/* --- a program that makes names canonical in its own way */

static int canon_result;
static unsigned canon_flags; /* those of the calls that fail */

static inline int canon_user(sasl_conn_t *connection, void *context, const char *user,
                             unsigned length, unsigned flags, const char *realm, char *out,
                             unsigned size, unsigned *out_length)
{
    (void)connection, (void)context, (void)realm;
    if ((flags & canon_flags) != 0)
        return canon_result;
    assert_true(length < size);
    memcpy(out, user, length);
    *out_length = length;
    return SASL_OK;
}

static inline int anybody(sasl_conn_t *connection, void *context, const char *requested,
                          unsigned requested_length, const char *user, unsigned length,
                          const char *realm, unsigned realm_length, struct propctx *properties)
{
    (void)connection, (void)context, (void)requested, (void)requested_length, (void)user;
    (void)length, (void)realm, (void)realm_length, (void)properties;
    return SASL_OK;
}

static inline void start_with_canon_user(const char *options)
{
    const sasl_callback_t extra[] = {
        callback(SASL_CB_CANON_USER, (any_function)canon_user),
        callback(SASL_CB_PROXY_POLICY, (any_function)anybody),
        {SASL_CB_LIST_END, NULL, NULL},
    };

    linked_start(configuration(options), extra);
    program_clear_log();
}

/* --- CRAM-MD5 */

/* A client's response to a challenge, whatever the caller passes. */
static inline int cram_over(sasl_conn_t *connection, const char *user, const char *password)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char response[500];
    const char *challenge;
    unsigned length, digest_length, i;
    size_t at;
    int result = sasl_server_start(connection, "CRAM-MD5", NULL, 0, &challenge, &length);

    if (result == SASL_CONTINUE) {
        HMAC(EVP_md5(), password, (int)strlen(password), (const unsigned char *)challenge, length,
             digest, &digest_length);
        at = (size_t)snprintf(response, sizeof(response), "%s ", user);
        for (i = 0; i < digest_length; i++)
            snprintf(response + at + 2 * i, 3, "%02x", digest[i]);
        result =
            sasl_server_step(connection, response, (unsigned)strlen(response), &challenge, &length);
    }
    sasl_dispose(&connection);
    return result;
}

/* --- the list: each file has its own tear_down() */

static inline void add(struct test_list *list, CMUnitTestFunction run, const void *row,
                       const char *group, const char *name, CMFixtureFunction tear_down)
{
    struct CMUnitTest *test = test_add(list, run, row, group, name);

    test->setup_func = set_up;
    test->teardown_func = tear_down;
}

#define ADD(function) add(&list, function, NULL, "", #function, tear_down)
#define ADD_CASES(function, cases)                                                                 \
    for (i = 0; i < COUNT(cases); i++)                                                             \
    add(&list, function, &(cases)[i], #function, (cases)[i].name, tear_down)

#endif
