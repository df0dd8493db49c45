/* SPDX-License-Identifier: BSD-3-Clause */

/* Effects of the plug-ins that the host should not see, in a program that has never used the
 * client library before: signals, descriptors, environment, locale, threads. */

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "support/alice.h"

#define SETTING "$1$salt"

enum { MOST_SESSIONS = 8 };

static const char *self; /* the path of this program */

/* Every test function starts with this. */
static const struct run *started(void **state)
{
    return make_alice(state, SETTING);
}

static void expect_logins(void)
{
    int right = login_plain("alice", RIGHT), wrong = login_plain("alice", "wrong");

    if (right != SASL_OK || wrong != SASL_BADAUTH)
        print_error("%s", program_log());
    assert_int_equal(right, SASL_OK);
    assert_int_equal(wrong, SASL_BADAUTH);
}

static void nap(unsigned milliseconds)
{
    poll(NULL, 0, (int)milliseconds);
}

enum { PROBE_SOCKET = 3 };

/* Asks the test to make the server end all sessions. */
static void ask_to_end_sessions(void)
{
    char answer = 0;

    assert_int_equal(write(PROBE_SOCKET, "e", 1), 1);
    assert_int_equal(read(PROBE_SOCKET, &answer, 1), 1);
    assert_int_equal(answer, 'o');
}

/* --- signals */

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
    (void)number;
    caught++;
}

enum { SIGNALS = 32 };

struct signals {
    void (*handlers[SIGNALS])(int);
    int flags[SIGNALS];
    bool blocked[SIGNALS];
    bool pending[SIGNALS];
};

static struct signals read_signals(void)
{
    struct signals signals = {0};
    sigset_t mask, pending;
    int i;

    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    sigpending(&pending);
    for (i = 1; i < SIGNALS; i++) {
        struct sigaction action;

        assert_int_equal(sigaction(i, NULL, &action), 0);
        signals.handlers[i] = action.sa_handler;
        signals.flags[i] = action.sa_flags;
        signals.blocked[i] = sigismember(&mask, i) == 1;
        signals.pending[i] = sigismember(&pending, i) == 1;
    }
    return signals;
}

static void expect_signals(const struct signals *want, const char *when)
{
    const struct signals now = read_signals();
    int i;

    for (i = 1; i < SIGNALS; i++) {
        if (now.handlers[i] != want->handlers[i] || now.flags[i] != want->flags[i] ||
            now.blocked[i] != want->blocked[i] || now.pending[i] != want->pending[i])
            print_error("signal %d has changed %s\n", i, when);
        assert_true(now.handlers[i] == want->handlers[i]);
        assert_int_equal(now.flags[i], want->flags[i]);
        assert_int_equal(now.blocked[i], want->blocked[i]);
        assert_int_equal(now.pending[i], want->pending[i]);
    }
    assert_int_equal(caught, 0);
}

static void probe_signals_with(const char *configuration, void (*handler)(int))
{
    const struct sigaction action = {.sa_handler = handler};
    struct signals before;
    unsigned i;

    assert_int_equal(sigaction(SIGPIPE, &action, NULL), 0);
    before = read_signals();
    program_start(NULL, configuration);
    expect_signals(&before, "with the start");
    expect_logins();
    expect_signals(&before, "with the first login");
    for (i = 0; i < 3; i++) {
        /* With the default action, SIGPIPE would end this program now. */
        ask_to_end_sessions();
        expect_logins();
        expect_signals(&before, "with a session that has ended");
    }
    ask_to_end_sessions();
    program_stop();
    expect_signals(&before, "with the end");
}

static void probe_default_signals(void **state)
{
    probe_signals_with(*state, SIG_DFL);
}

static void probe_caught_signals(void **state)
{
    probe_signals_with(*state, catch_signal);
}

static void probe_ignored_signals(void **state)
{
    probe_signals_with(*state, SIG_IGN);
}

static void probe_blocked_signals(void **state)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGCHLD);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    probe_signals_with(*state, SIG_DFL);
}

/* --- descriptors */

enum { MOST_DESCRIPTORS = 256 };

static void read_descriptors(bool *open_ones)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    assert_non_null(directory);
    memset(open_ones, 0, MOST_DESCRIPTORS);
    while ((entry = readdir(directory)) != NULL) {
        int number = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && number != dirfd(directory) && number < MOST_DESCRIPTORS)
            open_ones[number] = true;
    }
    closedir(directory);
}

/* Counts the new ones. execve(2) must close each of them. */
static unsigned count_new_descriptors(const bool *before)
{
    bool now[MOST_DESCRIPTORS];
    unsigned count = 0;
    int i;

    read_descriptors(now);
    for (i = 0; i < MOST_DESCRIPTORS; i++) {
        char path[40], target[200] = "";
        int flags;

        if (!now[i] || before[i])
            continue;
        count++;
        flags = fcntl(i, F_GETFD);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
        if (readlink(path, target, sizeof(target) - 1) < 0)
            target[0] = '\0';
        if (flags < 0 || (flags & FD_CLOEXEC) == 0)
            print_error("descriptor %d, %s, is inherited\n", i, target);
        assert_true(flags >= 0 && (flags & FD_CLOEXEC) != 0);
    }
    return count;
}

static void probe_descriptors(void **state)
{
    bool before[MOST_DESCRIPTORS];
    unsigned kept, i;

    read_descriptors(before);
    program_start(NULL, *state);
    assert_int_equal(count_new_descriptors(before), 0);
    expect_logins();
    kept = count_new_descriptors(before);
    assert_true(kept > 0);
    for (i = 0; i < 100; i++)
        expect_logins();
    assert_int_equal(count_new_descriptors(before), kept);
    for (i = 0; i < 5; i++) {
        ask_to_end_sessions();
        expect_logins();
    }
    assert_int_equal(count_new_descriptors(before), kept);
    program_stop();
    assert_int_equal(count_new_descriptors(before), 0);
}

/* --- the rest of a process */

extern char **environ;

static char *read_environment(void)
{
    size_t size = 1, i;
    char *text;

    for (i = 0; environ[i] != NULL; i++)
        size += strlen(environ[i]) + 1;
    text = calloc(1, size);
    assert_non_null(text);
    for (i = 0; environ[i] != NULL; i++)
        strcat(strcat(text, environ[i]), "\n");
    return text;
}

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

/* The thread sanitizer starts one of its own when the first other one starts. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
enum { TASKS_MAX = 2 };
#else
enum { TASKS_MAX = 1 };
#endif

static unsigned count_threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static mode_t read_umask(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return mask;
}

static void probe_process(void **state)
{
    char *environment = read_environment(), *later;
    char *locale = strdup(setlocale(LC_ALL, NULL));
    char before[4096], after[4096];
    mode_t mask = read_umask();
    unsigned i;

    assert_non_null(locale);
    assert_non_null(getcwd(before, sizeof(before)));
    program_start(NULL, *state);
    for (i = 0; i < 3; i++) {
        expect_logins();
        ask_to_end_sessions();
    }
    program_stop();
    later = read_environment();
    assert_string_equal(later, environment);
    assert_string_equal(setlocale(LC_ALL, NULL), locale);
    assert_non_null(getcwd(after, sizeof(after)));
    assert_string_equal(after, before);
    assert_int_equal(read_umask(), mask);
    nap(50); /* a name lookup may be about to end */
    assert_true(count_threads() <= TASKS_MAX);
    free(environment);
    free(later);
    free(locale);
}

/* --- how a probe is run */

static const struct probe {
    const char *name;
    CMUnitTestFunction function;
} probes[] = {
    {"SIGPIPE by default", probe_default_signals},
    {"SIGPIPE caught", probe_caught_signals},
    {"SIGPIPE ignored", probe_ignored_signals},
    {"SIGPIPE blocked", probe_blocked_signals},
    {"descriptors", probe_descriptors},
    {"environment, locale, threads", probe_process},
};

/* What the new program does. Only its output about a failure is shown. */
static int be_probe(const char *name, char *configuration)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    size_t i;

    alarm(300);
    dup2(nowhere, STDOUT_FILENO);
    setenv("CMOCKA_MESSAGE_OUTPUT", "stdout", 1);
    for (i = 0; i < COUNT(probes); i++)
        if (strcmp(probes[i].name, name) == 0) {
            const struct CMUnitTest tests[] = {
                {probes[i].name, probes[i].function, NULL, NULL, configuration}};

            return cmocka_run_group_tests_name("probe", tests, NULL, NULL) == 0 ? 0 : 1;
        }
    return 2;
}

static void start_probe(const char *name, const char *configuration, int descriptor)
{
    char *const arguments[] = {(char *)(uintptr_t)self, (char *)(uintptr_t)name,
                               (char *)(uintptr_t)configuration, NULL};

    if (descriptor != PROBE_SOCKET)
        dup2(descriptor, PROBE_SOCKET);
    else
        fcntl(PROBE_SOCKET, F_SETFD, 0);
    execv(self, arguments);
    _exit(3);
}

/* Does what the probe asks for, until the probe ends. */
static void serve_probe(const struct run *run, int descriptor)
{
    char request;

    while (read(descriptor, &request, 1) == 1) {
        if (!run->fixture->is_file)
            mail_users_end_sessions();
        if (write(descriptor, "o", 1) != 1)
            return;
    }
}

static void run_probe(const struct run *run, const char *options)
{
    const struct probe *probe = run->row;
    const char *configuration = mail_users_configuration(options);
    int ends[2], status = 0;
    pid_t child;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        start_probe(probe->name, configuration, ends[1]);
    close(ends[1]);
    serve_probe(run, ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        print_error("the program died of signal %d\n", WTERMSIG(status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void host_notices_nothing(void **state)
{
    run_probe(started(state), "");
}

static void host_notices_nothing_of_a_network(void **state)
{
    const char *port;
    char options[200];
    const struct run *run = started(state);

    port = strrchr(mail_users_host(true), ':');
    assert_non_null(port);
    snprintf(options, sizeof(options), "sql_hostnames: localhost%s\n", port);
    run_probe(run, options);
}

/* --- the list */

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD_ROWS(list, fixture, host_notices_nothing, probes);
    if (!fixture->is_file)
        RUN_ADD_ROWS(list, fixture, host_notices_nothing_of_a_network, probes);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc == 3)
        return be_probe(argv[1], argv[2]);
    alarm(900); /* a login that never ends is stopped here */
    return run_all("guest", NULL, remove_users, add_all);
}
