/* SPDX-License-Identifier: BSD-3-Clause */
#include "auxprop/stock_block.h"

#include <string.h>
#include <unistd.h>

#include "base/hex.h"

bool stock_block(const sasl_server_params_t *sparams, const struct propval *property)
{
    unsigned char random[32];
    char unknown[2 * sizeof(random) + 1];

    if (getentropy(random, sizeof(random)) != 0)
        return false;
    hex_write(unknown, random, sizeof(random));
    sparams->utils->prop_erase(sparams->propctx, property->name);
    sparams->utils->prop_set(sparams->propctx, property->name, unknown, 2 * sizeof(random));
    explicit_bzero(random, sizeof(random));
    explicit_bzero(unknown, sizeof(unknown));
    return true;
}
