/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_store.h"

#include <string.h>
#include <strings.h>

#include "auxprop/sql_call.h"
#include "glue/properties.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"

struct store_call {
    struct sql_call call;
    const struct propval *properties;
    struct sql_session *session;
    enum lookup *fate;    /* of the session, as for sql_task */
    bool has_written;     /* something that may have been kept */
    bool is_unknown;      /* whether everything was stored */
    int result;           /* for libsasl2 */
    struct reason reason; /* why it failed */
};

/* This is unknown if the configuration cannot be used. */
static bool is_enabled(const struct sql_plugin *plugin)
{
    const struct sql_backend *backend = plugin->backend;

    return backend == NULL || (backend->insert != NULL && backend->update != NULL);
}

static const struct sql_engine *engine_of(const struct store_call *store)
{
    return store->call.backend->driver.engine;
}

static int out_of_memory(struct store_call *store)
{
    reason_no_memory(&store->reason);
    return SASL_NOMEM;
}

/* Ends the call: another session or host would do no better. */
static enum lookup settle(struct store_call *store, int result)
{
    store->result = result;
    return result == SASL_OK ? LOOKUP_DONE : LOOKUP_REJECTED;
}

/* Every answer of the driver except that to ROLLBACK goes through here. */
static enum lookup heard(struct store_call *store, enum lookup answer)
{
    if (answer == LOOKUP_LOST || answer == LOOKUP_UNAVAILABLE)
        *store->fate = answer;
    return answer;
}

/* Whether there is a row for this property to update. */
static enum lookup find_row(struct store_call *store, const char *property)
{
    const struct sql_engine *engine = engine_of(store);
    struct secret old = SECRET_EMPTY;
    struct sql_rows rows = {.values = &old, .room = 1};
    struct sql_request request;
    enum lookup result;

    if (!sql_call_request(&store->call, store->call.backend->select, property, BYTES_NONE,
                          &request))
        return settle(store, out_of_memory(store));
    result = heard(store, engine->select(store->session, &request.statement, &store->call.deadline,
                                         &rows, &store->reason));
    sql_request_free(&request);
    secret_wipe(&old);
    result = sql_rows_judge(&rows, result, &store->reason);
    if (result == LOOKUP_SEVERAL)
        sql_settings_name_file(store->call.backend->settings, &store->reason);
    return result;
}

/* A failure is worth another try as long as nothing was kept. */
static enum lookup stop(struct store_call *store, enum lookup result)
{
    return store->has_written && result != LOOKUP_CONFLICT ? settle(store, SASL_UNAVAIL) : result;
}

static enum lookup write_value(struct store_call *store, const struct sql_template *template,
                               const char *property, struct bytes value)
{
    const struct sql_engine *engine = engine_of(store);
    struct sql_request request;
    enum lookup result;

    if (!sql_call_request(&store->call, template, property, value, &request))
        return settle(store, out_of_memory(store));
    result = heard(store, engine->store(store->session, &request.statement, &store->call.deadline,
                                        &store->reason));
    sql_request_free(&request);
    /* The table may not support transactions. */
    store->has_written = store->has_written || result == LOOKUP_DONE || result == LOOKUP_LOST ||
                         result == LOOKUP_UNAVAILABLE;
    if (result == LOOKUP_NONE)
        reason_set(&store->reason, "the statement changed no row");
    if (result == LOOKUP_NONE || result == LOOKUP_REJECTED)
        return settle(store, SASL_UNAVAIL);
    return result == LOOKUP_DONE ? result : stop(store, result);
}

static int hash(struct store_call *store, struct bytes password, struct secret *out)
{
    const struct password_policy *policy = store->call.plugin->policy;

    if (!password_policy_takes(policy, password, &store->reason))
        return SASL_BADPARAM;
    return password_policy_store(policy, password, out, &store->reason) ? SASL_OK : SASL_NOMEM;
}

/* `value` in the form to store: hashed if it is the password. NULL stays NULL. */
static int encode(struct store_call *store, const char *property, const char *value,
                  struct secret *out)
{
    struct secret clear = SECRET_EMPTY;
    int result;

    if (value == NULL)
        return SASL_OK;
    if (!secret_set(&clear, value, strlen(value)))
        return out_of_memory(store);
    if (strcasecmp(property, PROPERTY_PASSWORD) != 0) {
        *out = clear;
        return SASL_OK;
    }
    result = hash(store, secret_bytes(&clear), out);
    secret_wipe(&clear);
    return result;
}

/* Whether the templates cover a property: without %p, they cover only the
 * password. */
static bool is_about(const struct sql_backend *backend, const char *property)
{
    return strcasecmp(property, PROPERTY_PASSWORD) == 0 ||
           (sql_template_has_property(backend->select) &&
            sql_template_has_property(backend->insert) &&
            sql_template_has_property(backend->update));
}

/* Stores one property; `value` is NULL for NULL. */
static enum lookup store_property(struct store_call *store, const char *property, const char *value)
{
    struct secret encoded = SECRET_EMPTY;
    enum lookup row, result;
    int encoding;

    if (!is_about(store->call.backend, property) || !sql_template_property_allowed(property)) {
        reason_set(&store->reason, "there is no column for the property %s", property);
        return settle(store, SASL_CONSTRAINT_VIOLAT);
    }
    row = find_row(store, property);
    if (row == LOOKUP_REJECTED || row == LOOKUP_SEVERAL)
        return settle(store, SASL_UNAVAIL);
    if (row != LOOKUP_FOUND && row != LOOKUP_NONE)
        return stop(store, row);
    if (row == LOOKUP_NONE && value == NULL) {
        reason_set(&store->reason, "no such user");
        return settle(store, SASL_NOUSER);
    }
    encoding = encode(store, property, value, &encoded);
    if (encoding != SASL_OK)
        return settle(store, encoding);
    result = write_value(
        store, row == LOOKUP_FOUND ? store->call.backend->update : store->call.backend->insert,
        property, secret_bytes(&encoded));
    secret_wipe(&encoded);
    return result;
}

/* If the answer to COMMIT does not arrive, COMMIT may still have taken effect. */
static enum lookup commit(struct store_call *store)
{
    const enum lookup result =
        heard(store, engine_of(store)->transaction(store->session, SQL_COMMIT,
                                                   &store->call.deadline, &store->reason));

    if (result == LOOKUP_DONE)
        return settle(store, SASL_OK);
    store->is_unknown = result == LOOKUP_LOST || result == LOOKUP_UNAVAILABLE;
    return result == LOOKUP_CONFLICT ? result : settle(store, SASL_UNAVAIL);
}

static enum lookup store_all(struct store_call *store)
{
    const struct sql_engine *engine = engine_of(store);
    const struct propval *property = store->properties;
    enum lookup result = heard(store, engine->transaction(store->session, SQL_BEGIN,
                                                          &store->call.deadline, &store->reason));

    for (; property->name != NULL && result == LOOKUP_DONE; property++)
        if (property->name[0] != '*' && property->values != NULL)
            result = store_property(store, property->name, property->values[0]);
    if (result == LOOKUP_DONE)
        result = commit(store);
    if (result != LOOKUP_DONE) {
        struct reason ignored;

        engine->transaction(store->session, SQL_ROLLBACK, &store->call.deadline, &ignored);
    }
    return result;
}

/* As sql_task. */
static enum lookup store_over(void *context, struct sql_session *session, enum lookup *fate,
                              struct reason *reason)
{
    struct store_call *store = context;
    enum lookup result;

    store->session = session;
    store->fate = fate;
    store->has_written = false;
    store->is_unknown = false;
    result = store_all(store);
    *reason = store->reason;
    return result;
}

/* Sets the reason, with the host that it is about. */
static int run_on_hosts(struct store_call *store)
{
    struct sql_route route;
    struct reason why;

    store->result = SASL_UNAVAIL;
    if (sql_connections_store(store->call.backend->connections, store_over, store,
                              &store->call.deadline, &route, &why) != LOOKUP_DONE)
        reason_set(&store->reason, "%s%s%s", route.host.text,
                   route.host.text[0] != '\0' ? ": " : "", why.text);
    return store->result;
}

static int run(struct store_call *store, const char *user, unsigned length)
{
    const struct sql_plugin *plugin = store->call.plugin;
    int result;

    switch (sql_call_open(&store->call, user, length, &store->reason)) {
    case SQL_CALL_BROKEN:
        return SASL_UNAVAIL;
    case SQL_CALL_NO_MEMORY:
        return SASL_NOMEM;
    case SQL_CALL_NO_NAME:
        return SASL_BADPARAM;
    case SQL_CALL_OPEN:
        break;
    }
    if (!password_policy_is_clear_text(plugin->policy) &&
        stock_sql_comes_last(store->call.sparams->utils, plugin)) {
        reason_set(&store->reason, "the stock sql plug-in would store clear text afterwards; "
                                   "write auxprop_plugin: sqlcrypt");
        result = SASL_UNAVAIL;
    } else {
        result = run_on_hosts(store);
    }
    sql_call_close(&store->call);
    return result;
}

static void log_result(const struct store_call *store, int result)
{
    const sasl_utils_t *utils = store->call.sparams->utils;
    const int log_level = store->call.plugin->log_level;

    if (result == SASL_OK)
        sasl_glue_log(utils, log_level, SASL_LOG_NOTE,
                      "sqlcrypt: the password or property was stored");
    else
        /* A property that is not for the table is for another plug-in. */
        sasl_glue_log(utils, log_level,
                      result == SASL_CONSTRAINT_VIOLAT ? SASL_LOG_NOTE : SASL_LOG_ERR,
                      "sqlcrypt: %s: %s",
                      store->is_unknown ? "outcome unknown: COMMIT was sent but not confirmed"
                                        : "nothing was stored",
                      store->reason.text);
}

int sql_store(void *glob_context, sasl_server_params_t *sparams, struct propctx *ctx,
              const char *user, unsigned length)
{
    struct store_call store = {.call = {.plugin = glob_context, .sparams = sparams}};
    const struct sql_plugin *plugin = glob_context;
    int result;

    if (glob_context == NULL)
        return SASL_BADPARAM;
    if (!is_enabled(plugin))
        return SASL_CONSTRAINT_VIOLAT;
    if (ctx == NULL)
        return SASL_OK;
    if (sparams == NULL || user == NULL)
        return SASL_BADPARAM;
    store.properties = sparams->utils->prop_get(ctx);
    result = store.properties != NULL ? run(&store, user, length) : out_of_memory(&store);
    log_result(&store, result);
    return result;
}
