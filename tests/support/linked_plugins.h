/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_LINKED_PLUGINS_H
#define SQLCRYPT_TESTS_LINKED_PLUGINS_H

/*
 * A program (sasl_program.h) that has both plug-ins linked into it, and no other ones:
 * so that every allocation of theirs can be made to fail, and a driver can be scripted.
 * Needs the linker's --wrap, see linked_flags in tests/plugin/plugin.am.
 */

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

#include "sql/sql_engine.h"

/* To be called first: makes libsasl2 use allocations that can be made to fail. */
void linked_prepare(void);

/* Starts the program. `extra` are callbacks as in program_start_with(), or NULL.
 * program_stop() ends it. */
void linked_start(const char *configuration, const sasl_callback_t *extra);

/* What linked_start() does after the program has started without the plug-ins. */
void linked_add_plugins(void);

/* What libsasl2 said to each plug-in when it was started, and what they were given. */
struct linked {
    int auxprop_result, mechanisms_result;
    const sasl_utils_t *utils;
    sasl_auxprop_plug_t *auxprop;
    sasl_server_plug_t *mechanisms;
    int mechanism_count;
    char engine_directory[4100]; /* where libsqlcrypt has looked for its driver */
};
extern struct linked linked;

/* The driver that programs started from now on get; NULL for the real ones. */
void linked_use_engine(const struct sql_engine *engine);

/* How many allocations succeed before one fails, and which. */
enum memory_kind {
    MEMORY_ONCE,        /* only that one of the plug-ins fails */
    MEMORY_FOR_GOOD,    /* and all later ones */
    MEMORY_OF_LIBSASL2, /* like MEMORY_ONCE, but those of libsasl2 count as well */
};
void memory_fail_after(int allocations, enum memory_kind kind);
void memory_succeed(void);

/* How many have failed since. */
unsigned memory_failures(void);

/* While true, getentropy(3) fails. */
extern bool no_random_bytes;

#endif
