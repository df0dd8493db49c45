/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/pgsql_link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

static bool time_is_up(struct reason *reason)
{
    reason_set(reason, "timed out waiting for an answer");
    return false;
}

/* Counts what libpq is about to read. While that is little, libpq reads no more than what has
 * arrived; only when it has a lot does it keep reading without checking anything else. */
static bool count(struct pgsql_link *link, const struct pgsql_limits *limits, struct reason *reason)
{
    const int socket = PQsocket(link->connection);
    int waiting = 0;

    if (link->watchdog.runs)
        return true;
    ioctl(socket, FIONREAD, &waiting);
    if (waiting > 0)
        link->taken += (unsigned)waiting;
    if (link->taken <= limits->ordinary)
        return true;
    if (watchdog_set(&link->watchdog, socket, limits->deadline, limits->most))
        return true;
    reason_set(reason, "cannot start a watchdog thread");
    return false;
}

bool pgsql_link_wait(struct pgsql_link *link, bool reading, bool writing,
                     const struct pgsql_limits *limits, struct reason *reason)
{
    struct pollfd socket = {
        .fd = PQsocket(link->connection),
        .events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0)),
    };
    int ready;

    if (deadline_remaining(limits->deadline) == 0)
        return time_is_up(reason);
    ready = deadline_poll(limits->deadline, &socket, INT_MAX);
    if (ready == 0)
        return time_is_up(reason);
    if (ready < 0) {
        reason_set(reason, "cannot wait for the server: %s", strerror(errno));
        return false;
    }
    return (socket.revents & POLLIN) == 0 || count(link, limits, reason);
}

bool pgsql_link_end(struct pgsql_link *link, const struct pgsql_limits *limits,
                    struct reason *reason)
{
    const bool is_flooded = watchdog_is_flooded(&link->watchdog);
    const bool is_late = link->watchdog.runs && deadline_remaining(limits->deadline) == 0;

    watchdog_call_off(&link->watchdog);
    link->taken = 0;
    if (is_flooded)
        reason_set(reason, "the answer is too long");
    else if (is_late)
        time_is_up(reason);
    return !is_flooded && !is_late;
}
