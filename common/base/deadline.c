/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/deadline.h"

#include <limits.h>

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct deadline deadline_after(unsigned milliseconds)
{
    return (struct deadline){now() + milliseconds};
}

struct deadline deadline_share(const struct deadline *deadline, unsigned parts, unsigned all)
{
    int64_t start = now();

    if (deadline->at <= start)
        return *deadline;
    return (struct deadline){start + (deadline->at - start) * parts / all};
}

int deadline_remaining(const struct deadline *deadline)
{
    int64_t left = deadline->at - now();

    if (left <= 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

struct timespec deadline_time(const struct deadline *deadline)
{
    return (struct timespec){.tv_sec = (time_t)(deadline->at / 1000),
                             .tv_nsec = (long)(deadline->at % 1000) * 1000000};
}
