/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Steps in any order, through the real libsasl2: starts and steps with every kind
 * of input, after failures and successes, and starts over. A small model of an
 * exchange says what each must answer; above all, only the right password in a
 * proper exchange is ever accepted. Each group of sequences runs in
 * a process of its own, so that a crash fails the test with the sequence shown.
 */

#include <dlfcn.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/sasl_program.h"
#include "support/sqlite_table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DATABASE "users.db"
#define USER "alice"
#define RIGHT "correct horse"
#define RIGHT_MD5 "3cb4e732631f47e6eb961f34554b7cde"
#define DIGITS "0123456789abcdef0123456789abcdef"

enum { LONG_INPUT = 70000, PATIENCE = 240 };

/* --- what a client may do */

enum kind { PLAIN, LOGIN, CRAM, UNKNOWN };

static const struct mechanism {
    const char *name;
    enum kind kind;
} mechanisms[] = {
    {"PLAIN", PLAIN},    {"LOGIN", LOGIN},      {"CRAM-MD5", CRAM},
    {"CRAM-SHA1", CRAM}, {"CRAM-SHA256", CRAM}, {"NO-SUCH-MECHANISM", UNKNOWN},
};

enum { OUR_MECHANISMS = COUNT(mechanisms) - 1 };

static char long_input[LONG_INPUT];

/* Inputs that tests name. The first RESTARTS are tried in a second start. */
enum { NOTHING, RIGHT_MESSAGE, NAME, PASSWORD, MESSAGE_FOR_ANOTHER };
enum { RESTARTS = 2 };

static const struct input {
    const char *name;
    const char *text;
    unsigned length;
} inputs[] = {
    [NOTHING] = {"NULL", NULL, 0},
    [RIGHT_MESSAGE] = {"right message", "\0" USER "\0" RIGHT, sizeof("\0" USER "\0" RIGHT) - 1},
    [NAME] = {"name", USER, sizeof(USER) - 1},
    [PASSWORD] = {"password", RIGHT, sizeof(RIGHT) - 1},
    [MESSAGE_FOR_ANOTHER] = {"message for another", "bob\0" USER "\0" RIGHT,
                             sizeof("bob\0" USER "\0" RIGHT) - 1},
    {"NULL with a length", NULL, 5},
    {"empty", "", 0},
    {"NUL", "", 1},
    {"two NULs", "\0", 2},
    {"wrong message", "\0" USER "\0wrong", sizeof("\0" USER "\0wrong") - 1},
    {"response", USER " " DIGITS, sizeof(USER " " DIGITS) - 1},
    {"long", long_input, LONG_INPUT},
};

/* A step, or a start if there is a mechanism. */
struct action {
    const struct mechanism *start;
    const struct input *input;
};

static bool is(const struct input *input, const char *text, size_t length)
{
    return input->length == length && memcmp(input->text, text, length) == 0;
}

#define IS(input, literal) is(input, literal, sizeof(literal) - 1)

/* --- the model */

enum outcome { REFUSED, CONTINUES, ACCEPTED };

struct model {
    const struct mechanism *mechanism; /* NULL until a start has found one */
    enum { OVER, BEGUN, NAME_ASKED, PASSWORD_ASKED, CHALLENGED } state;
    bool right_name;
    bool done; /* libsasl2 takes no step after a success, not even one of a new start */
};

static enum outcome model_plain(const struct input *input)
{
    return IS(input, "\0" USER "\0" RIGHT) ? ACCEPTED : REFUSED;
}

static enum outcome model_login(struct model *model, const struct input *input)
{
    if (model->state == PASSWORD_ASKED)
        return model->right_name && IS(input, RIGHT) ? ACCEPTED : REFUSED;
    if (model->state == BEGUN && input->length == 0) {
        model->state = NAME_ASKED;
        return CONTINUES;
    }
    model->right_name = IS(input, USER);
    model->state = PASSWORD_ASKED;
    return CONTINUES;
}

/* No authdaemond exists that could say yes. */
static enum outcome model_cram(struct model *model, const struct input *input)
{
    if (model->state != BEGUN || input->length > 0)
        return REFUSED;
    model->state = CHALLENGED;
    return CONTINUES;
}

static enum outcome model_mechanism(struct model *model, const struct input *input)
{
    switch (model->mechanism->kind) {
    case PLAIN:
        return model_plain(input);
    case LOGIN:
        return model_login(model, input);
    case CRAM:
        return model_cram(model, input);
    case UNKNOWN:
        break;
    }
    return REFUSED;
}

static enum outcome model_step(struct model *model, const struct input *input)
{
    enum outcome outcome;

    if (model->done)
        return REFUSED;
    outcome = model->state != OVER ? model_mechanism(model, input) : REFUSED;
    if (outcome != CONTINUES)
        model->state = OVER;
    model->done = outcome == ACCEPTED;
    return outcome;
}

static enum outcome model_start(struct model *model, const struct action *action)
{
    const struct input *input = action->input;
    enum outcome outcome = REFUSED;

    model->state = OVER;
    if (action->start->kind != UNKNOWN) {
        model->mechanism = action->start;
        model->state = BEGUN;
        if (action->start->kind == PLAIN && input->text == NULL)
            return CONTINUES;
        if (action->start->kind != CRAM || input->text == NULL)
            outcome = model_step(model, input);
    }
    if (outcome == REFUSED) {
        model->state = OVER;
        model->done = false;
    }
    return outcome;
}

static enum outcome model_act(struct model *model, const struct action *action)
{
    /* libsasl2 itself refuses that, and continues as if it had not happened. */
    if (action->input->text == NULL && action->input->length > 0)
        return REFUSED;
    return action->start != NULL ? model_start(model, action) : model_step(model, action->input);
}

/* --- a sequence, on a connection of its own */

/* What is running, where the parent can read it after a crash. */
static struct progress {
    char sequence[4000];
    char complaint[500];
    unsigned sequences;
    unsigned accepted;
} * progress;

static void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(progress->complaint, sizeof(progress->complaint), format, arguments);
    va_end(arguments);
}

static void note_action(const struct action *action)
{
    size_t length = strlen(progress->sequence);

    snprintf(progress->sequence + length, sizeof(progress->sequence) - length, "%s%s(%s)",
             length > 0 ? ", " : "", action->start != NULL ? action->start->name : "step",
             action->input->name);
}

static enum outcome outcome_of(int result)
{
    return result == SASL_OK ? ACCEPTED : result == SASL_CONTINUE ? CONTINUES : REFUSED;
}

static enum outcome act(sasl_conn_t *connection, const struct action *action)
{
    const struct input *input = action->input;
    const char *reply = NULL;
    unsigned length = 0;

    return outcome_of(
        action->start != NULL
            ? sasl_server_start(connection, action->start->name, input->text, input->length, &reply,
                                &length)
            : sasl_server_step(connection, input->text, input->length, &reply, &length));
}

static bool user_is_right(sasl_conn_t *connection)
{
    const void *name = NULL;

    return sasl_getprop(connection, SASL_USERNAME, &name) == SASL_OK && name != NULL &&
           strcmp(name, USER "@example.com") == 0;
}

static bool act_as_modelled(sasl_conn_t *connection, struct model *model,
                            const struct action *action)
{
    enum outcome want, got;

    /* Without a mechanism, libsasl2 has nothing to call. */
    if (model->mechanism == NULL && action->start == NULL)
        return true;
    note_action(action);
    want = model_act(model, action);
    got = act(connection, action);
    if (got != want)
        complain("outcome %d, want %d", got, want);
    else if (got == ACCEPTED && !user_is_right(connection))
        complain("accepted as somebody else");
    progress->accepted += got == ACCEPTED;
    return progress->complaint[0] == '\0';
}

/* Returns false with a complaint. */
static bool run_sequence(const struct action *actions, size_t count)
{
    sasl_conn_t *connection = NULL;
    struct model model = {.state = OVER};
    bool good = true;
    size_t i;

    progress->sequence[0] = '\0';
    progress->sequences++;
    if (sasl_server_new("smtp", "mx.example.com", "example.com", NULL, NULL, NULL,
                        SASL_SUCCESS_DATA, &connection) != SASL_OK) {
        complain("no connection");
        return false;
    }
    for (i = 0; good && i < count; i++)
        good = act_as_modelled(connection, &model, &actions[i]);
    sasl_dispose(&connection);
    /* The password is also typed in place of the name. */
    if (good && program_log_count(RIGHT) != program_log_count("user \"" RIGHT "\"")) {
        complain("the password is in the log");
        good = false;
    }
    program_clear_log();
    return good;
}

/* --- processes */

/* A signal ends a child: cmocka would go on with the list of tests. */
static void die_of_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
    size_t i;

    for (i = 0; i < COUNT(signals); i++)
        signal(signals[i], SIG_DFL);
    alarm(PATIENCE);
}

/* Runs it in a separate process. */
static void run_apart(bool (*run)(const void *), const void *argument)
{
    pid_t child;
    int status;

    memset(progress, 0, sizeof(*progress));
    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        die_of_signals();
        exit(run(argument) ? 0 : 1); /* exits normally, so that coverage is counted */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFSIGNALED(status))
        complain("signal %d", WTERMSIG(status));
    fail_msg("%s: %s (status %d)", progress->sequence, progress->complaint, status);
}

/* --- all sequences of three */

/* Any step, and the starts that may follow others. */
static void list_actions(struct action *actions)
{
    size_t count = 0, i, j;

    for (i = 0; i < COUNT(inputs); i++)
        actions[count++] = (struct action){NULL, &inputs[i]};
    for (i = 0; i < COUNT(mechanisms); i++)
        for (j = 0; j < RESTARTS; j++)
            actions[count++] = (struct action){&mechanisms[i], &inputs[j]};
}

enum { ALL_ACTIONS = COUNT(inputs) + RESTARTS * COUNT(mechanisms) };

/* What follows one start: any action, and then any step. */
static bool run_after_start(const struct action *start)
{
    struct action actions[ALL_ACTIONS];
    size_t i, j;

    list_actions(actions);
    for (i = 0; i < ALL_ACTIONS; i++) {
        for (j = 0; j < COUNT(inputs); j++) {
            const struct action sequence[] = {*start, actions[i], {NULL, &inputs[j]}};

            if (!run_sequence(sequence, COUNT(sequence)))
                return false;
        }
    }
    return true;
}

static bool run_after_starts(const void *mechanism)
{
    size_t i;

    for (i = 0; i < COUNT(inputs); i++)
        if (!run_after_start(&(struct action){mechanism, &inputs[i]}))
            return false;
    return true;
}

static void test_all_sequences(void **state)
{
    run_apart(run_after_starts, *state);
    assert_int_equal(progress->sequences, COUNT(inputs) * ALL_ACTIONS * COUNT(inputs));
    assert_true(progress->accepted > 0);
}

/* --- long sequences, all in this process */

static unsigned random_below(unsigned limit)
{
    static uint64_t seed = 1;

    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

static void test_long_sequences(void **state)
{
    enum { SEQUENCES = 60, LENGTH = 40 };
    struct action sequence[LENGTH];
    size_t i, j;

    (void)state;
    memset(progress, 0, sizeof(*progress));
    for (i = 0; i < SEQUENCES; i++) {
        for (j = 0; j < LENGTH; j++) {
            const bool starts = j == 0 || random_below(4) == 0;

            sequence[j] = (struct action){
                starts ? &mechanisms[random_below(COUNT(mechanisms))] : NULL,
                &inputs[random_below(COUNT(inputs))],
            };
        }
        if (!run_sequence(sequence, LENGTH))
            fail_msg("%s: %s", progress->sequence, progress->complaint);
    }
    assert_true(progress->accepted > 0);
}

/* --- after success */

/* What was accepted cannot be accepted again without the password. */
static void test_steps_after_success(void **state)
{
    static const struct action plain[] = {{&mechanisms[PLAIN], &inputs[RIGHT_MESSAGE]}};
    static const struct action login[] = {
        {&mechanisms[LOGIN], &inputs[NOTHING]}, {NULL, &inputs[NAME]}, {NULL, &inputs[PASSWORD]}};
    static const struct {
        const struct action *actions;
        size_t count;
    } logins[] = {{plain, COUNT(plain)}, {login, COUNT(login)}};
    size_t i, j, k;

    (void)state;
    for (i = 0; i < COUNT(logins); i++) {
        for (j = 0; j < COUNT(inputs); j++) {
            struct action sequence[8];
            size_t count = logins[i].count;

            memcpy(sequence, logins[i].actions, count * sizeof(sequence[0]));
            for (k = 0; k < 3; k++)
                sequence[count++] = (struct action){NULL, &inputs[j]};
            memset(progress, 0, sizeof(*progress));
            if (!run_sequence(sequence, count))
                fail_msg("%s: %s", progress->sequence, progress->complaint);
            assert_int_equal(progress->accepted, 1);
        }
    }
}

/* --- the entry points themselves, as libsasl2 finds them */

static void *library;
static sasl_server_plug_t *entries;
static int entry_count;
static sasl_server_params_t *entry_params;
static int (*real_avail)(void *, sasl_server_params_t *, void **);

static int keep_params(void *glob_context, sasl_server_params_t *params, void **context)
{
    entry_params = params;
    return real_avail(glob_context, params, context);
}

/* libsasl2 gets the mechanisms from here, and the test keeps them, too. */
static int load_entries(const sasl_utils_t *utils, int max_version, int *version,
                        sasl_server_plug_t **list, int *count)
{
    char path[4100];
    sasl_server_plug_init_t *init;
    int result;

    snprintf(path, sizeof(path), "%s/libpwverify.so", getenv(OUR_PLUGINS));
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return SASL_FAIL;
    /* POSIX lets a pointer to a function go through a pointer to void. */
    *(void **)&init = dlsym(library, "sasl_server_plug_init");
    result = init(utils, max_version, version, list, count);
    entries = *list;
    entry_count = *count;
    return result;
}

static int knows_user(sasl_conn_t *connection, void *context, const char *user,
                      const char *password, unsigned length, struct propctx *properties)
{
    const struct input typed = {NULL, password, length};

    (void)connection, (void)context, (void)properties;
    return strcmp(user, USER "@example.com") == 0 && IS(&typed, RIGHT) ? SASL_OK : SASL_BADAUTH;
}

/* A program that has loaded the mechanisms itself, with a connection. */
static sasl_conn_t *start_with_entries(void)
{
    typedef void (*any_function)(void);
    const sasl_callback_t extra[] = {
        {SASL_CB_SERVER_USERDB_CHECKPASS, (int (*)(void))(any_function)knows_user, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    sasl_conn_t *connection;
    const char *list;
    int i;

    /* a folder without plug-ins */
    program_start_with(folder(), "pwcheck_method: authdaemond\nauthdaemond_path: /no/socket\n",
                       extra);
    assert_int_equal(sasl_server_add_plugin("pwverify", load_entries), SASL_OK);
    assert_int_equal(entry_count, OUR_MECHANISMS);
    real_avail = entries[0].mech_avail;
    for (i = 0; i < entry_count; i++)
        entries[i].mech_avail = keep_params;
    connection = program_connection();
    assert_int_equal(sasl_listmech(connection, NULL, "", " ", "", &list, NULL, NULL), SASL_OK);
    assert_non_null(entry_params);
    return connection;
}

static void stop_with_entries(sasl_conn_t *connection)
{
    sasl_dispose(&connection);
    program_stop();
    assert_int_equal(dlclose(library), 0);
}

static int step_entry(const sasl_server_plug_t *entry, void *context, const struct input *input)
{
    sasl_out_params_t oparams = {.doneflag = 0};
    const char *reply = "unset";
    unsigned length = 1;
    int result = entry->mech_step(context, entry_params, input->text, input->length, &reply,
                                  &length, &oparams);

    if (result != SASL_CONTINUE && (reply != NULL || length != 0))
        complain("%s: a reply with result %d", entry->mech_name, result);
    if ((result == SASL_OK) != (oparams.doneflag == 1))
        complain("%s: result %d, doneflag %d", entry->mech_name, result, (int)oparams.doneflag);
    return result;
}

/* Three steps, whatever the result of the first ones. */
static bool run_entry(const struct mechanism *mechanism, const sasl_server_plug_t *entry,
                      const struct input *const steps[3])
{
    static const struct input nothing = {"NULL", NULL, 0};
    struct model model = {.mechanism = mechanism, .state = BEGUN};
    void *context = NULL;
    int i;

    progress->sequence[0] = '\0';
    note_action(&(struct action){mechanism, &inputs[NOTHING]});
    if (entry->mech_new(entry->glob_context, entry_params, NULL, 0, &context) != SASL_OK)
        complain("no exchange");
    for (i = 0; i < 3 && progress->complaint[0] == '\0'; i++) {
        const bool was_over = model.state == OVER;
        enum outcome want;
        int result;

        note_action(&(struct action){NULL, steps[i]});
        model.done = false;
        want = model_step(&model, steps[i]->text != NULL ? steps[i] : &nothing);
        result = step_entry(entry, context, steps[i]);
        if (outcome_of(result) != want || (was_over && result != SASL_BADPROT))
            complain("result %d, want outcome %d", result, want);
    }
    entry->mech_dispose(context, entry_params->utils);
    program_clear_log();
    return progress->complaint[0] == '\0';
}

static bool run_entries(const void *argument)
{
    const size_t which = (size_t)((const struct mechanism *)argument - mechanisms);
    size_t i, j, k;

    for (i = 0; i < COUNT(inputs); i++)
        for (j = 0; j < COUNT(inputs); j++)
            for (k = 0; k < COUNT(inputs); k++) {
                const struct input *const steps[3] = {&inputs[i], &inputs[j], &inputs[k]};

                /* libsasl2 decides whether a user may act for another */
                if (steps[0] != &inputs[MESSAGE_FOR_ANOTHER] &&
                    !run_entry(&mechanisms[which], &entries[which], steps))
                    return false;
            }
    return true;
}

static void test_steps_of_entries(void **state)
{
    sasl_conn_t *connection = start_with_entries();
    size_t i;

    (void)state;
    for (i = 0; i < OUR_MECHANISMS; i++) {
        assert_string_equal(entries[i].mech_name, mechanisms[i].name);
        run_apart(run_entries, &mechanisms[i]);
    }
    stop_with_entries(connection);
}

static bool pass_null(const void *argument)
{
    const sasl_server_plug_t *entry = argument;
    void *const shared = entry->glob_context;
    static char unset[] = "unset";
    void *context = unset;
    size_t i;

    for (i = 0; i < COUNT(inputs); i++)
        if (step_entry(entry, NULL, &inputs[i]) != SASL_BADPROT)
            complain("%s: a step without an exchange", entry->mech_name);
    entry->mech_dispose(NULL, entry_params->utils);
    entry->mech_dispose(NULL, NULL);
    if (entry->mech_avail(NULL, entry_params, NULL) != SASL_OK)
        complain("%s: not available", entry->mech_name);
    if (entry->mech_new(NULL, entry_params, NULL, 0, &context) != SASL_NOTINIT || context != NULL)
        complain("%s: an exchange without a verifier", entry->mech_name);
    if (entry->mech_free != NULL) {
        entry->mech_free(NULL, entry_params->utils);
        entry->mech_free(NULL, NULL);
        entry->mech_free(shared, entry_params->utils);
    }
    return progress->complaint[0] == '\0';
}

static void test_null_contexts(void **state)
{
    sasl_conn_t *connection = start_with_entries();
    int i;

    (void)state;
    for (i = 0; i < entry_count; i++)
        run_apart(pass_null, &entries[i]);
    stop_with_entries(connection);
}

/* --- the list */

static int start_with_users(void **state)
{
    char configuration[2000];

    (void)state;
    run_sql(DATABASE, "CREATE TABLE users (name TEXT, password TEXT)");
    run_sql(DATABASE, "INSERT INTO users VALUES ('" USER "', '%s')", RIGHT_MD5);
    snprintf(configuration, sizeof(configuration),
             "password_format: md5\n"
             "pwcheck_method: auxprop authdaemond\n"
             "authdaemond_path: %s/no-socket\n"
             "auxprop_plugin: sqlcrypt\n"
             "sql_engine: sqlite3\n"
             "sql_database: %s/" DATABASE "\n"
             "sql_select: SELECT password FROM users WHERE name='%%u'\n",
             folder(), folder());
    program_start(getenv(OUR_PLUGINS), configuration);
    program_clear_log();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    program_abandon();
    folder_remove();
    return 0;
}

#define CASE(name, mechanism)                                                                      \
    {                                                                                              \
        name, test_all_sequences, start_with_users, stop, (void *)(uintptr_t)(mechanism)           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("a start of PLAIN, and what may follow", &mechanisms[0]),
        CASE("a start of LOGIN, and what may follow", &mechanisms[1]),
        CASE("a start of CRAM-MD5, and what may follow", &mechanisms[2]),
        CASE("a start of CRAM-SHA1, and what may follow", &mechanisms[3]),
        CASE("a start of CRAM-SHA256, and what may follow", &mechanisms[4]),
        cmocka_unit_test_setup_teardown(test_steps_after_success, start_with_users, stop),
        cmocka_unit_test_setup_teardown(test_long_sequences, start_with_users, stop),
        cmocka_unit_test_teardown(test_steps_of_entries, stop),
        cmocka_unit_test_teardown(test_null_contexts, stop),
    };

    memset(long_input, 'x', sizeof(long_input));
    progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 99;
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
