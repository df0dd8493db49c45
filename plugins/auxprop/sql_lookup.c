/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_lookup.h"

#include <limits.h>

#include "auxprop/sql_call.h"
#include "auxprop/sql_properties.h"
#include "glue/properties.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"

struct lookup_call {
    struct sql_call call;
    struct sql_properties properties;
    bool password_is_null; /* of a user who was found */
};

static void log_answer(const struct sql_call *call, const struct sql_route *route,
                       const char *property, enum lookup result)
{
    const sasl_utils_t *utils = call->sparams->utils;
    const int log_level = call->plugin->log_level;
    const char *engine = call->backend->settings->engine->name;

    if (route->passed_over.text[0] != '\0')
        sasl_glue_log(utils, log_level, SASL_LOG_WARN, "sqlcrypt: %s: %s; asked %s instead", engine,
                      route->passed_over.text, route->host.text);
    sasl_glue_log(utils, log_level, SASL_LOG_DEBUG, "sqlcrypt: %s: %s%s%s%s: %s", engine,
                  route->host.text, route->host.text[0] != '\0' ? ": " : "",
                  route->connected ? "new connection: " : "", property,
                  result == LOOKUP_NONE ? "no row" : "one row");
}

static void log_failure(const struct sql_call *call, int level, const char *host, const char *what,
                        const struct reason *reason)
{
    sasl_glue_log(call->sparams->utils, call->plugin->log_level, level, "sqlcrypt: %s: %s%s%s%s",
                  call->backend->settings->engine->name, host, host[0] != '\0' ? ": " : "", what,
                  reason->text);
}

/* Puts the value of one column into `value`. Logs what the operator has to fix; that includes a
 * missing column only if it is `required`. */
static enum lookup fetch(const struct sql_call *call, const char *property, bool required,
                         struct secret *value)
{
    enum lookup result = LOOKUP_UNAVAILABLE;
    struct sql_rows rows = {.values = value, .room = 1};
    struct sql_request request;
    struct sql_route route;
    struct reason reason;

    if (!sql_call_request(call, call->backend->select, property, BYTES_NONE, &request)) {
        reason_no_memory(&reason);
    } else {
        result = sql_connections_select(call->backend->connections, &request.statement, required,
                                        &call->deadline, &rows, &route, &reason);
        sql_request_free(&request);
    }
    switch (result) {
    case LOOKUP_FOUND:
    case LOOKUP_NONE:
        log_answer(call, &route, property, result);
        break;
    case LOOKUP_REJECTED:
        log_failure(call, required ? SASL_LOG_ERR : SASL_LOG_DEBUG, route.host.text,
                    "statement refused: ", &reason);
        break;
    case LOOKUP_SEVERAL:
        log_failure(call, SASL_LOG_ERR, route.host.text, "", &reason);
        break;
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_LOST:
    case LOOKUP_BUSY:
    case LOOKUP_CONFLICT:
    case LOOKUP_UNREADY:
    case LOOKUP_DONE: /* never from a lookup */
        /* The reason names all hosts. */
        log_failure(call, SASL_LOG_ERR, "", "", &reason);
        break;
    }
    return result;
}

static enum lookup fetch_password(struct lookup_call *lookup)
{
    struct secret stored = SECRET_EMPTY;
    enum lookup result = fetch(&lookup->call, PROPERTY_PASSWORD, true, &stored);

    lookup->password_is_null = result == LOOKUP_FOUND && stored.bytes == NULL;
    if (result == LOOKUP_FOUND)
        sql_properties_hand_out(&lookup->properties, secret_bytes(&stored));
    /* The stock plug-in may still find a row: at another host, or under a name that it writes in
     * another character set. */
    else if (result == LOOKUP_NONE && !password_policy_is_clear_text(lookup->call.plugin->policy))
        sql_properties_silence_others(&lookup->properties);
    secret_wipe(&stored);
    return result;
}

/* A property other than the password: only a template with %p can find it. */
static enum lookup fetch_other(const struct lookup_call *lookup, const struct propval *property,
                               const char *name)
{
    struct secret value = SECRET_EMPTY;
    enum lookup result;

    if (!sql_template_has_property(lookup->call.backend->select) ||
        !sql_template_property_allowed(name))
        return LOOKUP_NONE;
    result = fetch(&lookup->call, name, false, &value);
    if (result == LOOKUP_FOUND && value.bytes != NULL && value.length <= INT_MAX)
        sql_properties_set_one(&lookup->properties, property, secret_bytes(&value));
    secret_wipe(&value);
    /* A table without such a column is not an outage. */
    return result == LOOKUP_REJECTED ? LOOKUP_NONE : result;
}

static bool is_answer(enum lookup result)
{
    return result == LOOKUP_FOUND || result == LOOKUP_NONE;
}

/* Whether the password's column is needed. It answers several properties at once, and decides
 * whether others must stay silent. */
static bool needs_password(const struct sql_properties *properties)
{
    const struct propval *property = sql_properties_all(properties);

    for (; property->name != NULL; property++) {
        const char *name = sql_properties_wanted(properties, property);

        if ((name != NULL && sql_properties_is_of_password(name)) ||
            (properties->beside_stock && sql_properties_is_of_lookup(properties, property)))
            return true;
    }
    return false;
}

/* Answers the requested properties that have a column of their own. `result` is what is known
 * about the user so far. */
static enum lookup fetch_others(const struct lookup_call *lookup, enum lookup result)
{
    const struct propval *property = sql_properties_all(&lookup->properties);

    for (; property->name != NULL && is_answer(result); property++) {
        const char *name = sql_properties_wanted(&lookup->properties, property);
        enum lookup other;

        if (name == NULL || property->values != NULL || sql_properties_is_ours(name))
            continue;
        other = fetch_other(lookup, property, name);
        if (other != LOOKUP_NONE)
            result = other;
    }
    return result;
}

/* Answers all requested properties. LOOKUP_FOUND if any statement found a row. */
static enum lookup fetch_all(struct lookup_call *lookup)
{
    const bool password_needed = needs_password(&lookup->properties);
    enum lookup result = password_needed ? fetch_password(lookup) : LOOKUP_NONE;

    result = fetch_others(lookup, result);
    /* libsasl2 still wants to know whether the user exists. */
    if (result == LOOKUP_NONE && !password_needed &&
        (lookup->properties.flags & SASL_AUXPROP_AUTHZID) == 0)
        result = fetch_password(lookup);
    return result;
}

/* Even without a requested property, libsasl2 wants to know whether the user who
 * authenticates exists. A plug-in that cannot be used does not answer that, so that mechanisms
 * without passwords still work. But if the stock plug-in is also asked, we answer everything. */
static bool is_anything_wanted(const struct sql_properties *properties)
{
    const struct propval *property = sql_properties_all(properties);

    if ((properties->flags & SASL_AUXPROP_AUTHZID) == 0 && properties->plugin->backend != NULL)
        return true;
    for (; property->name != NULL; property++)
        if (sql_properties_wanted(properties, property) != NULL ||
            (properties->beside_stock && sql_properties_is_of_lookup(properties, property)))
            return true;
    return false;
}

static enum lookup answer(struct lookup_call *lookup, const char *user, unsigned length)
{
    const sasl_utils_t *utils = lookup->call.sparams->utils;
    const int log_level = lookup->call.plugin->log_level;
    enum lookup result = LOOKUP_UNAVAILABLE;
    struct reason reason;

    switch (sql_call_open(&lookup->call, user, length, &reason)) {
    case SQL_CALL_BROKEN:
    case SQL_CALL_NO_MEMORY:
        sasl_glue_log(utils, log_level, SASL_LOG_ERR, "sqlcrypt: %s", reason.text);
        break;
    case SQL_CALL_NO_NAME:
        /* Some servers would report an error. The stock plug-in may still find a row. */
        sasl_glue_log(utils, log_level, SASL_LOG_DEBUG, "sqlcrypt: not looked for: %s",
                      reason.text);
        sql_properties_silence_others(&lookup->properties);
        result = LOOKUP_NONE;
        break;
    case SQL_CALL_OPEN:
        result = fetch_all(lookup);
        sql_call_close(&lookup->call);
        break;
    }
    return result;
}

/* Reports the outcome of the lookup, in the property that libpwverify asks for, and returns the
 * result for libsasl2. */
static int report(const struct lookup_call *lookup, enum lookup answered)
{
    const struct sql_properties *properties = &lookup->properties;
    const char *outcome = OUTCOME_UNAVAILABLE;
    int result = SASL_UNAVAIL;

    switch (answered) {
    case LOOKUP_FOUND:
        outcome = lookup->password_is_null ? OUTCOME_NULL : OUTCOME_FOUND;
        result = SASL_OK;
        break;
    case LOOKUP_NONE:
        outcome = properties->others_silent ? OUTCOME_BLOCKED : OUTCOME_NONE;
        result = (properties->flags & SASL_AUXPROP_AUTHZID) != 0 ? SASL_OK : SASL_NOUSER;
        break;
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_LOST:
    case LOOKUP_BUSY:
    case LOOKUP_CONFLICT:
    case LOOKUP_UNREADY:
    case LOOKUP_REJECTED:
    case LOOKUP_SEVERAL:
    case LOOKUP_DONE:
        break;
    }
    sql_properties_set(properties, PROPERTY_OUTCOME, bytes_of(outcome));
    if (result != SASL_UNAVAIL && sql_template_has_realm(lookup->call.backend->select))
        sql_properties_set(properties, PROPERTY_OUTCOME, bytes_of(OUTCOME_BY_REALM));
    return result;
}

int sql_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags, const char *user,
               unsigned length)
{
    struct lookup_call lookup = {
        .call = {.plugin = glob_context, .sparams = sparams},
        .properties = {.plugin = glob_context, .sparams = sparams, .flags = flags},
    };
    struct sql_properties *properties = &lookup.properties;
    enum lookup answered;

    if (glob_context == NULL || sparams == NULL || user == NULL)
        return SASL_BADPARAM;
    if (sql_properties_all(properties) == NULL)
        return SASL_NOMEM;
    properties->beside_stock = stock_sql_is_asked(sparams->utils, glob_context);
    if (!is_anything_wanted(properties))
        return (flags & SASL_AUXPROP_AUTHZID) != 0 ? SASL_OK : SASL_NOMECH;
    sql_properties_erase_wanted(properties);
    answered = answer(&lookup, user, length);
    if (properties->others_silent && !sql_properties_block_others(properties))
        answered = LOOKUP_UNAVAILABLE;
    return report(&lookup, answered);
}
