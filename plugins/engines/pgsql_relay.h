/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PGSQL_RELAY_H
#define SQLCRYPT_PGSQL_RELAY_H

/*
 * Passes on what libpq and the server say to each other, a few kilobytes at a time.
 *
 * libpq reads for as long as there is something to be read, up to the length that
 * the server has announced for a message, and looks at no clock meanwhile. The relay
 * puts a socket of our own in the place of libpq's, so that each call of libpq ends
 * soon, and counts what the server has sent. It knows nothing of the protocol: TLS
 * is between libpq and the server.
 */

#include <libpq-fe.h>
#include <stdbool.h>
#include <sys/types.h>

#include "deadline.h"
#include "reason.h"

struct pgsql_relay {
    PGconn *connection;
    size_t taken; /* bytes from the server; the user may set it to 0 */

    int server;     /* -1: libpq still has it for itself */
    int inner;      /* our end of the socket that libpq has instead */
    ino_t outer;    /* what tells libpq's end from sockets that libpq makes later */
    bool is_full;   /* the server takes nothing more for now, */
    bool is_deaf;   /* or for ever */
    bool has_ended; /* the server sends nothing more */
};

/* Takes a connection over. The relay may not move afterwards. */
void pgsql_relay_start(struct pgsql_relay *relay, PGconn *connection);

/* Puts itself between libpq and the server, if it is not there yet. To be called
 * before libpq reads from a new socket. False with a reason if it cannot. */
bool pgsql_relay_join(struct pgsql_relay *relay, struct reason *reason);

/* Waits until libpq can go on reading, or writing if `writing`, too; `reading` is
 * not needed to connect. False if time is up, even if there is something to be read. */
bool pgsql_relay_wait(struct pgsql_relay *relay, bool reading, bool writing,
                      const struct deadline *deadline);

/* Ends the connection. Does not block. */
void pgsql_relay_finish(struct pgsql_relay *relay);

#endif
