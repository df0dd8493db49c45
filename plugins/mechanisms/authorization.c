/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/authorization.h"

#include "glue/login_name.h"
#include "mechanisms/canonical.h"

/* The properties without a '*' are those of the user whose rights are used: what the password
 * check has fetched there belongs to another user. */
static void erase_authorization(const sasl_server_params_t *sparams)
{
    const struct propval *property = sparams->utils->prop_get(sparams->propctx);

    for (; property != NULL && property->name != NULL; property++)
        if (property->name[0] != '*' && property->values != NULL)
            sparams->utils->prop_erase(sparams->propctx, property->name);
}

bool authorization_grant(sasl_server_params_t *sparams, sasl_out_params_t *oparams,
                         struct bytes authzid, enum verdict *verdict, struct reason *reason)
{
    const char *flaw = canonical_fits(sparams, authzid.length)
                           ? login_name_flaw(authzid.start, authzid.length)
                           : "is too long";

    if (flaw != NULL) {
        reason_set(reason, "the authorization identity %s", flaw);
        *verdict = VERDICT_MALFORMED;
        return false;
    }
    erase_authorization(sparams);
    return canonical_authorization(sparams, oparams, authzid, verdict, reason);
}
