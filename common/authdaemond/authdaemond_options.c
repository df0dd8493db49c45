/* SPDX-License-Identifier: BSD-3-Clause */
#include "authdaemond/authdaemond_options.h"

/* NAME=VALUE, or a NAME alone, whose value is empty. */
struct option {
    struct bytes name, value;
    bool has_value;
};

/* Takes the next entry off a list. Returns false at its end. */
static bool next_option(struct bytes *list, struct option *option)
{
    size_t length = 0, name = 0;

    while (list->length > 0 && (list->start[0] == ',' || list->start[0] == ' '))
        *list = bytes_after(*list, 1);
    while (length < list->length && list->start[length] != ',')
        length++;
    while (name < length && list->start[name] != '=')
        name++;
    option->has_value = name < length;
    option->name = (struct bytes){list->start, name};
    option->value = bytes_after((struct bytes){list->start, length}, name + option->has_value);
    *list = bytes_after(*list, length);
    return length > 0;
}

bool authdaemond_options_valid(const char *required)
{
    struct bytes list = bytes_of(required);
    struct option option;

    while (next_option(&list, &option))
        if (!option.has_value || option.name.length == 0)
            return false;
    return true;
}

/* Whether an account has what one entry requires. If options share a name, the
 * first one counts, as in Courier. */
static bool has(const struct option *wanted, struct bytes options)
{
    struct option option;

    while (next_option(&options, &option))
        if (bytes_equal(option.name, wanted->name))
            return bytes_equal(option.value, wanted->value);
    return bytes_equal(bytes_of("0"), wanted->value);
}

bool authdaemond_options_allow(const char *required, struct bytes options)
{
    struct bytes list = bytes_of(required);
    struct option wanted;

    while (next_option(&list, &wanted))
        if (!has(&wanted, options))
            return false;
    return true;
}
