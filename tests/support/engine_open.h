/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_ENGINE_OPEN_H
#define SQLCRYPT_TESTS_ENGINE_OPEN_H

/* What the plug-in does with a driver. */

#include "sql/sql_engine.h"

/* Opens a session, at the first address of a host. */
static inline enum lookup engine_open(const struct sql_engine *engine,
                                      const struct sql_target *target, const struct sql_host *host,
                                      enum sql_access access, const struct deadline *deadline,
                                      struct sql_session **session, struct reason *reason)
{
    struct host_addresses found = {.count = 1};
    enum host_addresses_result result = HOST_ADDRESSES_NEEDLESS;
    unsigned learned = 0;

    if (engine->find_addresses != NULL)
        result = engine->find_addresses(target, host, deadline, &found, reason);
    if (result == HOST_ADDRESSES_NEEDLESS)
        found.text[0][0] = '\0';
    if (result == HOST_ADDRESSES_NEEDLESS || result == HOST_ADDRESSES_FOUND)
        return engine->open(target, host, found.text[0], access, deadline, &learned, session,
                            reason);
    *session = NULL;
    return LOOKUP_UNAVAILABLE;
}

/* Looks up one value. */
static inline enum lookup engine_select(const struct sql_engine *engine,
                                        struct sql_session *session,
                                        const struct sql_statement *statement,
                                        const struct deadline *deadline, struct secret *value,
                                        struct reason *reason)
{
    struct sql_rows rows = {.values = value, .room = 1};
    enum lookup result;

    secret_wipe(value);
    result = engine->select(session, statement, deadline, &rows, reason);
    return sql_rows_judge(&rows, result, reason);
}

#endif
