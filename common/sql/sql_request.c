/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_request.h"

#include <stdlib.h>

/* Fills in the views, which are in the same allocation, after the parameters. */
static void lend(struct sql_request *request, size_t count)
{
    struct bytes *views = (struct bytes *)(request->parameters + count);
    size_t i;

    for (i = 0; i < count; i++)
        views[i] = secret_bytes(&request->parameters[i]);
    request->statement = (struct sql_statement){request->text, views, count};
}

bool sql_request_make(struct sql_request *request, const struct sql_template *template,
                      const struct sql_values *values)
{
    size_t count = sql_template_parameter_count(template);

    *request = (struct sql_request){
        .text = sql_template_text(template, values->property),
        .parameters = calloc(count + 1, sizeof(struct secret) + sizeof(struct bytes))};
    if (request->text != NULL && request->parameters != NULL &&
        sql_template_bind(template, values, request->parameters)) {
        lend(request, count);
        return true;
    }
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
