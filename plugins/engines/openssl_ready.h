/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPENSSL_READY_H
#define SQLCRYPT_OPENSSL_READY_H

/*
 * Has OpenSSL do at once what it does when it is first used. It reads its configuration
 * then, which a jail may not hold; and where memory for its lists of algorithms is short
 * then, they stay incomplete for as long as the process lives.
 */
void openssl_ready(void);

#endif
