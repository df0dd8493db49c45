/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENDPOINT_TABLE_H
#define SQLCRYPT_SQL_ENDPOINT_TABLE_H

/*
 * What a process knows about the endpoints: for each entry of `sql_hostnames`, the addresses
 * that it stands for, and the state of each. Only sql_endpoints.c uses it.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/sql_endpoints.h"

enum sql_endpoint_state { ENDPOINT_IS_UP, ENDPOINT_IS_BUSY, ENDPOINT_IS_DOWN };

struct sql_endpoint_known {
    unsigned id;
    char address[HOST_ADDRESS_SIZE];
    enum sql_endpoint_state state;
    int64_t until; /* as in struct deadline: when the state is ENDPOINT_IS_UP again */
    bool refuses;
    bool said_busy;
    unsigned learned; /* by the driver */
    int64_t learned_until;
};

/* What is known about an entry of `sql_hostnames`. */
struct sql_endpoint_host {
    bool is_looked_up;
    int64_t look_up_at;
    unsigned count; /* 1 for the name alone, unless it is looked up */
    struct sql_endpoint_known known[HOST_ADDRESSES_MAX];
};

/* What a process knows. The lock is never held while waiting. */
struct sql_endpoint_table {
    pthread_mutex_t lock;
    unsigned last_id;
    unsigned start; /* where the order begins */
    int64_t given_up_until[SQL_ACCESS_WRITE + 1];
    size_t count;
    struct sql_endpoint_host hosts[];
};

/* For struct per_process; the context is a struct sql_settings. */
void *sql_endpoint_table_new(void *context);
void sql_endpoint_table_free(void *thing);

/* The endpoint with that number, and its host; NULL if it is gone. */
struct sql_endpoint_known *sql_endpoint_table_find(struct sql_endpoint_table *table, unsigned id,
                                                   struct sql_endpoint_host **host);

/* Replaces the addresses of a host with those that were found. Those that stay keep their order:
 * a name server may change it with each answer. `dropped` gets the numbers of the others. */
void sql_endpoint_table_replace(struct sql_endpoint_table *table, struct sql_endpoint_host *host,
                                const struct host_addresses *found, struct sql_walk *dropped);

#endif
