/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_request.h"

#include "engines/mysql_connect.h"

enum lookup mysql_request_failed(const struct mysql_request *request,
                                 const struct mysql_error *error, bool has_values)
{
    enum lookup result = mysql_error_judge(error, has_values, request->reason);

    request->session->error = error->number;
    if (result != LOOKUP_LOST)
        return result;
    if (mysql_client_refused_message(request->session->mysql))
        reason_set(request->reason, "the server sends a message longer than %d bytes",
                   MYSQL_LONGEST_MESSAGE);
    else if (deadline_remaining(&request->call->deadline) == 0)
        reason_set(request->reason, "timed out waiting for an answer");
    else if (mysql_client_is_flooded(request->call))
        reason_set(request->reason, "the server sent too much data");
    else
        return result;
    return LOOKUP_UNAVAILABLE;
}

enum lookup mysql_request_statement_failed(const struct mysql_request *request,
                                           MYSQL_STMT *prepared, bool has_values)
{
    struct mysql_error error = {mysql_stmt_errno(prepared), mysql_stmt_sqlstate(prepared),
                                mysql_stmt_error(prepared)};

    /* Only the connection knows about an error during the reading of rows. */
    if (error.number == 0)
        error = mysql_connect_error(request->session->mysql);
    return mysql_request_failed(request, &error, has_values);
}

enum lookup mysql_request_no_memory(const struct mysql_request *request)
{
    reason_no_memory(request->reason);
    return LOOKUP_UNAVAILABLE;
}
