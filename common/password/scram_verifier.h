/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SCRAM_VERIFIER_H
#define SQLCRYPT_SCRAM_VERIFIER_H

/*
 * Recognises what a server stores for a SCRAM password, in the form of RFC 5803
 * and PostgreSQL:
 *
 *     SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey
 *
 * with the last three in base64.
 */

#include <stdbool.h>

#include "base/bytes.h"

/* Whether the text is exactly one verifier. */
bool scram_verifier_valid(struct bytes text);

#endif
