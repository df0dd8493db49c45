/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_FORK_MARK_H
#define SQLCRYPT_FORK_MARK_H

/*
 * Distinguishes the process that set a mark from the children that it forks,
 * without a system call: the kernel clears a page of memory in a child
 * (madvise(2), MADV_WIPEONFORK, Linux 4.14). Without such a page, the process
 * id decides. A child that shares its parent's memory, as after vfork(2), is
 * taken for the parent.
 */

#include <stdbool.h>
#include <sys/types.h>

struct fork_mark {
    unsigned char *page; /* NULL: the process id decides */
    pid_t pid;
};

/* Sets the mark for this process. */
void fork_mark_set(struct fork_mark *mark);

/* Whether this process has set the mark. */
bool fork_mark_holds(const struct fork_mark *mark);

/* Frees the mark, in any process. */
void fork_mark_free(struct fork_mark *mark);

#endif
