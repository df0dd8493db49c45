/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_LOOKUP_H
#define SQLCRYPT_LOOKUP_H

/*
 * How one request to a database ended. Zero never means yes, and a step that went well
 * is not a row that was found.
 */

enum lookup {
    LOOKUP_UNAVAILABLE, /* no answer, and the session is of no more use */
    LOOKUP_LOST,        /* likewise; a new session may do better, now or in a moment */
    LOOKUP_BUSY,        /* the server takes no session now, but may in a moment */
    LOOKUP_UNREADY,     /* the server lacks what the statement needs: another may have it */
    LOOKUP_CONFLICT,    /* another transaction was in the way: nothing was kept */
    LOOKUP_REJECTED,    /* the server refuses the statement */
    LOOKUP_DONE,        /* a step went well that looks nothing up: opened, stored, committed */
    LOOKUP_NONE,        /* no row */
    LOOKUP_SEVERAL,     /* more rows than the caller takes */
    LOOKUP_FOUND        /* a row */
};

#endif
