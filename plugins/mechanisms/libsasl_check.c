/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/libsasl_check.h"

#include <stdlib.h>
#include <string.h>

#include "glue/properties.h"
#include "glue/sasl_glue.h"

/*
 * The check of libsasl2 always goes through the whole of `pwcheck_method`,
 * "auxprop" included, which compares clear text: a stored hash would log in.
 * So the check runs on a connection of its own, whose `pwcheck_method` is only
 * the one method, and which has the callbacks of the program except those
 * below.
 */

static int get_option(void *context, const char *plugin, const char *option, const char **result,
                      unsigned *length)
{
    (void)plugin;
    if (strcmp(option, "pwcheck_method") == 0)
        *result = context;
    else if (strcmp(option, "canon_user_plugin") == 0)
        *result = "INTERNAL";
    else
        return SASL_FAIL;
    if (length != NULL)
        *length = (unsigned)strlen(*result);
    return SASL_OK;
}

/* The name is already canonical. */
static int keep_user(sasl_conn_t *connection, void *context, const char *user, unsigned length,
                     unsigned flags, const char *realm, char *out, unsigned size,
                     unsigned *out_length)
{
    (void)connection, (void)context, (void)flags, (void)realm;
    if (length >= size)
        return SASL_BUFOVER;
    memmove(out, user, length);
    out[length] = '\0';
    *out_length = length;
    return SASL_OK;
}

/* Which user this one may act for is decided after the password. */
static int authorize(sasl_conn_t *connection, void *context, const char *requested,
                     unsigned requested_length, const char *user, unsigned length,
                     const char *realm, unsigned realm_length, struct propctx *properties)
{
    (void)connection, (void)context, (void)requested, (void)requested_length, (void)user;
    (void)length, (void)realm, (void)realm_length, (void)properties;
    return SASL_OK;
}

/* libsasl_check_callback() has asked. */
static int no_answer(sasl_conn_t *connection, void *context, const char *user, const char *password,
                     unsigned length, struct propctx *properties)
{
    (void)connection, (void)context, (void)user, (void)password, (void)length, (void)properties;
    return SASL_NOVERIFY;
}

static sasl_callback_ft callback(any_function function)
{
    return (sasl_callback_ft)function;
}

static sasl_callback_t *make_callbacks(const sasl_server_params_t *sparams, char *method)
{
    const sasl_callback_t ours[] = {
        {SASL_CB_GETOPT, callback((any_function)get_option), method},
        {SASL_CB_CANON_USER, callback((any_function)keep_user), NULL},
        {SASL_CB_PROXY_POLICY, callback((any_function)authorize), NULL},
        {SASL_CB_SERVER_USERDB_CHECKPASS, callback((any_function)no_answer), NULL},
    };

    return sasl_glue_callbacks(sparams, ours, sizeof(ours) / sizeof(ours[0]));
}

static enum verdict verdict_of(const char *method, int result, struct reason *reason)
{
    switch (result) {
    case SASL_OK:
        return VERDICT_MATCH;
    case SASL_NOUSER:
        reason_set(reason, "%s: no such user", method);
        return VERDICT_NO_USER;
    case SASL_BADAUTH:
    case SASL_NOAUTHZ:
    case SASL_EXPIRED:
    case SASL_DISABLED:
    case SASL_NOVERIFY:
    case SASL_PWLOCK:
        reason_set(reason, "%s: refused", method);
        return VERDICT_MISMATCH;
    case SASL_NOMEM:
        reason_set(reason, "%s: out of memory", method);
        return VERDICT_NO_MEMORY;
    case SASL_NOMECH:
        reason_set(reason, "pwcheck_method: this libsasl2 does not know \"%s\"", method);
        return VERDICT_UNAVAILABLE;
    default:
        reason_set(reason, "%s: %s", method, sasl_errstring(result, NULL, NULL));
        return VERDICT_UNAVAILABLE;
    }
}

/* `auto_transition` leaves the password in the properties of a connection. */
static void dispose(sasl_conn_t **connection)
{
    struct propctx *properties = *connection != NULL ? sasl_auxprop_getctx(*connection) : NULL;

    if (properties != NULL)
        prop_erase(properties, PROPERTY_PASSWORD);
    sasl_dispose(connection);
}

enum verdict libsasl_check(const sasl_server_params_t *sparams, const char *method,
                           const char *user, struct bytes password, struct reason *reason)
{
    char *own_method = strdup(method);
    sasl_callback_t *callbacks = make_callbacks(sparams, own_method);
    sasl_conn_t *connection = NULL;
    int result = SASL_NOMEM;

    if (own_method != NULL && callbacks != NULL)
        result =
            sasl_server_new(sparams->service, sparams->serverFQDN, sparams->user_realm,
                            sparams->iplocalport, sparams->ipremoteport, callbacks, 0, &connection);
    if (result == SASL_OK)
        result = sasl_checkpass(connection, user, (unsigned)strlen(user), password.start,
                                (unsigned)password.length);
    dispose(&connection);
    free(callbacks);
    free(own_method);
    return verdict_of(method, result, reason);
}

static bool has_callback(const sasl_callback_t *callbacks, unsigned long id)
{
    for (; callbacks != NULL && callbacks->id != SASL_CB_LIST_END; callbacks++)
        if (callbacks->id == id)
            return true;
    return false;
}

/* libsasl2 logs a line each time that it is asked for a missing callback. */
bool libsasl_check_callback(const sasl_server_params_t *sparams, const char *user,
                            struct bytes password, atomic_bool *none_for_all)
{
    const sasl_utils_t *utils = sparams->utils;
    bool has_own = has_callback(sparams->callbacks, SASL_CB_SERVER_USERDB_CHECKPASS);
    sasl_callback_ft function = NULL;
    void *context = NULL;

    if (*none_for_all && !has_own)
        return false;
    if (utils->getcallback(utils->conn, SASL_CB_SERVER_USERDB_CHECKPASS, &function, &context) !=
            SASL_OK ||
        function == NULL) {
        if (!has_own)
            *none_for_all = true;
        return false;
    }
    return ((sasl_server_userdb_checkpass_t *)(any_function)function)(
               utils->conn, context, user, password.start, (unsigned)password.length,
               sparams->propctx) == SASL_OK;
}
