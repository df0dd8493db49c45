/* SPDX-License-Identifier: BSD-3-Clause */

/* Compiled with the header of the other layout. */

#include "support/other_utils.h"

#include <sasl/saslplug.h>
#include <sasl/saslutil.h>

const void *other_utils(const struct host_functions *functions)
{
    static sasl_utils_t utils;

    utils = (sasl_utils_t){
        .version = SASL_UTILS_VERSION,
        .getopt_context = functions->getopt_context,
        .getopt = functions->getopt,
        .encode64 = sasl_encode64,
        .getprop = sasl_getprop,
        .setprop = sasl_setprop,
        .log = functions->log,
        .seterror = sasl_seterror,
        .prop_new = prop_new,
        .prop_dup = prop_dup,
        .prop_request = prop_request,
        .prop_get = prop_get,
        .prop_getnames = prop_getnames,
        .prop_clear = prop_clear,
        .prop_dispose = prop_dispose,
        .prop_format = prop_format,
        .prop_set = prop_set,
        .prop_setvals = prop_setvals,
        .prop_erase = prop_erase,
        .auxprop_store = sasl_auxprop_store,
    };
    return &utils;
}
