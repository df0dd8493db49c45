/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_AUTHDAEMOND_H
#define SQLCRYPT_AUTHDAEMOND_H

/*
 * Asks Courier's authdaemond, over its Unix socket, whether a user may log in:
 * one question for each connection, as the daemon expects.
 *
 *     AUTH 31                     bytes that follow this line
 *     esmtp                       the service
 *     login                       the type of the question
 *     ann@example.com             its lines: for "login" user and password,
 *     secret                      for "cram-md5" challenge and response in base64
 */

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/jail.h"
#include "base/reason.h"
#include "base/verdict.h"

struct authdaemond_question {
    const char *service;
    const char *type;
    const char *remote_ip; /* the client's, sent first; NULL or "" if not known */
    struct bytes lines[2];
};

/* The daemon to ask, and what else an account needs to log in. */
struct authdaemond {
    const char *path;            /* of the socket */
    const char *require_options; /* as in authdaemond_options.h; "" requires nothing */
    struct jail jail;
};

/* Asks and waits for the answer. If options are required, the answer is
 * complete only once the daemon has closed the connection; see
 * authdaemond_reply.h. A question with a control character in a line, or one
 * longer than the daemon accepts, is refused before anything is sent.
 *
 * Returns VERDICT_MATCH; or with a reason VERDICT_MISMATCH (no such user or a
 * wrong password, which the daemon does not tell apart), VERDICT_LOCKED (the
 * account lacks an option), VERDICT_MALFORMED, VERDICT_NO_MEMORY, or
 * VERDICT_UNAVAILABLE for anything that is not an answer. */
enum verdict authdaemond_ask(const struct authdaemond *daemon,
                             const struct authdaemond_question *question,
                             const struct deadline *deadline, struct reason *reason);

#endif
