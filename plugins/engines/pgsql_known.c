/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_known.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

enum { TYPE_TEXT = 25 /* the OID of "text", which is the same everywhere */ };

static void forget(struct pgsql_known *known)
{
    free(known->text);
    free(known->types);
    free(known->values);
    *known = (struct pgsql_known){.text = NULL};
}

void pgsql_known_free(struct pgsql_knowns *knowns)
{
    size_t i;

    for (i = 0; i <= PGSQL_KNOWN_MOST; i++)
        forget(&knowns->items[i]);
}

/* Makes a name that no other statement has; "" if there is no SHA-256. */
static void make_name(const char *text, struct pgsql_known *known)
{
    static const char prefix[] = "sqlcrypt_";
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool done;

    ERR_set_mark();
    done = EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) == 1;
    /* Keeps what it says about a failure from the program. */
    ERR_pop_to_mark();
    known->name[0] = '\0';
    if (!done)
        return;
    strcpy(known->name, prefix);
    hex_write(known->name + strlen(prefix), digest, PGSQL_KNOWN_DIGEST);
}

void pgsql_known_load(void)
{
    struct pgsql_known known;

    make_name("", &known);
}

static bool is_same(const struct pgsql_known *known, const struct sql_statement *statement)
{
    return known->text != NULL && known->parameter_count == statement->parameter_count &&
           strcmp(known->text, statement->text) == 0;
}

struct pgsql_known *pgsql_known_find(struct pgsql_knowns *knowns,
                                     const struct sql_statement *statement, struct reason *reason)
{
    struct pgsql_known *known = knowns->items, *last = known + PGSQL_KNOWN_MOST;

    while (known < last && known->text != NULL && !is_same(known, statement))
        known++;
    if (is_same(known, statement))
        return known;
    forget(known);
    known->text = strdup(statement->text);
    known->types = calloc(statement->parameter_count + 1, sizeof(*known->types));
    known->values = calloc(statement->parameter_count + 1, sizeof(*known->values));
    known->parameter_count = statement->parameter_count;
    if (known->text != NULL && known->types != NULL && known->values != NULL) {
        if (known != last)
            make_name(known->text, known);
        return known;
    }
    forget(known);
    reason_no_memory(reason);
    return NULL;
}

/* PgBouncer keeps the name of a statement that the server has refused, and accepts no other
 * statement under it. */
static void rename_with_type(struct pgsql_known *known, unsigned number)
{
    char typed[sizeof(known->name) + sizeof(" 4294967295")];

    if (known->name[0] == '\0')
        return;
    snprintf(typed, sizeof(typed), "%s %u", known->name, number);
    make_name(typed, known);
}

bool pgsql_known_add_type(struct pgsql_known *known, unsigned number)
{
    bool added = false;
    size_t i;

    known->has_types = true;
    rename_with_type(known, number);
    if (number >= 1 && number <= known->parameter_count && known->types[number - 1] == 0) {
        known->types[number - 1] = TYPE_TEXT;
        return true;
    }
    for (i = 0; i < known->parameter_count; i++) {
        added = added || known->types[i] == 0;
        known->types[i] = TYPE_TEXT;
    }
    return added;
}

const Oid *pgsql_known_types(const struct pgsql_known *known)
{
    return known->has_types ? known->types : NULL;
}
