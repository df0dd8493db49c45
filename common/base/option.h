/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_OPTION_H
#define SQLCRYPT_OPTION_H

/*
 * What the values of options mean that are switches, times, levels or lists.
 */

#include <stdbool.h>
#include <stddef.h>

/* As the stock plug-ins read a switch: 1, yes, true and on say yes. */
bool option_is_on(const char *value);

/* Reads seconds with up to three decimals, `least` to `most` milliseconds. The point is a
 * point in every locale. Returns false if it is anything else. */
bool option_seconds(const char *text, unsigned least, unsigned most, unsigned *milliseconds);

/* Reads a whole number, with or without white space around it. Returns false if it is
 * anything else. What is above 99 is 99. */
bool option_level(const char *text, int *level);

/* Whether the value is in quotes, single or double ones, as a whole. */
bool option_is_quoted(const char *value);

/* Copies the next word of a list that is separated by blanks, cut off to fit, and steps
 * over it. Returns false at the end of the list. */
bool option_next_word(const char **list, char *word, size_t size);

/* Whether a word is in such a list, letter case ignored. */
bool option_has_word(const char *list, const char *word);

#endif
