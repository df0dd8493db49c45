/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPTION_H
#define SQLCRYPT_OPTION_H

/*
 * Reads the values of options that are switches, times, levels or lists.
 */

#include <stdbool.h>
#include <stddef.h>

/* Reads a switch as the stock plug-ins do: 1, yes, true and on mean yes. */
bool option_is_on(const char *value);

/* Reads seconds with up to three decimals, `least` to `most` milliseconds. The decimal point is
 * "." in every locale. Returns false for anything else. */
bool option_seconds(const char *text, unsigned least, unsigned most, unsigned *milliseconds);

/* Reads a whole number, with or without white space around it. Returns false for anything else.
 * A number above 99 becomes 99. */
bool option_level(const char *text, int *level);

/* Whether the whole value is in quotes, single or double. */
bool option_is_quoted(const char *value);

/* Copies the next word of a list that is separated by blanks, truncated to fit, and steps over
 * it. Returns false at the end of the list. */
bool option_next_word(const char **list, char *word, size_t size);

/* Whether a word is in such a list, letter case ignored. */
bool option_has_word(const char *list, const char *word);

#endif
