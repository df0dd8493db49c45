/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_PER_PROCESS_H
#define SQLCRYPT_PER_PROCESS_H

/*
 * Holds what each process has of its own: a child of fork(2) makes it anew, and leaves
 * what it has inherited as it is, since another thread may have held a lock in it during
 * the fork.
 */

struct owned_thing;

/* All zero but for the functions, to begin with. */
struct per_process {
    void *(*make)(void *context); /* returns NULL when out of memory */
    void (*discard)(void *thing); /* what was made in excess, unused */
    void *context;
    _Atomic(struct owned_thing *) current;
};

/* Returns the thing of this process, made if need be; NULL when out of memory. May be
 * called by several threads at once. */
void *per_process_get(struct per_process *holder);

/* Returns the thing, for the caller to free, if this process has made it; else NULL.
 * Nobody else uses it by now. */
void *per_process_release(struct per_process *holder);

#endif
