/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPENSSL_READY_H
#define SQLCRYPT_OPENSSL_READY_H

/*
 * Makes OpenSSL do now what it otherwise does at its first use. It then reads its configuration,
 * which a jail may lack; and if memory for its lists of algorithms is short at that time, they
 * stay incomplete for as long as the process lives.
 */
void openssl_ready(void);

#endif
