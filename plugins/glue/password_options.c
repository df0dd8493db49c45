/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/password_options.h"

#include <stdlib.h>

#include "glue/sasl_glue.h"

struct password_policy *password_options_read(const sasl_utils_t *utils, struct reason *reason)
{
    struct password_policy *policy = NULL;
    char *format = NULL, *store_scheme = NULL, *store_cost = NULL;

    if (sasl_glue_copy_option(utils, "password_format", "plain", &format) &&
        sasl_glue_copy_option(utils, "password_store_scheme", NULL, &store_scheme) &&
        sasl_glue_copy_option(utils, "password_store_cost", NULL, &store_cost))
        policy = password_policy_new(format, store_scheme, store_cost, reason);
    else
        reason_set(reason, "out of memory");
    free(format);
    free(store_scheme);
    free(store_cost);
    return policy;
}
