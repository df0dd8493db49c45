/* SPDX-License-Identifier: BSD-3-Clause */

/* A clock for tests, preloaded into a program: it is late by one second for each byte of the
 * file that LATE_CLOCK names. */

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *path = getenv("LATE_CLOCK");
    int (*next)(clockid_t, struct timespec *);
    struct stat file;
    int result;

    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    result = next(clock, now);
    if (result == 0 && clock == CLOCK_MONOTONIC && path != NULL && stat(path, &file) == 0)
        now->tv_sec += file.st_size;
    return result;
}
