/* SPDX-License-Identifier: BSD-3-Clause */

/* Any text as a template: it is refused with a position inside it, or becomes a
 * statement that contains nothing that a client has sent. The first byte
 * chooses dialect and kind. */

#include "fuzz/fuzz_target.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "sql/sql_template.h"

/* No input would contain this by chance. */
#define MARK "\001mark\002"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("0SELECT %p FROM users WHERE name = '%u' AND realm = '%r'"),
    FUZZ_TEXT("1SELECT %p FROM `users` WHERE name = \"%u@%r\" # comment"),
    FUZZ_TEXT("2SELECT \"%p\" FROM [users] WHERE name = \"%u\"; "),
    FUZZ_TEXT("3UPDATE users SET %p = '%v' WHERE name = E'\\'%u' AND a = $q$%a$q$::text"),
    FUZZ_TEXT("4UPDATE users SET `%p` = '%v' WHERE name = 'a\\'%u' -- 100%"),
    FUZZ_TEXT("5INSERT INTO users (name, \"%p\") VALUES (%u, /* %x */ '%v')"),
    FUZZ_TEXT("0SELECT d #>> '{%p}', x'00', N'a' /* a /* b */ c */, $$ '%u' $$, 7 %% 2"),
    FUZZ_TEXT("0SELECT inet '%a', \"text\" /* a */ '%u', interval '1 day', U&'%r', U&'\\0041'"),
    FUZZ_TEXT("1SELECT _utf8mb4'a', b'01', /*+ hint */ 'it''s %u', \"\\\"%r\", 5--1"),
    FUZZ_TEXT("2SELECT 'a''b%%', `a``b`, [a b], \"a\"\"%u\""),
    FUZZ_TEXT(
        "0SELECT p AS user FROM \"user\" WHERE user = 'a' AND t.user LIKE '%@x' AND 7 % 2 = 1;"),
    FUZZ_TEXT("1SELECT p FROM t WHERE a = '%u'@'%r' AND '100%' LIKE '%' AND d = '%Y'"),
    {NULL, 0},
};

const struct fuzz_text fuzz_words[] = {
    FUZZ_TEXT("%u"),   FUZZ_TEXT("%r"),   FUZZ_TEXT("%p"), FUZZ_TEXT("%v"),  FUZZ_TEXT("%a"),
    FUZZ_TEXT("%%"),   FUZZ_TEXT("%"),    FUZZ_TEXT("'"),  FUZZ_TEXT("''"),  FUZZ_TEXT("\""),
    FUZZ_TEXT("`"),    FUZZ_TEXT("["),    FUZZ_TEXT("]"),  FUZZ_TEXT("\\"),  FUZZ_TEXT("$$"),
    FUZZ_TEXT("$a$"),  FUZZ_TEXT("E'"),   FUZZ_TEXT("x'"), FUZZ_TEXT("/*"),  FUZZ_TEXT("*/"),
    FUZZ_TEXT("/*!"),  FUZZ_TEXT("-- "),  FUZZ_TEXT("#"),  FUZZ_TEXT("\n"),  FUZZ_TEXT(";"),
    FUZZ_TEXT("?"),    FUZZ_TEXT(":a"),   FUZZ_TEXT("$1"), FUZZ_TEXT("::"),  FUZZ_TEXT("'@'"),
    FUZZ_TEXT("user"), FUZZ_TEXT(" AS "), FUZZ_TEXT("% "), FUZZ_TEXT("U&'"), FUZZ_TEXT("int "),
    {NULL, 0},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void check_refusal(const struct reason *reason, const char *text)
{
    size_t position = 0;

    FUZZ_ASSERT(sscanf(reason->text, "position %zu: ", &position) == 1);
    FUZZ_ASSERT(position >= 1 && position <= strlen(text) + 1);
    FUZZ_ASSERT(strchr(reason->text, '\n') == NULL);
    /* A message about one character gives its position. */
    if (strstr(reason->text, " is not known; ") != NULL)
        FUZZ_ASSERT(text[position - 1] == '%' && is_letter(text[position]) &&
                    strchr("urpa", text[position]) == NULL);
    if (strstr(reason->text, ": the @ belongs") != NULL)
        FUZZ_ASSERT(text[position - 1] == '@');
    if (strstr(reason->text, ": text after the final semicolon") != NULL)
        FUZZ_ASSERT(text[position - 1] == ';');
}

static void check_warning(const char *warning, const char *text)
{
    size_t position = 0;

    if (warning == NULL)
        return;
    FUZZ_ASSERT(sscanf(warning, "position %zu: ", &position) == 1);
    FUZZ_ASSERT(strncasecmp(text + position - 1, "user", 4) == 0);
}

static bool has_macro(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '%' && (text[1] == '%' || is_letter(text[1])))
            return true;
    return false;
}

/* Without a macro, a statement is unchanged, up to its semicolon. */
static void check_verbatim(const struct sql_template *template, const char *statement,
                           const char *text)
{
    size_t length = strlen(statement);

    if (has_macro(text))
        return;
    FUZZ_ASSERT(sql_template_parameter_count(template) == 0);
    FUZZ_ASSERT(strncmp(statement, text, length) == 0);
    FUZZ_ASSERT(text[length] == '\0' || text[length] == ';');
}

static void check_parameters(const struct sql_template *template)
{
    const struct bytes value = bytes_of(MARK);
    const struct sql_values values = {MARK, MARK, "property", MARK, value};
    const struct sql_values empty = {"", "", "property", "", BYTES_NONE};
    size_t count = sql_template_parameter_count(template), i;
    struct secret *parameters = calloc(count + 1, sizeof(*parameters));

    FUZZ_ASSERT(parameters != NULL);
    FUZZ_ASSERT(sql_template_bind(template, &values, parameters));
    for (i = 0; i < count; i++) {
        /* A literal without any macro is not a parameter. */
        FUZZ_ASSERT(parameters[i].bytes != NULL);
        FUZZ_ASSERT(strlen(parameters[i].bytes) == parameters[i].length);
        FUZZ_ASSERT(strstr(parameters[i].bytes, MARK) != NULL ||
                    strstr(parameters[i].bytes, "property") != NULL);
        secret_wipe(&parameters[i]);
    }
    FUZZ_ASSERT(sql_template_bind(template, &empty, parameters));
    for (i = 0; i < count; i++)
        secret_wipe(&parameters[i]);
    free(parameters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sql_dialect *const dialects[] = {&sql_dialect_pgsql, &sql_dialect_mysql,
                                                         &sql_dialect_sqlite3};
    const struct sql_dialect *dialect;
    enum sql_template_kind kind;
    struct sql_template *template;
    struct reason reason = {""};
    char *text, *statement, *again;

    if (size == 0)
        return 0;
    dialect = dialects[data[0] % 3];
    kind = (data[0] / 3) % 2 == 0 ? SQL_TEMPLATE_SELECT : SQL_TEMPLATE_STORE;
    text = strndup((const char *)data + 1, size - 1);
    FUZZ_ASSERT(text != NULL);
    template = sql_template_parse(text, kind, dialect, &reason);
    if (template == NULL) {
        check_refusal(&reason, text);
        free(text);
        return 0;
    }
    statement = sql_template_text(template, "property");
    again = sql_template_text(template, "property_of_a_longer_name");
    FUZZ_ASSERT(statement != NULL && again != NULL);
    if (strstr(text, MARK) == NULL)
        FUZZ_ASSERT(strstr(statement, MARK) == NULL);
    /* The property shows in the statement or in a parameter. */
    if (strcmp(statement, again) != 0)
        FUZZ_ASSERT(sql_template_has_property(template));
    check_verbatim(template, statement, text);
    check_warning(sql_template_warning(template), text);
    check_parameters(template);
    free(statement);
    free(again);
    free(text);
    sql_template_free(template);
    return 0;
}
