/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_OTHER_UTILS_H
#define SQLCRYPT_TESTS_OTHER_UTILS_H

/*
 * What another libsasl2 would pass to plug-ins: one whose sasl_utils_t has other members in the
 * middle, see other_layout.awk.
 */

#include <sasl/sasl.h>

struct host_functions {
    void *getopt_context;
    sasl_getopt_t *getopt;
    void (*log)(sasl_conn_t *connection, int level, const char *format, ...);
};

/* A sasl_utils_t of that layout, with these functions and those of the real libsasl2.
 * Valid until the next call. */
const void *other_utils(const struct host_functions *functions);

#endif
