/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_PARAMETERS_H
#define SQLCRYPT_PGSQL_PARAMETERS_H

/*
 * Finds out whether an error comes from the parameters of a statement: from a name that is not a
 * number in a column of numbers, or that has characters which the database cannot express. No
 * row holds such a name. A function of the operator can fail with the same SQLSTATE and with any
 * text, for every user.
 */

#include "engines/pgsql_link.h"
#include "sql/sql_engine.h"

/* A statement that the server has refused. */
struct pgsql_refused {
    const struct sql_statement *statement;
    const Oid *types;  /* of its parameters, as it was given; or NULL */
    const char *name;  /* under which it is prepared, or "" */
    const char *state; /* the SQLSTATE of the error */
};

/* Makes the server read the parameters once more, for a statement that does nothing with them.
 * LOOKUP_NONE if it cannot. LOOKUP_REJECTED if it can, or if that remains unknown. A transaction
 * may have failed afterwards. */
enum lookup pgsql_parameters_judge(struct pgsql_link *link, const struct pgsql_refused *refused,
                                   const struct deadline *deadline, struct reason *reason);

#endif
