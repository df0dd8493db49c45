/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_parameters.h"

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
    struct pgsql_answer answer = {.value = NULL};
    enum lookup result;

    if (PQsendPrepare(link->connection, "", statement->text, (int)statement->parameter_count,
                      refused->types) == 0)
        return pgsql_answer_not_sent(reason);
    result = pgsql_answer_collect(link, &answer, deadline, reason);
    if (result != LOOKUP_FOUND)
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
    enum lookup result = LOOKUP_FOUND, end = LOOKUP_FOUND;

    if (is_ours)
        result = pgsql_answer_command(link, "BEGIN", &answer, deadline, reason);
    if (result != LOOKUP_FOUND)
        return result;
    result = prepare_and_describe(link, refused, types, deadline, reason);
    if (is_ours && (result == LOOKUP_FOUND || result == LOOKUP_REJECTED))
        end = pgsql_answer_command(link, "ROLLBACK", &answer, deadline, reason);
    return end == LOOKUP_FOUND ? result : end;
}

static enum lookup find_types(struct pgsql_link *link, const struct pgsql_refused *refused,
                              Oid *types, const struct deadline *deadline, struct reason *reason)
{
    enum lookup result = LOOKUP_REJECTED;

    if (refused->name[0] != '\0')
        result = describe(link, refused->name, types, refused->statement->parameter_count, deadline,
                          reason);
    /* Unless a pooler has led us to a server that does not know it. */
    if (result != LOOKUP_REJECTED)
        return result;
    return describe_in_transaction(link, refused, types, deadline, reason);
}

/* The server reads all parameters before it runs anything. */
static enum lookup read_alone(struct pgsql_link *link, const struct sql_statement *statement,
                              const Oid *types, struct pgsql_answer *answer,
                              const struct deadline *deadline, struct reason *reason)
{
    const char *values[statement->parameter_count + 1];
    size_t i;

    values[statement->parameter_count] = NULL;
    for (i = 0; i < statement->parameter_count; i++)
        values[i] = statement->parameters[i].bytes;
    *answer = (struct pgsql_answer){.value = NULL};
    if (PQsendQueryParams(link->connection, "SELECT 1", (int)statement->parameter_count, types,
                          values, NULL, NULL, 0) == 0)
        return pgsql_answer_not_sent(reason);
    return pgsql_answer_collect(link, answer, deadline, reason);
}

enum lookup pgsql_parameters_judge(struct pgsql_link *link, const struct pgsql_refused *refused,
                                   const struct deadline *deadline, struct reason *reason)
{
    const struct sql_statement *statement = refused->statement;
    Oid types[statement->parameter_count + 1];
    struct pgsql_answer answer;
    enum lookup result;

    if (statement->parameter_count == 0)
        return LOOKUP_REJECTED;
    result = find_types(link, refused, types, deadline, reason);
    if (result != LOOKUP_FOUND)
        return result;
    result = read_alone(link, statement, types, &answer, deadline, reason);
    if (result == LOOKUP_REJECTED && strcmp(answer.state, refused->state) == 0)
        return LOOKUP_NONE;
    return result == LOOKUP_FOUND ? LOOKUP_REJECTED : result;
}
