/* SPDX-License-Identifier: BSD-3-Clause */
#include "pgsql_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* At once, in bytes: more than nearly all answers have, and little enough for libpq to
 * be done with soon, whatever it is. */
enum { PIECE = 8192 };

enum passing {
    PASSING_DONE,
    PASSING_NOTHING,
    PASSING_FULL, /* the other one takes nothing for now */
    PASSING_DEAF, /* or for ever */
    PASSING_END   /* there will be nothing more to pass */
};

void pgsql_relay_start(struct pgsql_relay *relay, PGconn *connection)
{
    *relay = (struct pgsql_relay){.connection = connection, .server = -1, .inner = -1};
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Passes one piece on. What is not taken stays where it is. */
static enum passing pass(int from, int to, size_t *taken)
{
    unsigned char piece[PIECE];
    ssize_t count = recv(from, piece, sizeof(piece), MSG_PEEK | MSG_DONTWAIT), sent = 0;
    enum passing result;

    if (count <= 0)
        return count < 0 && would_block() ? PASSING_NOTHING : PASSING_END;
    sent = send(to, piece, (size_t)count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        result = would_block() ? PASSING_FULL : PASSING_DEAF;
    else
        result = PASSING_DONE;
    if (sent > 0)
        *taken += (size_t)recv(from, piece, (size_t)sent, MSG_DONTWAIT);
    explicit_bzero(piece, (size_t)count);
    return result;
}

static void let_go(struct pgsql_relay *relay)
{
    if (relay->server < 0)
        return;
    close(relay->server);
    close(relay->inner);
    relay->server = relay->inner = -1;
}

/* The socket that libpq has, or 0. */
static ino_t socket_of_libpq(const PGconn *connection)
{
    struct stat status;

    return fstat(PQsocket(connection), &status) == 0 ? status.st_ino : 0;
}

/* Has `ours` be what libpq knows the server by. */
static bool replace(struct pgsql_relay *relay, int ours)
{
    int theirs = PQsocket(relay->connection);

    relay->server = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
    if (relay->server >= 0 && dup3(ours, theirs, O_CLOEXEC) >= 0)
        return true;
    if (relay->server >= 0)
        close(relay->server);
    relay->server = -1;
    return false;
}

bool pgsql_relay_join(struct pgsql_relay *relay, struct reason *reason)
{
    int ends[2];

    if (relay->server >= 0 && socket_of_libpq(relay->connection) == relay->outer)
        return true;
    let_go(relay);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        reason_set(reason, "socketpair: %s", strerror(errno));
        return false;
    }
    if (!replace(relay, ends[0])) {
        reason_set(reason, "dup: %s", strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    close(ends[0]);
    relay->inner = ends[1];
    relay->outer = socket_of_libpq(relay->connection);
    relay->is_full = relay->is_deaf = relay->has_ended = false;
    return true;
}

/* Whether there may be more. */
static bool pass_to_server(struct pgsql_relay *relay)
{
    size_t sent = 0;
    enum passing passing = pass(relay->inner, relay->server, &sent);

    relay->is_full = passing == PASSING_FULL;
    relay->is_deaf = passing == PASSING_DEAF || passing == PASSING_END;
    return passing == PASSING_DONE;
}

static void pass_to_libpq(struct pgsql_relay *relay)
{
    if (pass(relay->server, relay->inner, &relay->taken) != PASSING_END)
        return;
    relay->has_ended = true;
    shutdown(relay->inner, SHUT_WR);
}

/* libpq comes first: there is never more than one piece that it has not read. */
bool pgsql_relay_wait(struct pgsql_relay *relay, bool reading, bool writing,
                      const struct deadline *deadline)
{
    while (deadline_remaining(deadline) > 0) {
        int outgoing = relay->is_deaf ? 0 : relay->is_full ? POLLOUT : POLLIN;
        struct pollfd ends[] = {
            {.fd = PQsocket(relay->connection),
             .events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))},
            {.fd = relay->has_ended ? -1 : relay->server,
             .events = (short)(POLLIN | (outgoing & POLLOUT))},
            {.fd = outgoing == POLLIN ? relay->inner : -1, .events = POLLIN},
        };

        if (poll(ends, sizeof(ends) / sizeof(ends[0]), deadline_remaining(deadline)) < 0) {
            if (errno != EINTR)
                return false;
            continue;
        }
        if (ends[2].revents != 0 || (ends[1].revents & POLLOUT) != 0)
            pass_to_server(relay);
        if (ends[0].revents != 0 || ends[0].fd < 0)
            return deadline_remaining(deadline) > 0;
        if ((ends[1].revents & ~POLLOUT) != 0)
            pass_to_libpq(relay);
    }
    return false;
}

/* With libpq's goodbye, which the server would miss. */
void pgsql_relay_finish(struct pgsql_relay *relay)
{
    PQfinish(relay->connection);
    relay->connection = NULL;
    while (relay->server >= 0 && pass_to_server(relay))
        continue;
    let_go(relay);
}
