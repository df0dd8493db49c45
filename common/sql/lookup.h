/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_LOOKUP_H
#define SQLCRYPT_LOOKUP_H

/*
 * How one request to a database ended. Zero never means yes, and a successful step is not a row
 * that was found.
 */

enum lookup {
    LOOKUP_UNAVAILABLE, /* no answer, and the session can no longer be used */
    LOOKUP_LOST,        /* likewise; a new session may do better, now or in a moment */
    LOOKUP_BUSY,        /* the server accepts no session now, but may in a moment */
    LOOKUP_UNREADY,     /* the server lacks what the statement needs: another may have it */
    LOOKUP_CONFLICT,    /* another transaction interfered: nothing was kept */
    LOOKUP_REJECTED,    /* the server refused the statement */
    LOOKUP_DONE,        /* success of a step that looks nothing up: opened, stored, committed */
    LOOKUP_NONE,        /* no row */
    LOOKUP_SEVERAL,     /* more rows than the caller accepts */
    LOOKUP_FOUND        /* a row */
};

#endif
