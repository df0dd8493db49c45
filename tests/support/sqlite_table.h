/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_SQLITE_TABLE_H
#define SQLCRYPT_TESTS_SQLITE_TABLE_H

/*
 * Database files for tests, in a folder of their own that is removed with
 * everything in it.
 */

/* Makes the folder; returns the same one until it is removed. */
const char *folder(void);
void folder_remove(void);

/* A name in the folder, from malloc(3). */
char *folder_file(const char *name);

/* Runs SQL on a file of the folder, which is created if necessary. */
void run_sql(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first column of the only row, from malloc(3); NULL for NULL. */
char *read_sql(const char *file, const char *statement);

#endif
