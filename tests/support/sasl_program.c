/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/sasl_program.h"

#include <dlfcn.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

enum { OPTIONS_MAX = 40, SECRETS_MAX = 64 };

static struct option {
    char name[40];
    char value[1000];
} options[OPTIONS_MAX];
static size_t option_count;

/* Threads add to it without a lock, which another could hold while the process
 * forks: each reserves the room that it needs. */
static char log_text[4000000];
static atomic_size_t log_length;
static atomic_bool log_is_full;

static char *secrets[SECRETS_MAX];
static size_t secret_count;

static char plugin_path[4000];
static sasl_callback_t callbacks[20];
static bool running;

/* --- log */

/* What libsasl2 itself logs at debug level about each plug-in that it loads. */
static bool is_noise(const char *text)
{
    return strstr(text, "_sasl_plugin_load failed on sasl_auxprop_plug_init") != NULL ||
           strstr(text, "unable to get entry point") != NULL ||
           strstr(text, "looking for plugins in") != NULL;
}

static void add_to_log(const char *level, const char *text)
{
    char line[4000];
    size_t length, at;

    if (is_noise(text))
        return;
    snprintf(line, sizeof(line), "%s %s%s", level, text,
             text[0] != '\0' && text[strlen(text) - 1] == '\n' ? "" : "\n");
    length = strlen(line);
    at = atomic_fetch_add(&log_length, length);
    if (length == sizeof(line) - 1 || at + length >= sizeof(log_text))
        log_is_full = true;
    else
        memcpy(log_text + at, line, length);
}

static int log_line(void *context, int level, const char *message)
{
    static const char *const names[] = {"NONE", "ERR", "FAIL", "WARN", "NOTE", "DEBUG"};

    (void)context;
    add_to_log(level >= 0 && level <= SASL_LOG_DEBUG ? names[level] : "?", message);
    return SASL_OK;
}

/* These replace libc's functions, in this program and for libsasl2. */
void syslog(int priority, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments);

static void log_to_syslog(const char *format, va_list arguments)
{
    char text[2000];

    vsnprintf(text, sizeof(text), format, arguments);
    add_to_log("init", text);
}

void syslog(int priority, const char *format, ...)
{
    va_list arguments;

    (void)priority;
    va_start(arguments, format);
    log_to_syslog(format, arguments);
    va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    (void)priority, (void)flag;
    va_start(arguments, format);
    log_to_syslog(format, arguments);
    va_end(arguments);
}

/* What clang makes of syslog(3) */
void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments)
{
    (void)priority, (void)flag;
    log_to_syslog(format, arguments);
}

const char *program_log(void)
{
    return log_text;
}

void program_clear_log(void)
{
    memset(log_text, 0, log_length < sizeof(log_text) ? log_length : sizeof(log_text));
    log_length = 0;
    log_is_full = false;
}

unsigned program_log_count(const char *text)
{
    const char *line = log_text;
    unsigned count = 0;

    while (*line != '\0') {
        size_t length = strcspn(line, "\n");

        count += memmem(line, length, text, strlen(text)) != NULL;
        line += length + (line[length] != '\0');
    }
    return count;
}

void program_secret(const char *text)
{
    assert_true(secret_count < SECRETS_MAX);
    secrets[secret_count] = strdup(text);
    assert_non_null(secrets[secret_count++]);
}

static void forget_secrets(void)
{
    while (secret_count > 0)
        free(secrets[--secret_count]);
}

static void check_secrets(void)
{
    size_t i;

    assert_false(log_is_full);
    for (i = 0; i < secret_count; i++)
        if (strstr(log_text, secrets[i]) != NULL)
            fail_msg("a secret was logged:\n%s", log_text);
}

/* --- start and stop */

/* Reads like libsasl2, except that values may be empty. */
static void read_configuration(const char *text)
{
    option_count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *colon = memchr(text, ':', length);
        const char *value;

        assert_non_null(colon);
        assert_true(option_count < OPTIONS_MAX);
        value = colon + 1;
        value += strspn(value, " ");
        snprintf(options[option_count].name, sizeof(options[0].name), "%.*s", (int)(colon - text),
                 text);
        snprintf(options[option_count].value, sizeof(options[0].value), "%.*s",
                 (int)(text + length - value), value);
        option_count++;
        text += length + (text[length] != '\0');
    }
}

void program_answer(const char *name, const char *value)
{
    size_t i = 0;

    while (i < option_count && strcmp(options[i].name, name) != 0)
        i++;
    assert_true(i < option_count);
    snprintf(options[i].value, sizeof(options[i].value), "%s", value);
}

static int get_option(void *context, const char *plugin, const char *name, const char **value,
                      unsigned *length)
{
    size_t i;

    (void)context, (void)plugin;
    for (i = 0; i < option_count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            *value = options[i].value;
            if (length != NULL)
                *length = (unsigned)strlen(*value);
            return SASL_OK;
        }
    }
    return SASL_FAIL;
}

static int get_path(void *context, const char **path)
{
    (void)context;
    *path = plugin_path;
    return SASL_OK;
}

typedef void (*any_function)(void);

static sasl_callback_t callback(unsigned long id, any_function function)
{
    return (sasl_callback_t){id, (int (*)(void))function, NULL};
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    assert_non_null(value);
    return value;
}

/* Keeps all plug-ins of a folder in memory, so that leak checkers can name
 * functions of one that has been unloaded. */
static void pin_plugins(const char *directory)
{
    char pattern[4100];
    glob_t found;
    size_t i;

    snprintf(pattern, sizeof(pattern), "%s/*.so", directory);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (i = 0; i < found.gl_pathc; i++)
        assert_non_null(dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
    globfree(&found);
}

static void pin_all_plugins(void)
{
    char drivers[4100];

    snprintf(drivers, sizeof(drivers), "%s/sqlcrypt", environment(OUR_PLUGINS));
    pin_plugins(environment(OUR_PLUGINS));
    pin_plugins(environment(STOCK_PLUGINS));
    pin_plugins(drivers);
}

void program_start(const char *plugins, const char *configuration)
{
    program_start_with(plugins, configuration, NULL);
}

void program_start_with(const char *plugins, const char *configuration,
                        const sasl_callback_t *extra)
{
    size_t count = 0;

    if (getenv("TEST_PIN_PLUGINS") != NULL)
        pin_all_plugins();
    if (plugins != NULL)
        snprintf(plugin_path, sizeof(plugin_path), "%s", plugins);
    else
        snprintf(plugin_path, sizeof(plugin_path), "%s:%s", environment(OUR_PLUGINS),
                 environment(STOCK_PLUGINS));
    program_clear_log();
    read_configuration(configuration);
    callbacks[count++] = callback(SASL_CB_LOG, (any_function)log_line);
    callbacks[count++] = callback(SASL_CB_GETOPT, (any_function)get_option);
    callbacks[count++] = callback(SASL_CB_GETPATH, (any_function)get_path);
    while (extra != NULL && extra->id != SASL_CB_LIST_END)
        callbacks[count++] = *extra++;
    callbacks[count] = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    /* Without a name of the program, libsasl2 reads no file. */
    assert_int_equal(sasl_server_init(callbacks, NULL), SASL_OK);
    assert_int_equal(sasl_client_init(callbacks), SASL_OK);
    running = true;
}

static void stop_running(void)
{
    if (running) {
        sasl_client_done();
        sasl_server_done();
    }
    running = false;
}

void program_abandon(void)
{
    stop_running();
    forget_secrets();
}

void program_stop(void)
{
    stop_running();
    check_secrets();
    forget_secrets();
}

/* --- logins */

sasl_conn_t *program_connection(void)
{
    sasl_conn_t *connection = NULL;

    assert_int_equal(sasl_server_new("smtp", "mx.example.com", "example.com", "192.0.2.1;25",
                                     "192.0.2.7;4711", NULL, SASL_SUCCESS_DATA, &connection),
                     SASL_OK);
    return connection;
}

const char *program_mechanisms(void)
{
    static char names[1000];
    sasl_conn_t *connection = program_connection();
    const char *list = "";

    assert_int_equal(sasl_listmech(connection, NULL, "", " ", "", &list, NULL, NULL), SASL_OK);
    snprintf(names, sizeof(names), "%s", list);
    sasl_dispose(&connection);
    return names;
}

/* After a success, what the program takes for the user's name must be correct. */
static void check_user_name(sasl_conn_t *connection, int result, const char *user)
{
    const void *name = NULL;

    if (result != SASL_OK)
        return;
    assert_int_equal(sasl_getprop(connection, SASL_USERNAME, &name), SASL_OK);
    assert_int_equal(strncmp(name, user, strlen(user)), 0);
}

int login_plain_message(const char *message, size_t length)
{
    sasl_conn_t *connection = program_connection();
    const char *reply;
    unsigned reply_length;
    int result =
        sasl_server_start(connection, "PLAIN", message, (unsigned)length, &reply, &reply_length);

    sasl_dispose(&connection);
    return result;
}

int login_plain_as(const char *authzid, const char *user, const char *password)
{
    char message[20000];
    int length = snprintf(message, sizeof(message), "%s%c%s%c%s", authzid, 0, user, 0, password);

    assert_true(length > 0 && (size_t)length < sizeof(message));
    return login_plain_message(message, (size_t)length);
}

int login_plain(const char *user, const char *password)
{
    return login_plain_as("", user, password);
}

static int login_steps(const char *initial, const char *user, const char *password)
{
    sasl_conn_t *connection = program_connection();
    const char *reply;
    unsigned length;
    int result =
        sasl_server_start(connection, "LOGIN", initial,
                          initial != NULL ? (unsigned)strlen(initial) : 0, &reply, &length);

    if (initial == NULL) {
        assert_int_equal(result, SASL_CONTINUE);
        assert_int_equal(length, 9);
        assert_memory_equal(reply, "Username:", 9);
        result = sasl_server_step(connection, user, (unsigned)strlen(user), &reply, &length);
    }
    if (result == SASL_CONTINUE) {
        assert_int_equal(length, 9);
        assert_memory_equal(reply, "Password:", 9);
        result =
            sasl_server_step(connection, password, (unsigned)strlen(password), &reply, &length);
        check_user_name(connection, result, user);
    }
    sasl_dispose(&connection);
    return result;
}

int login_login(const char *user, const char *password)
{
    return login_steps(NULL, user, password);
}

int login_login_initial(const char *user, const char *password)
{
    return login_steps(user, user, password);
}

int login_checkpass(const char *user, const char *password)
{
    sasl_conn_t *connection = program_connection();
    int result = sasl_checkpass(connection, user, (unsigned)strlen(user), password,
                                (unsigned)strlen(password));

    sasl_dispose(&connection);
    return result;
}

static int give_name(void *context, int id, const char **result, unsigned *length)
{
    (void)id;
    *result = context;
    if (length != NULL)
        *length = (unsigned)strlen(*result);
    return SASL_OK;
}

static int give_secret(sasl_conn_t *connection, void *context, int id, sasl_secret_t **secret)
{
    (void)connection, (void)id;
    *secret = context;
    return SASL_OK;
}

bool login_knows(const char *mechanism)
{
    const char **name = sasl_global_listmech();

    while (name != NULL && *name != NULL && strcmp(*name, mechanism) != 0)
        name++;
    return name != NULL && *name != NULL;
}

int login_by(const char *mechanism, const char *user, const char *password)
{
    sasl_conn_t *server = program_connection();
    int result = login_over(server, mechanism, user, password);

    sasl_dispose(&server);
    return result;
}

int login_over(sasl_conn_t *server, const char *mechanism, const char *user, const char *password)
{
    size_t length = strlen(password);
    sasl_secret_t *secret = malloc(sizeof(*secret) + length + 1);
    sasl_callback_t client_callbacks[] = {
        {SASL_CB_USER, (int (*)(void))(any_function)give_name, (void *)(uintptr_t)user},
        {SASL_CB_AUTHNAME, (int (*)(void))(any_function)give_name, (void *)(uintptr_t)user},
        {SASL_CB_PASS, (int (*)(void))(any_function)give_secret, secret},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    sasl_conn_t *client = NULL;
    const char *to_server = NULL, *to_client = NULL, *chosen;
    unsigned to_server_length = 0, to_client_length = 0;
    int client_result, result;

    assert_non_null(secret);
    secret->len = length;
    memcpy(secret->data, password, length + 1);
    assert_int_equal(sasl_client_new("smtp", "mx.example.com", "192.0.2.7;4711", "192.0.2.1;25",
                                     client_callbacks, SASL_SUCCESS_DATA, &client),
                     SASL_OK);
    client_result =
        sasl_client_start(client, mechanism, NULL, &to_server, &to_server_length, &chosen);
    assert_true(client_result == SASL_OK || client_result == SASL_CONTINUE);
    result = sasl_server_start(server, mechanism, to_server, to_server_length, &to_client,
                               &to_client_length);
    while (result == SASL_CONTINUE) {
        client_result = sasl_client_step(client, to_client, to_client_length, NULL, &to_server,
                                         &to_server_length);
        if (client_result != SASL_OK && client_result != SASL_CONTINUE) {
            result = client_result;
            break;
        }
        result =
            sasl_server_step(server, to_server, to_server_length, &to_client, &to_client_length);
    }
    sasl_dispose(&client);
    free(secret);
    return result;
}
