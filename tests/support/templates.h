/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEMPLATES_H
#define TEMPLATES_H

/*
 * Templates in the dialects of all engines.
 */

#include <ctype.h>

#include "sql/sql_template.h"
#include "support/unit.h"

/* What the macros stand for in the tables below. */
#define USER "ali''ce"
#define REALM "example.org"
#define PROPERTY "userPassword"
#define ADDRESS "192.0.2.1"
#define VALUE "{CRYPT}$1$a\"b"

enum {
    PGSQL = 1,
    MYSQL = 2,
    SQLITE = 4,
    ALL = PGSQL | MYSQL | SQLITE,
    MOST_PARAMETERS = 12,
};

static const struct dialect {
    const char *name;
    unsigned bit;
    const struct sql_dialect *dialect;
} dialects[] = {
    {"pgsql", PGSQL, &sql_dialect_pgsql},
    {"mysql", MYSQL, &sql_dialect_mysql},
    {"sqlite3", SQLITE, &sql_dialect_sqlite3},
};

struct run {
    const void *row;
    const struct dialect *dialect;
};

/* One test for each dialect that a row names. */
#define ADD_FOR_DIALECTS(list, function, rows)                                                     \
    do {                                                                                           \
        static struct run runs_[COUNT(rows) * COUNT(dialects)];                                    \
        size_t row_, dialect_, count_ = 0;                                                         \
        for (row_ = 0; row_ < COUNT(rows); row_++)                                                 \
            for (dialect_ = 0; dialect_ < COUNT(dialects); dialect_++)                             \
                if (((rows)[row_].dialects & dialects[dialect_].bit) != 0) {                       \
                    runs_[count_] = (struct run){&(rows)[row_], &dialects[dialect_]};              \
                    test_add(list, function, &runs_[count_++], dialects[dialect_].name,            \
                             (rows)[row_].name);                                                   \
                }                                                                                  \
    } while (0)

static inline struct sql_template *parse(const char *text, enum sql_template_kind kind,
                                         const struct dialect *dialect)
{
    struct reason reason = {""};
    /* Exactly this size, so that a read beyond the end shows under ASan, and
     * freed afterwards: the template must keep no pointer to it. */
    char *copy = strdup(text);
    struct sql_template *template;

    assert_non_null(copy);
    template = sql_template_parse(copy, kind, dialect->dialect, &reason);
    free(copy);
    if (template == NULL)
        print_error("%s refuses: %s\n\t%s\n", dialect->name, text, reason.text);
    assert_non_null(template);
    return template;
}

/* Writes out each ^ in the way of the dialect. */
static inline void expand(char *out, size_t size, const char *text, const struct dialect *dialect)
{
    size_t number = 0, length = 0;

    for (; *text != '\0' && length + 8 < size; text++)
        if (*text != '^')
            out[length++] = *text;
        else if (dialect->bit == PGSQL)
            length += (size_t)snprintf(out + length, size - length, "$%zu", ++number);
        else
            out[length++] = '?';
    out[length] = '\0';
}

#endif
