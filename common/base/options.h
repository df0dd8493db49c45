/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPTIONS_H
#define SQLCRYPT_OPTIONS_H

/*
 * All options of smtpd.conf that are read, in one table: their names, defaults and bounds are
 * written there and nowhere else. Options are read by number, so only options in the table can
 * be read.
 *
 * To add an option, add its number, its row in options.c, and its entry in man/sqlcrypt.5.
 */

#include <stdbool.h>

#include "base/reason.h"

enum option {
    OPTION_PWCHECK_METHOD,
    OPTION_AUXPROP_PLUGIN,
    OPTION_MECH_LIST,
    OPTION_LOG_LEVEL,

    OPTION_PASSWORD_FORMAT,
    OPTION_PASSWORD_STORE_SCHEME,
    OPTION_PASSWORD_STORE_COST,

    OPTION_SQL_ENGINE,
    OPTION_SQL_HOSTNAMES,
    OPTION_SQL_HOST_ORDER,
    OPTION_SQL_USER,
    OPTION_SQL_PASSWD,
    OPTION_SQL_DATABASE,
    OPTION_SQL_USESSL,
    OPTION_SQL_SSL_MODE,
    OPTION_SQL_SSL_CA,
    OPTION_SQL_SSL_CERT,
    OPTION_SQL_SSL_KEY,
    OPTION_SQL_SELECT,
    OPTION_SQL_INSERT,
    OPTION_SQL_UPDATE,
    OPTION_SQL_TIMEOUT,
    OPTION_SQL_PERSISTENT,

    OPTION_AUTHDAEMOND_PATH,
    OPTION_AUTHDAEMOND_TIMEOUT,
    OPTION_AUTHDAEMOND_SERVICE,
    OPTION_AUTHDAEMOND_REQUIRE_OPTIONS,
    OPTION_AUTHDAEMOND_SEND_REMOTE_IP,

    OPTION_COUNT
};

/* The kind of a value. */
enum option_kind {
    OPTION_TEXT,
    OPTION_LIST,     /* of words, separated by blanks */
    OPTION_WORD,     /* one of `words` */
    OPTION_SWITCH,   /* yes or no */
    OPTION_SECONDS,  /* with up to three decimals, `least` to `most` milliseconds */
    OPTION_LEVEL,    /* a whole number */
    OPTION_NUMBER,   /* a whole number, with bounds that other options set */
    OPTION_FILE,     /* a path */
    OPTION_STATEMENT /* a template of SQL, see sql_template.h */
};

/* Which plug-in uses it. Each plug-in also looks at options of the other to find out whether the
 * program asks for it: see activation.h. */
enum option_reader {
    OPTION_OF_SQLCRYPT, /* libsqlcrypt.so */
    OPTION_OF_PWVERIFY, /* libpwverify.so */
    OPTION_OF_BOTH,
    OPTION_OF_LIBSASL /* libsasl2 alone, which knows only this name */
};

struct option_row {
    const char *name;
    const char *alias; /* another name of it, used if the first is not set; or NULL */
    enum option_kind kind;
    enum option_reader reader;
    bool is_secret;           /* the value must not be shown */
    const char *otherwise;    /* the default; NULL if it is not a value */
    const char *const *words; /* of OPTION_WORD, ending with NULL */
    unsigned least, most;     /* of OPTION_SECONDS */
};

const struct option_row *options_row(enum option option);

/* The name of the option, in smtpd.conf and in a reason. */
const char *options_name(enum option option);

/* Where options are read from. */
struct options {
    /* Returns the value that is set, valid until the next call; NULL if there is none. */
    const char *(*get)(void *context, const char *name);
    void *context;
};

/* The value that is set, valid until an option is asked for again; NULL if there is none. */
const char *options_set(const struct options *options, enum option option);

/* The same, or else the default. */
const char *options_text(const struct options *options, enum option option);

/* Copies that with malloc(3); the copy is NULL if there is neither. Returns false when out of
 * memory. */
bool options_copy(const struct options *options, enum option option, char **copy);

/* Whether the value in effect is the default, set or not, ignoring letter case. */
bool options_is_default(const struct options *options, enum option option);

/* Whether an OPTION_SWITCH is on. */
bool options_on(const struct options *options, enum option option);

/* Reads an OPTION_LEVEL. Returns false if the value is not valid: the level is then the default. */
bool options_level(const struct options *options, enum option option, int *level);

/* Reads an OPTION_SECONDS. Returns false with a reason if the value is not valid. */
bool options_seconds(const struct options *options, enum option option, unsigned *milliseconds,
                     struct reason *reason);

/* Reads an OPTION_WORD: its place among the words, ignoring letter case. Returns false with a
 * reason if the value is none of them. */
bool options_word(const struct options *options, enum option option, unsigned *place,
                  struct reason *reason);

/* Writes that the value of an option is not accepted: NAME: "VALUE": must be ... A secret is
 * not shown. */
void options_refuse(enum option option, const char *value, struct reason *reason,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
