/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * SQLite may need files beside its own: PATH-journal while it writes or after a writer was
 * interrupted, and in WAL mode PATH-wal and PATH-shm even to read. The last process to close the
 * file removes those two, and the next one has to create them.
 */

#include "engines/sqlite_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns 0, or the errno that this process gets. */
static int denied(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 ? 0 : errno;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int folder_denied(const char *path)
{
    char folder[PATH_MAX];
    const int length = (int)(last_part(path) - path);

    snprintf(folder, sizeof(folder), "%.*s", length, path);
    return denied(length > 0 ? folder : ".", W_OK | X_OK);
}

void sqlite_files_explain_denied(const char *path, struct reason *reason)
{
    char part[PATH_MAX];
    struct stat status;
    size_t length = 0;

    while (path[length] != '\0') {
        length += 1 + strcspn(path + length + 1, "/");
        if (length >= sizeof(part))
            break;
        memcpy(part, path, length);
        part[length] = '\0';
        if (stat(part, &status) != 0)
            break;
        if (denied(part, S_ISDIR(status.st_mode) ? X_OK : R_OK) == 0)
            continue;
        reason_set(reason, "%s: Permission denied: %s (mode %03o) is not accessible to user %u",
                   path, part, (unsigned)status.st_mode & 0777, (unsigned)geteuid());
        return;
    }
    reason_set(reason, "%s: Permission denied", path);
}

/* Uses SQLite's own descriptor: closing another one would end its locks. */
static bool is_in_wal_mode(sqlite3 *database)
{
    enum { READ_VERSION = 19, VERSION_WAL = 2 }; /* of the file format, section 1.3 */
    sqlite3_file *file = NULL;
    unsigned char version = 0;

    return sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
           file->pMethods != NULL /* there is none for a database in memory */ &&
           file->pMethods->xRead(file, &version, 1, READ_VERSION) == SQLITE_OK &&
           version == VERSION_WAL;
}

/* True if the file beside it exists and this process cannot open it. */
static bool explain_beside(const char *path, const char *suffix, int mode, const char *why,
                           struct reason *reason)
{
    char beside[PATH_MAX];
    struct reason name;
    int error;

    snprintf(beside, sizeof(beside), "%s%s", path, suffix);
    error = denied(beside, mode);
    if (error == 0 || error == ENOENT)
        return false;
    reason_set(&name, "%s%s", last_part(path), suffix);
    reason_set(reason, "%s: %s, and %s beside it is not accessible to user %u: %s", path, why,
               name.text, (unsigned)geteuid(), strerror(error));
    return true;
}

static bool explain_wal(const char *path, bool writes, struct reason *reason)
{
    static const char why[] = "the database is in WAL mode";
    const int mode = writes ? R_OK | W_OK : R_OK;
    int error;

    if (explain_beside(path, "-wal", mode, why, reason) ||
        explain_beside(path, "-shm", mode, why, reason))
        return true;
    error = folder_denied(path);
    if (error == 0)
        return false;
    reason_set(reason,
               "%s: %s, for which SQLite creates files beside it, and the user %u may not write to "
               "that folder (%s): allow it, or end WAL mode by PRAGMA journal_mode = DELETE",
               path, why, (unsigned)geteuid(), strerror(error));
    return true;
}

static bool explain_journal(const char *path, struct reason *reason)
{
    static const char why[] = "an interrupted change must be rolled back";
    int error;

    if (explain_beside(path, "-journal", R_OK | W_OK, why, reason))
        return true;
    error = folder_denied(path);
    if (error != 0)
        reason_set(reason,
                   "%s: SQLite creates a journal beside it to write, and the user %u may not write "
                   "to that folder: %s",
                   path, (unsigned)geteuid(), strerror(error));
    return error != 0;
}

static bool explain_file(const char *path, struct reason *reason)
{
    int error = denied(path, W_OK);

    if (error != 0)
        reason_set(reason, "%s: the user %u may not write to this file: %s", path,
                   (unsigned)geteuid(), strerror(error));
    return error != 0;
}

void sqlite_files_explain(sqlite3 *database, const char *path, bool writes, struct reason *reason)
{
    int code = sqlite3_extended_errcode(database);
    int error = sqlite3_system_errno(database);

    switch (code) {
    case SQLITE_READONLY_ROLLBACK:
        reason_set(reason,
                   "%s: an interrupted change must be rolled back from %s-journal: open the "
                   "file once as a user who may write to it",
                   path, last_part(path));
        return;
    case SQLITE_READONLY:
        /* The reason already says that a lookup tries to write. */
        if (writes)
            explain_file(path, reason);
        return;
    default:
        break;
    }
    if ((code & 0xff) != SQLITE_IOERR &&
        (is_in_wal_mode(database) ? explain_wal(path, writes, reason)
                                  : explain_journal(path, reason)))
        return;
    if (error != 0)
        reason_set(reason, "%s: %s: %s", path, sqlite3_errstr(code & 0xff), strerror(error));
}
