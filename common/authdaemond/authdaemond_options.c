/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond_options.h"

#include <string.h>

/* NAME=VALUE, or a NAME alone, whose value is empty. */
struct option {
    const char *name;
    size_t name_length;
    const char *value;
    size_t value_length;
    bool has_value;
};

/* Takes the next entry of a list and steps over it. Returns false at its end. */
static bool next_option(const char **at, const char *end, struct option *option)
{
    const char *start = *at, *stop, *equals;

    while (start < end && (*start == ',' || *start == ' '))
        start++;
    for (stop = start; stop < end && *stop != ','; stop++)
        continue;
    *at = stop;
    if (start == stop)
        return false;
    equals = memchr(start, '=', (size_t)(stop - start));
    option->has_value = equals != NULL;
    option->name = start;
    option->name_length = (size_t)((equals != NULL ? equals : stop) - start);
    option->value = equals != NULL ? equals + 1 : stop;
    option->value_length = (size_t)(stop - option->value);
    return true;
}

bool authdaemond_options_valid(const char *required)
{
    const char *at = required, *end = required + strlen(required);
    struct option option;

    while (next_option(&at, end, &option))
        if (!option.has_value || option.name_length == 0)
            return false;
    return true;
}

static bool is_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* Whether an account has what one entry demands. The first of several options of
 * one name counts, as in Courier. */
static bool has(const struct option *wanted, const char *options, size_t length)
{
    const char *at = options, *end = options + length;
    struct option option;

    while (next_option(&at, end, &option))
        if (is_same(option.name, option.name_length, wanted->name, wanted->name_length))
            return is_same(option.value, option.value_length, wanted->value, wanted->value_length);
    return is_same("0", 1, wanted->value, wanted->value_length);
}

bool authdaemond_options_allow(const char *required, const char *options, size_t length)
{
    const char *at = required, *end = required + strlen(required);
    struct option wanted;

    while (next_option(&at, end, &wanted))
        if (!has(&wanted, options != NULL ? options : "", options != NULL ? length : 0))
            return false;
    return true;
}
