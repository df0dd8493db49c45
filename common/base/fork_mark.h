/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_FORK_MARK_H
#define SQLCRYPT_FORK_MARK_H

/*
 * Tells the process that has set a mark from the children that it forks, without a
 * system call: a page of memory that the kernel empties for a child (madvise(2),
 * MADV_WIPEONFORK, Linux 4.14). Where there is none, the process id decides. A
 * child that shares the memory of its parent, as by vfork(2), is taken for it.
 */

#include <stdbool.h>
#include <sys/types.h>

struct fork_mark {
    unsigned char *page; /* NULL: see the process id */
    pid_t pid;
};

/* Sets the mark for this process. */
void fork_mark_set(struct fork_mark *mark);

/* Whether this process has set the mark. */
bool fork_mark_holds(const struct fork_mark *mark);

/* Frees what the mark needs, in whichever process. */
void fork_mark_free(struct fork_mark *mark);

#endif
