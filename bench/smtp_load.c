/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Mail programs that log in by AUTH PLAIN and leave, over and over:
 *
 *     smtp_load PORT CONNECTIONS SECONDS ROWS PASSWORD
 *
 * It keeps that many connections open to the port on 127.0.0.1. The users are
 * u0 to u(ROWS - 1), one after the other. After the given time, and at least
 * one login, no more logins start, and all clients leave. Prints how many
 * nanoseconds passed until the last login, and then for each login how many
 * passed between AUTH and the answer.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

enum { CONNECTIONS_MAX = 1000, LOGINS_MAX = 1000000 };

/* What the server is expected to answer next. */
enum state { GREETING, EHLO, AUTH, QUIT };

struct session {
    int socket;
    enum state state;
    uint64_t asked;
    size_t length;
    char reply[4096];
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static unsigned long rows;
static const char *password;
static int waiting;
static uint64_t latencies[LOGINS_MAX];
static size_t logins;
static uint64_t last_login;
static bool time_is_up;
static unsigned long open_sessions;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "smtp_load: %s\n", what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void begin(struct session *session)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = session};
    int on = 1;

    session->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (session->socket < 0 ||
        connect(session->socket, (const struct sockaddr *)&server, sizeof(server)) != 0)
        die(strerror(errno));
    setsockopt(session->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(waiting, EPOLL_CTL_ADD, session->socket, &event) != 0)
        die("epoll");
    session->state = GREETING;
    session->length = 0;
    open_sessions++;
}

static void say(const struct session *session, const char *line)
{
    size_t length = strlen(line);

    if (write(session->socket, line, length) != (ssize_t)length)
        die("cannot write");
}

static void log_in(struct session *session)
{
    static unsigned long next;
    char message[200], line[400] = "AUTH PLAIN ";
    int length =
        snprintf(message, sizeof(message), "%cu%lu%c%s", '\0', next++ % rows, '\0', password);

    EVP_EncodeBlock((unsigned char *)line + strlen(line), (const unsigned char *)message, length);
    strcat(line, "\r\n");
    say(session, line);
    session->state = AUTH;
}

static void leave(struct session *session)
{
    say(session, "QUIT\r\n");
    session->state = QUIT;
}

/* Whether the last line of a reply has arrived; it has no hyphen. */
static bool is_whole(const struct session *session)
{
    const char *line = session->reply, *end;

    while ((end = strstr(line, "\r\n")) != NULL) {
        if (strlen(line) > 3 && line[3] == ' ')
            return true;
        line = end + 2;
    }
    return false;
}

static void answer(struct session *session)
{
    static const char *const codes[] = {"220", "250", "235", "221"};

    if (strncmp(session->reply, codes[session->state], 3) != 0)
        die(session->reply);
    session->length = 0;
    switch (session->state) {
    case GREETING:
        say(session, "EHLO client.example.org\r\n");
        session->state = EHLO;
        break;
    case EHLO:
        session->asked = now();
        if (time_is_up)
            leave(session);
        else
            log_in(session);
        break;
    case AUTH:
        if (logins == LOGINS_MAX)
            die("too many logins");
        last_login = now();
        latencies[logins++] = last_login - session->asked;
        leave(session);
        break;
    case QUIT:
        close(session->socket);
        open_sessions--;
        if (!time_is_up)
            begin(session);
        break;
    }
}

int main(int argc, char **argv)
{
    static struct session sessions[CONNECTIONS_MAX];
    struct epoll_event events[64];
    unsigned long connections;
    uint64_t start, end;
    size_t i;

    if (argc != 6 || (connections = strtoul(argv[2], NULL, 10)) > CONNECTIONS_MAX)
        die("arguments: PORT CONNECTIONS SECONDS ROWS PASSWORD");
    server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rows = strtoul(argv[4], NULL, 10);
    if (rows == 0)
        die("no users");
    password = argv[5];
    waiting = epoll_create1(EPOLL_CLOEXEC);

    start = now();
    end = start + (uint64_t)(strtod(argv[3], NULL) * 1e9);
    for (i = 0; i < connections; i++)
        begin(&sessions[i]);
    while (open_sessions > 0) {
        int ready = epoll_wait(waiting, events, 64, 100);

        while (ready-- > 0) {
            struct session *session = events[ready].data.ptr;
            ssize_t more = read(session->socket, session->reply + session->length,
                                sizeof(session->reply) - 1 - session->length);

            if (more <= 0)
                die("the server has closed the connection");
            session->length += (size_t)more;
            session->reply[session->length] = '\0';
            if (is_whole(session))
                answer(session);
        }
        time_is_up = now() >= end && logins > 0;
    }
    printf("%llu\n", (unsigned long long)(last_login - start));
    for (i = 0; i < logins; i++)
        printf("%llu\n", (unsigned long long)latencies[i]);
    return 0;
}
