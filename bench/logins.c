/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A process that logs in by PLAIN through libsasl2, as often as it is told:
 *
 *     SASL_PATH=PLUGINS logins CONFDIR ROWS PASSWORD [FLOOR ARGUMENT]...
 *
 * CONFDIR holds bench.conf. The users are u0 to u(ROWS - 1), and all of them
 * have the same password. The first line of output is how many nanoseconds
 * sasl_server_init() took. Then each line of input is a command:
 *
 *     warm COUNT             logs in that often; answers "done"
 *     run THREADS COUNT      as often in each thread, 0 being the main one;
 *                            answers with the nanoseconds that it took
 *     enter NAME             logs in as this user; answers "done"
 *     refuse COUNT NAME...   each of these users a wrong password, in random order, that
 *                            often; answers with the nanoseconds of each: "NAME=123"
 *     alternate COUNT        each time an unknown user or a wrong password,
 *                            in random order, until there are as many of both;
 *                            answers with the nanoseconds of each: "u123 w456"
 *
 * It ends at the end of the input. Linked with a floor (floor.h), each login
 * also asks the database through the bare client library.
 */

#include "floor.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sasl/sasl.h>

enum kind { RIGHT, WRONG, UNKNOWN };

enum { THREADS_MAX = 256, NAMES_MAX = 32 };

static const char *directory;
static uint64_t rows;
static const char *password;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "logins: %s\n", what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A random number below `limit`: random enough to keep caches from guessing the next user. */
static uint64_t next_random(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % limit;
}

/* --- libsasl2 */

static int get_configuration_path(void *context, char **path)
{
    (void)context;
    /* libsasl2 frees it. */
    *path = strdup(directory);
    return *path != NULL ? SASL_OK : SASL_NOMEM;
}

/* Some refused users have a value that cannot be read. */
static bool expects_errors;

static int log_line(void *context, int level, const char *message)
{
    (void)context;
    if (level == SASL_LOG_ERR && !expects_errors)
        fprintf(stderr, "logins: %s\n", message);
    return SASL_OK;
}

typedef int (*any_function)(void);

static void *mutex_new(void)
{
    pthread_mutex_t *mutex = malloc(sizeof(*mutex));

    if (mutex == NULL || pthread_mutex_init(mutex, NULL) != 0)
        die("no mutex");
    return mutex;
}

static int mutex_lock(void *mutex)
{
    return pthread_mutex_lock(mutex) == 0 ? SASL_OK : SASL_FAIL;
}

static int mutex_unlock(void *mutex)
{
    return pthread_mutex_unlock(mutex) == 0 ? SASL_OK : SASL_FAIL;
}

static void mutex_free(void *mutex)
{
    pthread_mutex_destroy(mutex);
    free(mutex);
}

/* Does what Postfix's smtpd does. */
static void log_in_as(const char *user, enum kind kind)
{
    char message[1000];
    sasl_security_properties_t properties = {.security_flags = SASL_SEC_NOANONYMOUS};
    sasl_conn_t *connection = NULL;
    const char *reply;
    unsigned reply_length;
    const void *name;
    int length, result;

    length = snprintf(message, sizeof(message), "%c%s%c%s%s", '\0', user, '\0',
                      kind == RIGHT ? "" : "?", password);
    if (sasl_server_new("smtp", "mail.example.com", "example.com", "127.0.0.1;25",
                        "127.0.0.1;40000", NULL, 0, &connection) != SASL_OK ||
        sasl_setprop(connection, SASL_SEC_PROPS, &properties) != SASL_OK)
        die("no connection of libsasl2");
    result =
        sasl_server_start(connection, "PLAIN", message, (unsigned)length, &reply, &reply_length);
    if (kind == RIGHT) {
        if (result == SASL_OK && !floor_verify(user, password))
            result = SASL_BADAUTH;
        if (result != SASL_OK || sasl_getprop(connection, SASL_USERNAME, &name) != SASL_OK)
            die("a right password is refused");
    } else if (result != SASL_BADAUTH && result != SASL_NOUSER) {
        die("a wrong password is not refused");
    }
    sasl_dispose(&connection);
}

static void log_in(enum kind kind, uint64_t *random)
{
    char user[32];

    snprintf(user, sizeof(user), "%c%" PRIu64, kind == UNKNOWN ? 'x' : 'u',
             next_random(random, rows));
    log_in_as(user, kind);
}

/* --- commands */

static void warm(unsigned long count)
{
    uint64_t random = 1;

    while (count-- > 0)
        log_in(RIGHT, &random);
    printf("done\n");
}

/* Not inlined, so that callgrind can be limited to it. */
__attribute__((noinline)) void measured(unsigned long count, uint64_t random);

__attribute__((noinline)) void measured(unsigned long count, uint64_t random)
{
    while (count-- > 0)
        log_in(RIGHT, &random);
}

struct part {
    pthread_t thread;
    unsigned long count;
    uint64_t random;
};

static void *run_part(void *argument)
{
    const struct part *part = argument;

    measured(part->count, part->random);
    return NULL;
}

static void run(unsigned threads, unsigned long count)
{
    static struct part parts[THREADS_MAX];
    static uint64_t seed = 2; /* 1 is for warming up */
    uint64_t start = now();
    unsigned i;

    if (threads > THREADS_MAX)
        die("too many threads");
    if (threads == 0)
        measured(count, seed++);
    for (i = 0; i < threads; i++) {
        parts[i].count = count;
        parts[i].random = seed++;
        if (pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) != 0)
            die("no thread");
    }
    for (i = 0; i < threads; i++)
        pthread_join(parts[i].thread, NULL);
    printf("%" PRIu64 "\n", now() - start);
}

static void alternate(unsigned long count)
{
    uint64_t random = 1, order = 2;
    unsigned long left[] = {[WRONG] = count, [UNKNOWN] = count};

    while (left[WRONG] + left[UNKNOWN] > 0) {
        enum kind kind =
            next_random(&order, left[WRONG] + left[UNKNOWN]) < left[WRONG] ? WRONG : UNKNOWN;
        uint64_t start = now();

        log_in(kind, &random);
        printf("%c%" PRIu64 " ", kind == WRONG ? 'w' : 'u', now() - start);
        left[kind]--;
    }
    printf("\n");
}

static void enter(const char *name)
{
    log_in_as(name, RIGHT);
    printf("done\n");
}

static void refuse(char *arguments)
{
    static uint64_t order = 3;
    const char *names[NAMES_MAX];
    unsigned long left[NAMES_MAX], count = strtoul(arguments, &arguments, 10), all = 0;
    unsigned known = 0;
    char *name, *rest = NULL;

    for (name = strtok_r(arguments, " \n", &rest); name != NULL && known < NAMES_MAX;
         name = strtok_r(NULL, " \n", &rest)) {
        names[known] = name;
        left[known++] = count;
        all += count;
    }
    expects_errors = true;
    for (; all > 0; all--) {
        uint64_t chosen = next_random(&order, all), start;
        unsigned i = 0;

        while (chosen >= left[i])
            chosen -= left[i++];
        left[i]--;
        start = now();
        log_in_as(names[i], WRONG);
        printf("%s=%" PRIu64 " ", names[i], now() - start);
    }
    expects_errors = false;
    printf("\n");
}

int main(int argc, char **argv)
{
    static const sasl_callback_t callbacks[] = {
        {SASL_CB_GETCONFPATH, (any_function)(void (*)(void))get_configuration_path, NULL},
        {SASL_CB_LOG, (any_function)(void (*)(void))log_line, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    char line[1000], name[32];
    uint64_t start;

    if (argc < 4 || (rows = strtoull(argv[2], NULL, 10)) == 0)
        die("arguments: CONFDIR ROWS PASSWORD [FLOOR ARGUMENT]...");
    directory = argv[1];
    password = argv[3];
    sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);

    start = now();
    if (sasl_server_init(callbacks, "bench") != SASL_OK)
        die("libsasl2 does not start");
    printf("%" PRIu64 "\n", now() - start);
    fflush(stdout);
    if (!floor_open(argc - 4, argv + 4))
        die("the database cannot be asked");

    while (fgets(line, sizeof(line), stdin) != NULL) {
        unsigned long count;
        unsigned threads;

        if (sscanf(line, "warm %lu", &count) == 1)
            warm(count);
        else if (sscanf(line, "run %u %lu", &threads, &count) == 2)
            run(threads, count);
        else if (sscanf(line, "alternate %lu", &count) == 1)
            alternate(count);
        else if (strncmp(line, "refuse ", 7) == 0)
            refuse(line + 7);
        else if (sscanf(line, "enter %31s", name) == 1)
            enter(name);
        else
            die("this is no command");
        fflush(stdout);
    }
    sasl_done();
    return 0;
}
