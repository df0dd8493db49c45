/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FLOOR_H
#define FLOOR_H

/*
 * The least that asking a database for a password can cost: a prepared
 * statement of the bare client library, on one connection, without any handling
 * of failures. One file for each client library, and one that asks nothing.
 */

#include <stdbool.h>

/* Connects, and prepares the statement. The file that reads the arguments says
 * what they are. */
bool floor_open(int count, char **arguments);

/* Whether `password` is that of `user`. */
bool floor_verify(const char *user, const char *password);

#endif
