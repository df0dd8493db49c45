/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_MODES_H
#define TLS_MODES_H

/*
 * The effect of sql_ssl_mode and of its files, with a server whose certificate
 * is for the name db.test and for 127.0.0.1. The driver is part of the program,
 * in which names in .test stand for this machine.
 */

#include "support/engines.h"
#include "support/unit.h"

#define NO_FILE "/nonexistent/file.pem"

struct tls_mode {
    const char *name;
    const char *host; /* "": the socket, "=": the server's TCP address */
    enum sql_ssl_mode mode;
    const char *ca;     /* of the environment, TEST_TLS_..., or a path, or "" */
    const char *client; /* "CERT" for a certificate of the client, or a path, or "" */
    enum lookup want;
    const char *want_reason; /* a part of it */
    bool encrypts;
    bool demands;
    bool by_socket;
};

static const struct tls_mode tls_modes[] = {
    {"disable", "=", SQL_SSL_DISABLE, "", "", LOOKUP_DONE, "", false, false, false},
    {"prefer", "=", SQL_SSL_PREFER, "", "", LOOKUP_DONE, "", true, false, false},
    {"require", "=", SQL_SSL_REQUIRE, "", "", LOOKUP_DONE, "", true, true, false},
    {"require, own authority", "=", SQL_SSL_REQUIRE, "CA", "", LOOKUP_DONE, "", true, true, false},
    {"require, other authority", "=", SQL_SSL_REQUIRE, "OTHER_CA", "", LOOKUP_LOST, "certificate",
     true, true, false},
    {"require, certificate of the client", "=", SQL_SSL_REQUIRE, "CA", "CERT", LOOKUP_DONE, "",
     true, true, false},
    {"require, no authority", "=", SQL_SSL_REQUIRE, NO_FILE, "", LOOKUP_UNAVAILABLE,
     "sql_ssl_ca: " NO_FILE ": ", true, true, false},
    {"require, no certificate of the client", "=", SQL_SSL_REQUIRE, "CA", NO_FILE,
     LOOKUP_UNAVAILABLE, "sql_ssl_cert: " NO_FILE ": ", true, true, false},
    {"verify-ca", "=", SQL_SSL_VERIFY_CA, "CA", "", LOOKUP_DONE, "", true, true, false},
    {"verify-ca, name", "db.test", SQL_SSL_VERIFY_CA, "CA", "", LOOKUP_DONE, "", true, true, false},
    {"verify-ca, other authority", "=", SQL_SSL_VERIFY_CA, "OTHER_CA", "", LOOKUP_LOST,
     "certificate", true, true, false},
    {"verify-full, address", "=", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "", true, true,
     false},
    {"verify-full, name", "db.test", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "", true, true,
     false},
    {"verify-full, name in capitals", "DB.test", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_DONE, "",
     true, true, false},
    {"verify-full, other name", "other.test", SQL_SSL_VERIFY_FULL, "CA", "", LOOKUP_UNAVAILABLE,
     "other.test", true, true, false},
    {"verify-full, other authority", "db.test", SQL_SSL_VERIFY_FULL, "OTHER_CA", "", LOOKUP_LOST,
     "certificate", true, true, false},
    {"verify-full, no authority", "db.test", SQL_SSL_VERIFY_FULL, NO_FILE, "", LOOKUP_UNAVAILABLE,
     "sql_ssl_ca: " NO_FILE ": ", true, true, false},
    {"socket, prefer", "", SQL_SSL_PREFER, "", "", LOOKUP_DONE, "", false, false, true},
    {"socket, require", "", SQL_SSL_REQUIRE, "", "", LOOKUP_DONE, "", false, true, true},
};

static inline const char *tls_file(const char *name)
{
    char variable[32];

    if (name[0] == '\0' || name[0] == '/')
        return name;
    snprintf(variable, sizeof(variable), "TEST_TLS_%s", name);
    return test_environment(variable);
}

/* False if the server has no certificate. */
static inline bool tls_mode_apply(const struct tls_mode *row, struct sql_target *target,
                                  struct sql_host *host, const struct sql_host *by_address)
{
    if (getenv("TEST_TLS_CA") == NULL)
        return false;
    target->ssl_mode = row->mode;
    target->ssl_ca = tls_file(row->ca);
    target->ssl_cert = tls_file(row->client);
    target->ssl_key = strcmp(row->client, "CERT") == 0 ? tls_file("KEY") : row->client;
    if (row->host[0] != '\0')
        *host = *by_address;
    if (row->host[0] != '\0' && row->host[0] != '=')
        host->name = (char *)(uintptr_t)row->host;
    return true;
}

#endif
