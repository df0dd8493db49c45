/* SPDX-License-Identifier: BSD-3-Clause */

/* What the macros of templates are replaced by. */

#include "support/templates.h"

/* --- a parameter stays one where it touches a word */

static const struct touching {
    const char *name;
    unsigned dialects;
    const char *text;
    size_t want_count;
} touchings[] = {
    {"word in front", ALL, "SELECT p FROM t WHERE n LIKE'%u'", 1},
    {"word behind", ALL, "SELECT p FROM t WHERE n='%u'AND r='%r'", 2},
    {"word behind a macro", ALL, "SELECT p FROM t WHERE n=%u AND'%r'=r", 2},
    {"literal in double quotes behind a word", MYSQL | SQLITE, "SELECT p FROM t WHERE n LIKE\"%u\"",
     1},
};

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* PostgreSQL reads LIKE$1 as one name and $1AND as a mistake, MySQL does not
 * take ?AND for a parameter, and SQLite takes ?1 for its own numbered one. */
static void parameter_stands_alone(void **state)
{
    const struct run *run = *state;
    const struct touching *row = run->row;
    const bool numbered = run->dialect->bit == PGSQL;
    struct sql_template *template = parse(row->text, SQL_TEMPLATE_SELECT, run->dialect);
    char *text = sql_template_text(template, PROPERTY);
    const char *sign = numbered ? "$" : "?";
    const char *at = text;
    size_t count = 0;

    assert_non_null(text);
    assert_int_equal(sql_template_parameter_count(template), row->want_count);
    while ((at = strpbrk(at, sign)) != NULL) {
        const char *behind = at + 1 + (numbered ? strspn(at + 1, "0123456789") : 0);
        bool alone = !(numbered && in_word(at[-1])) &&
                     !(run->dialect->bit == SQLITE ? isdigit((unsigned char)*behind) != 0
                                                   : in_word(*behind));

        if (!alone)
            print_error("%s: %s\n\tbecame: %s\n", run->dialect->name, row->text, text);
        assert_true(alone);
        count++;
        at = behind;
    }
    assert_int_equal(count, row->want_count);
    free(text);
    sql_template_free(template);
}

/* --- NULL and bytes of any kind as the value */

static void null_value(void **state)
{
    const struct sql_values values = {USER, REALM, PROPERTY, ADDRESS, BYTES_NONE};
    const struct secret null = SECRET_EMPTY;
    struct sql_template *template = parse("UPDATE t SET p = '%v', q = 'x%v', r = %v WHERE n = '%u'",
                                          SQL_TEMPLATE_STORE, &dialects[0]);
    const struct secret user = lend(USER);
    struct secret parameters[4];
    size_t i;

    (void)state;
    memset(parameters, 'x', sizeof(parameters));
    assert_int_equal(sql_template_parameter_count(template), 4);
    assert_true(sql_template_bind(template, &values, parameters));
    for (i = 0; i < 3; i++)
        assert_secret(&parameters[i], &null);
    assert_secret(&parameters[3], &user);
    secret_wipe(&parameters[3]);
    sql_template_free(template);
}

static void empty_values(void **state)
{
    const struct secret empty = lend("");
    const struct sql_values values = {"", "", PROPERTY, "", bytes_of("")};
    struct sql_template *template =
        parse("UPDATE t SET p = '%v', q = '%u%r', r = %a", SQL_TEMPLATE_STORE, &dialects[1]);
    struct secret parameters[3];
    size_t i;

    (void)state;
    assert_true(sql_template_bind(template, &values, parameters));
    for (i = 0; i < COUNT(parameters); i++) {
        assert_secret(&parameters[i], &empty);
        secret_wipe(&parameters[i]);
    }
    sql_template_free(template);
}

static void value_with_nul(void **state)
{
    const struct bytes value = {"a\0b\0", 4};
    const struct secret want = lend_bytes("<a\0b\0>", 6);
    const struct sql_values values = {USER, REALM, PROPERTY, ADDRESS, value};
    struct sql_template *template =
        parse("UPDATE t SET p = '<%v>'", SQL_TEMPLATE_STORE, &dialects[2]);
    struct secret parameter;

    (void)state;
    assert_true(sql_template_bind(template, &values, &parameter));
    assert_secret(&parameter, &want);
    secret_wipe(&parameter);
    sql_template_free(template);
}

/* --- malicious values */

enum { VERY_LONG = 200000 };

static char very_long[VERY_LONG + 1];

static const struct hostile {
    const char *name;
    unsigned dialects;
    const char *value;
} hostiles[] = {
    {"quotes", ALL, "' OR ''='"},
    {"double quotes", ALL, "\" OR \"\"=\""},
    {"end of a statement", ALL, "'; DROP TABLE users; --"},
    {"backslash", ALL, "\\' OR 1=1 -- "},
    {"backslash at the end", ALL, "alice\\"},
    {"macros", ALL, "%u%r%p%v%a%%"},
    {"lone percent sign", ALL, "%"},
    {"placeholders", ALL, "? $1 $2 :a @b ?1"},
    {"comments", ALL, "/* */ -- #"},
    {"dollar quotes", ALL, "$$ $tag$ $$"},
    {"brackets and backticks", ALL, "]`[`"},
    {"control characters", ALL, "\001\n\r\t\032\033"},
    {"not UTF-8", ALL, "\377\376\300\257\277'"},
    {"every kind of quote in other character sets", ALL, "\277'\277\\'\201\\'\xe2\x80\x99"},
    {"blanks", ALL, "   "},
    {"very long", ALL, very_long},
};

static void hostile_values_stay_values(void **state)
{
    const struct run *run = *state;
    const char *hostile = ((const struct hostile *)run->row)->value;
    const struct secret value = lend(hostile);
    const struct sql_values values = {hostile, hostile, PROPERTY, hostile, bytes_of(hostile)};
    struct sql_template *template =
        parse("UPDATE t SET %p = '%v' WHERE n = '%u' AND r = %r AND a = '%a' AND b = '<%u|%v>'",
              SQL_TEMPLATE_STORE, run->dialect);
    struct secret parameters[5];
    char *text, *both;
    char want_text[256];
    size_t size = 2 * strlen(hostile) + 4, i;
    struct secret want_both;

    assert_int_equal(sql_template_parameter_count(template), COUNT(parameters));
    assert_true(sql_template_bind(template, &values, parameters));
    text = sql_template_text(template, PROPERTY);
    expand(want_text, sizeof(want_text),
           "UPDATE t SET userPassword = ^ WHERE n = ^ AND r = ^ AND a = ^ AND b = ^", run->dialect);
    assert_string_equal(text, want_text);
    both = malloc(size);
    assert_non_null(both);
    snprintf(both, size, "<%s|%s>", hostile, hostile);
    want_both = lend(both);
    for (i = 0; i < COUNT(parameters); i++) {
        assert_secret(&parameters[i], i < 4 ? &value : &want_both);
        secret_wipe(&parameters[i]);
    }
    free(both);
    free(text);
    sql_template_free(template);
}

/* One template serves many logins. */
static void bind_many_times(void **state)
{
    static const char *const users[] = {"alice", "bob", "", "' OR 1=1"};
    struct sql_template *template =
        parse("SELECT p FROM t WHERE n = '%u@%r'", SQL_TEMPLATE_SELECT, &dialects[2]);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(users); i++) {
        const struct sql_values values = {users[i], REALM, PROPERTY, ADDRESS, BYTES_NONE};
        struct secret parameter, want;
        char wanted[64];

        snprintf(wanted, sizeof(wanted), "%s@%s", users[i], REALM);
        want = lend(wanted);
        assert_true(sql_template_bind(template, &values, &parameter));
        assert_secret(&parameter, &want);
        secret_wipe(&parameter);
    }
    sql_template_free(template);
}

/* --- properties */

static void text_for_several_properties(void **state)
{
    struct sql_template *template =
        parse("SELECT %p, \"%p\" FROM t WHERE n = %u", SQL_TEMPLATE_SELECT, &dialects[0]);
    char *one = sql_template_text(template, "a");
    char *other = sql_template_text(template, "a_very_much_longer_name_of_a_property");

    (void)state;
    assert_string_equal(one, "SELECT a, \"a\" FROM t WHERE n = $1");
    assert_string_equal(other, "SELECT a_very_much_longer_name_of_a_property, "
                               "\"a_very_much_longer_name_of_a_property\" FROM t WHERE n = $1");
    free(one);
    free(other);
    sql_template_free(template);
}

static const struct having {
    const char *name;
    unsigned dialects;
    const char *text;
    bool want;
} havings[] = {
    {"none", ALL, "SELECT p FROM t WHERE n = '%u'", false},
    {"as a name", ALL, "SELECT %p FROM t", true},
    {"in a literal", ALL, "SELECT v FROM t WHERE p = '%p'", true},
    {"in a literal with others", ALL, "SELECT v FROM t WHERE p = '%u/%p'", true},
    {"in double quotes", ALL, "SELECT \"%p\" FROM t", true},
    {"in backticks", MYSQL | SQLITE, "SELECT `%p` FROM t", true},
    {"in a comment", ALL, "SELECT /* %p */ v FROM t", false},
    {"behind a percent sign", ALL, "SELECT '%%p'", false},
};

static void has_property(void **state)
{
    const struct run *run = *state;
    const struct having *row = run->row;
    struct sql_template *template = parse(row->text, SQL_TEMPLATE_SELECT, run->dialect);

    assert_int_equal(sql_template_has_property(template), row->want);
    sql_template_free(template);
}

#define LETTERS_63 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"

static const struct property {
    const char *name;
    const char *property;
    bool want;
} properties[] = {
    {"usual", "userPassword", true},
    {"underscore in front", "_x", true},
    {"underscore alone", "_", true},
    {"digits behind", "a1", true},
    {"longest, every character", LETTERS_63, true},
    {"one too long", LETTERS_63 "a", false},
    {"nothing", "", false},
    {"digit in front", "1a", false},
    {"star in front, as libsasl2 asks for", "*userPassword", false},
    {"minus", "cmusaslsecret-PLAIN", false},
    {"dot", "a.b", false},
    {"blank", "a b", false},
    {"blank behind", "a ", false},
    {"quote", "a'b", false},
    {"double quote", "a\"b", false},
    {"backtick", "a`b", false},
    {"bracket", "a]b", false},
    {"semicolon", "a;b", false},
    {"comment", "a--", false},
    {"percent sign", "a%p", false},
    {"dollar sign", "a$b", false},
    {"line break", "a\n", false},
    {"not ASCII", "stra\303\237e", false},
};

static void property_allowed(void **state)
{
    const struct property *row = *state;

    assert_int_equal(sql_template_property_allowed(row->property), row->want);
}

static void free_of_nothing(void **state)
{
    (void)state;
    sql_template_free(NULL);
}

/* --- long templates */

static void long_template(void **state)
{
    enum { MACROS = 400 };
    char *text = malloc(MACROS * 5 + 8);
    struct secret *parameters = calloc(MACROS, sizeof(*parameters));
    const struct sql_values values = {USER, REALM, PROPERTY, ADDRESS, BYTES_NONE};
    const struct secret want = lend(USER);
    struct sql_template *template;
    char *statement;
    size_t i;

    (void)state;
    assert_non_null(text);
    assert_non_null(parameters);
    strcpy(text, "SELECT ");
    for (i = 0; i < MACROS; i++)
        strcpy(text + 7 + 5 * i, i + 1 < MACROS ? "'%u'," : "'%u'");
    template = parse(text, SQL_TEMPLATE_SELECT, &dialects[0]);
    assert_int_equal(sql_template_parameter_count(template), MACROS);
    statement = sql_template_text(template, PROPERTY);
    assert_non_null(statement);
    assert_contains(statement, "$1,$2,");
    assert_contains(statement, "$99,$100,$101,");
    assert_contains(statement, "$399,$400");
    assert_true(sql_template_bind(template, &values, parameters));
    for (i = 0; i < MACROS; i++) {
        assert_secret(&parameters[i], &want);
        secret_wipe(&parameters[i]);
    }
    free(statement);
    free(parameters);
    free(text);
    sql_template_free(template);
}

int main(void)
{
    struct test_list list = {0};

    memset(very_long, '\'', VERY_LONG);
    ADD_FOR_DIALECTS(&list, parameter_stands_alone, touchings);
    TEST_ADD(&list, null_value);
    TEST_ADD(&list, empty_values);
    TEST_ADD(&list, value_with_nul);
    ADD_FOR_DIALECTS(&list, hostile_values_stay_values, hostiles);
    TEST_ADD(&list, bind_many_times);
    TEST_ADD(&list, text_for_several_properties);
    ADD_FOR_DIALECTS(&list, has_property, havings);
    TEST_ADD_CASES(&list, property_allowed, properties);
    TEST_ADD(&list, free_of_nothing);
    TEST_ADD(&list, long_template);
    return test_run("sql_template_values", &list);
}
