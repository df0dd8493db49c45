/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINES_H
#define ENGINES_H

/*
 * What tests that run against every engine have to know of one: a database to
 * work in, a way to it beside the driver, and how its SQL spells some things.
 *
 * A server is found by environment variables, such as TEST_PGSQL_HOST. Others
 * may use it at the same time: each program works in a database of its own.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql_engine.h"

/* A lookup that only this engine can do, or that fails as it does nowhere else. */
struct engine_case {
    const char *name;
    const char *before; /* statements that make what it needs */
    const char *statement;
    const char *parameter;
    enum lookup want;
};

struct engine_fixture {
    const char *engine; /* its name */

    const char *text_type; /* of strings without a limit */
    const char *blob_type;
    const char *blob;      /* a literal of some bytes, */
    const char *want_blob; /* and how a lookup returns it */
    size_t want_blob_length;

    bool is_file; /* no server, and a session for lookups cannot change it */
    bool has_nul; /* whether a string may hold a NUL */

    bool reads_no_long_message; /* but ends the session */

    bool locks_threads; /* by locks of its own, which a fork during a request leaves locked */

    /* By this, a session has the server forget what it has prepared. NULL if
     * there is no such statement. */
    const char *forget;

    /* Ends with one that has no name; NULL if there are none. */
    const struct engine_case *cases;

    /* Whether there is a server to test against. */
    bool (*available)(void);

    /* Makes an empty database, and fills in where it is. `host` is that of a
     * socket; `by_address` the same server by TCP, not set for files. */
    bool (*start)(struct sql_target *target, struct sql_host *host, struct sql_host *by_address);

    /* Removes it. Is called after a start that failed, too. */
    void (*stop)(void);

    /* Removes all that is kept until the program ends. */
    void (*finish)(void);

    /* Runs statements by the client library itself. False if one fails. */
    bool (*execute)(const char *statements);

    /* Returns the first value of the first row, from malloc(3); NULL if there
     * is none. */
    char *(*query)(const char *statement);

    /* Spells a string as a literal, from malloc(3). */
    char *(*literal)(const char *text);

    /* Keeps everybody else from the table `users`, even from reading. */
    bool (*lock)(void);
    bool (*unlock)(void);

    /* Names the sessions that others have in this database, from malloc(3); ""
     * if there are none. NULL for a file. */
    char *(*sessions)(void);

    /* Has the server end them. */
    bool (*end_sessions)(void);

    /* Has the server take no more of them from the target, whose user and
     * password may change. */
    bool (*fill)(struct sql_target *target);
    bool (*unfill)(struct sql_target *target);
};

/* Linked in where configure found the client library. */
extern const struct engine_fixture test_engines_sqlite3 __attribute__((weak));
extern const struct engine_fixture test_engines_pgsql __attribute__((weak));
extern const struct engine_fixture test_engines_mysql __attribute__((weak));

/* NULL where it was not. */
#define ENGINE_FIXTURES                                                                            \
    {                                                                                              \
        &test_engines_sqlite3, &test_engines_pgsql, &test_engines_mysql                            \
    }

#endif
