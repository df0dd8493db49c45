/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_JAIL_H
#define SQLCRYPT_JAIL_H

/*
 * Notices that the process has entered a chroot jail since its start, as
 * smtpd does with 'y' in master.cf, so that a file or socket that cannot be
 * found can be reported with the likely reason.
 */

#include <stdbool.h>
#include <sys/types.h>

struct jail {
    bool noted;
    dev_t root_device;
    ino_t root_inode;
};

/* Remembers the current root directory. */
void jail_note_root(struct jail *jail);

/* What to append to "PATH: No such file or directory": a hint if the root
 * directory has changed since then, else the empty string. */
const char *jail_hint(const struct jail *jail);

/* The same for "NAME: no such host": looking up a name needs files, too. */
const char *jail_hint_for_name(const struct jail *jail);

/* The same after other code has looked for `path`: the hint if it does not exist. */
const char *jail_hint_for(const struct jail *jail, const char *path);

#endif
