/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_MARIADB_TLS_H
#define SQLCRYPT_MYSQL_MARIADB_TLS_H

/*
 * How to tell versions of MariaDB Connector/C to encrypt and whom to trust, and what they report
 * about a certificate.
 */

#include "engines/mysql_client.h"

/* Whether the library is going to check the name in the certificate. */
bool mysql_mariadb_tls_checks_name(const struct sql_target *target);

/* Makes it encrypt, or not. */
void mysql_mariadb_tls_ask(MYSQL *mysql, const struct sql_target *target);
void mysql_mariadb_tls_ask_not(MYSQL *mysql);

/* As mysql_client_refused_name(). */
bool mysql_mariadb_tls_refused_name(MYSQL *mysql);

#endif
