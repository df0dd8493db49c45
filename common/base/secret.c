/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool secret_set(struct secret *secret, const char *bytes, size_t length)
{
    char *copy = length < SIZE_MAX ? malloc(length + 1) : NULL;

    if (copy != NULL) {
        if (length > 0)
            memcpy(copy, bytes, length);
        copy[length] = '\0';
    }
    secret_wipe(secret);
    secret->bytes = copy;
    secret->length = copy != NULL ? length : 0;
    return copy != NULL;
}

void secret_wipe(struct secret *secret)
{
    if (secret->bytes != NULL) {
        explicit_bzero(secret->bytes, secret->length);
        free(secret->bytes);
    }
    *secret = SECRET_EMPTY;
}

bool secret_equal(struct bytes a, struct bytes b)
{
    /* volatile keeps the compiler from leaving the loop early. */
    volatile unsigned char difference = a.length != b.length;
    size_t i;

    for (i = 0; i < a.length && i < b.length; i++)
        difference = (unsigned char)(difference | (a.start[i] ^ b.start[i]));
    return difference == 0;
}

void secret_free_string(char *string)
{
    if (string != NULL)
        explicit_bzero(string, strlen(string));
    free(string);
}
