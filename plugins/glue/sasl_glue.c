/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/sasl_glue.h"

#include <dlfcn.h>
#include <sasl/saslutil.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/reason.h"

/* A libsasl2 that was linked with -Bsymbolic hands out its own function even if the program, or
 * a preloaded library, has another one of that name: the name then counts. */
static bool is_function(const void *member, const void *function, const char *name)
{
    Dl_info found;

    return member == function || (dladdr(member, &found) != 0 && found.dli_saddr == member &&
                                  found.dli_sname != NULL && strcmp(found.dli_sname, name) == 0);
}

#define IS_FUNCTION(member, function)                                                              \
    is_function((const void *)(uintptr_t)(member), (const void *)(uintptr_t)(function), #function)

/* Stops at the first difference: later members may be missing. */
bool sasl_glue_fits(const sasl_utils_t *utils)
{
    return IS_FUNCTION(utils->encode64, sasl_encode64) &&
           IS_FUNCTION(utils->getprop, sasl_getprop) && IS_FUNCTION(utils->setprop, sasl_setprop) &&
           IS_FUNCTION(utils->seterror, sasl_seterror) &&
           IS_FUNCTION(utils->prop_request, prop_request) &&
           IS_FUNCTION(utils->prop_get, prop_get) &&
           IS_FUNCTION(utils->prop_getnames, prop_getnames) &&
           IS_FUNCTION(utils->prop_set, prop_set) && IS_FUNCTION(utils->prop_erase, prop_erase);
}

/* Logs as libsasl2 itself does while it starts; the location of its own function is unknown. */
void sasl_glue_log_misfit(const char *plugin)
{
    syslog(
        LOG_AUTH | LOG_ERR,
        "%s: not used: built for a different libsasl2; rebuild sasl-sqlcrypt with the headers of "
        "this one",
        plugin);
}

const char *sasl_glue_libsasl_option(const sasl_utils_t *utils, enum option option)
{
    const char *value = NULL;

    if (utils->getopt(utils->getopt_context, NULL, options_name(option), &value, NULL) != SASL_OK)
        return NULL;
    return value;
}

static const char *get_exactly(const sasl_utils_t *utils, const char *name)
{
    const char *value = NULL;

    if (utils->getopt(utils->getopt_context, "sqlcrypt", name, &value, NULL) != SASL_OK)
        return NULL;
    return value;
}

/* As `get` of struct options. */
static const char *get(void *utils, const char *name)
{
    const char *value = get_exactly(utils, name);
    char prefixed[64];

    if (value != NULL)
        return value;
    snprintf(prefixed, sizeof(prefixed), "sasl_%s", name);
    return get_exactly(utils, prefixed);
}

struct options sasl_glue_options(const sasl_utils_t *utils)
{
    return (struct options){get, (void *)(uintptr_t)utils};
}

sasl_callback_t *sasl_glue_callbacks(const sasl_server_params_t *sparams,
                                     const sasl_callback_t *ours, size_t count)
{
    const sasl_callback_t *host = sparams->callbacks;
    size_t host_count = 0;
    sasl_callback_t *all;

    while (host != NULL && host[host_count].id != SASL_CB_LIST_END)
        host_count++;
    all = calloc(count + host_count + 1, sizeof(*all));
    if (all == NULL)
        return NULL;
    memcpy(all, ours, count * sizeof(*all));
    if (host_count > 0)
        memcpy(all + count, host, host_count * sizeof(*all));
    all[count + host_count].id = SASL_CB_LIST_END;
    return all;
}

/* The address in "address;port", the form in which the program gives it to libsasl2. */
char *sasl_glue_client_address(const sasl_server_params_t *sparams)
{
    const char *remote = sparams->ipremoteport != NULL ? sparams->ipremoteport : "";

    return strndup(remote, strcspn(remote, ";"));
}

int sasl_glue_log_level(const sasl_utils_t *utils)
{
    const struct options options = sasl_glue_options(utils);
    int level;

    options_level(&options, OPTION_LOG_LEVEL, &level);
    return level;
}

void sasl_glue_log(const sasl_utils_t *utils, int log_level, int level, const char *format, ...)
{
    struct reason line; /* printable, whatever names contain */
    va_list arguments;

    if (level > log_level && level != SASL_LOG_ERR)
        return;
    va_start(arguments, format);
    reason_set_list(&line, format, arguments);
    va_end(arguments);
    utils->log(utils->conn, level < SASL_LOG_WARN ? level : SASL_LOG_WARN, "%s", line.text);
}

int sasl_glue_result(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_MATCH:
        return SASL_OK;
    case VERDICT_UNAVAILABLE:
        return SASL_UNAVAIL;
    case VERDICT_NO_MEMORY:
        return SASL_NOMEM;
    case VERDICT_MALFORMED:
    case VERDICT_LOCKED:
    case VERDICT_UNUSABLE:
    case VERDICT_NO_USER:
    case VERDICT_MISMATCH:
        break;
    }
    return SASL_BADAUTH;
}
