/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENDPOINTS_H
#define SQLCRYPT_SQL_ENDPOINTS_H

/*
 * Says where to connect to next. Each address that an entry of `sql_hostnames` stands
 * for is a separate endpoint: it may be down or busy on its own. Each process finds out for
 * itself.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql_engine.h"
#include "sql/sql_settings.h"

enum { SQL_WALK_MOST = 64 /* the most endpoints that are asked for one login */ };

struct sql_endpoints;

struct sql_endpoint {
    size_t host;                     /* the entry */
    unsigned id;                     /* unique within this process and never reused */
    unsigned rank;                   /* a smaller one comes first */
    char address[HOST_ADDRESS_SIZE]; /* "" if the engine needs none */
    unsigned learned;                /* what the driver has learned there: see sql_engine.h */
    bool is_looked_up;               /* false: only the name is known */
    bool is_due;                     /* to be looked up again: its host may have moved */
    bool is_down;                    /* as far as is known */
    bool has_siblings;               /* of the same host */
    bool has_other_family;           /* one of them, such as IPv4 with IPv6 */
};

/* The endpoints that a login has asked. */
struct sql_walk {
    unsigned asked[SQL_WALK_MOST]; /* their ids */
    size_t count;
};

/* How an endpoint responded. */
enum sql_endpoint_event {
    ENDPOINT_FAILED,   /* it does not answer, or not in time */
    ENDPOINT_REFUSED,  /* it quickly said that it does not answer */
    ENDPOINT_WAS_BUSY, /* it accepts no session just now */
    ENDPOINT_WENT_ON,  /* it has answered a lookup, over a session that was kept */
    ENDPOINT_ANSWERED, /* likewise, over a new one */
    ENDPOINT_STORED    /* it has answered, and can store */
};

/* `engine` and `settings` stay valid until the endpoints are freed. Returns NULL when
 * out of memory. */
struct sql_endpoints *sql_endpoints_new(const struct sql_engine *engine,
                                        const struct sql_settings *settings);
void sql_endpoints_free(struct sql_endpoints *endpoints);

/* Finds the endpoint to ask next, and adds it to the walk: in the order of the entries, first
 * those believed to be up, then the busy ones, then those that are down. `share` is the end of
 * its part of the time; the remaining endpoints need the rest. Returns false if none is left, or
 * when out of memory. */
bool sql_endpoints_next(struct sql_endpoints *endpoints, struct sql_walk *walk,
                        const struct deadline *deadline, struct sql_endpoint *endpoint,
                        struct deadline *share);

/* Looks up the addresses of the endpoint's host, which become the next endpoints. `dropped` gets
 * the ids of the endpoints that the host no longer has. HOST_ADDRESSES_FOUND; else a reason says
 * why not, and nothing has changed. */
enum host_addresses_result sql_endpoints_look_up(struct sql_endpoints *endpoints,
                                                 const struct sql_endpoint *endpoint,
                                                 const struct deadline *deadline,
                                                 struct sql_walk *dropped, struct reason *reason);

/* Notes how an endpoint responded. Returns whether that is worth logging: being busy is, but
 * only once. */
bool sql_endpoints_note(struct sql_endpoints *endpoints, unsigned id,
                        enum sql_endpoint_event event);

/* Keeps what the driver has learned about an endpoint, for a while and until it fails. */
void sql_endpoints_learn(struct sql_endpoints *endpoints, unsigned id, unsigned learned);

/* Whether it is no longer an address of its host. */
bool sql_endpoints_is_gone(struct sql_endpoints *endpoints, const struct sql_endpoint *endpoint);

/* Notes that a login has waited until its deadline for an endpoint to come back, and none did.
 * An endpoint that cannot store may still answer lookups. */
void sql_endpoints_give_up(struct sql_endpoints *endpoints, enum sql_access access);

/* Whether that was recently, and none has answered since. */
bool sql_endpoints_given_up(struct sql_endpoints *endpoints, enum sql_access access);

#endif
