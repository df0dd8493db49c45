/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_BYTES_H
#define SQLCRYPT_BYTES_H

/*
 * A view of bytes that someone else owns: do not wipe, free or keep them. Inputs are views; code
 * that owns and wipes a secret uses a `struct secret`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* `start` may be NULL, for absent bytes; `length` is then 0. */
struct bytes {
    const char *start;
    size_t length;
};

#define BYTES_NONE ((struct bytes){NULL, 0})

/* The text of a string, without its NUL. NULL stands for absent bytes. */
static inline struct bytes bytes_of(const char *string)
{
    return (struct bytes){string, string != NULL ? strlen(string) : 0};
}

/* What follows the first `length` bytes, which must exist. */
static inline struct bytes bytes_after(struct bytes bytes, size_t length)
{
    return length > 0 ? (struct bytes){bytes.start + length, bytes.length - length} : bytes;
}

/* Not for secrets: the time it takes reveals how much of them agrees. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.start, b.start, a.length) == 0);
}

static inline bool bytes_start_with(struct bytes bytes, struct bytes start)
{
    return bytes.length >= start.length &&
           (start.length == 0 || memcmp(bytes.start, start.start, start.length) == 0);
}

/* Whether there is a NUL among them. */
static inline bool bytes_have_nul(struct bytes bytes)
{
    return bytes.length > 0 && memchr(bytes.start, '\0', bytes.length) != NULL;
}

/* Whether there is an ASCII control character among them, such as a line break or NUL: for data
 * that is sent as lines. */
static inline bool bytes_have_control(struct bytes bytes)
{
    size_t i;

    for (i = 0; i < bytes.length; i++)
        if ((unsigned char)bytes.start[i] < ' ' || bytes.start[i] == '\177')
            return true;
    return false;
}

#endif
