/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQLITE_FILES_H
#define SQLCRYPT_SQLITE_FILES_H

/*
 * Says which file or folder an error of SQLite is about, and what to do: its
 * own words do not.
 */

#include <sqlite3.h>
#include <stdbool.h>

#include "base/reason.h"

/* Why the file cannot be opened: the part of its path that denies it. */
void sqlite_files_explain_denied(const char *path, struct reason *reason);

/* Explains the last error of an open database, in place of the existing reason, if there is more
 * to say. `writes` says that the session is one that stores. */
void sqlite_files_explain(sqlite3 *database, const char *path, bool writes, struct reason *reason);

#endif
