/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_MYSQL_PLUGINS_H
#define SQLCRYPT_MYSQL_PLUGINS_H

/*
 * The plug-ins of the client library that may authenticate us to a server.
 */

/* Their names, separated by commas. They neither ask the host's terminal for anything
 * nor send a password in clear text. */
#define MYSQL_PLUGINS "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"

/* Initialises the client library and loads the plug-ins, which it would otherwise
 * do when a server asks for one, and leaves the host's signals alone. */
void mysql_plugins_load(void);

#endif
