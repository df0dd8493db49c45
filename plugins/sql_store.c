/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql_store.h"

#include <string.h>
#include <strings.h>

#include "login_name.h"
#include "properties.h"
#include "sasl_host.h"
#include "sql_backend.h"
#include "sql_request.h"
#include "stock_sql.h"

/* One call of libsasl2. */
struct call {
    struct sql_backend *backend;
    sasl_server_params_t *sparams;
    struct user_realm names;
    struct deadline deadline;
    struct sql_session *session;
    struct reason reason; /* why it failed */
};

static bool is_enabled(const struct sql_backend *backend)
{
    return backend->broken || (backend->insert != NULL && backend->update != NULL);
}

static int out_of_memory(struct call *call)
{
    reason_set(&call->reason, "out of memory");
    return SASL_NOMEM;
}

/* Whether there is a row for this property to update. */
static enum lookup find_row(struct call *call, const char *property)
{
    const struct sql_engine *engine = call->backend->driver.engine;
    struct secret old = SECRET_EMPTY;
    enum lookup result = LOOKUP_UNAVAILABLE;
    struct sql_request request;

    if (!sql_request_make(&request, call->backend->select, call->sparams, &call->names, property,
                          NULL)) {
        out_of_memory(call);
        return result;
    }
    result =
        engine->select(call->session, &request.statement, &call->deadline, &old, &call->reason);
    sql_request_free(&request);
    secret_wipe(&old);
    return result;
}

static int write_value(struct call *call, const struct sql_template *template, const char *property,
                       const struct secret *value)
{
    const struct sql_engine *engine = call->backend->driver.engine;
    struct sql_request request;
    enum lookup result;

    if (!sql_request_make(&request, template, call->sparams, &call->names, property, value))
        return out_of_memory(call);
    result = engine->store(call->session, &request.statement, &call->deadline, &call->reason);
    sql_request_free(&request);
    if (result == LOOKUP_NONE)
        reason_set(&call->reason, "the statement has changed no row");
    return result == LOOKUP_FOUND ? SASL_OK : SASL_UNAVAIL;
}

static int hash(struct call *call, const struct secret *password, struct secret *out)
{
    const struct password_policy *policy = call->backend->policy;

    if (!password_policy_takes(policy, password, &call->reason))
        return SASL_BADPARAM;
    return password_policy_store(policy, password, out, &call->reason) ? SASL_OK : SASL_NOMEM;
}

/* `value` as it is to be stored: hashed if it is the password. NULL stays NULL. */
static int encode(struct call *call, const char *property, const char *value, struct secret *out)
{
    struct secret clear = SECRET_EMPTY;
    int result;

    if (value == NULL)
        return SASL_OK;
    if (!secret_set(&clear, value, strlen(value)))
        return out_of_memory(call);
    if (strcasecmp(property, PROPERTY_PASSWORD) != 0) {
        *out = clear;
        return SASL_OK;
    }
    result = hash(call, &clear, out);
    secret_wipe(&clear);
    return result;
}

/* Whether the templates are about a property: without %p, they are about the
 * password alone. */
static bool is_about(const struct sql_backend *backend, const char *property)
{
    return strcasecmp(property, PROPERTY_PASSWORD) == 0 ||
           (sql_template_has_property(backend->select) &&
            sql_template_has_property(backend->insert) &&
            sql_template_has_property(backend->update));
}

/* Stores one property; `value` is NULL for NULL. */
static int store_property(struct call *call, const char *property, const char *value)
{
    struct secret encoded = SECRET_EMPTY;
    enum lookup row;
    int result;

    if (!is_about(call->backend, property) || !sql_template_property_allowed(property)) {
        reason_set(&call->reason, "there is no column for the property %s", property);
        return SASL_CONSTRAINT_VIOLAT;
    }
    row = find_row(call, property);
    if (row != LOOKUP_FOUND && row != LOOKUP_NONE)
        return SASL_UNAVAIL;
    if (row == LOOKUP_NONE && value == NULL) {
        reason_set(&call->reason, "no such user");
        return SASL_NOUSER;
    }
    result = encode(call, property, value, &encoded);
    if (result != SASL_OK)
        return result;
    result = write_value(call, row == LOOKUP_FOUND ? call->backend->update : call->backend->insert,
                         property, value != NULL ? &encoded : NULL);
    secret_wipe(&encoded);
    return result;
}

/* If the answer to COMMIT does not come, it may have been done all the same. */
static int commit(struct call *call)
{
    struct reason why;

    switch (call->backend->driver.engine->transaction(call->session, SQL_COMMIT, &call->deadline,
                                                      &why)) {
    case LOOKUP_FOUND:
        return SASL_OK;
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_LOST:
        reason_set(&call->reason, "or all of it, which the server did not tell: %s", why.text);
        break;
    case LOOKUP_BUSY:
    case LOOKUP_REJECTED:
    case LOOKUP_NONE:
    case LOOKUP_SEVERAL:
        call->reason = why;
        break;
    }
    return SASL_UNAVAIL;
}

static int store_all(struct call *call, const struct propval *properties)
{
    const struct sql_engine *engine = call->backend->driver.engine;
    int result = SASL_OK;

    if (engine->transaction(call->session, SQL_BEGIN, &call->deadline, &call->reason) !=
        LOOKUP_FOUND)
        return SASL_UNAVAIL;
    for (; properties->name != NULL && result == SASL_OK; properties++)
        if (properties->name[0] != '*' && properties->values != NULL)
            result = store_property(call, properties->name, properties->values[0]);
    if (result == SASL_OK)
        result = commit(call);
    if (result != SASL_OK) {
        struct reason ignored;

        engine->transaction(call->session, SQL_ROLLBACK, &call->deadline, &ignored);
    }
    return result;
}

static int run(struct call *call, struct propctx *ctx, const char *user, unsigned length)
{
    struct sql_backend *backend = call->backend;
    const struct propval *properties = call->sparams->utils->prop_get(ctx);
    const char *flaw = login_name_flaw(user, length);
    int result;

    if (backend->broken) {
        call->reason = backend->why_broken;
        return SASL_UNAVAIL;
    }
    if (properties == NULL)
        return out_of_memory(call);
    if (flaw != NULL) {
        reason_set(&call->reason, "the user name %s", flaw);
        return SASL_BADPARAM;
    }
    if (!password_policy_is_clear_text(backend->policy) &&
        stock_sql_comes_last(call->sparams->utils, backend)) {
        reason_set(&call->reason, "the stock sql plug-in would store clear text afterwards; "
                                  "write auxprop_plugin: sqlcrypt");
        return SASL_UNAVAIL;
    }
    if (!login_name_split(&call->names, call->sparams, user, length))
        return out_of_memory(call);
    call->deadline = deadline_after(backend->settings->target.timeout);
    call->session = sql_connections_open(backend->connections, &call->deadline, &call->reason);
    result = SASL_UNAVAIL;
    if (call->session != NULL) {
        result = store_all(call, properties);
        backend->driver.engine->close(call->session);
    }
    user_realm_free(&call->names);
    return result;
}

int sql_store(void *glob_context, sasl_server_params_t *sparams, struct propctx *ctx,
              const char *user, unsigned length)
{
    struct call call = {.backend = glob_context, .sparams = sparams};
    int result;

    if (glob_context == NULL)
        return SASL_BADPARAM;
    if (!is_enabled(call.backend))
        return SASL_CONSTRAINT_VIOLAT;
    if (ctx == NULL)
        return SASL_OK;
    if (sparams == NULL || user == NULL)
        return SASL_BADPARAM;
    result = run(&call, ctx, user, length);
    if (result == SASL_OK)
        sasl_host_log(sparams->utils, call.backend->log_level, SASL_LOG_NOTE,
                      "sqlcrypt: the password or property was stored");
    else
        /* A property that is not for the table is for another plug-in. */
        sasl_host_log(sparams->utils, call.backend->log_level,
                      result == SASL_CONSTRAINT_VIOLAT ? SASL_LOG_NOTE : SASL_LOG_ERR,
                      "sqlcrypt: nothing was stored: %s", call.reason.text);
    return result;
}
