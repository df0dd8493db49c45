/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libpwverify.so: what libsasl2 sees of the server mechanisms.
 */

#include "mechanisms/mechanisms.h"

#include "glue/activation.h"
#include "glue/option_check.h"
#include "glue/sasl_glue.h"
#include "mechanisms/verifier.h"

/*
 * The stock mechanisms of the same names must come after ours, whatever order
 * libsasl2 loads them in. Since 2.1.28 its last tie-break is the hash
 * strength, which no policy looks at. Earlier versions have only the security
 * strength factor: ours is 1 then, and mech_avail() takes that back if a
 * program demands one.
 */
#ifdef SASL_SET_HASH_STRENGTH_BITS
#define PRECEDENCE_FLAGS SASL_SET_HASH_STRENGTH_BITS(8)
#define PRECEDENCE_SSF 0
#else
#define PRECEDENCE_FLAGS 0
#define PRECEDENCE_SSF 1
#endif

static int mech_avail(void *glob_context, sasl_server_params_t *sparams, void **conn_context)
{
    (void)glob_context, (void)conn_context;
    return sparams->props.min_ssf > sparams->external_ssf ? SASL_NOTDONE : SASL_OK;
}

/* What a mechanism needs to judge what it gets from a client. */
enum need {
    NEEDS_PASSWORD,   /* any method of pwcheck_method */
    NEEDS_AUTHDAEMOND /* that method among them */
};

static const struct {
    const sasl_server_plug_t *mechanism;
    enum need need;
} mechanisms[] = {
    {&plain_mechanism, NEEDS_PASSWORD},          {&login_mechanism, NEEDS_PASSWORD},
    {&cram_md5_mechanism, NEEDS_AUTHDAEMOND},    {&cram_sha1_mechanism, NEEDS_AUTHDAEMOND},
    {&cram_sha256_mechanism, NEEDS_AUTHDAEMOND},
};

enum { MECHANISM_COUNT = sizeof(mechanisms) / sizeof(mechanisms[0]) };

/* The mechanisms that are offered. All share one verifier, and have none while libsasl2 does not
 * use them. */
static sasl_server_plug_t plugins[MECHANISM_COUNT];

static void mech_free(void *glob_context, const sasl_utils_t *utils)
{
    int i;

    (void)utils;
    for (i = 0; i < MECHANISM_COUNT; i++)
        plugins[i].glob_context = NULL;
    verifier_free(glob_context);
}

bool mechanisms_begin_step(const void *exchange, const char *text, unsigned *length,
                           const char **reply, unsigned *reply_length)
{
    *reply = NULL;
    *reply_length = 0;
    if (text == NULL)
        *length = 0;
    return exchange != NULL;
}

void mechanisms_done(sasl_out_params_t *oparams)
{
    oparams->doneflag = 1;
    oparams->mech_ssf = 0;
    oparams->maxoutbuf = 0;
    oparams->encode_context = NULL;
    oparams->encode = NULL;
    oparams->decode_context = NULL;
    oparams->decode = NULL;
    oparams->param_version = 0;
}

/* Puts those that have what they need into `plugins`, and returns how many there are. */
static int offer(struct verifier *verifier, bool has_authdaemond)
{
    int count = 0, i;

    for (i = 0; i < MECHANISM_COUNT; i++) {
        if (mechanisms[i].need == NEEDS_AUTHDAEMOND && !has_authdaemond)
            continue;
        plugins[count] = *mechanisms[i].mechanism;
        plugins[count].max_ssf = PRECEDENCE_SSF;
        plugins[count].security_flags |= PRECEDENCE_FLAGS;
        plugins[count].glob_context = verifier;
        plugins[count].mech_avail = mech_avail;
        count++;
    }
    /* Only one of them frees what they share. */
    plugins[0].mech_free = mech_free;
    return count;
}

int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount);

int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount)
{
    struct verifier *verifier;

    if (utils == NULL || out_version == NULL || pluglist == NULL || plugcount == NULL)
        return SASL_BADPARAM;
    if (max_version < SASL_SERVER_PLUG_VERSION)
        return SASL_BADVERS;
    *out_version = SASL_SERVER_PLUG_VERSION;
    *pluglist = plugins;
    *plugcount = 0;
    /* If a directory is in the search path twice, the plug-in is loaded twice. */
    if (plugins[0].glob_context != NULL || !activation_mechanisms(utils))
        return SASL_OK;
    if (!sasl_glue_fits(utils)) {
        sasl_glue_log_misfit("pwverify");
        return SASL_OK;
    }

    verifier = verifier_new(utils);
    if (verifier == NULL)
        return SASL_NOMEM;
    option_check_logins(utils, sasl_glue_log_level(utils));
    *plugcount = offer(verifier, activation_authdaemond(utils));
    return SASL_OK;
}
