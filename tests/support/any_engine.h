/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANY_ENGINE_H
#define ANY_ENGINE_H

/*
 * A database of the engine that a test runs against, with sessions of its driver.
 */

#include <unistd.h>

#include "sql/sql_driver.h"
#include "support/engine_open.h"
#include "support/engine_runs.h"

enum { MOST_PARAMETERS = 4, SHORT_VALUES = 600, LONG_VALUE = 64 * 1024, LONGEST_VALUE = 1 << 20 };

static char long_value[LONG_VALUE + 1];

/* --- the setup and teardown of each test */

static struct {
    const struct sql_engine_kind *kind;
    struct sql_target target;
    struct sql_host host;
    struct sql_host by_address; /* the same one by TCP */
    struct sql_driver driver;
    struct sql_session *sessions[2]; /* by their purpose */
    struct secret value;
    struct reason reason;
} world;

/* Replaces {text}, {bytes} and {blob}. Returns a string from malloc(3). */
static inline char *spell(const struct engine_fixture *fixture, const char *statements)
{
    const struct {
        const char *word;
        const char *meaning;
    } words[] = {
        {"{text}", fixture->text_type},
        {"{bytes}", fixture->blob_type},
        {"{blob}", fixture->blob},
    };
    char *out = calloc(1, 2 * strlen(statements) + LONG_VALUE);
    size_t length = 0, i;

    assert_non_null(out);
    while (*statements != '\0') {
        for (i = 0; i < COUNT(words); i++)
            if (strncmp(statements, words[i].word, strlen(words[i].word)) == 0)
                break;
        if (i == COUNT(words)) {
            out[length++] = *statements++;
        } else {
            strcpy(out + length, words[i].meaning);
            length += strlen(words[i].meaning);
            statements += strlen(words[i].word);
        }
    }
    return out;
}

/* Bypasses the driver. */
static inline void execute(const struct run *run, const char *statements)
{
    char *spelt = spell(run->fixture, statements);
    bool done = run->fixture->execute(spelt);

    free(spelt);
    assert_true(done);
}

static inline void assert_query(const struct run *run, const char *statement, const char *want)
{
    char *got = run->fixture->query(statement);

    if (got == NULL || strcmp(got, want) != 0)
        print_error("%s: got \"%s\", want \"%s\"\n", statement, got != NULL ? got : "(none)", want);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static const char users[] =
    "CREATE TABLE users (name VARCHAR(64), secret {text}, number INTEGER, bytes {bytes});"
    "CREATE TABLE single (name VARCHAR(64) PRIMARY KEY, secret {text});"
    "INSERT INTO users VALUES ('alice', 'wonderland', 42, {blob});"
    "INSERT INTO users VALUES ('bob', 'builder', -7, {blob});"
    "INSERT INTO users VALUES ('twin', 'one', 1, NULL), ('twin', 'two', 2, NULL);"
    "INSERT INTO users VALUES ('null', NULL, NULL, NULL);"
    "INSERT INTO users VALUES ('empty', '', 3, NULL);"
    "INSERT INTO users VALUES ('', 'nameless', 4, NULL);"
    "INSERT INTO users VALUES ('o''brien', 'quoted', 5, NULL);"
    "INSERT INTO users VALUES ('b\303\274rgi', 'p\303\244ssw\303\266rd \360\237\224\221', 6, NULL);"
    "INSERT INTO single VALUES ('alice', 'taken');";

/* Adds a row with a value of that length. */
static inline bool add_long(const struct engine_fixture *fixture, const char *name, size_t length)
{
    char *statement = malloc(length + 128);
    int start;
    bool done;

    if (statement == NULL)
        return false;
    start = sprintf(statement, "INSERT INTO users VALUES ('%s', '", name);
    memset(statement + start, 'v', length);
    strcpy(statement + start + length, "', 7, NULL)");
    done = fixture->execute(statement);
    free(statement);
    return done;
}

static inline enum lookup try_open(enum sql_access access)
{
    const struct deadline deadline = deadline_after(60000);
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    world.sessions[access] = (struct sql_session *)&world;
    result = engine_open(world.driver.engine, &world.target, &world.host, access, &deadline,
                         &world.sessions[access], &world.reason);
    if ((result == LOOKUP_DONE) != (world.sessions[access] != NULL))
        abort();
    return result;
}

static inline bool open_session(enum sql_access access)
{
    enum lookup result = try_open(access);

    if (result != LOOKUP_DONE)
        print_error("%s: %s\n", lookup_name(result), world.reason.text);
    return result == LOOKUP_DONE;
}

static inline void close_session(enum sql_access access)
{
    if (world.sessions[access] != NULL)
        world.driver.engine->close(world.sessions[access]);
    world.sessions[access] = NULL;
}

static inline int set_up(void **state)
{
    const struct run *run = *state;
    const struct engine_fixture *fixture = run->fixture;
    char *spelt;
    bool done;

    memset(&world, 0, sizeof(world));
    world.kind = sql_engine_kind_find(fixture->engine);
    if (!fixture->start(&world.target, &world.host, &world.by_address))
        return -1;
    spelt = spell(fixture, users);
    done = fixture->execute(spelt) && add_long(fixture, "long", LONG_VALUE) &&
           sql_driver_load(&world.driver, world.kind, test_environment("TEST_ENGINE_DIR"),
                           &world.reason);
    free(spelt);
    if (!done)
        print_error("%s\n", world.reason.text);
    return done && open_session(SQL_ACCESS_READ) && open_session(SQL_ACCESS_WRITE) ? 0 : -1;
}

static inline int tear_down(void **state)
{
    const struct run *run = *state;

    close_session(SQL_ACCESS_READ);
    close_session(SQL_ACCESS_WRITE);
    sql_driver_unload(&world.driver);
    secret_wipe(&world.value);
    run->fixture->stop();
    return 0;
}

/* --- requests */

/* Writes out each ^ of a statement as the engine's placeholder. */
static inline char *with_placeholders(const char *statement)
{
    char *out = calloc(1, 4 * strlen(statement) + 1);
    size_t length = 0, number = 0;

    assert_non_null(out);
    for (; *statement != '\0'; statement++)
        if (*statement != '^')
            out[length++] = *statement;
        else if (world.kind->dialect->placeholder == PLACEHOLDER_DOLLAR)
            length += (size_t)sprintf(out + length, "$%zu", ++number);
        else
            out[length++] = '?';
    return out;
}

static inline size_t lend_parameters(const char *const *texts, struct bytes *parameters)
{
    size_t count = 0;

    for (; count < MOST_PARAMETERS && texts[count] != NULL; count++)
        parameters[count] = bytes_of(texts[count]);
    return count;
}

enum { LONG_TIME = 60000 }; /* milliseconds */

static inline enum lookup select_within(enum sql_access access, const char *text,
                                        const struct bytes *parameters, size_t count,
                                        unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);
    char *spelt = with_placeholders(text);
    const struct sql_statement statement = {spelt, parameters, count};
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = engine_select(world.driver.engine, world.sessions[access], &statement, &deadline,
                           &world.value, &world.reason);
    free(spelt);
    return result;
}

static inline enum lookup select_over(enum sql_access access, const char *text,
                                      const char *const *texts)
{
    struct bytes parameters[MOST_PARAMETERS];
    size_t count = lend_parameters(texts, parameters);

    return select_within(access, text, parameters, count, LONG_TIME);
}

/* Does the lookup of a login. */
static inline enum lookup select_value(const char *text, const char *const *texts)
{
    return select_over(SQL_ACCESS_READ, text, texts);
}

static inline enum lookup store_within(const char *text, const struct bytes *parameters,
                                       size_t count, unsigned milliseconds)
{
    const struct deadline deadline = deadline_after(milliseconds);
    char *spelt = with_placeholders(text);
    const struct sql_statement statement = {spelt, parameters, count};
    enum lookup result;

    strcpy(world.reason.text, "(none)");
    result = world.driver.engine->store(world.sessions[SQL_ACCESS_WRITE], &statement, &deadline,
                                        &world.reason);
    free(spelt);
    return result;
}

static inline enum lookup store(const char *text, const char *const *texts)
{
    struct bytes parameters[MOST_PARAMETERS];
    size_t count = lend_parameters(texts, parameters);

    return store_within(text, parameters, count, LONG_TIME);
}

static inline enum lookup step(enum sql_transaction which)
{
    const struct deadline deadline = deadline_after(LONG_TIME);

    return world.driver.engine->transaction(world.sessions[SQL_ACCESS_WRITE], which, &deadline,
                                            &world.reason);
}

#define NAMES(...) ((const char *const[MOST_PARAMETERS]){__VA_ARGS__})
#define BY_NAME "SELECT secret FROM users WHERE name = ^"

#define UPDATE "UPDATE users SET secret = ^ WHERE name = ^"

/* Both kinds of sessions find, although a driver may run their statements differently. */
static const enum sql_access accesses[] = {SQL_ACCESS_READ, SQL_ACCESS_WRITE};

/* Another server may have what one lacks; a file stands alone. */
static inline enum lookup or_rejected(enum lookup want)
{
    return (want == LOOKUP_UNREADY || want == LOOKUP_CONFLICT) && !world.kind->has_hosts
               ? LOOKUP_REJECTED
               : want;
}

#endif
