/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENGINE_H
#define SQLCRYPT_SQL_ENGINE_H

/*
 * What an engine driver offers: a shared object of its own that exports one
 * symbol, `sqlcrypt_engine`. Of this project, a driver sees no other headers
 * than this one and those it includes.
 *
 * A driver never logs, never ends the process, and waits for nothing longer
 * than the deadline. A session is used by one thread at a time, and never by
 * another process than the one that opened it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "deadline.h"
#include "jail.h"
#include "reason.h"
#include "secret.h"

/* Goes up with each change to anything below. */
#define SQL_ENGINE_ABI 1u

/* How one request ended. Zero never means yes. */
enum lookup {
    LOOKUP_UNAVAILABLE, /* no answer now */
    LOOKUP_LOST,        /* likewise; a new session may do better */
    LOOKUP_REJECTED,    /* the server refuses the statement */
    LOOKUP_NONE,        /* no row */
    LOOKUP_SEVERAL,     /* more than one row */
    LOOKUP_FOUND        /* one row, or for a statement that stores: at least one */
};

/* Where to connect. Strings are never NULL, "" is the engine's default. */
struct sql_target {
    const char *hostnames;
    const char *user;
    const char *password;
    const char *database;
    bool use_ssl;
    struct jail jail;
};

enum sql_access {
    SQL_ACCESS_READ, /* for lookups: no way to change anything */
    SQL_ACCESS_WRITE
};

/* One statement with its parameters, in the engine's own placeholders. A
 * parameter with NULL bytes is bound to NULL. */
struct sql_statement {
    const char *text;
    const struct secret *parameters;
    size_t parameter_count;
};

enum sql_transaction { SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK };

struct sql_session;

struct sql_engine {
    unsigned abi;
    const char *name;

    /* Opens a session. Returns NULL with a reason. Strings of the target stay
     * valid until it is closed. */
    struct sql_session *(*open)(const struct sql_target *target, enum sql_access access,
                                const struct deadline *deadline, struct reason *reason);

    void (*close)(struct sql_session *session);

    /* Runs a statement that reads, and copies the first column of its only row
     * into `value`, with NULL bytes for NULL. LOOKUP_NONE and LOOKUP_FOUND
     * come without a reason. The session prepares the statement once and keeps
     * it. What `value` holds is the caller's to wipe, whatever is returned. */
    enum lookup (*select)(struct sql_session *session, const struct sql_statement *statement,
                          const struct deadline *deadline, struct secret *value,
                          struct reason *reason);

    /* Runs a statement that stores. LOOKUP_FOUND if it changed a row,
     * LOOKUP_NONE if it changed nothing. */
    enum lookup (*store)(struct sql_session *session, const struct sql_statement *statement,
                         const struct deadline *deadline, struct reason *reason);

    /* LOOKUP_FOUND once done. A session that is closed rolls back. */
    enum lookup (*transaction)(struct sql_session *session, enum sql_transaction step,
                               const struct deadline *deadline, struct reason *reason);
};

#endif
