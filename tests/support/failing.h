/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAILING_H
#define FAILING_H

/*
 * Makes calls fail that hardly ever do: the allocations of everything that is linked into this
 * program, by the linker's --wrap=malloc, calloc and strdup, and one call of a function that the
 * program wraps in the same way. Libraries are not affected. Leaks show under ASan and valgrind.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct {
    int allocations_left; /* that succeed before one fails; negative: all do */
    const char *call;     /* the function of which a call fails, or NULL */
    unsigned calls_left;  /* that succeed before */
    unsigned count;       /* of failures */
} failing = {.allocations_left = -1};

static inline void fail_allocation(unsigned left)
{
    failing.allocations_left = (int)left;
    failing.count = 0;
}

static inline void fail_call(const char *call, unsigned left)
{
    failing.call = call;
    failing.calls_left = left;
    failing.count = 0;
}

/* Returns the number of failures. */
static inline unsigned fail_no_more(void)
{
    failing.allocations_left = -1;
    failing.call = NULL;
    return failing.count;
}

static inline bool fails_allocation(void)
{
    if (failing.allocations_left < 0 || failing.allocations_left-- > 0)
        return false;
    failing.count++;
    errno = ENOMEM;
    return true;
}

/* Whether this call is the one to fail. */
static inline bool fails_call(const char *call)
{
    if (failing.call == NULL || strcmp(failing.call, call) != 0 || failing.calls_left-- > 0)
        return false;
    failing.call = NULL;
    failing.count++;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *string);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *string);

void *__wrap_malloc(size_t size)
{
    return fails_allocation() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_allocation() ? NULL : __real_calloc(count, size);
}

char *__wrap_strdup(const char *string)
{
    return fails_allocation() ? NULL : __real_strdup(string);
}

#endif
