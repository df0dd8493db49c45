/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/deadline.h"

#include <errno.h>
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

static int sooner(int a, int b)
{
    return a < b ? a : b;
}

int deadline_poll(const struct deadline *deadline, struct pollfd *wanted, int most)
{
    int ready, left = sooner(deadline_remaining(deadline), most);
    const struct deadline end = {most < INT_MAX ? now() + left : deadline->at};

    while ((ready = poll(wanted, 1, left)) < 0 && errno == EINTR)
        left = deadline_remaining(&end);
    return ready;
}

bool deadline_sleep(const struct deadline *deadline, int milliseconds)
{
    const int left = deadline_remaining(deadline);

    if (left > 0)
        poll(NULL, 0, sooner(left, milliseconds));
    return left > 0;
}

struct timespec deadline_time(const struct deadline *deadline)
{
    return (struct timespec){.tv_sec = (time_t)(deadline->at / 1000),
                             .tv_nsec = (long)(deadline->at % 1000) * 1000000};
}
