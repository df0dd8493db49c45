/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_rows.h"

#include <stdlib.h>
#include <string.h>

#include "engines/mysql_statement.h"

enum { SHORT_VALUE = 512 /* bytes that are fetched at once */ };

/* Where the first column of a row goes. */
struct column {
    char bytes[SHORT_VALUE];
    unsigned long length;
    mysql_bool is_null;
};

static bool bind_columns(MYSQL_STMT *prepared, struct column *column)
{
    unsigned count = mysql_stmt_field_count(prepared);
    MYSQL_BIND *binds = calloc(count, sizeof(*binds));
    bool done;

    if (binds == NULL)
        return false;
    binds[0].buffer_type = MYSQL_TYPE_STRING;
    binds[0].buffer = column->bytes;
    binds[0].buffer_length = sizeof(column->bytes);
    binds[0].length = &column->length;
    binds[0].is_null = &column->is_null;
    while (--count > 0)
        binds[count].buffer_type = MYSQL_TYPE_STRING; /* no room: not wanted */
    done = mysql_stmt_bind_result(prepared, binds) == 0;
    free(binds);
    return done;
}

static bool has_row(int fetched)
{
    return fetched == 0 || fetched == MYSQL_DATA_TRUNCATED;
}

/* Adds a value that was too long for the first try. */
static enum lookup add_long(const struct mysql_request *request, MYSQL_STMT *prepared,
                            unsigned long length, struct sql_rows *rows)
{
    char *bytes = malloc(length);
    unsigned long got = 0;
    MYSQL_BIND bind = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = bytes, .buffer_length = length, .length = &got};
    enum lookup result = LOOKUP_DONE;

    if (bytes == NULL)
        return mysql_request_no_memory(request);
    if (mysql_stmt_fetch_column(prepared, &bind, 0, 0) != 0)
        result = mysql_request_statement_failed(request, prepared, true);
    else if (!sql_rows_add(rows, bytes, length))
        result = mysql_request_no_memory(request);
    explicit_bzero(bytes, length);
    free(bytes);
    return result;
}

static enum lookup add_row(const struct mysql_request *request, MYSQL_STMT *prepared,
                           const struct column *column, struct sql_rows *rows)
{
    if (column->length > MYSQL_LONGEST_VALUE && !column->is_null) {
        reason_set(request->reason, "the value is longer than %d bytes", MYSQL_LONGEST_VALUE);
        return LOOKUP_REJECTED;
    }
    if (column->length > sizeof(column->bytes) && !column->is_null)
        return add_long(request, prepared, column->length, rows);
    return sql_rows_add(rows, column->is_null ? NULL : column->bytes, column->length)
               ? LOOKUP_DONE
               : mysql_request_no_memory(request);
}

/* Reads the rows through `column`, until there is no room for more. */
static enum lookup read_by_column(const struct mysql_request *request, MYSQL_STMT *prepared,
                                  struct column *column, struct sql_rows *rows)
{
    enum lookup result;
    int fetched;

    if (mysql_stmt_field_count(prepared) == 0) {
        if (mysql_statement_is_call(request->statement->text))
            return LOOKUP_NONE;
        reason_set(request->reason, "the statement returns no column");
        return LOOKUP_REJECTED;
    }
    if (!bind_columns(prepared, column))
        return mysql_request_no_memory(request);
    while ((fetched = mysql_stmt_fetch(prepared)) != MYSQL_NO_DATA) {
        if (!has_row(fetched))
            return mysql_request_statement_failed(request, prepared, true);
        if (sql_rows_overflow(rows))
            return LOOKUP_FOUND;
        result = add_row(request, prepared, column, rows);
        if (result != LOOKUP_DONE)
            return result;
    }
    return rows->count > 0 ? LOOKUP_FOUND : LOOKUP_NONE;
}

enum lookup mysql_rows_read(const struct mysql_request *request, MYSQL_STMT *prepared,
                            struct sql_rows *rows)
{
    struct column column;
    enum lookup result;

    column.length = 0;
    column.is_null = 0;
    result = read_by_column(request, prepared, &column, rows);
    explicit_bzero(&column, sizeof(column));
    return result;
}
