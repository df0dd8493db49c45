/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_driver.h"

#include <limits.h>
#include <unistd.h>

#include "support/unit.h"

/* --- names */

static const struct naming {
    const char *name;
    const char *asked;
    const char *want; /* NULL: there is none */
    const struct sql_dialect *want_dialect;
    const char *want_package;
} names[] = {
    {"pgsql", "pgsql", "pgsql", &sql_dialect_pgsql, "libpq"},
    {"mysql", "mysql", "mysql", &sql_dialect_mysql, "libmariadb"},
    {"sqlite3", "sqlite3", "sqlite3", &sql_dialect_sqlite3, "libsqlite3"},
    {"sqlite", "sqlite", "sqlite3", &sql_dialect_sqlite3, "libsqlite3"},
    {"letter case", "MySQL", "mysql", &sql_dialect_mysql, "libmariadb"},
    {"letter case of the old name", "SQLITE", "sqlite3", &sql_dialect_sqlite3, "libsqlite3"},
    {"empty", "", NULL, NULL, NULL},
    {"unknown", "oracle", NULL, NULL, NULL},
    {"start of a name", "sqlit", NULL, NULL, NULL},
    {"more than a name", "sqlite33", NULL, NULL, NULL},
    {"path", "./sqlite3", NULL, NULL, NULL},
};

static void find(void **state)
{
    const struct naming *row = *state;
    const struct sql_engine_kind *kind = sql_engine_kind_find(row->asked);

    if (row->want == NULL) {
        assert_null(kind);
        return;
    }
    assert_non_null(kind);
    assert_string_equal(kind->name, row->want);
    assert_ptr_equal(kind->dialect, row->want_dialect);
    assert_contains(kind->packages, row->want_package);
    assert_contains(kind->packages, "Debian");
    assert_contains(kind->packages, "Fedora");
    assert_contains(kind->packages, "Alpine");
}

/* --- drivers */

/* A directory of our own, for files that are not drivers. */
struct place {
    char directory[PATH_MAX];
    char file[PATH_MAX + 16];
    struct sql_driver driver;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    if (place == NULL)
        return -1;
    test_directory(place->directory, sizeof(place->directory));
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    sql_driver_unload(&place->driver);
    test_directory_remove(place->directory);
    free(place);
    return 0;
}

static struct sql_driver *load(struct place *place, const char *name, const char *directory,
                               bool want, struct reason *reason)
{
    reason->text[0] = '\0';
    place->driver = (struct sql_driver){(const struct sql_engine *)place, place};
    if (sql_driver_load(&place->driver, sql_engine_kind_find(name), directory, reason) != want) {
        print_error("%s from %s: %s\n", name, directory, reason->text);
        fail();
    }
    if (!want) {
        assert_null(place->driver.engine);
        assert_null(place->driver.object);
    }
    return &place->driver;
}

static void skip_without_driver(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s.so", test_environment("TEST_ENGINE_DIR"), name);
    if (access(path, F_OK) != 0)
        skip();
}

static void load_built_driver(void **state)
{
    struct sql_driver *driver;
    struct reason reason;

    skip_without_driver("sqlite3");
    driver = load(*state, "sqlite3", test_environment("TEST_ENGINE_DIR"), true, &reason);
    assert_non_null(driver->object);
    assert_int_equal(driver->engine->abi, SQL_ENGINE_ABI);
    assert_string_equal(driver->engine->name, "sqlite3");
    assert_non_null(driver->engine->open);
    assert_non_null(driver->engine->close);
    assert_non_null(driver->engine->select);
    assert_non_null(driver->engine->store);
    assert_non_null(driver->engine->transaction);
    sql_driver_unload(driver);
    assert_null(driver->engine);
    assert_null(driver->object);
    sql_driver_unload(driver);
}

static void load_by_the_old_name(void **state)
{
    struct reason reason;

    skip_without_driver("sqlite3");
    load(*state, "sqlite", test_environment("TEST_ENGINE_DIR"), true, &reason);
}

static void missing_directory(void **state)
{
    struct place *place = *state;
    struct reason reason;

    snprintf(place->file, sizeof(place->file), "%s/none", place->directory);
    load(place, "sqlite3", place->file, false, &reason);
    assert_contains(reason.text, "none/sqlite3.so");
    assert_contains(reason.text, "sqlite3 driver of sasl-sqlcrypt");
    assert_contains(reason.text, "libsqlite3-0 (Debian)");
}

static void missing_file(void **state)
{
    static const struct {
        const char *engine;
        const char *want_package;
    } engines[] = {{"pgsql", "libpq5 (Debian)"}, {"mysql", "libmariadb3 (Debian)"}};
    struct place *place = *state;
    struct reason reason;
    size_t i;

    for (i = 0; i < COUNT(engines); i++) {
        snprintf(place->file, sizeof(place->file), "%s/%s.so", place->directory, engines[i].engine);
        load(place, engines[i].engine, place->directory, false, &reason);
        assert_contains(reason.text, place->file);
        assert_contains(reason.text, engines[i].want_package);
    }
}

static void put(struct place *place, const char *name, const char *content)
{
    FILE *file;

    snprintf(place->file, sizeof(place->file), "%s/%s", place->directory, name);
    file = fopen(place->file, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void no_shared_object(void **state)
{
    struct place *place = *state;
    struct reason reason;

    put(place, "sqlite3.so", "#!/bin/sh\necho this is a script, and no driver at all\n");
    load(place, "sqlite3", place->directory, false, &reason);
    assert_contains(reason.text, place->file);
}

static void empty_file(void **state)
{
    struct place *place = *state;
    struct reason reason;

    put(place, "sqlite3.so", "");
    load(place, "sqlite3", place->directory, false, &reason);
    assert_contains(reason.text, place->file);
}

static void other_abi(void **state)
{
    const char *directory = test_environment("TEST_BAD_ENGINE_DIR");
    struct reason reason;

    load(*state, "sqlite3", directory, false, &reason);
    assert_contains(reason.text, "not of this version");
}

/* A link keeps the file name in the reason short. */
static void link_to(struct place *place, const char *name, const char *directory,
                    const char *target)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", directory, target);
    snprintf(place->file, sizeof(place->file), "%s/%s", place->directory, name);
    assert_int_equal(symlink(path, place->file), 0);
}

static void other_abi_names_the_file(void **state)
{
    struct place *place = *state;
    struct reason reason;

    link_to(place, "sqlite3.so", test_environment("TEST_BAD_ENGINE_DIR"), "sqlite3.so");
    load(place, "sqlite3", place->directory, false, &reason);
    assert_contains(reason.text, place->file);
    assert_contains(reason.text, "not of this version");
}

static void driver_of_another_engine(void **state)
{
    struct place *place = *state;
    struct reason reason;

    skip_without_driver("sqlite3");
    link_to(place, "pgsql.so", test_environment("TEST_ENGINE_DIR"), "sqlite3.so");
    load(place, "pgsql", place->directory, false, &reason);
    assert_contains(reason.text, place->file);
}

static void object_without_the_symbol(void **state)
{
    struct place *place = *state;
    struct reason reason;

    link_to(place, "sqlite3.so", test_environment("TEST_ENGINE_DIR"), "../libpwverify.so");
    load(place, "sqlite3", place->directory, false, &reason);
    assert_contains(reason.text, place->file);
}

static void directory_name_too_long(void **state)
{
    struct reason reason;
    char *name = malloc(PATH_MAX + 1);

    assert_non_null(name);
    memset(name, 'x', PATH_MAX);
    name[0] = '/';
    name[PATH_MAX] = '\0';
    load(*state, "sqlite3", name, false, &reason);
    free(name);
    assert_contains(reason.text, "too long");
}

static void unload_of_nothing(void **state)
{
    struct sql_driver driver = {NULL, NULL};

    (void)state;
    sql_driver_unload(&driver);
    assert_null(driver.object);
}

#define ADD_WITH_PLACE(list, function)                                                             \
    do {                                                                                           \
        struct CMUnitTest *test_ = TEST_ADD(list, function);                                       \
        test_->setup_func = make_place;                                                            \
        test_->teardown_func = remove_place;                                                       \
    } while (0)

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, find, names);
    ADD_WITH_PLACE(&list, load_built_driver);
    ADD_WITH_PLACE(&list, load_by_the_old_name);
    ADD_WITH_PLACE(&list, missing_directory);
    ADD_WITH_PLACE(&list, missing_file);
    ADD_WITH_PLACE(&list, no_shared_object);
    ADD_WITH_PLACE(&list, empty_file);
    ADD_WITH_PLACE(&list, other_abi);
    ADD_WITH_PLACE(&list, other_abi_names_the_file);
    ADD_WITH_PLACE(&list, driver_of_another_engine);
    ADD_WITH_PLACE(&list, object_without_the_symbol);
    ADD_WITH_PLACE(&list, directory_name_too_long);
    TEST_ADD(&list, unload_of_nothing);
    return test_run("sql_engine_loader", &list);
}
