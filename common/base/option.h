/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPTION_H
#define SQLCRYPT_OPTION_H

/*
 * What the values of options mean that are switches, times or levels.
 */

#include <stdbool.h>

/* As the stock plug-ins read a switch: 1, yes, true and on say yes. */
bool option_is_on(const char *value);

/* Reads seconds with up to three decimals, of which the point is a point in every
 * locale: 0.001 to 3600. Returns false if it is anything else. */
bool option_seconds(const char *text, unsigned *milliseconds);

/* Reads a whole number, with or without white space around it. Returns false if it is
 * anything else. What is above 99 is 99. */
bool option_level(const char *text, int *level);

/* Whether the value is in quotes, single or double ones, as a whole. */
bool option_is_quoted(const char *value);

#endif
