/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engines/errand.h"
#include "engines/mysql_connect.h"
#include "engines/sql_ssl_files.h"

/* Whether the library is going to look the name up. */
static bool is_by_name(const struct mysql_place *place)
{
    return place->address != NULL && place->address == place->name;
}

static MYSQL *start(const struct mysql_place *place)
{
    const unsigned protocol = place->socket != NULL ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    const unsigned no_local_files = 0;
    MYSQL *mysql = mysql_init(NULL);

    if (mysql == NULL)
        return NULL;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    return mysql;
}

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void say_no_ssl(struct reason *reason)
{
    reason_set(reason, "the server does not support TLS, which sql_ssl_mode requires");
}

/* Over a socket, the library connects without encryption if the server has
 * none. */
static bool is_as_secure_as_wanted(MYSQL *mysql, const struct sql_target *target,
                                   struct reason *reason)
{
    if (target->ssl_mode < SQL_SSL_REQUIRE || mysql_get_ssl_cipher(mysql) != NULL)
        return true;
    say_no_ssl(reason);
    return false;
}

/* --- in this thread */

/* Says what the library does not: which file cannot be read, or that the server has
 * a certificate for another name. */
static bool explain_ssl(const struct mysql_attempt *attempt, const struct mysql_error *error,
                        struct reason *reason)
{
    if (mysql_client_refused_name(attempt->mysql)) {
        reason_set(reason, "the certificate of the server is not for the name %s",
                   attempt->place->name);
        return true;
    }
    return attempt->target->ssl_mode != SQL_SSL_DISABLE &&
           mysql_error_kind(error->number) != MYSQL_ERROR_NETWORK &&
           sql_ssl_files_explain(attempt->target, reason);
}

/* Whether there is a reason that the library does not know. Such a reason is kept. */
static bool explain(const struct mysql_attempt *attempt, struct mysql_call *call,
                    const struct mysql_error *error, struct reason *reason)
{
    if (mysql_client_is_flooded(call))
        reason_set(reason, "the server sent too much data");
    else if (call->lacks_ssl)
        say_no_ssl(reason);
    else
        return attempt->place->socket == NULL && explain_ssl(attempt, error, reason);
    return true;
}

static void explain_failure(struct mysql_attempt *attempt, struct mysql_call *call)
{
    const struct mysql_error error = mysql_connect_error(attempt->mysql);

    attempt->result = mysql_error_of_connection(&error, &attempt->reason);
    if (attempt->result == LOOKUP_BUSY)
        return;
    if (explain(attempt, call, &error, &attempt->reason))
        attempt->result = LOOKUP_UNAVAILABLE;
}

static void make(void *context)
{
    struct mysql_attempt *attempt = context;
    const struct sql_target *target = attempt->target;
    const struct mysql_place *place = attempt->place;
    struct mysql_call call;

    attempt->result = LOOKUP_UNAVAILABLE;
    if (!mysql_client_begin_connecting(&call, attempt->mysql, target, place->name,
                                       &attempt->deadline, &attempt->reason))
        return;
    /* CLIENT_FOUND_ROWS: a row that already has the value counts. */
    if (mysql_real_connect(attempt->mysql, or_null(place->address), or_null(target->user),
                           or_null(target->password), or_null(target->database), place->port,
                           or_null(place->socket), CLIENT_FOUND_ROWS) == NULL)
        explain_failure(attempt, &call);
    else if (is_as_secure_as_wanted(attempt->mysql, target, &attempt->reason))
        attempt->result = LOOKUP_DONE;
    mysql_client_end(&call);
}

/* --- an attempt that is abandoned at the deadline */

/* Holds copies of everything that the caller may have discarded by the end. */
struct errand_attempt {
    struct mysql_attempt attempt;
    struct sql_target target;
    struct mysql_place place;
    char text[]; /* all strings */
};

enum { STRINGS = 7 };

static void list_strings(struct sql_target *target, struct mysql_place *place,
                         const char **list[STRINGS])
{
    const char **all[STRINGS] = {&target->user,   &target->password, &target->database,
                                 &target->ssl_ca, &target->ssl_cert, &target->ssl_key,
                                 &place->address};

    memcpy(list, all, sizeof(all));
}

static struct errand_attempt *errand_attempt_new(const struct mysql_attempt *original)
{
    struct sql_target target = *original->target;
    struct mysql_place place = *original->place;
    const char **list[STRINGS];
    struct errand_attempt *copy;
    size_t size = 0, i;
    char *end;

    list_strings(&target, &place, list);
    for (i = 0; i < STRINGS; i++)
        size += strlen(*list[i]) + 1;
    copy = calloc(1, sizeof(*copy) + size);
    if (copy == NULL)
        return NULL;
    for (i = 0, end = copy->text; i < STRINGS; i++) {
        const char *text = *list[i];

        *list[i] = end;
        end = stpcpy(end, text) + 1;
    }
    copy->target = target;
    place.name = place.address;
    copy->place = place;
    copy->attempt = *original;
    copy->attempt.target = &copy->target;
    copy->attempt.place = &copy->place;
    return copy;
}

static void errand_attempt_free(struct errand_attempt *copy)
{
    explicit_bzero(copy->text, strlen(copy->target.user) + 1 + strlen(copy->target.password));
    free(copy);
}

static void make_errand(void *context)
{
    struct errand_attempt *copy = context;

    mysql_thread_init();
    make(&copy->attempt);
    mysql_thread_end();
}

static void discard_errand(void *context)
{
    struct errand_attempt *copy = context;

    mysql_client_close(copy->attempt.mysql);
    errand_attempt_free(copy);
}

/* The library itself looks the name up, without a deadline. Returns false if the attempt
 * continues without us: it has then taken over the MYSQL. */
static bool make_by_name(struct mysql_attempt *attempt)
{
    struct errand_attempt *copy = errand_attempt_new(attempt);
    const int error =
        copy != NULL ? errand_run(make_errand, discard_errand, copy, &attempt->deadline) : ENOMEM;

    if (error == ETIMEDOUT)
        return false;
    if (error == 0) {
        attempt->result = copy->attempt.result;
        attempt->reason = copy->attempt.reason;
    } else if (error == EBUSY) {
        reason_set(&attempt->reason, "the name server has not answered other lookups yet");
    } else {
        reason_set(&attempt->reason, "cannot connect: %s", strerror(error));
    }
    if (copy != NULL)
        errand_attempt_free(copy);
    return true;
}

void mysql_attempt_make(struct mysql_attempt *attempt)
{
    attempt->result = LOOKUP_UNAVAILABLE;
    attempt->mysql = start(attempt->place);
    if (attempt->mysql == NULL)
        reason_no_memory(&attempt->reason);
    else if (!is_by_name(attempt->place))
        make(attempt);
    else if (!make_by_name(attempt))
        attempt->mysql = NULL;
}
