/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_HOST_ADDRESSES_H
#define SQLCRYPT_HOST_ADDRESSES_H

/*
 * The addresses of a database host, as an engine finds them.
 */

enum {
    HOST_ADDRESSES_MAX = 8,
    HOST_ADDRESS_SIZE = 66 /* bytes of a numeric one, perhaps with a scope, and a NUL */
};

struct host_addresses {
    unsigned count;
    char text[HOST_ADDRESSES_MAX][HOST_ADDRESS_SIZE];
};

enum host_addresses_result {
    HOST_ADDRESSES_UNKNOWN,  /* a reason says why, without the name */
    HOST_ADDRESSES_NOT_NOW,  /* likewise; the name server may know more in a moment */
    HOST_ADDRESSES_NEEDLESS, /* not needed to connect, as for a socket */
    HOST_ADDRESSES_FOUND
};

#endif
