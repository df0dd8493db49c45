/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_driver.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

bool sql_driver_load(struct sql_driver *driver, const struct sql_engine_kind *kind,
                     const char *directory, struct reason *reason)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s.so", directory, kind->name);

    *driver = (struct sql_driver){NULL, NULL};
    if (length < 0 || (size_t)length >= sizeof(path)) {
        reason_set(reason, "the name of the driver directory is too long");
        return false;
    }
    driver->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (driver->object == NULL) {
        reason_set(reason,
                   "cannot load the driver: %s; install the %s driver of sasl-sqlcrypt, and %s",
                   dlerror(), kind->name, kind->packages);
        return false;
    }
    driver->engine = dlsym(driver->object, "sqlcrypt_engine");
    if (driver->engine != NULL && driver->engine->abi == SQL_ENGINE_ABI &&
        strcmp(driver->engine->name, kind->name) == 0) {
        if (driver->engine->load != NULL)
            driver->engine->load();
        return true;
    }
    reason_set(reason, "the driver %s is not of this version of sasl-sqlcrypt; reinstall both",
               path);
    sql_driver_unload(driver);
    return false;
}

void sql_driver_unload(struct sql_driver *driver)
{
    if (driver->object != NULL)
        dlclose(driver->object);
    *driver = (struct sql_driver){NULL, NULL};
}
