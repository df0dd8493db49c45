/* SPDX-License-Identifier: BSD-3-Clause */

/* Sessions kept between logins, through the real libsasl2: threads, forks, and servers that end
 * sessions or accept none. */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/deadline.h"
#include "support/alice.h"

#define SETTING "$1$salt"

enum { MOST_SESSIONS = 8 };

/* Every test function starts with this. */
static const struct run *started(void **state)
{
    return make_alice(state, SETTING);
}

static bool logs_in(void)
{
    return login_plain("alice", RIGHT) == SASL_OK && login_plain("alice", "wrong") == SASL_BADAUTH;
}

static void expect_logins(void)
{
    int right = login_plain("alice", RIGHT), wrong = login_plain("alice", "wrong");

    if (right != SASL_OK || wrong != SASL_BADAUTH)
        print_error("%s", program_log());
    assert_int_equal(right, SASL_OK);
    assert_int_equal(wrong, SASL_BADAUTH);
}

static void expect_outage(void)
{
    assert_int_equal(login_plain("alice", RIGHT), SASL_UNAVAIL);
    assert_int_equal(login_plain("alice", "wrong"), SASL_UNAVAIL);
}

static unsigned count_words(const char *text)
{
    unsigned count = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");

        count += length > 0;
        text += length + (text[length] == ' ');
    }
    return count;
}

static void nap(unsigned milliseconds)
{
    poll(NULL, 0, (int)milliseconds);
}

/* --- sessions that are kept */

static void keeps_one_session(void **state)
{
    char *first, *last;
    unsigned i;

    started(state);
    start("");
    expect_logins();
    first = mail_users_sessions();
    assert_int_equal(count_words(first), 1);
    for (i = 0; i < 50; i++)
        expect_logins();
    last = mail_users_sessions();
    assert_string_equal(last, first);
    free(first);
    free(last);
    expect_errors(0);
    program_stop();
    assert_true(mail_users_wait_for_no_sessions());
}

static void keeps_none_unless_told(void **state)
{
    started(state);
    start("sql_persistent: no\n");
    expect_logins();
    assert_true(mail_users_wait_for_no_sessions());
    expect_logins();
    assert_true(mail_users_wait_for_no_sessions());
    expect_errors(0);
    program_stop();
}

/* Ended sessions are replaced unnoticed. */
static void replaces_what_has_ended(void **state)
{
    unsigned i;

    started(state);
    start("");
    for (i = 0; i < 5; i++) {
        expect_logins();
        mail_users_end_sessions();
    }
    expect_logins();
    expect_errors(0);
    assert_int_equal(program_log_count("WARN "), 0);
    program_stop();
}

/* Does not wait until there are none: there may be a new one by then. */
static void *end_sessions_and_unlock_soon(void *context)
{
    const struct run *run = context;
    bool done;

    nap(200);
    done = run->fixture->end_sessions();
    nap(200);
    return run->fixture->unlock() && done ? context : NULL;
}

/* Also if it ends during a request: once. */
static void asks_again_when_ended_meanwhile(void **state)
{
    void *done = NULL;
    pthread_t thread;
    int result;

    started(state);
    start("");
    expect_logins();
    mail_users_lock();
    assert_int_equal(pthread_create(&thread, NULL, end_sessions_and_unlock_soon, *state), 0);
    result = login_plain("alice", RIGHT);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    assert_int_equal(result, SASL_OK);
    expect_logins();
    expect_errors(0);
    program_stop();
}

/* --- time and room */

static void lock_is_an_outage_in_time(void **state)
{
    struct deadline start_of_time;
    int waited;

    started(state);
    start("sql_timeout: 1.5\n");
    expect_logins();
    mail_users_lock();
    start_of_time = deadline_after(600000);
    expect_outage();
    waited = 600000 - deadline_remaining(&start_of_time);
    assert_in_range(waited, 2700, 9000);
    expect_errors(2);
    mail_users_unlock();
    expect_logins();
    expect_errors(2);
    program_stop();
}

static void full_server_is_an_outage_in_time(void **state)
{
    struct deadline start_of_time;
    int waited;

    started(state);
    mail_users_fill_server();
    start("sql_timeout: 0.4\n");
    start_of_time = deadline_after(600000);
    expect_outage();
    waited = 600000 - deadline_remaining(&start_of_time);
    assert_in_range(waited, 300, 6000); /* it was asked more than once */
    expect_errors(2);
    program_stop();
    mail_users_unfill_server();
    start("");
    expect_logins();
    program_stop();
}

static void wrong_database_password_is_an_outage(void **state)
{
    started(state);
    program_secret("open sesame");
    start("sql_passwd: open sesame\n");
    expect_outage();
    expect_errors(2);
    assert_true(mail_users_wait_for_no_sessions());
    program_stop();
}

/* --- several hosts */

static const struct dead {
    const char *name;
    bool listening; /* but mute */
} deads[] = {{"refused", false}, {"mute", true}};

static void passes_a_dead_host_over(void **state)
{
    const struct dead *row = started(state)->row;
    struct deadline start_of_time;
    unsigned port;
    int descriptor = run_mute_socket(row->listening, &port), waited;
    char options[1000];

    snprintf(options, sizeof(options), "sql_timeout: 2\nsql_hostnames: 127.0.0.1:%u, %s\n", port,
             mail_users_host(false));
    start(options);
    expect_logins();
    expect_errors(0);
    assert_int_equal(program_log_count("WARN sqlcrypt"), 1);
    assert_contains(program_log(), mail_users_host(false));
    /* It is not tried at each login. */
    start_of_time = deadline_after(600000);
    expect_logins();
    expect_logins();
    waited = 600000 - deadline_remaining(&start_of_time);
    if (row->listening)
        assert_in_range(waited, 0, 900);
    assert_int_equal(program_log_count("WARN sqlcrypt"), 1);
    /* Nor if the session has to be replaced. */
    mail_users_end_sessions();
    expect_logins();
    assert_int_equal(program_log_count("WARN sqlcrypt"), 1);
    expect_errors(0);
    close(descriptor);
    program_stop();
}

static void all_hosts_dead_is_an_outage(void **state)
{
    const struct dead *row = started(state)->row;
    unsigned first, second;
    int descriptors[2] = {run_mute_socket(row->listening, &first),
                          run_mute_socket(row->listening, &second)};
    char options[200], name[40];

    snprintf(options, sizeof(options),
             "sql_timeout: 0.5\nsql_hostnames: 127.0.0.1:%u 127.0.0.1:%u\n", first, second);
    start(options);
    expect_outage();
    expect_errors(2);
    snprintf(name, sizeof(name), "127.0.0.1:%u", first);
    assert_int_equal(program_log_count(name), 2);
    snprintf(name, sizeof(name), "127.0.0.1:%u", second);
    assert_int_equal(program_log_count(name), 2);
    close(descriptors[0]);
    close(descriptors[1]);
    program_stop();
}

static void address_and_name_reach_the_server(void **state)
{
    const char *port;
    char options[200];

    started(state);
    snprintf(options, sizeof(options), "sql_hostnames: %s\n", mail_users_host(true));
    start(options);
    expect_logins();
    program_stop();
    port = strrchr(mail_users_host(true), ':');
    assert_non_null(port);
    snprintf(options, sizeof(options), "sql_hostnames: localhost%s\n", port);
    start(options);
    expect_logins();
    expect_errors(0);
    program_stop();
}

/* --- threads */

enum { USERS = 7, LOGINS = 20, MOST_THREADS = 64 };

static atomic_bool stop_threads;

struct worker {
    pthread_t thread;
    unsigned user;
    unsigned logins; /* to do; 0 until it is stopped */
    unsigned done;
    unsigned failed;
};

static void name_user(unsigned number, char *name, char *password)
{
    sprintf(name, "user%u", number % USERS);
    sprintf(password, "password %u", number % USERS);
}

static void add_users(void)
{
    char name[20], password[30];
    unsigned i;

    for (i = 0; i < USERS; i++) {
        name_user(i, name, password);
        mail_users_add(name, hash_of(password, SETTING));
    }
}

/* Each password is wrong here, but right for another user. */
static void *work(void *context)
{
    struct worker *worker = context;
    char name[20], password[30], other_name[20], other_password[30];

    name_user(worker->user, name, password);
    name_user(worker->user + 1, other_name, other_password);
    while (worker->logins == 0 ? !stop_threads : worker->done < worker->logins) {
        bool right = worker->done % 2 == 0;
        int result = login_plain(name, right ? password : other_password);

        worker->failed += result != (right ? SASL_OK : SASL_BADAUTH);
        worker->done++;
    }
    return NULL;
}

static void start_workers(struct worker *workers, unsigned count, unsigned logins)
{
    unsigned i;

    stop_threads = false;
    for (i = 0; i < count; i++) {
        workers[i] = (struct worker){.user = i, .logins = logins};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static unsigned join_workers(struct worker *workers, unsigned count)
{
    unsigned failed = 0, i;

    stop_threads = true;
    for (i = 0; i < count; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        failed += workers[i].failed;
    }
    return failed;
}

struct watch {
    atomic_bool stop;
    unsigned most;
};

static void *count_sessions(void *context)
{
    struct watch *watch = context;

    while (!watch->stop) {
        char *sessions = mail_users_sessions();
        unsigned count = count_words(sessions);

        free(sessions);
        if (count > watch->most)
            watch->most = count;
        nap(2);
    }
    return NULL;
}

static void threads_share_sessions(void **state)
{
    const struct run *run = started(state);
    struct worker workers[MOST_THREADS];
    struct watch watch = {.most = 0};
    unsigned failed;
    pthread_t watcher;

    add_users();
    start("sql_timeout: 120\n");
    if (!run->fixture->is_file)
        assert_int_equal(pthread_create(&watcher, NULL, count_sessions, &watch), 0);
    start_workers(workers, MOST_THREADS, LOGINS);
    failed = join_workers(workers, MOST_THREADS);
    watch.stop = true;
    if (!run->fixture->is_file) {
        assert_int_equal(pthread_join(watcher, NULL), 0);
        assert_in_range(watch.most, 1, MOST_SESSIONS);
    }
    if (failed != 0)
        print_error("%u logins failed: %.3000s", failed, program_log());
    assert_int_equal(failed, 0);
    expect_errors(0);
    assert_int_equal(program_log_count("FAIL "), MOST_THREADS * LOGINS / 2);
    assert_int_equal(program_log_count("\": wrong password"), MOST_THREADS * LOGINS / 2);
    expect_logins();
    program_stop();
    if (!run->fixture->is_file)
        assert_true(mail_users_wait_for_no_sessions());
}

/* The server ends all sessions again and again. Each is replaced once, and
 * losing two in a row is an outage, but no right password is reported as wrong. */
static void threads_survive_a_server(void **state)
{
    enum { THREADS = 12 };
    struct worker workers[THREADS];
    unsigned i;

    started(state);
    add_users();
    start("sql_timeout: 120\n");
    start_workers(workers, THREADS, 0);
    for (i = 0; i < 5; i++) {
        nap(50);
        assert_true(((const struct run *)*state)->fixture->end_sessions());
    }
    join_workers(workers, THREADS);
    for (i = 0; i < THREADS; i++)
        assert_true(workers[i].failed <= workers[i].done);
    assert_int_equal(program_log_count("no such user"), 0);
    assert_int_equal(program_log_count("locked"), 0);
    expect_logins();
    program_stop();
}

/* --- forks */

/* Tools that watch the child exit would take what it leaves alone for a leak. */
static void end_child(bool good)
{
    if (good)
        kill(getpid(), SIGKILL);
    _exit(1);
}

static bool ends_good(pid_t child)
{
    int status = 0;

    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL;
}

static void expect_good_child(pid_t child)
{
    assert_true(ends_good(child));
}

/* Two processes that alternate. */
struct turns {
    int to_child[2], to_parent[2];
};

static void make_turns(struct turns *turns)
{
    assert_int_equal(pipe(turns->to_child), 0);
    assert_int_equal(pipe(turns->to_parent), 0);
}

static void close_turns(const struct turns *turns)
{
    close(turns->to_child[0]);
    close(turns->to_child[1]);
    close(turns->to_parent[0]);
    close(turns->to_parent[1]);
}

static bool pass_turn(int descriptor)
{
    return write(descriptor, "x", 1) == 1;
}

/* At most a minute, in case the other process is gone. */
static bool await_turn(int descriptor)
{
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};
    char byte;

    return poll(&ready, 1, 60000) == 1 && read(descriptor, &byte, 1) == 1;
}

/* Logs in, and ends the session it has opened, while the parent continues. */
static void be_child(const struct turns *turns)
{
    bool good =
        logs_in() && pass_turn(turns->to_parent[1]) && await_turn(turns->to_child[0]) && logs_in();

    program_abandon();
    end_child(good);
}

static void child_leaves_the_parent_alone(void **state)
{
    const struct run *run = started(state);
    char *before = NULL, *during, *after;
    struct turns turns;
    pid_t child;

    start("");
    expect_logins();
    if (!run->fixture->is_file)
        before = mail_users_sessions();
    make_turns(&turns);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_child(&turns);
    assert_true(await_turn(turns.to_parent[0]));
    if (before != NULL) {
        assert_int_equal(count_words(before), 1);
        during = mail_users_sessions();
        assert_non_null(strstr(during, before));
        assert_int_equal(count_words(during), 2);
        free(during);
    }
    expect_logins();
    assert_true(pass_turn(turns.to_child[1]));
    expect_good_child(child);
    close_turns(&turns);
    expect_logins();
    if (before != NULL) {
        /* The parent's session is still its first one. */
        after = mail_users_sessions();
        assert_non_null(strstr(after, before));
        free(after);
    }
    expect_errors(0);
    free(before);
    program_stop();
}

/* The same for a child that ends without a login of its own. */
static void child_ends_what_is_its_own(void **state)
{
    const struct run *run = started(state);
    char *before = NULL, *after;
    pid_t child;

    start("");
    expect_logins();
    if (!run->fixture->is_file)
        before = mail_users_sessions();
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        program_abandon();
        end_child(true);
    }
    expect_good_child(child);
    expect_logins();
    if (before != NULL) {
        after = mail_users_sessions();
        assert_string_equal(after, before);
        free(after);
    }
    expect_errors(0);
    free(before);
    program_stop();
}

static void parent_leaves_the_child_alone(void **state)
{
    struct turns turns;
    pid_t child;

    started(state);
    start("");
    expect_logins();
    make_turns(&turns);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_child(&turns);
    assert_true(await_turn(turns.to_parent[0]));
    expect_errors(0);
    program_stop();
    assert_true(pass_turn(turns.to_child[1]));
    expect_good_child(child);
    close_turns(&turns);
}

/* Children of children, each of which inherits a session. */
static void grandchildren_log_in(void **state)
{
    pid_t child;
    int depth;

    started(state);
    start("");
    expect_logins();
    child = fork();
    assert_true(child >= 0);
    for (depth = 0; child == 0 && depth < 3; depth++) {
        int status = 0;

        if (!logs_in())
            _exit(1);
        child = fork();
        if (child == 0)
            continue;
        if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
            _exit(1);
        end_child(logs_in());
    }
    if (child == 0)
        end_child(logs_in());
    expect_good_child(child);
    expect_logins();
    expect_errors(0);
    program_stop();
}

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

/* A sanitizer's own allocator has locks, which a fork leaves locked. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer) ||                             \
    defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { CAN_FORK_AMONG_THREADS = 0 };
#else
enum { CAN_FORK_AMONG_THREADS = 1 };
#endif

/* Whatever the other threads are doing: a lock that they hold would never be
 * released in the child. */
static void forks_while_threads_log_in(void **state)
{
    enum { THREADS = 6, FORKS = 12 };
    struct worker workers[THREADS];
    unsigned good = 0, failed, i;

    started(state);
    add_users();
    start("sql_timeout: 120\n");
    start_workers(workers, THREADS, 0);
    for (i = 0; i < FORKS; i++) {
        pid_t child;

        nap(5);
        child = fork();
        if (child == 0) {
            alarm(20);
            end_child(logs_in() && logs_in());
        }
        good += child > 0 && ends_good(child);
    }
    failed = join_workers(workers, THREADS);
    assert_int_equal(good, FORKS);
    assert_int_equal(failed, 0);
    expect_errors(0);
    expect_logins();
    program_stop();
}

/* --- the list */

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD(list, fixture, threads_share_sessions);
    RUN_ADD(list, fixture, child_leaves_the_parent_alone);
    RUN_ADD(list, fixture, child_ends_what_is_its_own);
    RUN_ADD(list, fixture, parent_leaves_the_child_alone);
    RUN_ADD(list, fixture, grandchildren_log_in);
    if (!fixture->locks_threads && CAN_FORK_AMONG_THREADS)
        RUN_ADD(list, fixture, forks_while_threads_log_in);
    RUN_ADD(list, fixture, lock_is_an_outage_in_time);
    if (fixture->is_file)
        return;
    RUN_ADD(list, fixture, keeps_one_session);
    RUN_ADD(list, fixture, keeps_none_unless_told);
    RUN_ADD(list, fixture, replaces_what_has_ended);
    RUN_ADD(list, fixture, asks_again_when_ended_meanwhile);
    RUN_ADD(list, fixture, full_server_is_an_outage_in_time);
    RUN_ADD(list, fixture, wrong_database_password_is_an_outage);
    RUN_ADD_ROWS(list, fixture, passes_a_dead_host_over, deads);
    RUN_ADD_ROWS(list, fixture, all_hosts_dead_is_an_outage, deads);
    RUN_ADD(list, fixture, address_and_name_reach_the_server);
    RUN_ADD(list, fixture, threads_survive_a_server);
}

int main(void)
{
    alarm(900); /* a login that never ends is stopped here */
    return run_all("sql_connections", NULL, remove_users, add_all);
}
