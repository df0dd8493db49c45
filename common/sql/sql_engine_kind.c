/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_engine_kind.h"

#include <strings.h>

static const struct sql_engine_kind kinds[] = {
    {"pgsql", NULL, &sql_dialect_pgsql, true, "libpq5 (Debian), libpq (Fedora), libpq (Alpine)"},
    {"mysql", NULL, &sql_dialect_mysql, true,
     "libmariadb3 (Debian), mariadb-connector-c (Fedora, Alpine)"},
    {"sqlite3", "sqlite", &sql_dialect_sqlite3, false,
     "libsqlite3-0 (Debian), sqlite-libs (Fedora, Alpine)"},
};

enum { COUNT = sizeof(kinds) / sizeof(kinds[0]) };

const struct sql_engine_kind *sql_engine_kind_find(const char *name)
{
    size_t i;

    for (i = 0; i < COUNT; i++)
        if (strcasecmp(kinds[i].name, name) == 0 ||
            (kinds[i].alias != NULL && strcasecmp(kinds[i].alias, name) == 0))
            return &kinds[i];
    return NULL;
}

void sql_engine_kind_append_names(struct reason *reason)
{
    size_t i;

    for (i = 0; i < COUNT; i++)
        reason_append_choice(reason, kinds[i].name, i, COUNT);
}
