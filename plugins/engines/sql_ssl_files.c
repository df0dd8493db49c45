/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/sql_ssl_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool sql_ssl_files_explain(const struct sql_target *target, struct reason *reason)
{
    const struct {
        const char *option;
        const char *path;
    } files[] = {
        {"sql_ssl_ca", target->ssl_ca},
        {"sql_ssl_cert", target->ssl_cert},
        {"sql_ssl_key", target->ssl_key},
    };
    size_t i;

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = files[i].path;
        int error;

        if (path[0] == '\0' || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
            continue;
        error = errno;
        reason_set(reason, "%s: %s: %s%s", files[i].option, path, strerror(error),
                   jail_hint_for(&target->jail, path));
        return true;
    }
    return false;
}
