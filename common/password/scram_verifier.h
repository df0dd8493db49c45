/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SCRAM_VERIFIER_H
#define SQLCRYPT_SCRAM_VERIFIER_H

/*
 * Recognises what a server keeps of a password for SCRAM, as RFC 5803 writes
 * it and PostgreSQL stores it:
 *
 *     SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey
 *
 * with the last three in base64.
 */

#include <stdbool.h>

#include "base/bytes.h"

/* Whether the text is one, and nothing else. */
bool scram_verifier_valid(struct bytes text);

#endif
