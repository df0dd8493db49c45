/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "authdaemond/authdaemond_options.h"
#include "authdaemond/authdaemond_reply.h"
#include "base/secret.h"

enum {
    LONGEST_QUESTION = 8191, /* bytes after the line AUTH: the daemon reads no more */
    FULL_BACKLOG_PAUSE = 20  /* milliseconds */
};

/* --- the question */

/* The number of bytes after the line AUTH. Each line ends in a line break. */
static size_t length_of(const struct authdaemond_question *question)
{
    return strlen(question->service) + strlen(question->type) + question->lines[0].length +
           question->lines[1].length + 4;
}

/* Whether the question can be sent as lines and is no longer than the daemon reads. */
static bool is_possible(const struct authdaemond_question *question, struct reason *reason)
{
    if (bytes_have_control(question->lines[0]) || bytes_have_control(question->lines[1]))
        reason_set(reason, "authdaemond: a control character in the user name or the password");
    else if (length_of(question) > LONGEST_QUESTION)
        reason_set(reason, "authdaemond: user name and password together are too long");
    else
        return true;
    return false;
}

/* What to send, from malloc(3); NULL when out of memory. */
static char *make_request(const struct authdaemond_question *question)
{
    const char *remote_ip = question->remote_ip != NULL ? question->remote_ip : "";
    const struct bytes first = question->lines[0], second = question->lines[1];
    const size_t size = length_of(question) + strlen(remote_ip) + 64;
    char *request = malloc(size);

    if (request != NULL)
        snprintf(request, size, "%s%s%sAUTH %zu\n%s\n%s\n%.*s\n%.*s\n",
                 remote_ip[0] != '\0' ? "TCPREMOTEIP=" : "", remote_ip,
                 remote_ip[0] != '\0' ? "\n" : "", length_of(question), question->service,
                 question->type, (int)first.length, first.start, (int)second.length, second.start);
    return request;
}

/* --- the connection */

/* Who may enter a folder, for a log line. In a jail, groups may have no names. */
static void describe_group(gid_t gid, char *text, size_t size)
{
    char buffer[1024];
    struct group group, *found = NULL;

    if (getgrgid_r(gid, &group, buffer, sizeof(buffer), &found) == 0 && found != NULL)
        snprintf(text, size, "the group %s", found->gr_name);
    else
        snprintf(text, size, "the group with the number %u", (unsigned)gid);
}

/* Names the first part of the path that this process may not enter or write to. The path fits
 * into a socket's address. */
static void explain_permission(const char *path, struct reason *reason)
{
    struct stat status;
    char part[sizeof(((struct sockaddr_un *)NULL)->sun_path)], group[64];
    size_t length = 0;

    while (path[length] != '\0') {
        length += 1 + strcspn(path + length + 1, "/");
        snprintf(part, sizeof(part), "%.*s", (int)length, path);
        if (stat(part, &status) != 0)
            break;
        if (faccessat(AT_FDCWD, part, S_ISDIR(status.st_mode) ? X_OK : W_OK, AT_EACCESS) == 0)
            continue;
        describe_group(status.st_gid, group, sizeof(group));
        reason_set(reason,
                   "authdaemond: %s: Permission denied: %s (mode %03o) belongs to %s and is not "
                   "accessible to this process",
                   path, part, (unsigned)status.st_mode & 0777, group);
        return;
    }
    reason_set(reason, "authdaemond: %s: Permission denied", path);
}

static void explain_connect(const struct authdaemond *daemon, int error, struct reason *reason)
{
    struct stat status;

    switch (error) {
    case EACCES:
        explain_permission(daemon->path, reason);
        break;
    case ECONNREFUSED:
        if (stat(daemon->path, &status) == 0 && !S_ISSOCK(status.st_mode))
            reason_set(reason, "authdaemond: %s: not a socket", daemon->path);
        else
            reason_set(reason, "authdaemond: %s: Connection refused: authdaemond is not running",
                       daemon->path);
        break;
    case ENOENT:
        reason_set(reason, "authdaemond: %s: No such file or directory%s", daemon->path,
                   jail_hint(&daemon->jail));
        break;
    default:
        reason_set_error(reason, error);
        reason_prefix(reason, "authdaemond: %s: ", daemon->path);
    }
}

static bool timed_out(const struct authdaemond *daemon, struct reason *reason)
{
    reason_set(reason, "authdaemond: %s: timed out waiting for an answer", daemon->path);
    return false;
}

/* Returns false if the deadline has passed. */
static bool wait_for(int socket, short events, const struct deadline *deadline)
{
    struct pollfd wanted = {.fd = socket, .events = events};

    return deadline_poll(deadline, &wanted, INT_MAX) > 0;
}

/* A busy daemon has a full backlog: connecting to a Unix socket then fails with EAGAIN. */
static bool connect_socket(int socket, const struct authdaemond *daemon,
                           const struct deadline *deadline, struct reason *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(daemon->path);

    if (length >= sizeof(address.sun_path)) {
        reason_set(reason, "authdaemond: the path is too long for a socket: %s", daemon->path);
        return false;
    }
    memcpy(address.sun_path, daemon->path, length);
    while (connect(socket, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        if (errno != EAGAIN && errno != EINTR) {
            explain_connect(daemon, errno, reason);
            return false;
        }
        if (!deadline_sleep(deadline, FULL_BACKLOG_PAUSE))
            return timed_out(daemon, reason);
    }
    return true;
}

/* A daemon that has closed the connection may have answered first: its answer is read next. */
static bool send_request(int socket, const struct authdaemond *daemon, struct bytes request,
                         const struct deadline *deadline, struct reason *reason)
{
    size_t sent = 0;

    while (sent < request.length) {
        ssize_t count = send(socket, request.start + sent, request.length - sent, MSG_NOSIGNAL);

        if (count >= 0)
            sent += (size_t)count;
        else if (errno != EAGAIN && errno != EINTR)
            return true;
        else if (!wait_for(socket, POLLOUT, deadline))
            return timed_out(daemon, reason);
    }
    return true;
}

/* What has been read so far, up to one byte more than the longest reply. */
struct reply {
    char bytes[AUTHDAEMOND_REPLY_MAX + 1];
    size_t length;
    bool is_whole; /* the daemon has closed the connection, in an orderly way */
};

static struct bytes text_of(const struct reply *reply)
{
    return (struct bytes){reply->bytes, reply->length};
}

static bool requires_options(const struct authdaemond *daemon)
{
    return daemon->require_options[0] != '\0';
}

/* Whether nothing that follows can change the verdict. If options are required,
 * what follows an account can. */
static bool is_decided(const struct authdaemond *daemon, const struct reply *reply)
{
    switch (authdaemond_reply_judge(text_of(reply))) {
    case REPLY_UNFINISHED:
        return false;
    case REPLY_ACCOUNT:
        return !requires_options(daemon) || reply->length == sizeof(reply->bytes);
    case REPLY_FAIL:
    case REPLY_MALFORMED:
        break;
    }
    return true;
}

/* Reads until the verdict is decided or the daemon has closed the connection.
 * The deadline also applies to a daemon that keeps sending. */
static bool read_reply(int socket, const struct authdaemond *daemon, struct reply *reply,
                       const struct deadline *deadline, struct reason *reason)
{
    while (!is_decided(daemon, reply)) {
        ssize_t count;

        if (deadline_remaining(deadline) == 0)
            return timed_out(daemon, reason);
        count = recv(socket, reply->bytes + reply->length, sizeof(reply->bytes) - reply->length, 0);
        if (count > 0) {
            reply->length += (size_t)count;
        } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            reply->is_whole = count == 0;
            return true;
        } else if (!wait_for(socket, POLLIN, deadline)) {
            return timed_out(daemon, reason);
        }
    }
    return true;
}

/* --- the answer */

static enum verdict judge_unfinished(const struct authdaemond *daemon, const struct reply *reply,
                                     struct reason *reason)
{
    reason_set(reason,
               reply->length == 0
                   ? "authdaemond: %s: closed without a verdict: see the daemon's log"
                   : "authdaemond: %s: closed within the reply",
               daemon->path);
    return VERDICT_UNAVAILABLE;
}

static enum verdict judge_options(const struct authdaemond *daemon, const struct reply *reply,
                                  struct reason *reason)
{
    struct bytes options;

    if (!requires_options(daemon))
        return VERDICT_MATCH;
    if (!reply->is_whole && reply->length < sizeof(reply->bytes))
        return judge_unfinished(daemon, reply, reason);
    if (!authdaemond_reply_options(text_of(reply), &options)) {
        reason_set(reason,
                   "authdaemond: %s: malformed reply: cannot tell the options of the account: "
                   "is there a line break in its full name?",
                   daemon->path);
        return VERDICT_UNAVAILABLE;
    }
    if (authdaemond_options_allow(daemon->require_options, options))
        return VERDICT_MATCH;
    reason_set(reason, "authdaemond: the account lacks a required option");
    return VERDICT_LOCKED;
}

static enum verdict judge_reply(const struct authdaemond *daemon, const struct reply *reply,
                                struct reason *reason)
{
    switch (authdaemond_reply_judge(text_of(reply))) {
    case REPLY_ACCOUNT:
        return judge_options(daemon, reply, reason);
    case REPLY_FAIL:
        reason_set(reason, "authdaemond: no such user or wrong password");
        return VERDICT_MISMATCH;
    case REPLY_UNFINISHED:
        return judge_unfinished(daemon, reply, reason);
    case REPLY_MALFORMED:
        break;
    }
    reason_set(reason, "authdaemond: %s: malformed reply", daemon->path);
    return VERDICT_UNAVAILABLE;
}

/* Sends the question and judges what comes back. */
static enum verdict exchange(int socket, const struct authdaemond *daemon, struct bytes request,
                             const struct deadline *deadline, struct reason *reason)
{
    struct reply *reply = malloc(sizeof(*reply));
    enum verdict verdict = VERDICT_UNAVAILABLE;

    if (reply == NULL) {
        reason_no_memory(reason);
        return VERDICT_NO_MEMORY;
    }
    reply->length = 0;
    reply->is_whole = false;
    if (connect_socket(socket, daemon, deadline, reason) &&
        send_request(socket, daemon, request, deadline, reason) &&
        read_reply(socket, daemon, reply, deadline, reason))
        verdict = judge_reply(daemon, reply, reason);
    /* Whatever the reply was, it may contain a password. */
    explicit_bzero(reply->bytes, reply->length);
    free(reply);
    return verdict;
}

enum verdict authdaemond_ask(const struct authdaemond *daemon,
                             const struct authdaemond_question *question,
                             const struct deadline *deadline, struct reason *reason)
{
    enum verdict verdict = VERDICT_UNAVAILABLE;
    char *request;
    int socket_;

    if (!is_possible(question, reason))
        return VERDICT_MALFORMED;
    request = make_request(question);
    if (request == NULL) {
        reason_no_memory(reason);
        return VERDICT_NO_MEMORY;
    }
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ >= 0) {
        verdict = exchange(socket_, daemon, bytes_of(request), deadline, reason);
        close(socket_);
    } else {
        reason_set_error(reason, errno);
        reason_prefix(reason, "authdaemond: cannot create a socket: ");
    }
    secret_free_string(request);
    return verdict;
}
