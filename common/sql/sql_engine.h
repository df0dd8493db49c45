/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENGINE_H
#define SQLCRYPT_SQL_ENGINE_H

/*
 * What an engine driver offers: a shared object of its own that exports one
 * symbol, `sqlcrypt_engine`. The only headers of this project that a driver
 * sees are this one and those it includes.
 *
 * A driver never logs, never ends the process, and never waits longer than the
 * deadline. A session is used by one thread at a time, and never by
 * another process than the one that opened it. SIGPIPE never reaches the host,
 * and no descriptor is left open over execve(2).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/jail.h"
#include "base/reason.h"
#include "sql/host_addresses.h"
#include "sql/lookup.h"
#include "sql/sql_hosts.h"
#include "sql/sql_rows.h"

/* Increases with each change to anything below. */
#define SQL_ENGINE_ABI 5u

enum sql_ssl_mode {
    SQL_SSL_DISABLE,
    SQL_SSL_PREFER,     /* encrypted if the server can */
    SQL_SSL_REQUIRE,    /* encrypted, with any server */
    SQL_SSL_VERIFY_CA,  /* with a server that has a certificate from ssl_ca */
    SQL_SSL_VERIFY_FULL /* and the certificate is for the name of the host */
};

/* Where to connect, except for the host. Strings are never NULL; "" is the
 * engine's default. */
struct sql_target {
    const char *user;
    const char *password;
    const char *database;
    enum sql_ssl_mode ssl_mode;
    const char *ssl_ca; /* files in PEM format */
    const char *ssl_cert;
    const char *ssl_key;
    unsigned timeout; /* milliseconds after which a server may end a statement on its own */
    struct jail jail;
};

enum sql_access {
    SQL_ACCESS_READ, /* for lookups: a file cannot be changed */
    SQL_ACCESS_WRITE /* a host that cannot store is not worth connecting to */
};

/* One statement with its parameters, in the engine's own placeholders. An absent parameter is
 * bound to NULL; the bytes of any other are followed by a NUL that its length does not count. */
struct sql_statement {
    const char *text;
    const struct bytes *parameters;
    size_t parameter_count;
};

enum sql_transaction { SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK };

struct sql_session;

struct sql_engine {
    unsigned abi;
    const char *name;

    /* Called once the driver is in memory: loads what the client library would
     * otherwise look for later, inside a jail. NULL if there is nothing to
     * load. */
    void (*load)(void);

    /* Finds the addresses of a host, each of which is then opened separately. NULL: no
     * host has any. */
    enum host_addresses_result (*find_addresses)(const struct sql_target *target,
                                                 const struct sql_host *host,
                                                 const struct deadline *deadline,
                                                 struct host_addresses *found,
                                                 struct reason *reason);

    /* Opens a session with a host at one of its addresses, "" if it has none. LOOKUP_DONE
     * with *session set; else LOOKUP_UNAVAILABLE, LOOKUP_LOST or LOOKUP_BUSY with a
     * reason, and *session is NULL. What `target` and `host` point to stays valid until
     * the session is closed. *learned is for the driver: a value that it puts there comes back
     * when it next opens a session with that address, unless that was long ago or the address
     * has failed since; else it is 0. */
    enum lookup (*open)(const struct sql_target *target, const struct sql_host *host,
                        const char *address, enum sql_access access,
                        const struct deadline *deadline, unsigned *learned,
                        struct sql_session **session, struct reason *reason);

    /* Does not block. */
    void (*close)(struct sql_session *session);

    /* Runs a statement that reads, and hands over the first column of each row, as many
     * as `rows` has room for. LOOKUP_FOUND if there was a row, LOOKUP_NONE if not, both
     * without a reason. `rows` starts empty; whatever is returned, it may hold values. The
     * session prepares the statement once and keeps it, but no value. */
    enum lookup (*select)(struct sql_session *session, const struct sql_statement *statement,
                          const struct deadline *deadline, struct sql_rows *rows,
                          struct reason *reason);

    /* Runs a statement that stores. LOOKUP_DONE if it changed a row, LOOKUP_NONE if it
     * changed nothing. After LOOKUP_LOST and LOOKUP_UNAVAILABLE, that is unknown. */
    enum lookup (*store)(struct sql_session *session, const struct sql_statement *statement,
                         const struct deadline *deadline, struct reason *reason);

    /* LOOKUP_DONE once done. After LOOKUP_LOST and LOOKUP_UNAVAILABLE, it is unknown
     * whether SQL_COMMIT was; otherwise nothing was kept. Closing a session rolls back. */
    enum lookup (*transaction)(struct sql_session *session, enum sql_transaction step,
                               const struct deadline *deadline, struct reason *reason);
};

#endif
