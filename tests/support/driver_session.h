/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVER_SESSION_H
#define DRIVER_SESSION_H

/*
 * A session of the driver that is linked into this program, for tests in which calls of
 * its client library fail.
 */

#include "support/engine_open.h"
#include "support/engine_runs.h"
#include "support/failing.h"

extern const struct sql_engine sqlcrypt_engine;

enum { LONG_TIME = 60000, SHORT_TIME = 200 };

static struct {
    struct sql_target target;
    struct sql_host host;
    struct sql_host by_address;
    struct sql_session *session;
    struct secret value;
    struct reason reason;
    bool may_be_committed; /* COMMIT was sent: without an answer, its result is unknown */
} world;

/* Starts a database in which the statements were run. Returns what a set-up does. */
static inline int start_world(const struct run *run, const char *statements)
{
    memset(&world, 0, sizeof(world));
    return run->fixture->start(&world.target, &world.host, &world.by_address) &&
                   run->fixture->execute(statements)
               ? 0
               : -1;
}

static inline void close_session(void)
{
    if (world.session != NULL)
        sqlcrypt_engine.close(world.session);
    world.session = NULL;
}

static inline int tear_down(void **state)
{
    const struct run *run = *state;

    fail_no_more();
    close_session();
    secret_wipe(&world.value);
    run->fixture->stop();
    return 0;
}

static inline enum lookup open_within(enum sql_access access, unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);
    enum lookup result;

    close_session();
    strcpy(world.reason.text, "(none)");
    result = engine_open(&sqlcrypt_engine, &world.target, &world.host, access, &deadline,
                         &world.session, &world.reason);
    assert_int_equal(world.session != NULL, result == LOOKUP_DONE);
    return result;
}

static inline enum lookup open_session(enum sql_access access)
{
    return open_within(access, LONG_TIME);
}

/* In either spelling. */
static inline size_t count_parameters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '$' || *text == '?';
    return count;
}

/* All parameters are the user. */
static inline enum lookup look_up(const char *text, const char *user)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    const struct bytes parameters[] = {bytes_of(user), bytes_of(user)};
    const struct sql_statement statement = {text, parameters, count_parameters(text)};

    strcpy(world.reason.text, "(none)");
    return engine_select(&sqlcrypt_engine, world.session, &statement, &deadline, &world.value,
                         &world.reason);
}

static inline enum lookup store(const char *text, const char *user)
{
    const struct deadline deadline = deadline_after(LONG_TIME);
    const struct bytes parameters[] = {bytes_of(user), bytes_of(user)};
    const struct sql_statement statement = {text, parameters, count_parameters(text)};

    strcpy(world.reason.text, "(none)");
    return sqlcrypt_engine.store(world.session, &statement, &deadline, &world.reason);
}

static inline enum lookup step(enum sql_transaction which, unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);

    world.may_be_committed = which == SQL_COMMIT;
    strcpy(world.reason.text, "(none)");
    return sqlcrypt_engine.transaction(world.session, which, &deadline, &world.reason);
}

/* No failure text contains what was looked up. */
static inline void assert_reason(const char *want)
{
    assert_contains(world.reason.text, want);
    assert_lacks(world.reason.text, "alice");
    assert_lacks(world.reason.text, "wonderland");
    assert_lacks(world.reason.text, world.target.password);
}

/* `by_name` is the statement that looks for a name. */
static inline void assert_found_alice(const char *by_name)
{
    assert_lookup(look_up(by_name, "alice"), LOOKUP_FOUND);
    assert_string_equal(world.value.bytes, "wonderland");
}

#endif
