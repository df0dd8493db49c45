/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_ENGINES_H
#define TEST_ENGINES_H

/*
 * What the case table of test_engines.c has to know of one engine: a database
 * to work in, a way to it beside the driver, and how its SQL spells some types.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql_engine.h"

struct engine_fixture {
    const char *text_type; /* of strings without a limit */
    const char *blob_type;
    const char *blob;      /* a literal of some bytes, */
    const char *want_blob; /* and how a lookup returns it */
    size_t want_blob_length;

    /* Makes an empty database and fills in where it is. Returns false if
     * there is no server to test against. */
    bool (*start)(struct sql_target *target);

    /* Removes it. Is called after a start that failed, too. */
    void (*stop)(void);

    /* Runs statements by the client library itself. False if one fails. */
    bool (*execute)(const char *statements);

    /* Returns the first value of the first row, from malloc(3); NULL if there
     * is none. */
    char *(*query)(const char *statement);
};

/* Linked in where configure found the client library. */
extern const struct engine_fixture test_engines_sqlite3 __attribute__((weak));

#endif
