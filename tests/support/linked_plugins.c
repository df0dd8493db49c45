/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/linked_plugins.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sql/sql_driver.h"
#include "support/sasl_program.h"
#include "support/sqlite_table.h"
#include "support/unit.h"

struct linked linked;

/* --- memory */

static int allocations_left = -1; /* negative: all succeed */
static enum memory_kind memory_kind;
static unsigned failures;

void memory_fail_after(int allocations, enum memory_kind kind)
{
    allocations_left = allocations;
    memory_kind = kind;
    failures = 0;
}

void memory_succeed(void)
{
    allocations_left = -1;
    memory_kind = MEMORY_ONCE;
}

unsigned memory_failures(void)
{
    return failures;
}

static bool fails(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left > 0) {
        allocations_left--;
        return false;
    }
    if (memory_kind != MEMORY_FOR_GOOD)
        allocations_left = -1;
    failures++;
    return true;
}

#include "support/failing_memory.h"

static void *malloc_of_libsasl2(size_t size)
{
    return memory_kind == MEMORY_OF_LIBSASL2 && fails() ? NULL : __real_malloc(size);
}

static void *calloc_of_libsasl2(size_t count, size_t size)
{
    return memory_kind == MEMORY_OF_LIBSASL2 && fails() ? NULL : __real_calloc(count, size);
}

static void *realloc_of_libsasl2(void *pointer, size_t size)
{
    return memory_kind == MEMORY_OF_LIBSASL2 && fails() ? NULL : __real_realloc(pointer, size);
}

void linked_prepare(void)
{
    /* Nothing that tools must name is unloaded, and no other plug-ins need loading. */
    unsetenv("TEST_PIN_PLUGINS");
    sasl_set_alloc(malloc_of_libsasl2, calloc_of_libsasl2, realloc_of_libsasl2, free);
}

/* --- random bytes */

bool no_random_bytes;

int __real_getentropy(void *buffer, size_t length);
int __wrap_getentropy(void *buffer, size_t length);

int __wrap_getentropy(void *buffer, size_t length)
{
    if (!no_random_bytes)
        return __real_getentropy(buffer, length);
    errno = ENOSYS;
    return -1;
}

/* --- drivers */

static const struct sql_engine *scripted;

void linked_use_engine(const struct sql_engine *engine)
{
    scripted = engine;
}

bool __real_sql_driver_load(struct sql_driver *driver, const struct sql_engine_kind *kind,
                            const char *directory, struct reason *reason);
bool __wrap_sql_driver_load(struct sql_driver *driver, const struct sql_engine_kind *kind,
                            const char *directory, struct reason *reason);

/* The real ones are not in a folder next to this program. */
bool __wrap_sql_driver_load(struct sql_driver *driver, const struct sql_engine_kind *kind,
                            const char *directory, struct reason *reason)
{
    snprintf(linked.engine_directory, sizeof(linked.engine_directory), "%s", directory);
    if (scripted == NULL)
        return __real_sql_driver_load(driver, kind, test_environment("TEST_ENGINE_DIR"), reason);
    *driver = (struct sql_driver){scripted, NULL};
    return true;
}

/* --- the program */

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                           sasl_auxprop_plug_t **plug, const char *plugname);
int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount);

static int start_auxprop(const sasl_utils_t *utils, int max_version, int *version,
                         sasl_auxprop_plug_t **plug, const char *name)
{
    int result = sasl_auxprop_plug_init(utils, max_version, version, plug, name);

    linked.utils = utils;
    linked.auxprop = result == SASL_OK ? *plug : NULL;
    return result;
}

static int start_mechanisms(const sasl_utils_t *utils, int max_version, int *version,
                            sasl_server_plug_t **list, int *count)
{
    int result = sasl_server_plug_init(utils, max_version, version, list, count);

    linked.mechanisms = result == SASL_OK ? *list : NULL;
    linked.mechanism_count = result == SASL_OK ? *count : 0;
    return result;
}

void linked_add_plugins(void)
{
    memset(&linked, 0, sizeof(linked));
    linked.auxprop_result = sasl_auxprop_add_plugin("sqlcrypt", start_auxprop);
    linked.mechanisms_result = sasl_server_add_plugin("pwverify", start_mechanisms);
}

void linked_start(const char *configuration, const sasl_callback_t *extra)
{
    /* a folder without plug-ins */
    program_start_with(folder(), configuration, extra);
    linked_add_plugins();
}
