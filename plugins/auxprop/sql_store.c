/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_store.h"

#include <string.h>
#include <strings.h>

#include "auxprop/sql_backend.h"
#include "auxprop/sql_request.h"
#include "glue/login_name.h"
#include "glue/properties.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"

/* One call of libsasl2. */
struct call {
    struct sql_backend *backend;
    sasl_server_params_t *sparams;
    struct user_realm names;
    struct deadline deadline;
    const struct propval *properties;
    struct sql_session *session;
    enum lookup *fate;    /* of the session, as for sql_task */
    bool has_written;     /* something that may be kept */
    int result;           /* of libsasl2 */
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

/* Ends the call: another session or host would do no better. */
static enum lookup settle(struct call *call, int result)
{
    call->result = result;
    return result == SASL_OK ? LOOKUP_FOUND : LOOKUP_REJECTED;
}

/* Every answer of the driver but that to ROLLBACK goes through here. */
static enum lookup heard(struct call *call, enum lookup answer)
{
    if (answer == LOOKUP_LOST || answer == LOOKUP_UNAVAILABLE)
        *call->fate = answer;
    return answer;
}

/* Whether there is a row for this property to update. */
static enum lookup find_row(struct call *call, const char *property)
{
    const struct sql_engine *engine = call->backend->driver.engine;
    struct secret old = SECRET_EMPTY;
    struct sql_request request;
    enum lookup result;

    if (!sql_request_make(&request, call->backend->select, call->sparams, &call->names, property,
                          NULL))
        return settle(call, out_of_memory(call));
    result = heard(call, engine->select(call->session, &request.statement, &call->deadline, &old,
                                        &call->reason));
    sql_request_free(&request);
    secret_wipe(&old);
    return result;
}

/* What has failed is worth another try as long as nothing was kept. */
static enum lookup stop(struct call *call, enum lookup result)
{
    return call->has_written && result != LOOKUP_CONFLICT ? settle(call, SASL_UNAVAIL) : result;
}

static enum lookup write_value(struct call *call, const struct sql_template *template,
                               const char *property, const struct secret *value)
{
    const struct sql_engine *engine = call->backend->driver.engine;
    struct sql_request request;
    enum lookup result;

    if (!sql_request_make(&request, template, call->sparams, &call->names, property, value))
        return settle(call, out_of_memory(call));
    result = heard(
        call, engine->store(call->session, &request.statement, &call->deadline, &call->reason));
    sql_request_free(&request);
    /* A table may know no transactions. */
    call->has_written = call->has_written || result == LOOKUP_FOUND || result == LOOKUP_LOST ||
                        result == LOOKUP_UNAVAILABLE;
    if (result == LOOKUP_NONE)
        reason_set(&call->reason, "the statement has changed no row");
    if (result == LOOKUP_NONE || result == LOOKUP_REJECTED)
        return settle(call, SASL_UNAVAIL);
    return result == LOOKUP_FOUND ? result : stop(call, result);
}

static int hash(struct call *call, struct bytes password, struct secret *out)
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
    result = hash(call, secret_bytes(&clear), out);
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
static enum lookup store_property(struct call *call, const char *property, const char *value)
{
    struct secret encoded = SECRET_EMPTY;
    enum lookup row, result;
    int encoding;

    if (!is_about(call->backend, property) || !sql_template_property_allowed(property)) {
        reason_set(&call->reason, "there is no column for the property %s", property);
        return settle(call, SASL_CONSTRAINT_VIOLAT);
    }
    row = find_row(call, property);
    if (row == LOOKUP_REJECTED || row == LOOKUP_SEVERAL)
        return settle(call, SASL_UNAVAIL);
    if (row != LOOKUP_FOUND && row != LOOKUP_NONE)
        return stop(call, row);
    if (row == LOOKUP_NONE && value == NULL) {
        reason_set(&call->reason, "no such user");
        return settle(call, SASL_NOUSER);
    }
    encoding = encode(call, property, value, &encoded);
    if (encoding != SASL_OK)
        return settle(call, encoding);
    result = write_value(call, row == LOOKUP_FOUND ? call->backend->update : call->backend->insert,
                         property, value != NULL ? &encoded : NULL);
    secret_wipe(&encoded);
    return result;
}

/* If the answer to COMMIT does not come, it may have been done all the same. */
static enum lookup commit(struct call *call)
{
    struct reason why;
    const enum lookup result = heard(call, call->backend->driver.engine->transaction(
                                               call->session, SQL_COMMIT, &call->deadline, &why));

    if (result == LOOKUP_FOUND)
        return settle(call, SASL_OK);
    if (result == LOOKUP_LOST || result == LOOKUP_UNAVAILABLE)
        reason_set(&call->reason, "or all of it, which the server did not tell: %s", why.text);
    else
        call->reason = why;
    return result == LOOKUP_CONFLICT ? result : settle(call, SASL_UNAVAIL);
}

static enum lookup store_all(struct call *call)
{
    const struct sql_engine *engine = call->backend->driver.engine;
    const struct propval *property = call->properties;
    enum lookup result =
        heard(call, engine->transaction(call->session, SQL_BEGIN, &call->deadline, &call->reason));

    for (; property->name != NULL && result == LOOKUP_FOUND; property++)
        if (property->name[0] != '*' && property->values != NULL)
            result = store_property(call, property->name, property->values[0]);
    if (result == LOOKUP_FOUND)
        result = commit(call);
    if (result != LOOKUP_FOUND) {
        struct reason ignored;

        engine->transaction(call->session, SQL_ROLLBACK, &call->deadline, &ignored);
    }
    return result;
}

/* As sql_task. */
static enum lookup store_over(void *context, struct sql_session *session, enum lookup *fate,
                              struct reason *reason)
{
    struct call *call = context;
    enum lookup result;

    call->session = session;
    call->fate = fate;
    call->has_written = false;
    result = store_all(call);
    *reason = call->reason;
    return result;
}

/* Sets the reason, with the host that it is about. */
static int run_on_hosts(struct call *call)
{
    struct sql_route route;
    struct reason why;

    call->result = SASL_UNAVAIL;
    call->deadline = deadline_after(call->backend->settings->target.timeout);
    if (sql_connections_store(call->backend->connections, store_over, call, &call->deadline, &route,
                              &why) != LOOKUP_FOUND)
        reason_set(&call->reason, "%s%s%s", route.host.text, route.host.text[0] != '\0' ? ": " : "",
                   why.text);
    return call->result;
}

static int run(struct call *call, struct propctx *ctx, const char *user, unsigned length)
{
    struct sql_backend *backend = call->backend;
    const char *flaw = login_name_flaw(user, length);
    int result;

    call->properties = call->sparams->utils->prop_get(ctx);
    if (backend->broken) {
        call->reason = backend->why_broken;
        return SASL_UNAVAIL;
    }
    if (call->properties == NULL)
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
    result = run_on_hosts(call);
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
        sasl_glue_log(sparams->utils, call.backend->log_level, SASL_LOG_NOTE,
                      "sqlcrypt: the password or property was stored");
    else
        /* A property that is not for the table is for another plug-in. */
        sasl_glue_log(sparams->utils, call.backend->log_level,
                      result == SASL_CONSTRAINT_VIOLAT ? SASL_LOG_NOTE : SASL_LOG_ERR,
                      "sqlcrypt: nothing was stored: %s", call.reason.text);
    return result;
}
