/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SASL_GLUE_H
#define SQLCRYPT_SASL_GLUE_H

/*
 * How the plug-ins talk to the program that has loaded them: its options, its
 * log, and the result codes that it understands.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"
#include "base/verdict.h"

/* Whether libsasl2 hands over its functions in the layout of the header that this was built
 * with. Its version numbers do not show that: members of sasl_utils_t come and go without a new
 * one. If it does not, only the functions below that read options may be called: what they need
 * is at the very start. */
bool sasl_glue_fits(const sasl_utils_t *utils);

/* Logs that it does not, in one ERR line of `plugin`. */
void sasl_glue_log_misfit(const char *plugin);

/* The options of the program, each by its name, or by that with a leading "sasl_", which a
 * widespread guide prints. The host owns the values. */
struct options sasl_glue_options(const sasl_utils_t *utils);

/* The value of an option as libsasl2 itself reads it, without such a prefix; NULL if it is not
 * set. Valid until an option is asked for again. */
const char *sasl_glue_libsasl_option(const sasl_utils_t *utils, enum option option);

/* Functions of any type are cast to this before they are cast to sasl_callback_ft. */
typedef void (*any_function)(void);

/* Callbacks for a connection of our own: `count` of ours, then those that the program has for
 * its connection. libsasl2 uses the first of each kind, and among the getopt callbacks the first
 * that knows an option. From malloc(3); NULL when out of memory. */
sasl_callback_t *sasl_glue_callbacks(const sasl_server_params_t *sparams,
                                     const sasl_callback_t *ours, size_t count);

/* The client's address, from malloc(3): "" if the host does not provide it.
 * NULL when out of memory. */
char *sasl_glue_client_address(const sasl_server_params_t *sparams);

/* `log_level`; its default, SASL_LOG_WARN, if it is not set or not a number. */
int sasl_glue_log_level(const sasl_utils_t *utils);

/* Logs one line, at one of SASL_LOG_ERR (someone must act), SASL_LOG_FAIL
 * (a login was refused), SASL_LOG_WARN, SASL_LOG_NOTE and SASL_LOG_DEBUG (the
 * walk-through).
 *
 * `log_level` is what sasl_glue_log_level() returned. Higher
 * levels are dropped, except errors, and cost nothing. A level that the host would hide
 * although it was asked for is raised to a warning: Postfix shows nothing below one. */
void sasl_glue_log(const sasl_utils_t *utils, int log_level, int level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The result code that makes the host answer correctly: Postfix answers 454
 * to SASL_UNAVAIL and SASL_NOMEM, 535 to the others. */
int sasl_glue_result(enum verdict verdict);

#endif
