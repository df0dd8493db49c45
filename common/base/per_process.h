/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PER_PROCESS_H
#define SQLCRYPT_PER_PROCESS_H

/*
 * Holds something that each process makes for itself: a child of fork(2) makes a new one and
 * leaves the inherited one alone, since another thread may have held a lock in it during the
 * fork.
 */

struct owned_thing;

/* Initially all zero except for the functions. */
struct per_process {
    void *(*make)(void *context); /* returns NULL when out of memory */
    void (*discard)(void *thing); /* a surplus thing, unused */
    void *context;
    _Atomic(struct owned_thing *) current;
};

/* Returns the thing of this process, making it if necessary; NULL when out of memory. Several
 * threads may call it at once. */
void *per_process_get(struct per_process *holder);

/* Returns the thing, for the caller to free, if this process has made it; else NULL. It must no
 * longer be in use. */
void *per_process_release(struct per_process *holder);

#endif
