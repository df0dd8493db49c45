/* SPDX-License-Identifier: BSD-3-Clause */

/* What a driver returns, and where it is found to be too much. */

#include "sql/sql_rows.h"
#include "support/unit.h"

static const struct filling {
    const char *name;
    size_t room;
    const char *values[SQL_ROWS_MOST + 2]; /* up to an empty one; "NULL" stands for NULL */
    size_t want_count;
    bool want_more;
    enum lookup want;
    const char *want_reason;
} fillings[] = {
    {"no row", 1, {NULL}, 0, false, LOOKUP_FOUND, "before"},
    {"one row", 1, {"a"}, 1, false, LOOKUP_FOUND, "before"},
    {"NULL", 1, {"NULL"}, 1, false, LOOKUP_FOUND, "before"},
    {"two rows for one", 1, {"a", "b"}, 1, true, LOOKUP_SEVERAL, "more than one row for one user"},
    {"two NULL", 1, {"NULL", "NULL"}, 1, true, LOOKUP_SEVERAL, "more than one row for one user"},
    {"three rows for one",
     1,
     {"a", "b", "c"},
     1,
     true,
     LOOKUP_SEVERAL,
     "more than one row for one user"},
    {"as many as there is room", 3, {"a", "NULL", "c"}, 3, false, LOOKUP_FOUND, "before"},
    {"one more", 3, {"a", "b", "c", "d"}, 3, true, LOOKUP_SEVERAL, "more than 3 rows for one user"},
};

static void fill(void **state)
{
    const struct filling *row = *state;
    struct secret values[SQL_ROWS_MOST] = {{NULL, 0}};
    struct sql_rows rows = {.values = values, .room = row->room};
    struct reason reason = {"before"};
    size_t i;

    for (i = 0; row->values[i] != NULL; i++) {
        const bool is_null = strcmp(row->values[i], "NULL") == 0;

        assert_int_equal(rows.has_more, i > row->room);
        assert_true(sql_rows_add(&rows, is_null ? NULL : row->values[i], is_null ? 0 : 1));
    }
    assert_int_equal(rows.count, row->want_count);
    assert_int_equal(rows.has_more, row->want_more);
    for (i = 0; i < rows.count; i++) {
        const bool is_null = strcmp(row->values[i], "NULL") == 0;
        const struct secret want = lend(is_null ? NULL : row->values[i]);

        assert_secret(&values[i], &want);
    }
    for (; i < COUNT(values); i++)
        assert_null(values[i].bytes);
    assert_lookup(sql_rows_judge(&rows, LOOKUP_FOUND, &reason), row->want);
    assert_string_equal(reason.text, row->want_reason);
    sql_rows_wipe(&rows);
    assert_int_equal(rows.count, 0);
    assert_false(rows.has_more);
    for (i = 0; i < COUNT(values); i++)
        assert_null(values[i].bytes);
}

/* A failure keeps its result; so does a lookup that found nothing, which has no reason. */
static void judge_what_failed(void **state)
{
    static const enum lookup results[] = {LOOKUP_UNAVAILABLE, LOOKUP_LOST,     LOOKUP_BUSY,
                                          LOOKUP_UNREADY,     LOOKUP_CONFLICT, LOOKUP_REJECTED,
                                          LOOKUP_NONE};
    struct secret value = SECRET_EMPTY;
    struct sql_rows rows = {.values = &value, .room = 1};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(results); i++) {
        struct reason reason = {"too long"};

        rows.has_more = false;
        assert_lookup(sql_rows_judge(&rows, results[i], &reason), results[i]);
        assert_string_equal(reason.text, "too long");
        rows.has_more = true;
        assert_lookup(sql_rows_judge(&rows, results[i], &reason), results[i]);
        assert_string_equal(reason.text, results[i] == LOOKUP_NONE
                                             ? "too long"
                                             : "too long: more than one row for one user");
    }
}

/* The driver asks before it looks at a value that there is no room for. */
static void overflow(void **state)
{
    struct secret values[2] = {{NULL, 0}};
    struct sql_rows rows = {.values = values, .room = COUNT(values)};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(values); i++) {
        assert_false(sql_rows_overflow(&rows));
        assert_false(rows.has_more);
        assert_true(sql_rows_add(&rows, "x", 1));
    }
    assert_true(sql_rows_overflow(&rows));
    assert_true(rows.has_more);
    sql_rows_wipe(&rows);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, fill, fillings);
    TEST_ADD(&list, judge_what_failed);
    TEST_ADD(&list, overflow);
    return test_run("sql_rows", &list);
}
