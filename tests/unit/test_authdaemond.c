/* SPDX-License-Identifier: BSD-3-Clause */

/* The client of authdaemond against a scripted daemon, for what the real one
 * cannot be made to do; tests/system uses the real one. */

#include "authdaemond/authdaemond.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "authdaemond/authdaemond_reply.h"
#include "support/unit.h"

#define ACCOUNT                                                                                    \
    "UID=1000\nGID=1000\nHOME=/home/ann.\nADDRESS=ann@example.com\nNAME=.\n"                       \
    "PASSWD=$1$stored$hash\nPASSWD2=s3cret-Passw0rd\nOPTIONS=disablesmtp=0,group=sales\n.\n"
#define REFUSED "FAIL\n"
#define PASSWORD "s3cret-Passw0rd"

enum {
    PATIENCE = 20000, /* milliseconds; longer than any test should take */
    SHORT = 30,       /* the deadline of tests in which it passes */
    SLACK = 300       /* of a busy machine */
};

/* --- the daemon */

enum ending { CLOSES, RESETS, STALLS, FLOODS, TRICKLES };

/* What it does with each connection. */
struct script {
    const char *reply;
    size_t length;
    size_t piece; /* bytes that are sent at once; 0 for all */
    enum ending ending;
    bool deaf; /* answers without reading the question */
};

static struct {
    char directory[200];
    char path[256];
    int listener;
    pthread_t thread;
    bool runs;
    struct script script;
    char question[20000]; /* of the last connection */
    size_t question_length;
    unsigned connections;
} daemon_;

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    return address;
}

/* Held while the daemon serves a client, which may have left before it is done. */
static pthread_mutex_t serving = PTHREAD_MUTEX_INITIALIZER;

/* A question is complete once as many bytes have arrived as it says. */
static bool is_whole(const char *question, size_t length)
{
    const char *auth = memmem(question, length, "AUTH ", 5), *newline;

    if (auth == NULL)
        return false;
    newline = memchr(auth, '\n', (size_t)(question + length - auth));
    return newline != NULL &&
           (size_t)(question + length - newline - 1) >= strtoul(auth + 5, NULL, 10);
}

static void read_question(int connection)
{
    ssize_t count = 1;

    daemon_.question_length = 0;
    while (count > 0 && !is_whole(daemon_.question, daemon_.question_length)) {
        count = recv(connection, daemon_.question + daemon_.question_length,
                     sizeof(daemon_.question) - daemon_.question_length, 0);
        if (count > 0)
            daemon_.question_length += (size_t)count;
    }
}

/* Waits for the question, or until the client has given up. */
static void await(int connection, short events)
{
    struct pollfd wanted = {.fd = connection, .events = events};

    poll(&wanted, 1, PATIENCE);
}

static void serve(int connection)
{
    const struct script *script = &daemon_.script;
    size_t piece = script->piece > 0 ? script->piece : script->length;
    size_t sent, next;

    if (script->ending == RESETS)
        await(connection, POLLIN);
    else if (!script->deaf)
        read_question(connection);
    for (sent = 0; sent < script->length; sent += next) {
        next = script->length - sent < piece ? script->length - sent : piece;
        if (send(connection, script->reply + sent, next, MSG_NOSIGNAL) < 0)
            return;
        if (next < script->length)
            poll(NULL, 0, 1); /* so that the pieces arrive separately */
    }
    if (script->ending == STALLS)
        await(connection, POLLRDHUP);
    while ((script->ending == FLOODS || script->ending == TRICKLES) &&
           send(connection, script->reply, script->length, MSG_NOSIGNAL) > 0)
        if (script->ending == TRICKLES)
            poll(NULL, 0, 1);
}

static __thread bool is_daemon; /* its own calls do not fail */

static void *run_daemon(void *context)
{
    int connection;

    (void)context;
    is_daemon = true;
    while ((connection = accept(daemon_.listener, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&serving);
        daemon_.connections++;
        serve(connection);
        close(connection);
        pthread_mutex_unlock(&serving);
    }
    return NULL;
}

static void listen_at(const char *path, int backlog)
{
    const struct sockaddr_un address = address_of(path);

    daemon_.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(daemon_.listener >= 0);
    assert_int_equal(bind(daemon_.listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(daemon_.listener, backlog), 0);
}

static void start_daemon(const struct script *script)
{
    pthread_mutex_lock(&serving);
    daemon_.script = *script;
    pthread_mutex_unlock(&serving);
    if (daemon_.runs)
        return;
    listen_at(daemon_.path, 20);
    daemon_.runs = true;
    assert_int_equal(pthread_create(&daemon_.thread, NULL, run_daemon, NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&daemon_, 0, sizeof(daemon_));
    daemon_.listener = -1;
    test_directory(daemon_.directory, sizeof(daemon_.directory));
    snprintf(daemon_.path, sizeof(daemon_.path), "%s/socket", daemon_.directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (daemon_.listener >= 0)
        shutdown(daemon_.listener, SHUT_RDWR);
    if (daemon_.runs)
        pthread_join(daemon_.thread, NULL);
    if (daemon_.listener >= 0)
        close(daemon_.listener);
    test_directory_remove(daemon_.directory);
    return 0;
}

/* --- the client */

static struct reason reason;

static enum verdict ask_for(const char *path, struct bytes user, struct bytes password,
                            unsigned timeout, const char *require_options)
{
    const struct authdaemond daemon = {.path = path, .require_options = require_options};
    const struct authdaemond_question question = {
        .service = "smtp", .type = "login", .lines = {user, password}};
    const struct deadline deadline = deadline_after(timeout);
    const struct deadline latest = deadline_after(timeout + timeout / 10 + SLACK);
    enum verdict verdict;

    strcpy(reason.text, "(none)");
    verdict = authdaemond_ask(&daemon, &question, &deadline, &reason);
    assert_int_not_equal(deadline_remaining(&latest), 0);
    assert_lacks(reason.text, PASSWORD);
    assert_lacks(reason.text, "$1$stored");
    if (verdict != VERDICT_MATCH)
        assert_string_not_equal(reason.text, "(none)");
    return verdict;
}

static enum verdict ask_within(unsigned timeout)
{
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);

    return ask_for(daemon_.path, user, password, timeout, "");
}

static enum verdict ask(void)
{
    return ask_within(PATIENCE);
}

#define SCRIPT_WITH(text, ...)                                                                     \
    (&(const struct script){.reply = text, .length = strlen(text), __VA_ARGS__})
#define SCRIPT(text) SCRIPT_WITH(text, .piece = 0)

/* --- whole replies */

static void accepts(void **state)
{
    (void)state;
    start_daemon(SCRIPT(ACCOUNT));
    assert_verdict(ask(), VERDICT_MATCH);
    assert_int_equal(daemon_.connections, 1);
}

static void refuses(void **state)
{
    (void)state;
    start_daemon(SCRIPT(REFUSED));
    assert_verdict(ask(), VERDICT_MISMATCH);
}

/* The whole question, and nothing else. */
static void asks_as_the_daemon_wants_it(void **state)
{
    static const char want[] = "AUTH 43\nsmtp\nlogin\nann@example.com\n" PASSWORD "\n";
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);
    const struct authdaemond daemon = {.path = daemon_.path, .require_options = ""};
    const struct authdaemond_question question = {
        .service = "smtp", .type = "login", .remote_ip = "192.0.2.7", .lines = {user, password}};
    const struct deadline deadline = deadline_after(PATIENCE);

    (void)state;
    start_daemon(SCRIPT(ACCOUNT));
    assert_verdict(ask(), VERDICT_MATCH);
    assert_int_equal(daemon_.question_length, strlen(want));
    assert_memory_equal(daemon_.question, want, strlen(want));
    assert_verdict(authdaemond_ask(&daemon, &question, &deadline, &reason), VERDICT_MATCH);
    assert_int_equal(daemon_.question_length, strlen("TCPREMOTEIP=192.0.2.7\n") + strlen(want));
    assert_memory_equal(daemon_.question, "TCPREMOTEIP=192.0.2.7\nAUTH 43\n", 30);
}

static void any_split_makes_no_difference(void **state)
{
    size_t piece;

    (void)state;
    for (piece = 1; piece < strlen(ACCOUNT); piece += piece < 4 ? 1 : 7) {
        start_daemon(SCRIPT_WITH(ACCOUNT, .piece = piece));
        assert_verdict(ask(), VERDICT_MATCH);
    }
    for (piece = 1; piece < strlen(REFUSED); piece++) {
        start_daemon(SCRIPT_WITH(REFUSED, .piece = piece));
        assert_verdict(ask(), VERDICT_MISMATCH);
    }
}

static void needs_no_reader(void **state)
{
    (void)state;
    start_daemon(SCRIPT_WITH(ACCOUNT, .deaf = true));
    assert_verdict(ask(), VERDICT_MATCH);
    start_daemon(SCRIPT_WITH(REFUSED, .deaf = true));
    assert_verdict(ask(), VERDICT_MISMATCH);
}

static void options_are_required(void **state)
{
    static const struct {
        const char *required;
        enum verdict want;
    } rows[] = {
        {"", VERDICT_MATCH},
        {"disablesmtp=0", VERDICT_MATCH},
        {"disablesmtp=1", VERDICT_LOCKED},
        {"disableimap=0", VERDICT_MATCH},
        {"group=sales", VERDICT_MATCH},
        {"group=sales,disablesmtp=0", VERDICT_MATCH},
        {"group=staff", VERDICT_LOCKED},
    };
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);
    size_t i;

    (void)state;
    start_daemon(SCRIPT(ACCOUNT));
    for (i = 0; i < COUNT(rows); i++)
        assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, rows[i].required),
                       rows[i].want);
}

/* --- incomplete and malformed replies */

static void close_at_each_byte(void **state)
{
    size_t length;

    (void)state;
    for (length = 0; length < strlen(ACCOUNT); length++) {
        start_daemon(&(const struct script){.reply = ACCOUNT, .length = length});
        assert_verdict(ask(), VERDICT_UNAVAILABLE);
        assert_contains(reason.text, length == 0 ? "closed without a verdict" : "closed within");
    }
    for (length = 0; length < strlen(REFUSED); length++) {
        start_daemon(&(const struct script){.reply = REFUSED, .length = length});
        assert_verdict(ask(), VERDICT_UNAVAILABLE);
    }
}

static void stall_at_each_byte(void **state)
{
    size_t length;

    (void)state;
    for (length = 0; length < strlen(ACCOUNT); length += 5) {
        start_daemon(&(const struct script){ACCOUNT, length, 0, STALLS, false});
        assert_verdict(ask_within(SHORT), VERDICT_UNAVAILABLE);
        assert_contains(reason.text, "timed out waiting for an answer");
    }
    for (length = 0; length < strlen(REFUSED); length++) {
        start_daemon(&(const struct script){REFUSED, length, 0, STALLS, false});
        assert_verdict(ask_within(SHORT), VERDICT_UNAVAILABLE);
    }
}

/* A complete answer counts, whether or not the daemon closes the connection.
 * Options are not certain until it does. */
static void stall_after_the_answer(void **state)
{
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);

    (void)state;
    start_daemon(SCRIPT_WITH(ACCOUNT, .ending = STALLS));
    assert_verdict(ask(), VERDICT_MATCH);
    start_daemon(SCRIPT_WITH(ACCOUNT, .ending = STALLS, .piece = 1));
    assert_verdict(ask(), VERDICT_MATCH);
    start_daemon(SCRIPT_WITH(ACCOUNT, .ending = STALLS));
    assert_verdict(ask_for(daemon_.path, user, password, SHORT, "disablesmtp=0"),
                   VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "timed out waiting for an answer");
    start_daemon(SCRIPT_WITH(REFUSED, .ending = STALLS));
    assert_verdict(ask(), VERDICT_MISMATCH);
    start_daemon(SCRIPT_WITH(REFUSED, .ending = STALLS));
    assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, "disablesmtp=0"),
                   VERDICT_MISMATCH);
    start_daemon(SCRIPT_WITH("OK\n", .ending = STALLS));
    assert_verdict(ask(), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "malformed reply");
}

/* Values that contain line breaks: it is still an account, but its options are refused if they
 * are required. */
static void line_breaks_in_values(void **state)
{
    static const struct {
        const char *reply;
        enum verdict want; /* with "group=sales" required */
    } rows[] = {
        {"UID=1\nNAME=x\ny\nPASSWD2=p\nOPTIONS=group=sales\n.\n", VERDICT_UNAVAILABLE},
        {"UID=1\nNAME=x\n.\nPASSWD2=p\nOPTIONS=group=web\n.\n", VERDICT_UNAVAILABLE},
        {"UID=1\nNAME=x\nFAIL\nPASSWD2=p\nOPTIONS=group=web\n.\n", VERDICT_UNAVAILABLE},
        {"UID=1\nNAME=x\nOPTIONS=group=sales\nPASSWD2=p\n.\n", VERDICT_UNAVAILABLE},
        {"UID=1\nNAME=x\nOPTIONS=group=sales\nPASSWD2=p\nOPTIONS=group=web\n.\n",
         VERDICT_UNAVAILABLE},
        {"UID=1\nNAME=x\nOPTIONS=group=sales\n.\nPASSWD2=p\n.\n", VERDICT_UNAVAILABLE},
        {"UID=1\nNAME=x\ny=z\nPASSWD2=p\nOPTIONS=group=sales\n.\n", VERDICT_MATCH},
        {"UID=1\nNAME=x\ny=z\nPASSWD2=p\nOPTIONS=group=web\n.\n", VERDICT_LOCKED},
    };
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);
    size_t i, piece;

    (void)state;
    for (i = 0; i < COUNT(rows); i++)
        for (piece = 0; piece < 3; piece++) {
            start_daemon(SCRIPT_WITH(rows[i].reply, .piece = piece));
            assert_verdict(ask(), VERDICT_MATCH);
            assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, "group=sales"),
                           rows[i].want);
            if (rows[i].want == VERDICT_UNAVAILABLE)
                assert_contains(reason.text, "malformed reply: cannot tell the options");
        }
}

/* A daemon that is gone with a question unread may have had more to say. */
static void reset_is_no_end(void **state)
{
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);

    (void)state;
    start_daemon(SCRIPT_WITH(ACCOUNT, .ending = RESETS));
    assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, "disablesmtp=0"),
                   VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "closed within the reply");
}

static const struct nonsense {
    const char *name;
    const char *reply;
    size_t length;
} nonsenses[] = {
#define NONSENSE(name, text)                                                                       \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }
    NONSENSE("verdict glued to the next line", "FAILUID=1000\n.\n"),
    NONSENSE("end alone", ".\n"),
    NONSENSE("carriage return", "FAIL\r\n"),
    NONSENSE("NUL", "UID=10\0\n.\n"),
    NONSENSE("binary noise", "\x80\xff\x01\x02\n\xfe\n.\n"),
    NONSENSE("another protocol", "220 mail.example.com ESMTP\r\n"),
    NONSENSE("yes", "OK\n"),
};

static void nonsense_is_no_answer(void **state)
{
    const struct nonsense *row = *state;
    size_t piece;

    for (piece = 0; piece < 3; piece++) {
        start_daemon(
            &(const struct script){.reply = row->reply, .length = row->length, .piece = piece});
        assert_verdict(ask(), VERDICT_UNAVAILABLE);
        assert_contains(reason.text, "malformed reply");
    }
}

/* The first one counts, whether or not the second is in the same packet. */
static void two_verdicts(void **state)
{
    static const struct {
        const char *reply;
        enum verdict want;
    } rows[] = {
        {REFUSED ACCOUNT, VERDICT_MISMATCH}, {REFUSED REFUSED, VERDICT_MISMATCH},
        {REFUSED "x", VERDICT_MISMATCH},     {ACCOUNT REFUSED, VERDICT_MATCH},
        {ACCOUNT ACCOUNT, VERDICT_MATCH},
    };
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);
    size_t i, piece;

    (void)state;
    for (i = 0; i < COUNT(rows); i++)
        for (piece = 0; piece < 3; piece++) {
            start_daemon(SCRIPT_WITH(rows[i].reply, .piece = piece));
            assert_verdict(ask(), rows[i].want);
            assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, "disablesmtp=0"),
                           rows[i].want == VERDICT_MATCH ? VERDICT_UNAVAILABLE : rows[i].want);
        }
}

static void flood_ends(void **state)
{
    const struct bytes user = bytes_of("ann@example.com"), password = bytes_of(PASSWORD);

    (void)state;
    start_daemon(SCRIPT_WITH("NAME=value\n", .ending = FLOODS));
    assert_verdict(ask(), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "malformed reply");
    start_daemon(SCRIPT_WITH(ACCOUNT, .ending = FLOODS));
    assert_verdict(ask(), VERDICT_MATCH);
    start_daemon(SCRIPT_WITH(ACCOUNT, .ending = FLOODS));
    assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, "disablesmtp=0"),
                   VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "malformed reply");
}

/* There is always a little more, so that no wait is ever long. */
static void trickle_ends(void **state)
{
    (void)state;
    start_daemon(SCRIPT_WITH("NAME=value\n", .ending = TRICKLES));
    assert_verdict(ask_within(SHORT), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "timed out waiting for an answer");
}

/* The longest account, and one a byte longer. */
static void long_replies(void **state)
{
    static char replies[2][AUTHDAEMOND_REPLY_MAX + 2];
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        size_t length = AUTHDAEMOND_REPLY_MAX + i;
        char *reply = replies[i];

        memset(reply, 'x', length);
        memcpy(reply, "NAME=", 5);
        memcpy(reply + length - 3, "\n.\n", 3);
        start_daemon(&(const struct script){.reply = reply, .length = length});
        assert_verdict(ask(), i == 0 ? VERDICT_MATCH : VERDICT_UNAVAILABLE);
    }
}

/* --- questions that are not asked */

static void control_characters_are_not_sent(void **state)
{
    unsigned byte;

    (void)state;
    start_daemon(SCRIPT(ACCOUNT));
    for (byte = 0; byte < 256; byte++) {
        char text[] = "a?n";
        const struct bytes odd = {text, 3}, plain = bytes_of("ann");
        enum verdict want = byte < ' ' || byte == 127 ? VERDICT_MALFORMED : VERDICT_MATCH;
        unsigned before = daemon_.connections;

        text[1] = (char)byte;
        assert_verdict(ask_for(daemon_.path, odd, plain, PATIENCE, ""), want);
        assert_verdict(ask_for(daemon_.path, plain, odd, PATIENCE, ""), want);
        assert_int_equal(daemon_.connections - before, want == VERDICT_MATCH ? 2 : 0);
    }
}

/* The daemon reads 8191 bytes after the first line. */
static void long_questions_are_not_sent(void **state)
{
    enum { WITHOUT_PASSWORD = sizeof("smtp\nlogin\nann\n") - 1 + 1, MOST = 8191 };
    static char text[MOST];
    const struct bytes user = bytes_of("ann");
    struct bytes password = {text, MOST - WITHOUT_PASSWORD};

    (void)state;
    memset(text, 'p', sizeof(text));
    start_daemon(SCRIPT(ACCOUNT));
    assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, ""), VERDICT_MATCH);
    assert_memory_equal(daemon_.question, "AUTH 8191\n", 10);
    password.length++;
    assert_verdict(ask_for(daemon_.path, user, password, PATIENCE, ""), VERDICT_MALFORMED);
    assert_int_equal(daemon_.connections, 1);
}

/* --- no daemon to ask */

static void no_socket(void **state)
{
    (void)state;
    assert_verdict(ask(), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, daemon_.path);
    assert_contains(reason.text, "No such file");
}

static void not_a_socket(void **state)
{
    int file = open(daemon_.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

    (void)state;
    assert_true(file >= 0);
    close(file);
    assert_verdict(ask(), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "not a socket");
}

static void nothing_listens(void **state)
{
    (void)state;
    listen_at(daemon_.path, 1);
    close(daemon_.listener);
    daemon_.listener = -1;
    assert_verdict(ask(), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "Connection refused");
}

static void path_too_long(void **state)
{
    const struct bytes user = bytes_of("ann"), password = bytes_of(PASSWORD);
    char path[300];

    (void)state;
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_verdict(ask_for(path, user, password, PATIENCE, ""), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "too long");
}

/* Runs without root's privileges. A child becomes another user, and is root again before it
 * exits, so that coverage can be written. Before glibc 2.33, faccessat(2) checks only the real
 * user. */
static void expect_no_permission(const char *path, const char *want)
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct bytes user = bytes_of("ann"), password = bytes_of(PASSWORD);
        bool said = setgroups(0, NULL) == 0 && setresgid(65534, 65534, 0) == 0 &&
                    setresuid(65534, 65534, 0) == 0 &&
                    ask_for(path, user, password, PATIENCE, "") == VERDICT_UNAVAILABLE &&
                    strstr(reason.text, "Permission denied") != NULL &&
                    strstr(reason.text, want) != NULL;

        if (!said)
            print_error("\"%s\" lacks \"%s\"\n", reason.text, want);
        exit(setresuid(0, 0, 0) == 0 && said ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static const struct permission {
    const char *name;
    mode_t folder, inner, socket;
    gid_t group;      /* of all three */
    const char *want; /* {directory} is the test's */
} permissions[] = {
    {"a folder", 0750, 0755, 0777, 0,
     "{directory} (mode 750) belongs to the group root and is not accessible to this process"},
    {"a folder within", 0755, 0700, 0777, 0,
     "{directory}/inner (mode 700) belongs to the group root"},
    {"the socket", 0755, 0755, 0660, 0, "{directory}/inner/socket (mode 660) belongs to"},
    {"a group without a name", 0710, 0755, 0777, 54321,
     "{directory} (mode 710) belongs to the group with the number 54321"},
};

static void no_permission(void **state)
{
    const struct permission *row = *state;
    const char *rest = row->want + strlen("{directory}");
    char inner[220], path[240], want[400];

    if (geteuid() != 0)
        skip();
    snprintf(inner, sizeof(inner), "%s/inner", daemon_.directory);
    snprintf(path, sizeof(path), "%s/socket", inner);
    snprintf(want, sizeof(want), "%s%s", daemon_.directory, rest);
    assert_int_equal(mkdir(inner, 0755), 0);
    listen_at(path, 1);
    assert_int_equal(chown(daemon_.directory, 0, row->group), 0);
    assert_int_equal(chmod(path, row->socket), 0);
    assert_int_equal(chmod(inner, row->inner), 0);
    assert_int_equal(chmod(daemon_.directory, row->folder), 0);
    expect_no_permission(path, want);
}

/* Fills the queue of connections to accept. Returns how many. */
static size_t fill_backlog(int *connections, size_t most)
{
    const struct sockaddr_un address = address_of(daemon_.path);
    size_t count;

    for (count = 0; count < most; count++) {
        connections[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_true(connections[count] >= 0);
        if (connect(connections[count], (const struct sockaddr *)&address, sizeof(address)) != 0) {
            assert_int_equal(errno, EAGAIN);
            close(connections[count]);
            break;
        }
    }
    return count;
}

static void full_backlog(void **state)
{
    int connections[10];
    size_t count;

    (void)state;
    listen_at(daemon_.path, 1);
    count = fill_backlog(connections, COUNT(connections));
    assert_true(count > 0 && count < COUNT(connections));
    assert_verdict(ask_within(100), VERDICT_UNAVAILABLE);
    assert_contains(reason.text, "timed out waiting for an answer");

    /* Earlier clients have gone when the daemon comes to their connections. */
    while (count > 0)
        close(connections[--count]);
    daemon_.script = *SCRIPT(ACCOUNT);
    daemon_.runs = true;
    assert_int_equal(pthread_create(&daemon_.thread, NULL, run_daemon, NULL), 0);
    assert_verdict(ask(), VERDICT_MATCH);
}

static void no_time(void **state)
{
    (void)state;
    start_daemon(SCRIPT_WITH(ACCOUNT, .piece = 1));
    assert_verdict(ask_within(0), VERDICT_UNAVAILABLE);
}

/* --- system calls that fail, which hardly ever happens on a socket of this kind */

struct faults {
    int socket, connect; /* what the first call fails with; 0: it does not */
    int sends[3];        /* each of them in turn; 0: as many bytes as `most` says */
    size_t most;
    int receive, poll;
};
static struct faults faults;
static unsigned sends;

static bool fault(int *error)
{
    if (*error == 0)
        return false;
    errno = *error;
    *error = 0;
    return true;
}

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_connect(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t length);
ssize_t __real_send(int descriptor, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags);
ssize_t __real_recv(int descriptor, void *bytes, size_t length, int flags);
ssize_t __wrap_recv(int descriptor, void *bytes, size_t length, int flags);
ssize_t __wrap___recv_chk(int descriptor, void *bytes, size_t length, size_t size, int flags);
int __real_poll(struct pollfd *wanted, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *wanted, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *wanted, nfds_t count, int timeout, size_t size);

int __wrap_socket(int domain, int type, int protocol)
{
    return fault(&faults.socket) ? -1 : __real_socket(domain, type, protocol);
}

int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    return fault(&faults.connect) ? -1 : __real_connect(descriptor, address, length);
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    if (!is_daemon && sends < COUNT(faults.sends) && fault(&faults.sends[sends++]))
        return -1;
    if (!is_daemon && faults.most > 0 && length > faults.most)
        length = faults.most;
    return __real_send(descriptor, bytes, length, flags);
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t length, int flags)
{
    return !is_daemon && fault(&faults.receive) ? -1
                                                : __real_recv(descriptor, bytes, length, flags);
}

/* What recv(2) is to a compiler that checks sizes. */
ssize_t __wrap___recv_chk(int descriptor, void *bytes, size_t length, size_t size, int flags)
{
    (void)size;
    return __wrap_recv(descriptor, bytes, length, flags);
}

int __wrap_poll(struct pollfd *wanted, nfds_t count, int timeout)
{
    return !is_daemon && count > 0 && fault(&faults.poll) ? -1
                                                          : __real_poll(wanted, count, timeout);
}

/* What poll(2) is to a compiler that checks sizes. */
int __wrap___poll_chk(struct pollfd *wanted, nfds_t count, int timeout, size_t size)
{
    (void)size;
    return __wrap_poll(wanted, count, timeout);
}
static const struct faulty {
    const char *name;
    struct faults faults;
    bool no_daemon, deaf;
    enum verdict want;
    const char *want_reason;
} faulty[] = {
    {"no more descriptors",
     {.socket = EMFILE},
     false,
     false,
     VERDICT_UNAVAILABLE,
     "authdaemond: cannot create a socket: "},
    {"connect, a signal", {.connect = EINTR}, false, false, VERDICT_MATCH, ""},
    {"connect, no memory",
     {.connect = ENOMEM},
     false,
     false,
     VERDICT_UNAVAILABLE,
     "/socket: Cannot allocate memory"},
    {"connect, refused, and then nothing is there",
     {.connect = ECONNREFUSED},
     true,
     false,
     VERDICT_UNAVAILABLE,
     "/socket: Connection refused: authdaemond is not running"},
    {"connect, no permission by no folder",
     {.connect = EACCES},
     false,
     false,
     VERDICT_UNAVAILABLE,
     "/socket: Permission denied"},
    {"connect, no permission to what is not there",
     {.connect = EACCES},
     true,
     false,
     VERDICT_UNAVAILABLE,
     "/socket: Permission denied"},
    {"send, a signal", {.sends = {EINTR}}, false, false, VERDICT_MATCH, ""},
    {"send, no room", {.sends = {EAGAIN, EAGAIN}}, false, false, VERDICT_MATCH, ""},
    {"send, a few bytes", {.most = 7}, false, false, VERDICT_MATCH, ""},
    {"send, a few bytes, and no room between",
     {.sends = {0, EAGAIN}, .most = 20},
     false,
     false,
     VERDICT_MATCH,
     ""},
    {"send, no room to the end",
     {.sends = {EAGAIN}, .poll = ENOMEM},
     false,
     false,
     VERDICT_UNAVAILABLE,
     "/socket: timed out waiting for an answer"},
    {"send, to one who has answered", {.sends = {EPIPE}}, false, true, VERDICT_MATCH, ""},
    {"receive, a signal", {.receive = EINTR}, false, false, VERDICT_MATCH, ""},
    {"receive, a signal during the wait",
     {.receive = EAGAIN, .poll = EINTR},
     false,
     false,
     VERDICT_MATCH,
     ""},
    {"receive, an error",
     {.receive = EIO},
     false,
     false,
     VERDICT_UNAVAILABLE,
     "/socket: closed without a verdict"},
};

static void system_call_fails(void **state)
{
    const struct faulty *row = *state;

    if (!row->no_daemon)
        start_daemon(SCRIPT_WITH(ACCOUNT, .deaf = row->deaf));
    sends = 0;
    faults = row->faults;
    assert_verdict(ask(), row->want);
    assert_int_equal(faults.socket + faults.connect + faults.receive + faults.poll, 0);
    assert_int_equal(faults.sends[0] + faults.sends[1] + faults.sends[2], 0);
    faults = (struct faults){.socket = 0};
    if (row->want != VERDICT_MATCH)
        assert_contains(reason.text, row->want_reason);
    assert_lacks(reason.text, "not accessible to this process");
}

#define ADD(function)                                                                              \
    do {                                                                                           \
        struct CMUnitTest *test_ = TEST_ADD(&list, function);                                      \
        test_->setup_func = set_up;                                                                \
        test_->teardown_func = tear_down;                                                          \
    } while (0)

int main(void)
{
    struct test_list list = {0};
    size_t i;

    alarm(300);
    ADD(accepts);
    ADD(refuses);
    ADD(asks_as_the_daemon_wants_it);
    ADD(any_split_makes_no_difference);
    ADD(needs_no_reader);
    ADD(options_are_required);
    ADD(close_at_each_byte);
    ADD(stall_at_each_byte);
    ADD(stall_after_the_answer);
    ADD(line_breaks_in_values);
    ADD(reset_is_no_end);
    for (i = 0; i < COUNT(nonsenses); i++) {
        struct CMUnitTest *test =
            test_add(&list, nonsense_is_no_answer, &nonsenses[i], "nonsense", nonsenses[i].name);

        test->setup_func = set_up;
        test->teardown_func = tear_down;
    }
    ADD(two_verdicts);
    ADD(flood_ends);
    ADD(trickle_ends);
    ADD(long_replies);
    ADD(control_characters_are_not_sent);
    ADD(long_questions_are_not_sent);
    ADD(no_socket);
    ADD(not_a_socket);
    ADD(nothing_listens);
    ADD(path_too_long);
    for (i = 0; i < COUNT(permissions); i++) {
        struct CMUnitTest *test =
            test_add(&list, no_permission, &permissions[i], "no permission", permissions[i].name);

        test->setup_func = set_up;
        test->teardown_func = tear_down;
    }
    for (i = 0; i < COUNT(faulty); i++) {
        struct CMUnitTest *test =
            test_add(&list, system_call_fails, &faulty[i], "system call", faulty[i].name);

        test->setup_func = set_up;
        test->teardown_func = tear_down;
    }
    ADD(full_backlog);
    ADD(no_time);
    return test_run("authdaemond", &list);
}
