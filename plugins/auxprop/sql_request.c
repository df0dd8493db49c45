/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/sql_request.h"

#include <stdlib.h>
#include <string.h>

#include "glue/sasl_glue.h"

bool sql_request_make(struct sql_request *request, const struct sql_template *template,
                      const sasl_server_params_t *sparams, const struct user_realm *names,
                      const char *property, const struct secret *value)
{
    size_t count = sql_template_parameter_count(template);
    bool has_address = sql_template_has_address(template);
    char *address = has_address ? sasl_glue_client_address(sparams) : NULL;
    struct sql_values values = {
        .user = names->user,
        .realm = names->realm,
        .property = property,
        .address = address,
        .value = value,
    };

    *request = (struct sql_request){.text = sql_template_text(template, property),
                                    .parameters = calloc(count + 1, sizeof(struct secret))};
    if ((address != NULL || !has_address) && request->text != NULL && request->parameters != NULL &&
        sql_template_bind(template, &values, request->parameters))
        request->statement = (struct sql_statement){request->text, request->parameters, count};
    free(address);
    if (request->statement.text != NULL)
        return true;
    sql_request_free(request);
    return false;
}

void sql_request_free(struct sql_request *request)
{
    size_t i;

    for (i = 0; i < request->statement.parameter_count; i++)
        secret_wipe(&request->parameters[i]);
    free(request->parameters);
    free(request->text);
    *request = (struct sql_request){.text = NULL};
}
