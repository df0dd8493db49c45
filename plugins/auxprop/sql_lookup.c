/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_lookup.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "auxprop/sql_backend.h"
#include "auxprop/sql_request.h"
#include "auxprop/stock_block.h"
#include "glue/login_name.h"
#include "glue/properties.h"
#include "glue/sasl_glue.h"
#include "glue/stock_sql.h"
#include "password/scram_verifier.h"
#include "password/stored_text.h"

/* One call of libsasl2. */
struct call {
    struct sql_backend *backend;
    sasl_server_params_t *sparams;
    unsigned flags;
    struct user_realm names;
    struct deadline deadline;
    bool password_is_null; /* of a user who was found */
    bool beside_stock;     /* the stock plug-in is asked, too */
    bool others_silent;    /* and must not be heard */
};

/* As strcasecmp(3), which seldom is worth the call: most names differ at the start. */
static bool is_named(const char *name, const char *other)
{
    return tolower((unsigned char)name[0]) == tolower((unsigned char)other[0]) &&
           strcasecmp(name, other) == 0;
}

/* Properties that no other plug-in can know. */
static bool is_our_own(const char *name)
{
    return is_named(name, PROPERTY_HASH) || is_named(name, PROPERTY_OUTCOME);
}

/* Whether this call replaces a value that is there already. */
static bool overrides(const struct call *call, const char *name)
{
    return is_our_own(name) || (call->flags & SASL_AUXPROP_OVERRIDE) != 0 ||
           ((call->flags & SASL_AUXPROP_VERIFY_AGAINST_HASH) != 0 &&
            is_named(name, PROPERTY_PASSWORD));
}

/* Whether this call is about the property, and not about that of the other identity. */
static bool is_of_call(const struct call *call, const struct propval *property)
{
    return (property->name[0] == '*') == ((call->flags & SASL_AUXPROP_AUTHZID) == 0);
}

/* The name of a requested property without its '*'; NULL if this call is not
 * about it, or if it has a value already that is to be left alone. */
static const char *wanted(const struct call *call, const struct propval *property)
{
    bool of_authid = property->name[0] == '*';
    const char *name = property->name + (of_authid ? 1 : 0);

    if (!is_of_call(call, property))
        return NULL;
    return property->values == NULL || overrides(call, name) ? name : NULL;
}

static bool is_one_of_password(const char *name)
{
    return is_named(name, PROPERTY_PASSWORD) || is_named(name, PROPERTY_HASH) ||
           is_named(name, PROPERTY_SCRAM);
}

static void set(const struct call *call, const struct propval *property, const char *value,
                size_t length)
{
    call->sparams->utils->prop_set(call->sparams->propctx, property->name, value, (int)length);
}

/* Makes room for values that are to be overridden, found anew or not. */
static void erase_wanted(const struct call *call)
{
    const sasl_utils_t *utils = call->sparams->utils;
    const struct propval *property = utils->prop_get(call->sparams->propctx);

    for (; property->name != NULL; property++)
        if (property->values != NULL && wanted(call, property) != NULL)
            utils->prop_erase(call->sparams->propctx, property->name);
}

/* Sets each requested property of that name. */
static void set_all(const struct call *call, const char *name, const char *value, size_t length)
{
    const struct propval *property = call->sparams->utils->prop_get(call->sparams->propctx);

    for (; property->name != NULL; property++) {
        const char *asked = wanted(call, property);

        if (asked != NULL && is_named(asked, name))
            set(call, property, value, length);
    }
}

static void log_answer(const struct call *call, const struct sql_route *route, const char *property,
                       enum lookup result)
{
    const struct sql_backend *backend = call->backend;
    const sasl_utils_t *utils = call->sparams->utils;
    const char *engine = backend->settings->engine->name;

    if (route->passed_over.text[0] != '\0')
        sasl_glue_log(utils, backend->log_level, SASL_LOG_WARN,
                      "sqlcrypt: %s: %s; asked %s instead", engine, route->passed_over.text,
                      route->host.text);
    sasl_glue_log(utils, backend->log_level, SASL_LOG_DEBUG, "sqlcrypt: %s: %s%s%s%s: %s", engine,
                  route->host.text, route->host.text[0] != '\0' ? ": " : "",
                  route->connected ? "new connection: " : "", property,
                  result == LOOKUP_NONE ? "no row" : "one row");
}

static void log_failure(const struct call *call, int level, const char *host, const char *what,
                        const struct reason *reason)
{
    sasl_glue_log(call->sparams->utils, call->backend->log_level, level, "sqlcrypt: %s: %s%s%s%s",
                  call->backend->settings->engine->name, host, host[0] != '\0' ? ": " : "", what,
                  reason->text);
}

/* Puts the value of one column into `value`. Logs what the operator has to
 * mend. A missing column is one of those if `required`. */
static enum lookup fetch(struct call *call, const char *property, bool required,
                         struct secret *value)
{
    struct sql_backend *backend = call->backend;
    enum lookup result = LOOKUP_UNAVAILABLE;
    struct sql_request request;
    struct sql_route route;
    struct reason reason;

    if (!sql_request_make(&request, backend->select, call->sparams, &call->names, property, NULL)) {
        reason_set(&reason, "out of memory");
    } else {
        result = sql_connections_select(backend->connections, &request.statement, required,
                                        &call->deadline, value, &route, &reason);
        sql_request_free(&request);
    }
    switch (result) {
    case LOOKUP_FOUND:
    case LOOKUP_NONE:
        log_answer(call, &route, property, result);
        break;
    case LOOKUP_REJECTED:
        log_failure(call, required ? SASL_LOG_ERR : SASL_LOG_DEBUG, route.host.text,
                    "the statement is refused: ", &reason);
        break;
    case LOOKUP_SEVERAL:
        log_failure(call, SASL_LOG_ERR, route.host.text, "", &reason);
        break;
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_LOST:
    case LOOKUP_BUSY:
    case LOOKUP_CONFLICT:
    case LOOKUP_UNREADY:
        /* The reason names all hosts. */
        log_failure(call, SASL_LOG_ERR, "", "", &reason);
        break;
    }
    return result;
}

/* The stock plug-in says what is stored for the password of whatever property it is
 * asked for. Of a user whose hash that is, only what we say ourselves is heard: this
 * takes back what others have said, and the end of the call sees to the rest. */
static void silence_others(struct call *call)
{
    const sasl_utils_t *utils = call->sparams->utils;
    const struct propval *property = utils->prop_get(call->sparams->propctx);

    if (!call->beside_stock)
        return;
    call->others_silent = true;
    for (; property->name != NULL; property++)
        if (is_of_call(call, property) && property->values != NULL)
            utils->prop_erase(call->sparams->propctx, property->name);
}

/* Gives all that we have nothing to say of a value that is of no use to anybody: the
 * stock plug-in, asked after us, leaves it alone. */
static bool block_others(const struct call *call)
{
    const struct propval *property = call->sparams->utils->prop_get(call->sparams->propctx);

    for (; property->name != NULL; property++)
        if (is_of_call(call, property) && property->values == NULL &&
            !is_our_own(property->name + (property->name[0] == '*' ? 1 : 0)) &&
            !stock_block(call->sparams, property)) {
            sasl_glue_log(call->sparams->utils, call->backend->log_level, SASL_LOG_ERR,
                          "sqlcrypt: no random numbers to keep the stock plug-in out");
            return false;
        }
    return true;
}

/* Whether this call is to find that property, too. */
static bool is_asked_for(const struct call *call, const char *name)
{
    const struct propval *property = call->sparams->utils->prop_get(call->sparams->propctx);

    for (; property->name != NULL; property++)
        if (is_of_call(call, property) &&
            is_named(property->name + (property->name[0] == '*' ? 1 : 0), name))
            return true;
    return false;
}

/* A program that has the password in its hands may call sasl_checkpass(), which compares
 * clear text and asks no mechanism of ours: with a hash, all that it hears is that there is
 * no such user. Once a process, the log says why. */
static void warn_of_hash(const struct call *call)
{
    struct sql_backend *backend = call->backend;

    if ((call->flags & SASL_AUXPROP_AUTHZID) != 0 || !is_asked_for(call, PROPERTY_PASSWORD) ||
        is_asked_for(call, PROPERTY_HASH) || atomic_exchange(&backend->warned_of_hash, true))
        return;
    sasl_glue_log(call->sparams->utils, backend->log_level, SASL_LOG_WARN,
                  "sqlcrypt: a hash is stored, but this program compares clear text (by "
                  "sasl_checkpass, or a mechanism such as CRAM-MD5), which no hash matches; "
                  "sasl_checkpass can use pwcheck_method: authdaemond or saslauthd");
}

/* Hands out what the password column holds: to each property its own kind. */
static void hand_out(struct call *call, struct bytes stored)
{
    static const char locked[] = "*";
    const struct sql_backend *backend = call->backend;
    const struct bytes trimmed = stored_text_trim(stored);
    const bool is_locked = stored_text_is_locked(trimmed);
    const bool is_password = password_policy_is_clear_text(backend->policy) && !is_locked &&
                             !stored_text_is_hash(stored);
    const struct bytes text = is_password ? stored_text_without_nuls(stored) : trimmed;
    bool is_scram;

    if (!is_password)
        silence_others(call);
    if (stored.start == NULL)
        return;
    if (text.length > INT_MAX || bytes_have_nul(text)) {
        /* libsasl2 could not even erase it. */
        sasl_glue_log(call->sparams->utils, backend->log_level, SASL_LOG_ERR,
                      "sqlcrypt: %s: the stored value holds a NUL: the account is locked",
                      backend->settings->engine->name);
        set_all(call, PROPERTY_HASH, locked, strlen(locked));
        return;
    }
    set_all(call, is_password ? PROPERTY_PASSWORD : PROPERTY_HASH, text.start, text.length);
    if (is_password)
        return;
    is_scram = scram_verifier_valid(text);
    if (is_scram)
        set_all(call, PROPERTY_SCRAM, text.start, text.length);
    if (!is_locked && !(is_scram && is_asked_for(call, PROPERTY_SCRAM)))
        warn_of_hash(call);
}

static enum lookup fetch_password(struct call *call)
{
    struct secret stored = SECRET_EMPTY;
    enum lookup result = fetch(call, PROPERTY_PASSWORD, true, &stored);

    call->password_is_null = result == LOOKUP_FOUND && stored.bytes == NULL;
    if (result == LOOKUP_FOUND)
        hand_out(call, secret_bytes(&stored));
    /* The stock plug-in may find a row all the same: at another host, or by a name that it
     * writes in another character set. */
    else if (result == LOOKUP_NONE && !password_policy_is_clear_text(call->backend->policy))
        silence_others(call);
    secret_wipe(&stored);
    return result;
}

/* A property other than the password: only a template with %p can tell it. */
static enum lookup fetch_other(struct call *call, const struct propval *property, const char *name)
{
    struct secret value = SECRET_EMPTY;
    enum lookup result;

    if (!sql_template_has_property(call->backend->select) || !sql_template_property_allowed(name))
        return LOOKUP_NONE;
    result = fetch(call, name, false, &value);
    if (result == LOOKUP_FOUND && value.bytes != NULL && value.length <= INT_MAX)
        set(call, property, value.bytes, value.length);
    secret_wipe(&value);
    /* A table without such a column is no outage. */
    return result == LOOKUP_REJECTED ? LOOKUP_NONE : result;
}

static bool is_answer(enum lookup result)
{
    return result == LOOKUP_FOUND || result == LOOKUP_NONE;
}

/* Answers all requested properties, with one statement for those of the
 * password. LOOKUP_FOUND if any statement found a row. */
static enum lookup fetch_all(struct call *call)
{
    const struct propval *properties = call->sparams->utils->prop_get(call->sparams->propctx);
    const struct propval *property;
    enum lookup result = LOOKUP_NONE;
    bool password_asked = false;

    for (property = properties; property->name != NULL; property++) {
        const char *name = wanted(call, property);
        bool of_password = name != NULL && is_one_of_password(name);

        /* Whether others must be silent depends on what is stored. */
        if (!password_asked &&
            (of_password || (call->beside_stock && is_of_call(call, property)))) {
            password_asked = true;
            result = fetch_password(call);
            if (!is_answer(result))
                return result;
        }
    }
    for (property = properties; property->name != NULL; property++) {
        const char *name = wanted(call, property);
        enum lookup other;

        if (name == NULL || property->values != NULL || is_our_own(name) ||
            is_named(name, PROPERTY_PASSWORD))
            continue;
        other = fetch_other(call, property, name);
        if (other != LOOKUP_NONE)
            result = other;
        if (!is_answer(result))
            return result;
    }
    /* libsasl2 wants to know whether the user exists, all the same. */
    if (result == LOOKUP_NONE && !password_asked && (call->flags & SASL_AUXPROP_AUTHZID) == 0)
        result = fetch_password(call);
    return result;
}

/* Even without a requested property, libsasl2 wants to know whether the user
 * who authenticates exists. A plug-in that is broken stays out of that: other
 * mechanisms than those with passwords go on. But where the stock plug-in has a say, or
 * may have had one, all is ours to answer. */
static bool anything_wanted(const struct call *call)
{
    const struct propval *property = call->sparams->utils->prop_get(call->sparams->propctx);

    if ((call->flags & SASL_AUXPROP_AUTHZID) == 0 && !call->backend->broken)
        return true;
    for (; property->name != NULL; property++)
        if (wanted(call, property) != NULL || (call->beside_stock && is_of_call(call, property)))
            return true;
    return false;
}

static enum lookup answer(struct call *call, const char *user, unsigned length)
{
    struct sql_backend *backend = call->backend;
    enum lookup result;
    const char *flaw;

    if (backend->broken) {
        sasl_glue_log(call->sparams->utils, backend->log_level, SASL_LOG_ERR, "sqlcrypt: %s",
                      backend->why_broken.text);
        return LOOKUP_UNAVAILABLE;
    }
    /* Some servers would call it an error. The stock plug-in may find a row all the same. */
    flaw = login_name_flaw(user, length);
    if (flaw != NULL) {
        sasl_glue_log(call->sparams->utils, backend->log_level, SASL_LOG_DEBUG,
                      "sqlcrypt: not looked for: the user name %s", flaw);
        silence_others(call);
        return LOOKUP_NONE;
    }
    if (!login_name_split(&call->names, call->sparams, user, length)) {
        sasl_glue_log(call->sparams->utils, backend->log_level, SASL_LOG_ERR,
                      "sqlcrypt: out of memory");
        return LOOKUP_UNAVAILABLE;
    }
    call->deadline = deadline_after(backend->settings->target.timeout);
    result = fetch_all(call);
    user_realm_free(&call->names);
    return result;
}

int sql_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags, const char *user,
               unsigned length)
{
    struct call call = {.backend = glob_context, .sparams = sparams, .flags = flags};
    const char *outcome = OUTCOME_UNAVAILABLE;
    int result = SASL_UNAVAIL;
    enum lookup answered;

    if (glob_context == NULL || sparams == NULL || user == NULL)
        return SASL_BADPARAM;
    if (sparams->utils->prop_get(sparams->propctx) == NULL)
        return SASL_NOMEM;
    call.beside_stock = stock_sql_is_asked(sparams->utils, call.backend);
    if (!anything_wanted(&call))
        return (flags & SASL_AUXPROP_AUTHZID) != 0 ? SASL_OK : SASL_NOMECH;
    erase_wanted(&call);
    answered = answer(&call, user, length);
    if (call.others_silent && !block_others(&call))
        answered = LOOKUP_UNAVAILABLE;
    switch (answered) {
    case LOOKUP_FOUND:
        outcome = call.password_is_null ? OUTCOME_NULL : OUTCOME_FOUND;
        result = SASL_OK;
        break;
    case LOOKUP_NONE:
        outcome = call.others_silent ? OUTCOME_BLOCKED : OUTCOME_NONE;
        result = (flags & SASL_AUXPROP_AUTHZID) != 0 ? SASL_OK : SASL_NOUSER;
        break;
    case LOOKUP_UNAVAILABLE:
    case LOOKUP_LOST:
    case LOOKUP_BUSY:
    case LOOKUP_CONFLICT:
    case LOOKUP_UNREADY:
    case LOOKUP_REJECTED:
    case LOOKUP_SEVERAL:
        break;
    }
    set_all(&call, PROPERTY_OUTCOME, outcome, strlen(outcome));
    if (result != SASL_UNAVAIL && sql_template_has_realm(call.backend->select))
        set_all(&call, PROPERTY_OUTCOME, OUTCOME_BY_REALM, strlen(OUTCOME_BY_REALM));
    return result;
}
