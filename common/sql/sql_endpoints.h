/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_ENDPOINTS_H
#define SQLCRYPT_SQL_ENDPOINTS_H

/*
 * Says where to connect to next. Each address that an entry of `sql_hostnames` stands
 * for is an endpoint of its own: it may be down or busy by itself. Each process finds
 * out by itself.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql_engine.h"
#include "sql/sql_settings.h"

enum { SQL_WALK_MOST = 64 /* endpoints that are asked for one login */ };

struct sql_endpoints;

struct sql_endpoint {
    size_t host;                     /* the entry */
    unsigned id;                     /* of this process, and never of another endpoint */
    unsigned rank;                   /* smaller if it comes first */
    char address[HOST_ADDRESS_SIZE]; /* "" if the engine needs none */
    unsigned learned;                /* what the driver has left there: see sql_engine.h */
    bool is_looked_up;               /* false: only the name is known */
    bool is_due;                     /* to be looked up again: its host may have moved */
    bool is_down;                    /* as is thought */
    bool has_siblings;               /* of the same host */
    bool has_other_family;           /* one of them: IPv4 beside IPv6 */
};

/* The endpoints that a login has asked. */
struct sql_walk {
    unsigned asked[SQL_WALK_MOST]; /* their ids */
    size_t count;
};

/* How an endpoint took it. */
enum sql_endpoint_event {
    ENDPOINT_FAILED,   /* it does not answer, or not in time */
    ENDPOINT_REFUSED,  /* it was quick to say that it does not answer */
    ENDPOINT_WAS_BUSY, /* it takes no session just now */
    ENDPOINT_WENT_ON,  /* it has answered a lookup, over a session that was kept */
    ENDPOINT_ANSWERED, /* likewise, over a new one */
    ENDPOINT_STORED    /* it has answered, and can store */
};

/* `engine` and `settings` stay valid until the endpoints are freed. Returns NULL when
 * out of memory. */
struct sql_endpoints *sql_endpoints_new(const struct sql_engine *engine,
                                        const struct sql_settings *settings);
void sql_endpoints_free(struct sql_endpoints *endpoints);

/* Finds the endpoint to ask next, and adds it to the walk: in the order of the entries,
 * first those that are thought well, then the busy ones, then those that are down.
 * `share` is the end of its part of the time; the others that are left need the
 * rest. Returns false if there is none left, or memory is out. */
bool sql_endpoints_next(struct sql_endpoints *endpoints, struct sql_walk *walk,
                        const struct deadline *deadline, struct sql_endpoint *endpoint,
                        struct deadline *share);

/* Looks up the addresses of the endpoint's host: the next endpoints are those. `dropped`
 * gets the ids of the endpoints that it has no more. HOST_ADDRESSES_FOUND; else a reason
 * says why not, and all is as before. */
enum host_addresses_result sql_endpoints_look_up(struct sql_endpoints *endpoints,
                                                 const struct sql_endpoint *endpoint,
                                                 const struct deadline *deadline,
                                                 struct sql_walk *dropped, struct reason *reason);

/* Takes note of how an endpoint took it. Returns whether that is worth a word: that it
 * is busy is so once. */
bool sql_endpoints_note(struct sql_endpoints *endpoints, unsigned id,
                        enum sql_endpoint_event event);

/* Keeps what the driver has left for an endpoint, for a while and until it fails. */
void sql_endpoints_learn(struct sql_endpoints *endpoints, unsigned id, unsigned learned);

/* Whether it is an address of its host no more. */
bool sql_endpoints_is_gone(struct sql_endpoints *endpoints, const struct sql_endpoint *endpoint);

/* Takes note that a login has waited until its deadline for an endpoint to come back, and
 * none did. An endpoint that cannot store may still answer lookups. */
void sql_endpoints_give_up(struct sql_endpoints *endpoints, enum sql_access access);

/* Whether that was so a short time ago, and none has answered since. */
bool sql_endpoints_given_up(struct sql_endpoints *endpoints, enum sql_access access);

#endif
