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

bool secret_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
    /* volatile keeps the compiler from leaving the loop early. */
    volatile unsigned char difference = a_length != b_length;
    size_t i;

    for (i = 0; i < a_length && i < b_length; i++)
        difference = (unsigned char)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

bool secret_holds_control(const struct secret *secret)
{
    size_t i;

    for (i = 0; i < secret->length; i++)
        if ((unsigned char)secret->bytes[i] < ' ' || secret->bytes[i] == '\177')
            return true;
    return false;
}

void secret_free_string(char *string)
{
    if (string != NULL)
        explicit_bzero(string, strlen(string));
    free(string);
}
