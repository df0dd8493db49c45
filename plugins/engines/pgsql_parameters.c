/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_parameters.h"

#include <stdlib.h>
#include <string.h>

#include "engines/pgsql_answer.h"

/* Asks for the types that the server has found for a prepared statement. */
static enum lookup describe(struct pgsql_link *link, const char *name, Oid *types, size_t count,
                            const struct deadline *deadline, struct reason *reason)
{
    struct pgsql_answer answer = {.types = types, .type_count = count};

    if (PQsendDescribePrepared(link->connection, name) == 0)
        return pgsql_answer_not_sent(reason);
    return pgsql_answer_collect(link, &answer, deadline, reason);
}

static enum lookup prepare_and_describe(struct pgsql_link *link,
                                        const struct pgsql_refused *refused, Oid *types,
                                        const struct deadline *deadline, struct reason *reason)
{
    const struct sql_statement *statement = refused->statement;
    struct pgsql_answer answer = {.rows = NULL};
    enum lookup result;

    if (PQsendPrepare(link->connection, "", statement->text, (int)statement->parameter_count,
                      refused->types) == 0)
        return pgsql_answer_not_sent(reason);
    result = pgsql_answer_collect(link, &answer, deadline, reason);
    if (result != LOOKUP_DONE)
        return result;
    return describe(link, "", types, statement->parameter_count, deadline, reason);
}

/* Within a transaction, a pooler stays with the server that has the statement. */
static enum lookup describe_in_transaction(struct pgsql_link *link,
                                           const struct pgsql_refused *refused, Oid *types,
                                           const struct deadline *deadline, struct reason *reason)
{
    bool is_ours = PQtransactionStatus(link->connection) == PQTRANS_IDLE;
    struct pgsql_answer answer;
    enum lookup result = LOOKUP_DONE, end = LOOKUP_DONE;

    if (is_ours)
        result = pgsql_answer_command(link, "BEGIN", &answer, deadline, reason);
    if (result != LOOKUP_DONE)
        return result;
    result = prepare_and_describe(link, refused, types, deadline, reason);
    if (is_ours && (result == LOOKUP_DONE || result == LOOKUP_REJECTED))
        end = pgsql_answer_command(link, "ROLLBACK", &answer, deadline, reason);
    return end == LOOKUP_DONE ? result : end;
}

static enum lookup find_types(struct pgsql_link *link, const struct pgsql_refused *refused,
                              Oid *types, const struct deadline *deadline, struct reason *reason)
{
    enum lookup result = LOOKUP_REJECTED;

    if (refused->name[0] != '\0')
        result = describe(link, refused->name, types, refused->statement->parameter_count, deadline,
                          reason);
    /* This fails if a pooler has led us to a server that does not know it. */
    if (result != LOOKUP_REJECTED)
        return result;
    return describe_in_transaction(link, refused, types, deadline, reason);
}

/* The server reads all parameters before it runs anything. `values` has room for them. */
static enum lookup read_alone(struct pgsql_link *link, const struct sql_statement *statement,
                              const Oid *types, const char **values, struct pgsql_answer *answer,
                              const struct deadline *deadline, struct reason *reason)
{
    size_t i;

    for (i = 0; i < statement->parameter_count; i++)
        values[i] = statement->parameters[i].start;
    *answer = (struct pgsql_answer){.rows = NULL};
    if (PQsendQueryParams(link->connection, "SELECT 1", (int)statement->parameter_count, types,
                          values, NULL, NULL, 0) == 0)
        return pgsql_answer_not_sent(reason);
    return pgsql_answer_collect(link, answer, deadline, reason);
}

static enum lookup judge(struct pgsql_link *link, const struct pgsql_refused *refused, Oid *types,
                         const char **values, const struct deadline *deadline,
                         struct reason *reason)
{
    struct pgsql_answer answer;
    enum lookup result = find_types(link, refused, types, deadline, reason);

    if (result != LOOKUP_DONE)
        return result;
    result = read_alone(link, refused->statement, types, values, &answer, deadline, reason);
    if (result == LOOKUP_REJECTED && strcmp(answer.error.state, refused->state) == 0)
        return LOOKUP_NONE;
    return result == LOOKUP_DONE ? LOOKUP_REJECTED : result;
}

enum lookup pgsql_parameters_judge(struct pgsql_link *link, const struct pgsql_refused *refused,
                                   const struct deadline *deadline, struct reason *reason)
{
    const size_t count = refused->statement->parameter_count;
    enum lookup result = LOOKUP_UNAVAILABLE;
    const char **values;
    Oid *types;

    if (count == 0)
        return LOOKUP_REJECTED;
    types = calloc(count, sizeof(*types));
    values = calloc(count, sizeof(*values));
    if (types != NULL && values != NULL)
        result = judge(link, refused, types, values, deadline, reason);
    else
        reason_no_memory(reason);
    free(types);
    free(values);
    return result;
}
