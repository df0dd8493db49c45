/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A PLAIN that lets everyone in: what libsasl2 costs on its own, and Postfix
 * with it. Linked with a floor (floor.h), it is the least that a login can cost
 * that asks a database, and then the password must be right. The
 * arguments of the floor are the options floor_1, floor_2, ...
 */

#include "floor.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

static int mech_new(void *glob_context, sasl_server_params_t *params, const char *challenge,
                    unsigned challenge_length, void **context)
{
    (void)glob_context, (void)params, (void)challenge, (void)challenge_length;
    *context = NULL;
    return SASL_OK;
}

static bool open_floor(const sasl_utils_t *utils)
{
    static bool is_open;
    char *arguments[10];
    int count = 0;

    while (!is_open && count < 10) {
        const char *value;
        char name[16];

        snprintf(name, sizeof(name), "floor_%d", count + 1);
        if (utils->getopt(utils->getopt_context, NULL, name, &value, NULL) != SASL_OK)
            break;
        arguments[count++] = (char *)(uintptr_t)value;
    }
    is_open = is_open || floor_open(count, arguments);
    return is_open;
}

static int mech_step(void *context, sasl_server_params_t *params, const char *input,
                     unsigned length, const char **output, unsigned *output_length,
                     sasl_out_params_t *oparams)
{
    char message[200];
    const char *user, *password;
    int result;

    (void)context;
    *output = NULL;
    *output_length = 0;
    if (length >= sizeof(message))
        return SASL_BADPROT;
    memcpy(message, input, length);
    message[length] = '\0';
    user = message + strlen(message) + 1;
    if (user > message + length)
        return SASL_BADPROT;
    password = user + strlen(user) + 1;
    if (password > message + length)
        return SASL_BADPROT;
    result =
        params->canon_user(params->utils->conn, user, 0,
                           SASL_CU_AUTHID | SASL_CU_AUTHZID | SASL_CU_EXTERNALLY_VERIFIED, oparams);
    if (result != SASL_OK)
        return result;
    if (!open_floor(params->utils))
        return SASL_UNAVAIL;
    oparams->doneflag = 1;
    return floor_verify(user, password) ? SASL_OK : SASL_BADAUTH;
}

/* The stock PLAIN comes after it, see plugins/mechanisms/mechanisms.c. */
#ifndef SASL_SET_HASH_STRENGTH_BITS
#define SASL_SET_HASH_STRENGTH_BITS(bits) 0
#endif

static sasl_server_plug_t plugin = {
    .mech_name = "PLAIN",
    .security_flags = SASL_SEC_NOANONYMOUS | SASL_SET_HASH_STRENGTH_BITS(8),
    .features = SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY,
    .mech_new = mech_new,
    .mech_step = mech_step,
};

int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **plugins, int *count);

int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **plugins, int *count)
{
    (void)utils, (void)max_version;
    *out_version = SASL_SERVER_PLUG_VERSION;
    *plugins = &plugin;
    *count = 1;
    return SASL_OK;
}
