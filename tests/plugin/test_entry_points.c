/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The plug-ins' entry points and functions, in ways in which libsasl2 never calls them, but
 * another host might.
 */

#include "auxprop/sql_plugin.h"
#include "mechanisms/auxprop_check.h"
#include "mechanisms/libsasl_check.h"
#include "mechanisms/verifier.h"
#include "support/failures.h"

static int tear_down(void **state)
{
    return failures_end(state);
}

/* --- entry points, called as a host other than libsasl2 might */

static sasl_server_params_t *params; /* of the last connection that was offered mechanisms */
static int (*real_avail)(void *, sasl_server_params_t *, void **);

static int keep_params(void *glob_context, sasl_server_params_t *sparams, void **context)
{
    params = sparams;
    return real_avail(glob_context, sparams, context);
}

/* A connection whose parameters are in `params`. */
static sasl_conn_t *connection_with_params(void)
{
    sasl_conn_t *connection;
    const char *list;
    int i;

    if (linked.mechanisms[0].mech_avail != keep_params)
        real_avail = linked.mechanisms[0].mech_avail;
    for (i = 0; i < linked.mechanism_count; i++)
        linked.mechanisms[i].mech_avail = keep_params;
    connection = program_connection();
    assert_int_equal(sasl_listmech(connection, NULL, "", " ", "", &list, NULL, NULL), SASL_OK);
    assert_non_null(params);
    return connection;
}

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                           sasl_auxprop_plug_t **plug, const char *plugname);
int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount);

static void parameters_of_init(void **state)
{
    const int auxprop = SASL_AUXPROP_PLUG_VERSION, server = SASL_SERVER_PLUG_VERSION;
    const sasl_utils_t *utils;
    sasl_auxprop_plug_t *plug = NULL;
    sasl_server_plug_t *list = NULL;
    int version = -1, count = -1;

    (void)state;
    start("");
    utils = linked.utils;
    assert_int_equal(sasl_auxprop_plug_init(NULL, auxprop, &version, &plug, ""), SASL_BADPARAM);
    assert_int_equal(sasl_auxprop_plug_init(utils, auxprop, NULL, &plug, ""), SASL_BADPARAM);
    assert_int_equal(sasl_auxprop_plug_init(utils, auxprop, &version, NULL, ""), SASL_BADPARAM);
    assert_int_equal(sasl_auxprop_plug_init(utils, auxprop - 1, &version, &plug, ""), SASL_BADVERS);
    assert_int_equal(sasl_server_plug_init(NULL, server, &version, &list, &count), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server, NULL, &list, &count), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server, &version, NULL, &count), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server, &version, &list, NULL), SASL_BADPARAM);
    assert_int_equal(sasl_server_plug_init(utils, server - 1, &version, &list, &count),
                     SASL_BADVERS);
    assert_null(plug);
    assert_null(list);
    assert_int_equal(version, -1);
    assert_int_equal(count, -1);
    program_stop();
}

/* None of our mechanisms protects what follows the login. */
static void security_layer_is_demanded(void **state)
{
    sasl_conn_t *connection;
    int i;

    (void)state;
    start("pwcheck_method: authdaemond\n");
    connection = connection_with_params();
    for (i = 0; i < linked.mechanism_count; i++) {
        params->props.min_ssf = 1;
        params->external_ssf = 0;
        assert_int_equal(real_avail(linked.mechanisms[i].glob_context, params, NULL), SASL_NOTDONE);
        params->external_ssf = 1;
        assert_int_equal(real_avail(linked.mechanisms[i].glob_context, params, NULL), SASL_OK);
    }
    sasl_dispose(&connection);
    program_stop();
}

static void challenge_of_a_host_without_a_name(void **state)
{
    const sasl_server_plug_t *mechanism;
    sasl_conn_t *connection;
    sasl_server_params_t nameless;
    sasl_out_params_t oparams = {.doneflag = 0};
    void *context = NULL;
    const char *reply;
    unsigned length;

    (void)state;
    start("pwcheck_method: authdaemond\n");
    connection = connection_with_params();
    nameless = *params;
    nameless.serverFQDN = NULL;
    mechanism = &linked.mechanisms[2];
    assert_string_equal(mechanism->mech_name, "CRAM-MD5");
    assert_int_equal(mechanism->mech_new(mechanism->glob_context, &nameless, NULL, 0, &context),
                     SASL_OK);
    assert_int_equal(mechanism->mech_step(context, &nameless, NULL, 0, &reply, &length, &oparams),
                     SASL_CONTINUE);
    assert_true(length > 34);
    assert_int_equal(reply[0], '<');
    assert_memory_equal(reply + length - 2, "@>", 2);
    mechanism->mech_dispose(context, nameless.utils);
    sasl_dispose(&connection);
    program_stop();
}

/* The utils of a host; tests replace some of them. */
static sasl_utils_t utils;

static int requests_fail(struct propctx *properties, const char **names)
{
    (void)properties, (void)names;
    return SASL_NOMEM;
}

static void no_property_can_be_requested(void **state)
{
    const sasl_utils_t *own;
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    start("");
    connection = connection_with_params();
    own = params->utils;
    utils = *own;
    utils.prop_request = requests_fail;
    params->utils = &utils;
    assert_int_equal(sasl_server_start(connection, "PLAIN", RIGHT_MESSAGE, &reply, &length),
                     SASL_NOMEM);
    params->utils = own;
    sasl_dispose(&connection);
    assert_int_equal(program_log_count("ERR PLAIN: user \"" USER "\": out of memory"), 1);
    program_stop();
}

static const struct propval *gets_nothing(struct propctx *properties)
{
    (void)properties;
    return NULL;
}

static int finds_no_names(struct propctx *properties, const char **names, struct propval *values)
{
    (void)properties;
    for (; *names != NULL; names++)
        *values++ = (struct propval){NULL, NULL, 0, 0};
    return 0;
}

/* There is also nothing to erase then. */
static void authorization_identity_without_properties(void **state)
{
    const sasl_utils_t *own;
    sasl_conn_t *connection;
    const char *reply;
    unsigned length;

    (void)state;
    canon_flags = 0;
    start_with_canon_user("pwcheck_method: authdaemond\nsql_select: dummy\n");
    connection = connection_with_params();
    own = params->utils;
    utils = *own;
    utils.prop_get = gets_nothing;
    params->utils = &utils;
    assert_int_equal(
        sasl_server_start(connection, "PLAIN", MESSAGE("bob\0" USER "\0" RIGHT), &reply, &length),
        SASL_OK);
    params->utils = own;
    sasl_dispose(&connection);
    program_stop();
}

/* A lookup or a store by a host that has no properties to show. */
static void no_property_can_be_read(void **state)
{
    struct propctx *properties = prop_new(0);
    sasl_server_params_t sparams = {
        .service = "smtp", .serverFQDN = "mx.example.com", .utils = &utils, .propctx = properties};

    (void)state;
    start("");
    utils = *linked.utils;
    utils.prop_get = gets_nothing;
    assert_int_equal(linked.auxprop->auxprop_lookup(linked.auxprop->glob_context, &sparams, 0, USER,
                                                    strlen(USER)),
                     SASL_NOMEM);
    assert_int_equal(linked.auxprop->auxprop_store(linked.auxprop->glob_context, &sparams,
                                                   properties, USER, strlen(USER)),
                     SASL_NOMEM);
    assert_int_equal(program_log_count("sqlcrypt: nothing was stored: out of memory"), 1);
    prop_dispose(&properties);
    program_stop();
}

static void null_parameters_of_auxprop(void **state)
{
    sasl_auxprop_plug_t *plug;
    void *backend;
    struct propctx *properties = prop_new(0);
    sasl_server_params_t sparams = {.serverFQDN = "mx", .propctx = properties};

    (void)state;
    start("");
    plug = linked.auxprop;
    backend = plug->glob_context;
    sparams.utils = linked.utils;
    assert_int_equal(plug->auxprop_lookup(NULL, &sparams, 0, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_lookup(backend, NULL, 0, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_lookup(backend, &sparams, 0, NULL, 0), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_store(NULL, &sparams, properties, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_store(backend, NULL, properties, USER, 5), SASL_BADPARAM);
    assert_int_equal(plug->auxprop_store(backend, &sparams, properties, NULL, 0), SASL_BADPARAM);
    /* a NUL, which no row can have */
    assert_int_equal(plug->auxprop_lookup(backend, &sparams, 0, MESSAGE("a\0b")), SASL_NOUSER);
    assert_int_equal(plug->auxprop_store(backend, &sparams, properties, MESSAGE("a\0b")),
                     SASL_BADPARAM);
    prop_dispose(&properties);
    /* nothing to free, or only part of it */
    sql_plugin_free(NULL);
    verifier_free(NULL);
    assert_int_equal(login_plain(USER, RIGHT), SASL_OK);
    program_stop();
}

/* A host that compares a hash itself asks for the password again, and a host may ask for
 * everything again. */
static void lookup_that_overrides(void **state)
{
    static const struct {
        unsigned flags;
        const char *want[2];
    } cases[] = {
        {0, {"of another", "of another"}},
        {SASL_AUXPROP_VERIFY_AGAINST_HASH, {RIGHT, "of another"}},
        {SASL_AUXPROP_OVERRIDE, {RIGHT, "a@b"}},
        {SASL_AUXPROP_OVERRIDE | SASL_AUXPROP_AUTHZID, {"of another", "of another"}},
    };
    const char *names[] = {"*userPassword", "*mail", NULL};
    size_t i, j;

    (void)state;
    start("password_format: plain\n");
    run_sql(DATABASE, "UPDATE users SET userPassword = '" RIGHT "'");
    for (i = 0; i < COUNT(cases); i++) {
        struct propctx *properties = prop_new(0);
        struct propval values[3];
        sasl_server_params_t sparams = {.service = "smtp",
                                        .serverFQDN = "example.com",
                                        .user_realm = i % 2 == 0 ? "example.com" : NULL,
                                        .utils = linked.utils,
                                        .propctx = properties};

        assert_int_equal(prop_request(properties, names), SASL_OK);
        for (j = 0; j < 2; j++)
            assert_int_equal(prop_set(properties, names[j], "of another", -1), SASL_OK);
        assert_int_equal(linked.auxprop->auxprop_lookup(linked.auxprop->glob_context, &sparams,
                                                        cases[i].flags, USER, strlen(USER)),
                         SASL_OK);
        assert_int_equal(prop_getnames(properties, names, values), 2);
        for (j = 0; j < 2; j++) {
            assert_string_equal(values[j].values[0], cases[i].want[j]);
            assert_null(values[j].values[1]);
        }
        prop_dispose(&properties);
    }
    program_stop();
}

/* --- functions of the plug-ins */

/* What libsasl2 did not keep of the request is not taken for a password. */
static void properties_that_are_not_there(void **state)
{
    static const struct {
        int lookup_result;
        enum verdict want;
    } cases[] = {
        {SASL_OK, VERDICT_NO_USER},
        {SASL_NOUSER, VERDICT_NO_USER},
        {SASL_NOMECH, VERDICT_UNAVAILABLE},
        {SASL_FAIL, VERDICT_UNAVAILABLE},
    };
    const struct bytes password = bytes_of(RIGHT);
    sasl_server_params_t sparams = {.utils = &utils};
    struct password_policy *policy;
    struct reason reason;
    size_t i;

    (void)state;
    start("");
    utils = *linked.utils;
    utils.prop_getnames = finds_no_names;
    policy = password_policy_new("crypt", "MD5-CRYPT", NULL, &reason);
    assert_non_null(policy);
    for (i = 0; i < COUNT(cases); i++) {
        struct auxprop_trace trace = {true, true, true};

        assert_verdict(
            auxprop_check(&sparams, policy, cases[i].lookup_result, password, &trace, &reason),
            cases[i].want);
        assert_false(trace.outage_logged);
        assert_false(trace.looked_up);
        assert_false(trace.by_realm);
    }
    password_policy_free(policy);
    program_stop();
}

static int callback_result;
static sasl_callback_ft callback_function;

static int get_callback(sasl_conn_t *connection, unsigned long id, sasl_callback_ft *function,
                        void **context)
{
    (void)connection, (void)id, (void)context;
    *function = callback_function;
    return callback_result;
}

static int says_yes(sasl_conn_t *connection, void *context, const char *user, const char *password,
                    unsigned length, struct propctx *properties)
{
    (void)connection, (void)context, (void)user, (void)password, (void)length, (void)properties;
    return SASL_OK;
}

/* The only thing remembered is that no connection has one. */
static void callback_that_is_none(void **state)
{
    const sasl_callback_t others[] = {
        callback(SASL_CB_PROXY_POLICY, (any_function)anybody),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    const sasl_callback_t own[] = {
        callback(SASL_CB_PROXY_POLICY, (any_function)anybody),
        callback(SASL_CB_SERVER_USERDB_CHECKPASS, (any_function)says_yes),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    const struct {
        const sasl_callback_t *callbacks;
        int result;
        bool has_function, want, want_none;
    } cases[] = {
        {NULL, SASL_FAIL, false, false, true},  {NULL, SASL_OK, false, false, true},
        {NULL, SASL_OK, true, true, false},     {others, SASL_FAIL, false, false, true},
        {others, SASL_OK, true, true, false},   {own, SASL_FAIL, false, false, false},
        {own, SASL_OK, false, false, false},    {own, SASL_OK, true, true, false},
        {others, SASL_FAIL, true, false, true},
    };
    const struct bytes password = bytes_of(RIGHT);
    size_t i;

    (void)state;
    utils = (sasl_utils_t){.getcallback = get_callback};
    for (i = 0; i < COUNT(cases); i++) {
        sasl_server_params_t sparams = {.utils = &utils, .callbacks = cases[i].callbacks};
        atomic_bool none = false;

        callback_result = cases[i].result;
        callback_function = cases[i].has_function ? (sasl_callback_ft)(any_function)says_yes : NULL;
        assert_int_equal(libsasl_check_callback(&sparams, USER, password, &none), cases[i].want);
        assert_int_equal(none, cases[i].want_none);
        /* and it is not asked again */
        callback_result = SASL_OK;
        callback_function = (sasl_callback_ft)(any_function)says_yes;
        assert_int_equal(libsasl_check_callback(&sparams, USER, password, &none),
                         !cases[i].want_none);
    }
}

/* --- the list */

int main(void)
{
    struct test_list list = {0};

    linked_prepare();
    alarm(300);
    ADD(parameters_of_init);
    ADD(security_layer_is_demanded);
    ADD(challenge_of_a_host_without_a_name);
    ADD(no_property_can_be_requested);
    ADD(authorization_identity_without_properties);
    ADD(no_property_can_be_read);
    ADD(null_parameters_of_auxprop);
    ADD(lookup_that_overrides);
    ADD(properties_that_are_not_there);
    ADD(callback_that_is_none);
    return test_run("entry_points", &list);
}
