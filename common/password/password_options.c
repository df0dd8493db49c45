/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_options.h"

#include <stdlib.h>

struct password_policy *password_options_read(const struct options *options, struct reason *reason)
{
    struct password_policy *policy = NULL;
    char *format = NULL, *store_scheme = NULL, *store_cost = NULL;

    if (options_copy(options, OPTION_PASSWORD_FORMAT, &format) &&
        options_copy(options, OPTION_PASSWORD_STORE_SCHEME, &store_scheme) &&
        options_copy(options, OPTION_PASSWORD_STORE_COST, &store_cost))
        policy = password_policy_new(format, store_scheme, store_cost, reason);
    else
        reason_no_memory(reason);
    free(format);
    free(store_scheme);
    free(store_cost);
    return policy;
}
