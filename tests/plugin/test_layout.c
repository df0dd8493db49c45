/* SPDX-License-Identifier: BSD-3-Clause */

/* A libsasl2 whose sasl_utils_t differs from that of the header that the plug-ins were built
 * with: they say so, and do not touch it. */

#include <dlfcn.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "support/hashes.h"
#include "support/other_utils.h"
#include "support/sasl_program.h"
#include "support/sqlite_table.h"
#include "support/unit.h"

#define DATABASE "users.db"
#define REBUILD "not used: built for a different libsasl2; rebuild sasl-sqlcrypt"

static const char *configuration(const char *options)
{
    static char text[2000];

    snprintf(text, sizeof(text),
             "%spwcheck_method: auxprop\nmech_list: PLAIN LOGIN\npassword_format: crypt\n"
             "sql_engine: sqlite3\nsql_database: %s/" DATABASE "\n"
             "sql_select: SELECT password FROM users WHERE name = '%%u'\n",
             options, folder());
    return text;
}

static int make_table(void **state)
{
    (void)state;
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, password TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('alice', '%s')",
            hash_of("correct horse", "$5$rounds=1000$salt"));
    program_secret("correct horse");
    return 0;
}

static int remove_table(void **state)
{
    (void)state;
    program_abandon();
    folder_remove();
    return 0;
}

/* --- each build with each libsasl2 */

/* The plug-ins find this one instead of libsasl2's, as if it were preloaded. */
int sasl_getprop(sasl_conn_t *connection, int number, const void **value)
{
    int (*original)(sasl_conn_t *, int, const void **);

    *(void **)&original = dlsym(RTLD_NEXT, "sasl_getprop");
    return original(connection, number, value);
}

static const sasl_utils_t *real_utils;

static int keep_utils(const sasl_utils_t *utils, int max_version, int *version,
                      sasl_server_plug_t **list, int *count)
{
    (void)max_version, (void)version, (void)list, (void)count;
    real_utils = utils;
    return SASL_FAIL;
}

/* From a libsasl2 that was linked with -Bsymbolic: its own functions. */
static const sasl_utils_t *symbolic_utils(void)
{
    static sasl_utils_t utils;

    utils = *real_utils;
    *(void **)&utils.getprop = dlsym(RTLD_NEXT, "sasl_getprop");
    assert_ptr_not_equal(utils.getprop, sasl_getprop);
    return &utils;
}

/* Has another function where getprop is expected. */
static const sasl_utils_t *shifted_utils(void)
{
    static sasl_utils_t utils;

    utils = *real_utils;
    *(void **)&utils.getprop = dlsym(RTLD_NEXT, "sasl_setprop");
    return &utils;
}

enum libsasl2 { THIS, SYMBOLIC, SHIFTED, OTHER };

/* Starts it as the real libsasl2, or another one, would. */
static const sasl_utils_t *start(enum libsasl2 which, const char *options)
{
    struct host_functions functions;

    program_start(folder(), configuration(options));
    real_utils = NULL;
    sasl_server_add_plugin("pwverify", keep_utils);
    assert_non_null(real_utils);
    functions.getopt_context = real_utils->getopt_context;
    functions.getopt = real_utils->getopt;
    functions.log = real_utils->log;
    program_clear_log();
    switch (which) {
    case SYMBOLIC:
        return symbolic_utils();
    case SHIFTED:
        return shifted_utils();
    case OTHER:
        return other_utils(&functions);
    case THIS:
        break;
    }
    return real_utils;
}

static void *load(const char *build, const char *file)
{
    char path[4100];
    void *library;

    snprintf(path, sizeof(path), "%s/%s", test_environment(build), file);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail_msg("%s", dlerror());
    return library;
}

/* Returns whether the plug-in has something to offer. */
static bool is_offered_mechanisms(const char *build, const sasl_utils_t *utils)
{
    void *library = load(build, "libpwverify.so");
    sasl_server_plug_init_t *init;
    sasl_server_plug_t *list = NULL;
    int version = 0, count = 0;

    *(void **)&init = dlsym(library, "sasl_server_plug_init");
    assert_int_equal(init(utils, SASL_SERVER_PLUG_VERSION, &version, &list, &count), SASL_OK);
    if (count > 0)
        list[0].mech_free(list[0].glob_context, utils);
    dlclose(library);
    return count > 0;
}

static bool is_offered_lookup(const char *build, const sasl_utils_t *utils)
{
    void *library = load(build, "libsqlcrypt.so");
    sasl_auxprop_init_t *init;
    sasl_auxprop_plug_t *plug = NULL;
    int version = 0;
    bool offered;

    *(void **)&init = dlsym(library, "sasl_auxprop_plug_init");
    assert_int_equal(init(utils, SASL_AUXPROP_PLUG_VERSION, &version, &plug, "sqlcrypt"), SASL_OK);
    /* What replaces it has nothing to free. */
    offered = plug->auxprop_free != NULL;
    if (plug->name != NULL && !offered) {
        assert_int_equal(plug->auxprop_lookup(NULL, NULL, 0, "alice", 5), SASL_UNAVAIL);
        assert_int_equal(plug->auxprop_store(NULL, NULL, NULL, "alice", 5), SASL_UNAVAIL);
    }
    if (offered)
        plug->auxprop_free(plug->glob_context, utils);
    dlclose(library);
    return offered;
}

static const struct pair {
    const char *name;
    const char *build;
    enum libsasl2 libsasl2;
    const char *options;
    bool want_offered;
    unsigned want_lines; /* of each plug-in */
} pairs[] = {
    {"the header of this libsasl2", "TEST_PLUGINS", THIS, "auxprop_plugin: sqlcrypt\n", true, 0},
    {"beside one that has its own functions", "TEST_PLUGINS", SYMBOLIC,
     "auxprop_plugin: sqlcrypt\n", true, 0},
    {"beside one with another function there", "TEST_PLUGINS", SHIFTED,
     "auxprop_plugin: sqlcrypt\n", false, 1},
    {"the header of the other, beside this one", "TEST_OTHER_LAYOUT", THIS,
     "auxprop_plugin: sqlcrypt\n", false, 1},
    {"the header of this one, beside the other", "TEST_PLUGINS", OTHER,
     "auxprop_plugin: sqlcrypt\n", false, 1},
    {"the header of the other, beside that", "TEST_OTHER_LAYOUT", OTHER,
     "auxprop_plugin: sqlcrypt\n", true, 0},
    {"a program that does not ask, beside the other", "TEST_PLUGINS", OTHER,
     "auxprop_plugin: sasldb\npassword_format: plain\n", false, 0},
    {"another that does not ask, beside this one", "TEST_OTHER_LAYOUT", THIS,
     "auxprop_plugin: sasldb\npassword_format: plain\n", false, 0},
};

static void test_pair(void **state)
{
    const struct pair *row = *state;
    const sasl_utils_t *utils = start(row->libsasl2, row->options);

    assert_int_equal(is_offered_mechanisms(row->build, utils), row->want_offered);
    assert_int_equal(program_log_count("pwverify: " REBUILD), row->want_lines);
    assert_int_equal(is_offered_lookup(row->build, utils), row->want_offered);
    assert_int_equal(program_log_count("sqlcrypt: " REBUILD), row->want_lines);
    program_stop();
}

/* --- a program */

/* Only the stock PLAIN is left, and it does not say that a password is wrong. */
static void test_logins(void **state)
{
    char plugins[8200];

    (void)state;
    snprintf(plugins, sizeof(plugins), "%s:%s", test_environment("TEST_OTHER_LAYOUT"),
             test_environment(STOCK_PLUGINS));
    program_start(plugins, configuration("auxprop_plugin: sqlcrypt\n"));
    assert_int_equal(program_log_count("init sqlcrypt: " REBUILD), 1);
    assert_int_equal(program_log_count("init pwverify: " REBUILD), 1);
    assert_int_equal(login_plain("alice", "correct horse"), SASL_UNAVAIL);
    assert_int_equal(login_plain("alice", "wrong"), SASL_UNAVAIL);
    assert_int_equal(login_plain("nobody", "wrong"), SASL_UNAVAIL);
    program_stop();
}

int main(void)
{
    struct CMUnitTest tests[COUNT(pairs) + 1];
    size_t i;

    for (i = 0; i < COUNT(pairs); i++)
        tests[i] = (struct CMUnitTest){pairs[i].name, test_pair, make_table, remove_table,
                                       (void *)(uintptr_t)&pairs[i]};
    tests[i] = (struct CMUnitTest){"logins", test_logins, make_table, remove_table, NULL};
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
