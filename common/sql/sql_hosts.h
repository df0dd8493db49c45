/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_HOSTS_H
#define SQLCRYPT_SQL_HOSTS_H

/*
 * Reads `sql_hostnames`: the database hosts, in the order in which they are
 * tried.
 *
 * Entries are separated by commas or blanks:
 *
 *     db1.example.com   192.0.2.1   db1:5433   [2001:db8::1]:5433
 *     2001:db8::1       /run/postgresql        /run/postgresql:5433
 *
 * A path leads to a socket or to its folder, whichever the engine uses.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"

struct sql_host {
    char *name;    /* a host name, an address, or an absolute path; "" is the engine's default */
    unsigned port; /* 0 is the engine's default */
    char *label;   /* as log lines name it */
};

struct sql_hosts {
    struct sql_host *items; /* at least one */
    size_t count;
};

/* Reads the list; an empty one means the engine's default host. Returns false
 * with a reason, and holds nothing, if an entry cannot be read or when out of
 * memory. */
bool sql_hosts_read(struct sql_hosts *hosts, const char *list, struct reason *reason);

/* Frees all of it. May be called with nothing held. */
void sql_hosts_free(struct sql_hosts *hosts);

/* Whether the name is the path of a socket. */
bool sql_hosts_is_path(const struct sql_host *host);

#endif
