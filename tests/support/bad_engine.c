/* SPDX-License-Identifier: BSD-3-Clause */

/* A driver that another version of the project may have left behind. */

#include "sql/sql_engine.h"

extern const struct sql_engine sqlcrypt_engine;

const struct sql_engine sqlcrypt_engine = {
    .abi = SQL_ENGINE_ABI + 1,
    .name = "sqlite3",
};
