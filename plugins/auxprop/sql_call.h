/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_CALL_H
#define SQLCRYPT_SQL_CALL_H

/*
 * One call from libsasl2 about one user, to look up or to store: how it begins and ends, and
 * its statements in between.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "auxprop/sql_plugin.h"
#include "base/deadline.h"
#include "base/reason.h"
#include "base/user_realm.h"
#include "sql/sql_request.h"

struct sql_call {
    struct sql_plugin *plugin;
    const sasl_server_params_t *sparams;
    const struct sql_backend *backend;
    struct user_realm names;  /* of the user */
    char *address;            /* of the client, if a template needs it */
    struct deadline deadline; /* of the whole call */
};

enum sql_call_start {
    SQL_CALL_BROKEN,    /* the configuration cannot be used */
    SQL_CALL_NO_MEMORY, /* nothing is held */
    SQL_CALL_NO_NAME,   /* no user can have that name, whatever is stored */
    SQL_CALL_OPEN
};

/* Opens a call about the user with that canonical name. `plugin` and `sparams` are set. Any
 * result but SQL_CALL_OPEN comes with a reason. */
enum sql_call_start sql_call_open(struct sql_call *call, const char *user, unsigned length,
                                  struct reason *reason);

/* Frees what an open call holds. */
void sql_call_close(struct sql_call *call);

/* Expands a template for the user. `value` is what %v stands for, BYTES_NONE for NULL.
 * Returns false when out of memory. */
bool sql_call_request(const struct sql_call *call, const struct sql_template *template,
                      const char *property, struct bytes value, struct sql_request *request);

#endif
