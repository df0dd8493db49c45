/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINES_H
#define ENGINES_H

/*
 * What tests that run against every engine need to know about one: a database
 * to work in, a way into it that bypasses the driver, and how its SQL spells
 * some things.
 *
 * A server is found by environment variables, such as TEST_PGSQL_HOST. Others
 * may use it at the same time: each program works in a database of its own.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql_engine.h"

/* A lookup that only this engine supports, or that fails as with no other. */
struct engine_case {
    const char *name;
    const char *before; /* statements that make what it needs */
    const char *statement;
    const char *parameter;
    enum lookup want;
};

struct engine_fixture {
    const char *engine; /* the engine's name */

    const char *text_type; /* of strings without a limit */
    const char *blob_type;
    const char *blob;      /* a literal of some bytes, */
    const char *want_blob; /* and how a lookup returns it */
    size_t want_blob_length;

    bool is_file; /* no server, and a session for lookups cannot change it */
    bool has_nul; /* whether a string may hold a NUL */

    bool reads_no_long_message; /* it ends the session */

    bool locks_threads; /* with its own locks, which a fork during a request leaves locked */

    /* Makes the server forget what the session has prepared. NULL if there is
     * no such statement. */
    const char *forget;

    /* Ends with an entry without a name; NULL if there are none. */
    const struct engine_case *cases;

    /* Whether there is a server to test against. */
    bool (*available)(void);

    /* Makes an empty database, and says where it is. `host` is that of a
     * socket; `by_address` the same server by TCP, not set for files. */
    bool (*start)(struct sql_target *target, struct sql_host *host, struct sql_host *by_address);

    /* Removes it. Is also called after a failed start. */
    void (*stop)(void);

    /* Removes everything that is kept until the program ends. */
    void (*finish)(void);

    /* Runs statements with the client library itself. False if one fails. */
    bool (*execute)(const char *statements);

    /* Returns the first value of the first row, from malloc(3); NULL if there
     * is none. */
    char *(*query)(const char *statement);

    /* Spells a string as a literal, from malloc(3). */
    char *(*literal)(const char *text);

    /* Locks the table `users`, so that others cannot even read it. */
    bool (*lock)(void);
    bool (*unlock)(void);

    /* Names the sessions that others have in this database, from malloc(3); ""
     * if there are none. NULL for a file. */
    char *(*sessions)(void);

    /* Makes the server end them. */
    bool (*end_sessions)(void);

    /* Makes the server accept no more sessions for the target, whose user and
     * password may change. */
    bool (*fill)(struct sql_target *target);
    bool (*unfill)(struct sql_target *target);
};

/* Linked in if configure found the client library. */
extern const struct engine_fixture test_engines_sqlite3 __attribute__((weak));
extern const struct engine_fixture test_engines_pgsql __attribute__((weak));
extern const struct engine_fixture test_engines_mysql __attribute__((weak));

/* NULL if it was not found. */
#define ENGINE_FIXTURES                                                                            \
    {                                                                                              \
        &test_engines_sqlite3, &test_engines_pgsql, &test_engines_mysql                            \
    }

#endif
