/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_TEMPLATE_H
#define SQLCRYPT_SQL_TEMPLATE_H

/*
 * Reads sql_select, sql_insert and sql_update once, and turns them into a
 * statement with bound parameters for each login. No text from a client ever
 * becomes part of a statement.
 *
 *   '%u@%r'   a literal that holds %u (user), %r (realm), %v (value), %a
 *             (client address) or %p (property) is one parameter, bound to the
 *             literal's text with each of them replaced
 *   %u        outside of quotes is a parameter, too
 *   %p        outside of literals is the name of a column; it is written into
 *             the statement, and only a name of letters, digits and '_' is
 *   %%        is a percent sign, as is a % before anything but a letter
 *
 * In the text of a comment, a percent sign is just a character.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/secret.h"
#include "sql/sql_dialect.h"

struct sql_template;

enum sql_template_kind {
    SQL_TEMPLATE_SELECT, /* there is no value: %v is refused */
    SQL_TEMPLATE_STORE
};

/* What the macros stand for in one login. Strings end in NUL. */
struct sql_values {
    const char *user;
    const char *realm;
    const char *property;
    const char *address; /* "" if the host does not say; may be NULL if there is no %a */
    struct bytes value;  /* BYTES_NONE stands for the SQL value NULL */
};

/* Parses `text`. Returns NULL with a reason that starts with the position, a
 * byte counted from 1, if it cannot be read. The caller frees the template. */
struct sql_template *sql_template_parse(const char *text, enum sql_template_kind kind,
                                        const struct sql_dialect *dialect, struct reason *reason);
void sql_template_free(struct sql_template *template);

/* A warning that the statement probably does not mean what it says, starting
 * with the position; NULL if there is none. */
const char *sql_template_warning(const struct sql_template *template);

/* Whether the statement can return properties other than the password: whether
 * it contains %p. */
bool sql_template_has_property(const struct sql_template *template);

/* Whether the statement contains %r. */
bool sql_template_has_realm(const struct sql_template *template);

/* Whether the statement contains %a. */
bool sql_template_has_address(const struct sql_template *template);

/* Whether `property` may appear where a template says %p. */
bool sql_template_property_allowed(const char *property);

/* The text of the statement, from malloc(3); NULL when out of memory.
 * `property` is an allowed one. */
char *sql_template_text(const struct sql_template *template, const char *property);

/* How many parameters the statement has. */
size_t sql_template_parameter_count(const struct sql_template *template);

/* Fills in the parameters, in order; the caller wipes each. One with NULL bytes
 * is bound to NULL. Returns false when out of memory; no parameter is then
 * held. */
bool sql_template_bind(const struct sql_template *template, const struct sql_values *values,
                       struct secret *parameters);

#endif
