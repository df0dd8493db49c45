/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/canonical.h"

#include <string.h>

#include "mechanisms/stock_silence.h"

/* CANON_BUF_SIZE of libsasl2, which leaks memory on a longer name. */
enum { CANONICAL_NAME_SIZE = 1024 };

bool canonical_fits(const sasl_server_params_t *sparams, size_t length)
{
    const char *realm = sparams->user_realm != NULL ? sparams->user_realm : "";

    return length + strlen(realm) + sizeof("@") <= CANONICAL_NAME_SIZE;
}

/* What it means if libsasl2 cannot make a name canonical. */
static enum verdict verdict_of_canon_user(int result)
{
    switch (result) {
    case SASL_BADPROT:
    case SASL_BADPARAM:
    case SASL_BUFOVER:
    case SASL_NOUSER:
        return VERDICT_MALFORMED;
    case SASL_DISABLED:
        return VERDICT_LOCKED;
    case SASL_NOMEM:
        return VERDICT_NO_MEMORY;
    default:
        return VERDICT_UNAVAILABLE;
    }
}

static int canon_user(sasl_server_params_t *sparams, sasl_out_params_t *oparams, struct bytes name,
                      unsigned flags)
{
    sasl_conn_t *connection = sparams->utils->conn; /* which keeps the canonical name */
    struct stock_silence silence;
    int result;

    stock_silence_begin(&silence, sparams);
    result = sparams->canon_user(connection, name.start, (unsigned)name.length, flags, oparams);
    stock_silence_end(&silence, sparams);
    return result;
}

bool canonical_user(sasl_server_params_t *sparams, sasl_out_params_t *oparams, struct bytes name,
                    bool is_for_both, int *lookup_result, enum verdict *verdict,
                    struct reason *reason)
{
    const unsigned flags = SASL_CU_AUTHID | (is_for_both ? SASL_CU_AUTHZID : 0);

    oparams->authid = NULL;
    *lookup_result = canon_user(sparams, oparams, name, flags);
    if (oparams->authid != NULL)
        return true;
    reason_set(reason, "canon_user: %s", sasl_errstring(*lookup_result, NULL, NULL));
    *verdict = verdict_of_canon_user(*lookup_result);
    return false;
}

bool canonical_authorization(sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                             struct bytes name, enum verdict *verdict, struct reason *reason)
{
    int result;

    oparams->user = NULL;
    result = canon_user(sparams, oparams, name, SASL_CU_AUTHZID);
    /* If no plug-in of libsasl2 is needed, none needs to know this user. */
    if (result == SASL_OK || (result == SASL_NOMECH && oparams->user != NULL))
        return true;
    reason_set(reason, "authorization identity: %s", sasl_errstring(result, NULL, NULL));
    *verdict = verdict_of_canon_user(result);
    return false;
}
