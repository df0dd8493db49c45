/* SPDX-License-Identifier: BSD-3-Clause */
#include "glue/login_name.h"

#include <string.h>

#include "base/quoted.h"
#include "base/utf8.h"

const char *login_name_flaw(const char *name, size_t length)
{
    if (!utf8_valid(name, length))
        return "is not UTF-8";
    return utf8_holds_control(name, length) ? "holds a control character" : NULL;
}

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *default_realm(const sasl_server_params_t *sparams)
{
    if (is_set(sparams->user_realm))
        return sparams->user_realm;
    return sparams->serverFQDN != NULL ? sparams->serverFQDN : "";
}

bool login_name_split(struct user_realm *names, const sasl_server_params_t *sparams,
                      const char *name, unsigned length)
{
    return user_realm_split(names, name, length, default_realm(sparams));
}

static bool has_realm(const struct login_name *name)
{
    return memchr(name->typed.start, '@', name->typed.length) != NULL;
}

static const char *hint(const sasl_server_params_t *sparams, const struct login_name *name,
                        bool by_realm)
{
    if (!by_realm && has_realm(name))
        return " alone: sql_select has no %r";
    if (by_realm && !has_realm(name) && !is_set(sparams->user_realm))
        return ", the name of this host: the login has no @, and the program sets no realm "
               "(Postfix: smtpd_sasl_local_domain)";
    return "";
}

static void tell(struct reason *reason, const struct user_realm *names, bool by_realm,
                 const char *hint)
{
    struct quoted user, realm;

    quoted_set(&user, names->user, strlen(names->user));
    quoted_set(&realm, names->realm, strlen(names->realm));
    if (by_realm)
        reason_append(reason, "; looked for %%u %s and %%r %s%s", user.text, realm.text, hint);
    else
        reason_append(reason, "; looked for %%u %s%s", user.text, hint);
}

void login_name_tell_table(struct reason *reason, const sasl_server_params_t *sparams,
                           const struct login_name *name, bool by_realm)
{
    struct user_realm names;

    if (!login_name_split(&names, sparams, name->canonical, (unsigned)strlen(name->canonical)))
        return;
    tell(reason, &names, by_realm, hint(sparams, name, by_realm));
    user_realm_free(&names);
}

void login_name_tell_sent(struct reason *reason, const struct login_name *name)
{
    struct quoted sent;

    quoted_set(&sent, name->canonical, strlen(name->canonical));
    reason_append(reason, "; asked for %s%s", sent.text,
                  !has_realm(name) && strchr(name->canonical, '@') != NULL
                      ? ", with the realm of the program"
                      : "");
}
