/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The auxprop plug-in when other plug-ins, a driver or the system's random bytes fail.
 */

#include <dlfcn.h>

#include "sql/sql_pool.h"
#include "support/failures.h"

static const char *object_name; /* see folder_of_the_drivers() */

static int tear_down(void **state)
{
    object_name = NULL;
    return failures_end(state);
}

/* --- other auxprop plug-ins */

/* What this plug-in does in each lookup. */
static struct other {
    int result;
    const char *property, *values[3]; /* that it sets, for the user and for others */
    bool all;                         /* whatever is requested, like the stock plug-in */
    bool reads_options;               /* and their lengths */
    unsigned option_length;           /* of auxprop_plugin */
} other;

/* The length of the value, as libsasl2 itself reads it: through the connection's callback. */
static unsigned length_of_option(const sasl_utils_t *own_utils, const char *name)
{
    sasl_callback_ft function = NULL;
    void *context = NULL;
    const char *value = NULL;
    unsigned length = 0;

    if (own_utils->getcallback(own_utils->conn, SASL_CB_GETOPT, &function, &context) != SASL_OK ||
        ((sasl_getopt_t *)(any_function)function)(context, NULL, name, &value, &length) != SASL_OK)
        return 0;
    assert_int_equal(length, strlen(value));
    return length;
}

static int other_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                        const char *user, unsigned length)
{
    const sasl_utils_t *utils = sparams->utils;
    const struct propval *property = utils->prop_get(sparams->propctx);
    size_t i;

    (void)glob_context, (void)flags, (void)length;
    if (other.reads_options)
        other.option_length = length_of_option(utils, "auxprop_plugin");
    for (; property != NULL && property->name != NULL; property++)
        for (i = 0; i < COUNT(other.values) && other.values[i] != NULL; i++)
            if (other.all ? property->values == NULL : strcmp(property->name, other.property) == 0)
                utils->prop_set(sparams->propctx, property->name,
                                strncmp(user, "bob", 3) == 0 ? "of bob" : other.values[i], -1);
    return other.result;
}

static char other_name[8];

static int other_init(const sasl_utils_t *utils, int max_version, int *version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static sasl_auxprop_plug_t own = {.auxprop_lookup = other_lookup, .name = other_name};

    (void)utils, (void)max_version;
    strcpy(other_name, name);
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &own;
    return SASL_OK;
}

static void add_other(const char *name, struct other does)
{
    other = does;
    assert_int_equal(sasl_auxprop_add_plugin(name, other_init), SASL_OK);
}

static void no_auxprop_plugin_at_all(void **state)
{
    (void)state;
    /* as none is named */
    linked_start("password_format: crypt\nlog_level: 5\n", NULL);
    assert_null(linked.auxprop->name);
    assert_int_equal(login_plain(USER, RIGHT), SASL_UNAVAIL);
    assert_int_equal(
        program_log_count("ERR PLAIN: user \"" USER "\": auxprop: libsasl2 has no auxprop plug-in"),
        1);
    program_stop();
}

/* An outage of another plug-in is not a wrong password. */
static void another_auxprop_plugin_fails(void **state)
{
    static const struct {
        int result, want;
        const char *line;
    } cases[] = {
        {SASL_FAIL, SASL_UNAVAIL, "ERR PLAIN: user \"" USER "\": auxprop: generic failure"},
        {SASL_UNAVAIL, SASL_UNAVAIL, "ERR PLAIN: user \"" USER "\": auxprop: "},
        {SASL_NOUSER, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": no such user"},
        {SASL_OK, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": "},
        {SASL_DISABLED, SASL_BADAUTH, "FAIL PLAIN: user \"" USER "\": the account is disabled"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        linked_start("password_format: crypt\nauxprop_plugin: other\n", NULL);
        add_other("other", (struct other){.result = cases[i].result, .property = ""});
        assert_int_equal(login_plain(USER, RIGHT), cases[i].want);
        assert_int_equal(program_log_count(cases[i].line), 1);
        program_stop();
    }
}

static void disabled_account_and_a_challenge(void **state)
{
    (void)state;
    start("pwcheck_method: authdaemond\nauxprop_plugin: other\n");
    add_other("other", (struct other){.result = SASL_DISABLED, .property = ""});
    assert_int_equal(cram_over(program_connection(), USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("FAIL CRAM-MD5: user \"" USER "\": the account is disabled"),
                     1);
    assert_int_equal(authdaemond_questions(), 0);
    program_stop();
}

/* Another plug-in may have set it: only our own words count. */
static void outcome_that_is_not_ours(void **state)
{
    (void)state;
    linked_start("password_format: crypt\nauxprop_plugin: other\nlog_level: 5\n", NULL);
    add_other("other", (struct other){.result = SASL_OK,
                                      .property = "*sqlcryptOutcome",
                                      .values = {"found", "elsewhere"}});
    assert_int_equal(login_plain(USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("looked for %u"), 2);
    assert_int_equal(program_log_count("%r"), 0);
    program_stop();
    linked_start("password_format: crypt\nauxprop_plugin: other\nlog_level: 5\n", NULL);
    add_other(
        "other",
        (struct other){.result = SASL_OK, .property = "*sqlcryptOutcome", .values = {"whatever"}});
    assert_int_equal(login_plain(USER, RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count("looked for %u"), 0);
    program_stop();
}

/* The properties of a user are not handed to another user who acts for that one. */
static void properties_of_the_authorization_identity(void **state)
{
    const char *names[] = {"mail", "*mail", NULL};
    struct propval values[3];
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    canon_flags = 0;
    start_with_canon_user("auxprop_plugin: sqlcrypt other\n"
                          "sql_select: SELECT userPassword FROM users WHERE name='%u'\n");
    add_other("other", (struct other){.result = SASL_OK, .property = "mail", .values = {"of a"}});
    connection = program_connection();
    assert_int_equal(sasl_auxprop_request(connection, names), SASL_OK);
    assert_int_equal(
        sasl_server_start(connection, "PLAIN", MESSAGE("bob\0" USER "\0" RIGHT), &reply, &length),
        SASL_OK);
    assert_int_equal(prop_getnames(sasl_auxprop_getctx(connection), names, values), 2);
    assert_string_equal(values[0].values[0], "of bob");
    assert_null(values[0].values[1]);
    assert_null(values[1].values);
    sasl_dispose(&connection);
    program_stop();
}

/* The stock plug-in may know a user by a hash: without random bytes, nothing can replace what it
 * would hand out. */
static void no_random_bytes_beside_the_stock_plugin(void **state)
{
    (void)state;
    start("auxprop_plugin: sqlcrypt sql\n");
    add_other("sql", (struct other){.result = SASL_OK, .all = true, .values = {hash}});
    no_random_bytes = true;
    assert_int_equal(login_plain(USER, RIGHT), SASL_UNAVAIL);
    assert_int_equal(login_plain(USER, hash), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR sqlcrypt: no random numbers"), 2);
    no_random_bytes = false;
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(login_plain(USER, hash), SASL_BADAUTH);
    program_stop();
}

static bool is_stock_asked;

static int stock_lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
                        const char *user, unsigned length)
{
    (void)glob_context, (void)sparams, (void)flags, (void)user, (void)length;
    is_stock_asked = true;
    return SASL_NOUSER;
}

static int stock_init(const sasl_utils_t *own_utils, int max_version, int *version,
                      sasl_auxprop_plug_t **plug, const char *name)
{
    static char stock_name[] = "sql";
    static sasl_auxprop_plug_t own = {.auxprop_lookup = stock_lookup, .name = stock_name};

    (void)own_utils, (void)max_version, (void)name;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &own;
    return SASL_OK;
}

/* If there is no SQL, the stock plug-in is not asked, and the others learn so. */
static void others_where_there_is_no_sql(void **state)
{
    char options[300];
    int has_stock;

    (void)state;
    snprintf(options, sizeof(options),
             "pwcheck_method: authdaemond\nsql_select: dummy\nauthdaemond_path: %s\n",
             authdaemond_path());
    for (has_stock = 0; has_stock < 2; has_stock++) {
        linked_start(options, NULL);
        if (has_stock)
            assert_int_equal(sasl_auxprop_add_plugin("sql", stock_init), SASL_OK);
        add_other("other",
                  (struct other){.result = SASL_OK, .property = "", .reads_options = true});
        is_stock_asked = false;
        assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
        assert_int_equal(login_plain(USER, "wrong"), SASL_BADAUTH);
        assert_false(is_stock_asked);
        assert_int_equal(other.option_length, has_stock ? strlen("none other") : 0);
        program_stop();
    }
}

/* --- a driver */

struct sql_session {
    int unused;
};

/* Returns `object_name`; fails if that is empty. */
int __real_dladdr(const void *address, Dl_info *info);
int __wrap_dladdr(const void *address, Dl_info *info);

int __wrap_dladdr(const void *address, Dl_info *info)
{
    if (object_name == NULL)
        return __real_dladdr(address, info);
    info->dli_fname = object_name;
    return object_name[0] != '\0';
}

static struct {
    enum lookup open, begin, commit, store;
    enum lookup selects[3]; /* in turn; the last one for all others */
    unsigned selected;
    enum sql_transaction steps[8];
    size_t step_count;
    char opened[200]; /* the hosts in the order in which they were opened */
    unsigned sessions;
    unsigned logins_within; /* within a statement, nested, and their results */
    int results[20];
} driver;

static enum lookup says(enum lookup result, struct reason *reason)
{
    if (result != LOOKUP_FOUND && result != LOOKUP_DONE && result != LOOKUP_NONE)
        reason_set(reason, "the driver says no");
    return result;
}

static enum lookup driver_open(const struct sql_target *target, const struct sql_host *host,
                               const char *address, enum sql_access access,
                               const struct deadline *deadline, unsigned *learned,
                               struct sql_session **session, struct reason *reason)
{
    static struct sql_session only;
    const size_t length = strlen(driver.opened);

    (void)target, (void)address, (void)access, (void)deadline, (void)learned;
    snprintf(driver.opened + length, sizeof(driver.opened) - length, "%s ", host->name);
    *session = driver.open == LOOKUP_DONE ? &only : NULL;
    driver.sessions += driver.open == LOOKUP_DONE;
    return says(driver.open, reason);
}

static void driver_close(struct sql_session *session)
{
    (void)session;
    driver.sessions--;
}

static enum lookup driver_select(struct sql_session *session, const struct sql_statement *statement,
                                 const struct deadline *deadline, struct sql_rows *rows,
                                 struct reason *reason)
{
    const size_t last = COUNT(driver.selects) - 1;
    enum lookup result = driver.selects[driver.selected < last ? driver.selected : last];

    (void)session, (void)statement, (void)deadline;
    driver.selected++;
    if (driver.logins_within > 0) {
        const unsigned left = --driver.logins_within;

        driver.results[left] = login_plain(USER, RIGHT);
    }
    if (result == LOOKUP_FOUND || result == LOOKUP_SEVERAL)
        assert_true(sql_rows_add(rows, hash, strlen(hash)));
    if (result != LOOKUP_SEVERAL)
        return says(result, reason);
    assert_true(sql_rows_add(rows, hash, strlen(hash)));
    return LOOKUP_FOUND;
}

static enum lookup driver_store(struct sql_session *session, const struct sql_statement *statement,
                                const struct deadline *deadline, struct reason *reason)
{
    (void)session, (void)statement, (void)deadline;
    return says(driver.store, reason);
}

static enum lookup driver_transaction(struct sql_session *session, enum sql_transaction step,
                                      const struct deadline *deadline, struct reason *reason)
{
    (void)session, (void)deadline;
    assert_true(driver.step_count < COUNT(driver.steps));
    driver.steps[driver.step_count++] = step;
    return step == SQL_ROLLBACK ? LOOKUP_DONE
                                : says(step == SQL_BEGIN ? driver.begin : driver.commit, reason);
}

static const struct sql_engine engine = {
    .abi = SQL_ENGINE_ABI,
    .name = "sqlite3",
    .open = driver_open,
    .close = driver_close,
    .select = driver_select,
    .store = driver_store,
    .transaction = driver_transaction,
};

static void start_with_driver(const char *options)
{
    memset(&driver, 0, sizeof(driver));
    driver.open = driver.begin = driver.commit = driver.store = LOOKUP_DONE;
    driver.selects[0] = driver.selects[1] = driver.selects[2] = LOOKUP_FOUND;
    linked_use_engine(&engine);
    start(options);
}

static int set_password(const char *user, const char *password)
{
    const char *names[] = {"userPassword", NULL};
    struct propctx *properties = prop_new(0);
    sasl_conn_t *connection = program_connection();
    int result;

    assert_int_equal(prop_request(properties, names), SASL_OK);
    assert_int_equal(prop_set(properties, "userPassword", password, -1), SASL_OK);
    result = sasl_auxprop_store(connection, properties, user);
    prop_dispose(&properties);
    sasl_dispose(&connection);
    return result;
}

static const struct transaction {
    const char *name;
    enum lookup begin, store, commit;
    const char *want; /* in the log */
} transactions[] = {
    {"all goes well", LOOKUP_DONE, LOOKUP_DONE, LOOKUP_DONE, "was stored"},
    {"none begins", LOOKUP_UNAVAILABLE, LOOKUP_DONE, LOOKUP_DONE,
     "nothing was stored: the driver says no"},
    {"the statement is refused", LOOKUP_DONE, LOOKUP_REJECTED, LOOKUP_DONE,
     "nothing was stored: the driver says no"},
    {"no row is changed", LOOKUP_DONE, LOOKUP_NONE, LOOKUP_DONE,
     "nothing was stored: the statement changed no row"},
    {"COMMIT without an answer", LOOKUP_DONE, LOOKUP_DONE, LOOKUP_UNAVAILABLE,
     "outcome unknown: COMMIT was sent but not confirmed: the driver says no"},
    {"lost during COMMIT", LOOKUP_DONE, LOOKUP_DONE, LOOKUP_LOST,
     "outcome unknown: COMMIT was sent but not confirmed: the driver says no"},
    {"COMMIT is refused", LOOKUP_DONE, LOOKUP_DONE, LOOKUP_REJECTED,
     "nothing was stored: the driver says no"},
};

static void store_in_a_transaction(void **state)
{
    const struct transaction *row = *state;
    const bool done =
        row->begin == LOOKUP_DONE && row->store == LOOKUP_DONE && row->commit == LOOKUP_DONE;

    start_with_driver("");
    driver.begin = row->begin;
    driver.store = row->store;
    driver.commit = row->commit;
    program_secret("open sesame");
    assert_int_equal(set_password(USER "@example.com", "open sesame"),
                     done ? SASL_OK : SASL_UNAVAIL);
    assert_int_equal(program_log_count(row->want), 1);
    assert_int_equal(program_log_count("ERR "), !done);
    assert_int_equal(driver.steps[0], SQL_BEGIN);
    if (!done && row->begin == LOOKUP_DONE)
        assert_int_equal(driver.steps[driver.step_count - 1], SQL_ROLLBACK);
    if (row->store != LOOKUP_DONE)
        assert_int_not_equal(driver.steps[1], SQL_COMMIT);
    assert_int_equal(driver.sessions, 0);
    program_stop();
}

static const struct ending {
    const char *name;
    enum lookup store, commit;
    const char *want; /* the host that is asked next */
} endings[] = {
    {"stored", LOOKUP_DONE, LOOKUP_DONE, "db1 "},
    {"the statement is refused", LOOKUP_REJECTED, LOOKUP_DONE, "db1 "},
    {"lost during the statement", LOOKUP_LOST, LOOKUP_DONE, "db2 "},
    {"no answer to the statement", LOOKUP_UNAVAILABLE, LOOKUP_DONE, "db1 "},
    {"COMMIT is refused", LOOKUP_DONE, LOOKUP_REJECTED, "db1 "},
    {"lost during COMMIT", LOOKUP_DONE, LOOKUP_LOST, "db2 "},
    {"no answer to COMMIT", LOOKUP_DONE, LOOKUP_UNAVAILABLE, "db1 "},
};

/* What may have been stored is not stored again, on any host. */
static void host_that_loses_a_store_comes_last(void **state)
{
    const struct ending *row = *state;

    start_with_driver("sql_engine: pgsql\nsql_hostnames: db1 db2\n");
    driver.store = row->store;
    driver.commit = row->commit;
    set_password(USER "@example.com", "open sesame");
    assert_string_equal(driver.opened, "db1 ");
    driver.opened[0] = '\0';
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_string_equal(driver.opened, row->want);
    program_stop();
}

static void no_session_to_store_with(void **state)
{
    (void)state;
    start_with_driver("");
    driver.open = LOOKUP_UNAVAILABLE;
    assert_int_equal(set_password(USER "@example.com", "open sesame"), SASL_UNAVAIL);
    assert_int_equal(program_log_count("ERR sqlcrypt: nothing was stored: the driver says no"), 1);
    program_stop();
}

/* The row is found for the password, and then no server answers for more. */
static void lost_between_two_properties(void **state)
{
    static const struct {
        enum lookup answer;
        const char *line;
    } lost[] = {{LOOKUP_UNAVAILABLE, "ERR sqlcrypt: sqlite3: the driver says no"},
                {LOOKUP_SEVERAL, "more than one row for one user"}};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(lost); i++) {
        const char *names[] = {"*mail", NULL};
        sasl_conn_t *connection;
        const char *reply;
        unsigned length;

        start_with_driver("");
        driver.selects[1] = driver.selects[2] = lost[i].answer;
        connection = program_connection();
        assert_int_equal(sasl_auxprop_request(connection, names), SASL_OK);
        assert_int_equal(sasl_server_start(connection, "PLAIN", RIGHT_MESSAGE, &reply, &length),
                         SASL_UNAVAIL);
        assert_int_equal(program_log_count(lost[i].line), 1);
        sasl_dispose(&connection);
        program_stop();
        assert_int_equal(driver.sessions, 0);
    }
}

/* As many logins at once as there can be sessions, and one more. */
static void all_sessions_in_use(void **state)
{
    unsigned i;

    (void)state;
    start_with_driver("sql_timeout: 0.1\n");
    driver.logins_within = SQL_POOL_PLACES;
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(driver.results[0], SASL_UNAVAIL);
    for (i = 1; i < SQL_POOL_PLACES; i++)
        assert_int_equal(driver.results[i], SASL_OK);
    assert_int_equal(
        program_log_count("ERR sqlcrypt: sqlite3: all 8 sessions of this process were in use"), 1);
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    assert_int_equal(driver.sessions, SQL_POOL_PLACES);
    program_stop();
    assert_int_equal(driver.sessions, 0);
}

/* Where the plug-in looks for drivers. */
static void folder_of_the_drivers(void **state)
{
    static char long_name[5000];
    static const struct {
        const char *name; /* of the plug-in's own object; NULL if unknown */
        const char *want; /* NULL if there is no such folder */
    } cases[] = {
        {"/usr/lib/sasl2/libsqlcrypt.so", "/usr/lib/sasl2/sqlcrypt"},
        {"./libsqlcrypt.so", "./sqlcrypt"},
        {"libsqlcrypt.so", "./sqlcrypt"},
        {long_name, NULL},
        {NULL, NULL},
    };
    size_t i;

    (void)state;
    memset(long_name, 'x', sizeof(long_name) - 1);
    memcpy(long_name + 4500, "/a.so", 6);
    for (i = 0; i < COUNT(cases); i++) {
        object_name = cases[i].name != NULL ? cases[i].name : "";
        linked_start(configuration(""), NULL);
        if (cases[i].want != NULL) {
            assert_string_equal(linked.engine_directory, cases[i].want);
            assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
        } else {
            assert_string_equal(linked.engine_directory, "");
            assert_int_equal(
                program_log_count("sqlcrypt: cannot tell where this plug-in was loaded from"), 1);
            assert_int_equal(login_plain(USER, RIGHT), SASL_UNAVAIL);
        }
        program_stop();
    }
}

static const struct unusable_store {
    const char *name;
    const char *options;
    const char *property;
    int want;
    const char *want_in_log; /* "" for no line at all */
} unusable_stores[] = {
    {"a template that is broken", "sql_select: SELECT '%u\n", "userPassword", SASL_UNAVAIL,
     "ERR sqlcrypt: nothing was stored: sql_select: "},
    {"nothing to insert by", "sql_insert:\n", "userPassword", SASL_CONSTRAINT_VIOLAT, ""},
    {"nothing to update by", "sql_update:\n", "userPassword", SASL_CONSTRAINT_VIOLAT, ""},
    {"select of the password alone", "sql_select: SELECT userPassword FROM users\n", "mail",
     SASL_CONSTRAINT_VIOLAT, "there is no column for the property mail"},
    {"insert of the password alone", "sql_insert: INSERT INTO users (userPassword) VALUES ('%v')\n",
     "mail", SASL_CONSTRAINT_VIOLAT, "there is no column for the property mail"},
    {"update of the password alone", "sql_update: UPDATE users SET userPassword = '%v'\n", "mail",
     SASL_CONSTRAINT_VIOLAT, "there is no column for the property mail"},
    {"a name that is none of a column", "", "mail; --", SASL_CONSTRAINT_VIOLAT,
     "there is no column for the property mail; --"},
};

static void store_that_is_not_possible(void **state)
{
    const struct unusable_store *row = *state;
    const char *names[] = {row->property, NULL};
    struct propctx *properties = prop_new(0);
    sasl_conn_t *connection;
    char *after;

    start(row->options);
    connection = program_connection();
    assert_int_equal(prop_request(properties, names), SASL_OK);
    assert_int_equal(prop_set(properties, row->property, "open sesame", -1), SASL_OK);
    program_secret("open sesame");
    assert_int_equal(sasl_auxprop_store(connection, properties, USER), row->want);
    if (row->want_in_log[0] == '\0')
        assert_string_equal(program_log(), "");
    else
        assert_int_equal(program_log_count(row->want_in_log), 1);
    prop_dispose(&properties);
    sasl_dispose(&connection);
    program_stop();
    after = read_sql(DATABASE, "SELECT group_concat(name || userPassword || mail) FROM users");
    assert_lacks(after, "open sesame");
    free(after);
}

/* --- the list */

int main(void)
{
    struct test_list list = {0};
    size_t i;

    linked_prepare();
    alarm(300);
    ADD(no_auxprop_plugin_at_all);
    ADD(another_auxprop_plugin_fails);
    ADD(disabled_account_and_a_challenge);
    ADD(outcome_that_is_not_ours);
    ADD(properties_of_the_authorization_identity);
    ADD(no_random_bytes_beside_the_stock_plugin);
    ADD(others_where_there_is_no_sql);
    ADD_CASES(store_in_a_transaction, transactions);
    ADD_CASES(host_that_loses_a_store_comes_last, endings);
    ADD(no_session_to_store_with);
    ADD(all_sessions_in_use);
    ADD(folder_of_the_drivers);
    ADD(lost_between_two_properties);
    ADD_CASES(store_that_is_not_possible, unusable_stores);
    return test_run("auxprop_failures", &list);
}
