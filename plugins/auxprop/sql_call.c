/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_call.h"

#include <stdlib.h>

#include "glue/login_name.h"
#include "glue/sasl_glue.h"

static bool wants_address(const struct sql_template *template)
{
    return template != NULL && sql_template_has_address(template);
}

/* Returns false when out of memory. */
static bool find_address(struct sql_call *call)
{
    const struct sql_backend *backend = call->backend;

    call->address = NULL;
    if (!wants_address(backend->select) && !wants_address(backend->insert) &&
        !wants_address(backend->update))
        return true;
    call->address = sasl_glue_client_address(call->sparams);
    return call->address != NULL;
}

enum sql_call_start sql_call_open(struct sql_call *call, const char *user, unsigned length,
                                  struct reason *reason)
{
    const char *flaw;

    call->backend = call->plugin->backend;
    if (call->backend == NULL) {
        *reason = call->plugin->why_broken;
        return SQL_CALL_BROKEN;
    }
    flaw = login_name_flaw(user, length);
    if (flaw != NULL) {
        reason_set(reason, "the user name %s", flaw);
        return SQL_CALL_NO_NAME;
    }
    if (!login_name_split(&call->names, call->sparams, user, length)) {
        reason_no_memory(reason);
        return SQL_CALL_NO_MEMORY;
    }
    if (!find_address(call)) {
        user_realm_free(&call->names);
        reason_no_memory(reason);
        return SQL_CALL_NO_MEMORY;
    }
    call->deadline = deadline_after(call->backend->settings->target.timeout);
    return SQL_CALL_OPEN;
}

void sql_call_close(struct sql_call *call)
{
    user_realm_free(&call->names);
    free(call->address);
}

bool sql_call_request(const struct sql_call *call, const struct sql_template *template,
                      const char *property, struct bytes value, struct sql_request *request)
{
    const struct sql_values values = {
        .user = call->names.user,
        .realm = call->names.realm,
        .property = property,
        .address = call->address,
        .value = value,
    };

    return sql_request_make(request, template, &values);
}
