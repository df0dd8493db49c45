/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

bool floor_open(int count, char **arguments)
{
    (void)arguments;
    return count == 0;
}

bool floor_verify(const char *user, const char *password)
{
    (void)user, (void)password;
    return true;
}
