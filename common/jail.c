/* SPDX-License-Identifier: BSD-3-Clause */
#include "jail.h"

#include <sys/stat.h>

void jail_note_root(struct jail *jail)
{
    struct stat root;

    jail->noted = stat("/", &root) == 0;
    if (jail->noted) {
        jail->root_device = root.st_dev;
        jail->root_inode = root.st_ino;
    }
}

const char *jail_hint(const struct jail *jail)
{
    struct stat root;

    if (!jail->noted || stat("/", &root) != 0 ||
        (root.st_dev == jail->root_device && root.st_ino == jail->root_inode))
        return "";
    return " (this process runs in a chroot jail: the path is looked up inside the jail)";
}
