/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/jail.h"

#include <errno.h>
#include <sys/stat.h>

void jail_note_root(struct jail *jail)
{
    struct stat root = {.st_dev = 0};

    jail->noted = stat("/", &root) == 0;
    jail->root_device = root.st_dev;
    jail->root_inode = root.st_ino;
}

static bool is_entered(const struct jail *jail)
{
    struct stat root;

    return jail->noted && stat("/", &root) == 0 &&
           (root.st_dev != jail->root_device || root.st_ino != jail->root_inode);
}

const char *jail_hint(const struct jail *jail)
{
    return is_entered(jail)
               ? " (this process runs in a chroot jail: the path is looked up inside the jail)"
               : "";
}

const char *jail_hint_for_name(const struct jail *jail)
{
    return is_entered(jail) ? " (this process runs in a chroot jail: etc/hosts and etc/resolv.conf "
                              "are looked up "
                              "inside the jail)"
                            : "";
}

const char *jail_hint_for(const struct jail *jail, const char *path)
{
    struct stat status;

    return stat(path, &status) != 0 && errno == ENOENT ? jail_hint(jail) : "";
}
