/* SPDX-License-Identifier: BSD-3-Clause */

/* How templates are read, refused, and warned about. */

#include "support/templates.h"

/* In `want_text`, ^ is a parameter in the way of the dialect. */
struct reading {
    const char *name;
    unsigned dialects;
    const char *text;
    const char *want_text;
    const char *want[MOST_PARAMETERS];
};

static const struct reading selects[] = {
    /* --- literals */
    {"no macro", ALL, "SELECT 1", "SELECT 1", {NULL}},
    {"literal without macro", ALL, "SELECT 'abc'", "SELECT 'abc'", {NULL}},
    {"empty literal", ALL, "SELECT ''", "SELECT ''", {NULL}},
    {"usual statement",
     ALL,
     "SELECT %p FROM users WHERE name = '%u' AND realm = '%r'",
     "SELECT userPassword FROM users WHERE name = ^ AND realm = ^",
     {USER, REALM}},
    {"user and realm in one literal",
     ALL,
     "SELECT %p FROM users WHERE name='%u@%r'",
     "SELECT userPassword FROM users WHERE name=^",
     {USER "@" REALM}},
    {"address", ALL, "SELECT f('%a')", "SELECT f(^)", {ADDRESS}},
    {"property in a literal",
     ALL,
     "SELECT v FROM t WHERE p = '%p' AND n = '%u'",
     "SELECT v FROM t WHERE p = ^ AND n = ^",
     {PROPERTY, USER}},
    {"text around macros", ALL, "SELECT '<%u> at [%r]'", "SELECT ^", {"<" USER "> at [" REALM "]"}},
    {"macros side by side", ALL, "SELECT '%u%u%r'", "SELECT ^", {USER USER REALM}},
    {"the same macro several times",
     ALL,
     "SELECT '%u', '%u', %u",
     "SELECT ^, ^, ^",
     {USER, USER, USER}},
    {"macro without quotes",
     ALL,
     "SELECT p FROM t WHERE n = %u AND r = %r",
     "SELECT p FROM t WHERE n = ^ AND r = ^",
     {USER, REALM}},
    {"macros without quotes side by side",
     ALL,
     "SELECT f(%u,%r,%a)",
     "SELECT f(^,^,^)",
     {USER, REALM, ADDRESS}},
    {"doubled quote", ALL, "SELECT 'o''%u'", "SELECT ^", {"o'" USER}},
    {"doubled quote behind", ALL, "SELECT '%u''s'", "SELECT ^", {USER "'s"}},
    {"doubled quotes at both ends", ALL, "SELECT '''%u'''", "SELECT ^", {"'" USER "'"}},
    {"doubled quote without macro", ALL, "SELECT 'o''clock'", "SELECT 'o''clock'", {NULL}},
    {"two literals side by side are not doubled quotes",
     ALL,
     "SELECT '%u' 'x'",
     "SELECT ^ 'x'",
     {USER}},
    {"other quotes inside", ALL, "SELECT '\"%u\"`['", "SELECT ^", {"\"" USER "\"`["}},
    {"comment marks inside", ALL, "SELECT '-- %u /* # */'", "SELECT ^", {"-- " USER " /* # */"}},
    {"semicolon inside", ALL, "SELECT ';', '%u;'", "SELECT ';', ^", {USER ";"}},
    {"placeholder signs inside",
     ALL,
     "SELECT '? $1 :a @b', '%u?'",
     "SELECT '? $1 :a @b', ^",
     {USER "?"}},
    {"line break inside", ALL, "SELECT 'a\n%u'", "SELECT ^", {"a\n" USER}},
    {"not ASCII", ALL, "SELECT 'b\303\274cher-%u'", "SELECT ^", {"b\303\274cher-" USER}},
    {"letters behind a macro", ALL, "SELECT '%username'", "SELECT ^", {USER "sername"}},
    {"literal behind a word", ALL, "SELECT LOWER('%u')", "SELECT LOWER(^)", {USER}},
    {"ten and more parameters",
     ALL,
     "SELECT '%u','%r',%u,%r,%u,%r,%u,%r,%u,'%a','%r%u'",
     "SELECT ^,^,^,^,^,^,^,^,^,^,^",
     {USER, REALM, USER, REALM, USER, REALM, USER, REALM, USER, ADDRESS, REALM USER}},

    /* --- percent signs */
    {"percent sign in a literal", ALL, "SELECT '100%%'", "SELECT '100%'", {NULL}},
    {"percent signs around a macro",
     ALL,
     "SELECT n LIKE '%%%u%%'",
     "SELECT n LIKE ^",
     {"%" USER "%"}},
    {"percent sign and letter", ALL, "SELECT '%%u'", "SELECT '%u'", {NULL}},
    {"two percent signs and letter", ALL, "SELECT '%%%%u'", "SELECT '%%u'", {NULL}},
    {"percent sign as operator", ALL, "SELECT 7 %% 2", "SELECT 7 % 2", {NULL}},
    {"percent sign before a macro without quotes", ALL, "SELECT 7 %%%u", "SELECT 7 %^", {USER}},
    {"percent signs only", ALL, "SELECT '%%%%%%'", "SELECT '%%%'", {NULL}},
    {"percent sign before another sign", ALL, "SELECT n LIKE '%@x'", "SELECT n LIKE '%@x'", {NULL}},
    {"percent sign before a macro's own",
     ALL,
     "SELECT n LIKE '%@%r'",
     "SELECT n LIKE ^",
     {"%@" REALM}},
    {"percent sign behind a macro", ALL, "SELECT n LIKE '%u@%'", "SELECT n LIKE ^", {USER "@%"}},
    {"percent sign and blank", ALL, "SELECT 7 % 2", "SELECT 7 % 2", {NULL}},
    {"percent sign and digit", ALL, "SELECT 7%2, '%1', %u", "SELECT 7%2, '%1', ^", {USER}},
    {"percent sign and minus", ALL, "SELECT 7 %-2, %u", "SELECT 7 %-2, ^", {USER}},
    {"percent sign and parenthesis", ALL, "SELECT 7 %(%u)", "SELECT 7 %(^)", {USER}},
    {"percent sign at the end", ALL, "SELECT 7 %", "SELECT 7 %", {NULL}},
    {"percent sign at the end of a literal", ALL, "SELECT '100%'", "SELECT '100%'", {NULL}},
    {"percent sign alone in a literal", ALL, "SELECT '%', '%u'", "SELECT '%', ^", {USER}},
    {"percent sign before a doubled quote", ALL, "SELECT '%''%u'", "SELECT ^", {"%'" USER}},
    {"percent sign before a literal", ALL, "SELECT 7 %'%u'", "SELECT 7 %^", {USER}},
    {"odd number of percent signs", ALL, "SELECT '%%%'", "SELECT '%%'", {NULL}},
    {"three percent signs and letter", ALL, "SELECT '%%%u'", "SELECT ^", {"%" USER}},
    {"percent sign and underscore", ALL, "SELECT '%_%u'", "SELECT ^", {"%_" USER}},
    {"percent sign and a character around the letters",
     ALL,
     "SELECT '%@%[%`%{%\303\204%u'",
     "SELECT ^",
     {"%@%[%`%{%\303\204" USER}},
    {"percent sign before a semicolon", ALL, "SELECT 7 %;", "SELECT 7 %", {NULL}},
    {"percent sign before a comment", ALL, "SELECT 7 %/* %x */ 2", "SELECT 7 %/* %x */ 2", {NULL}},
    {"percent sign in an operator", PGSQL, "SELECT a <% %u", "SELECT a <% ^", {USER}},
    {"percent sign alone in a name", PGSQL | SQLITE, "SELECT \"a%\"", "SELECT \"a%\"", {NULL}},
    {"percent sign alone in backticks",
     MYSQL | SQLITE,
     "SELECT `a% %p`",
     "SELECT `a% userPassword`",
     {NULL}},
    {"percent sign alone in dollar quotes", PGSQL, "SELECT $$%$$, '%u'", "SELECT $$%$$, ^", {USER}},
    {"escaped percent sign without macro",
     MYSQL,
     "SELECT 'a\\%', '%u'",
     "SELECT 'a\\%', ^",
     {USER}},
    {"escaped percent sign in an E literal",
     PGSQL,
     "SELECT E'a\\%', '%u'",
     "SELECT E'a\\%', ^",
     {USER}},

    /* --- at signs that join nothing */
    {"at signs as an operator",
     PGSQL,
     "SELECT %u @@ 'x', %u @> a, %u <@ 'x'",
     "SELECT ^ @@ 'x', ^ @> a, ^ <@ 'x'",
     {USER, USER, USER}},
    {"at sign behind text", PGSQL, "SELECT '%u', 'a' @ 'b'", "SELECT ^, 'a' @ 'b'", {USER}},
    {"at sign of a variable", MYSQL, "SELECT %u, @a, @'b'", "SELECT ^, @a, @'b'", {USER}},
    {"at sign in a call", ALL, "SELECT f('%u','@','%r')", "SELECT f(^,'@',^)", {USER, REALM}},

    /* --- names */
    {"property as a name", ALL, "SELECT %p", "SELECT userPassword", {NULL}},
    {"property as part of a name",
     ALL,
     "SELECT t.%p, u_%p, %p_old",
     "SELECT t.userPassword, u_userPassword, userPassword_old",
     {NULL}},
    {"property in double quotes",
     PGSQL | SQLITE,
     "SELECT \"%p\" FROM \"users\"",
     "SELECT \"userPassword\" FROM \"users\"",
     {NULL}},
    {"name in double quotes", PGSQL | SQLITE, "SELECT \"a b\"", "SELECT \"a b\"", {NULL}},
    {"doubled double quote",
     PGSQL | SQLITE,
     "SELECT \"a\"\"b%p\", '%u'",
     "SELECT \"a\"\"buserPassword\", ^",
     {USER}},
    {"percent sign in a name", PGSQL | SQLITE, "SELECT \"a%%b\"", "SELECT \"a%b\"", {NULL}},
    {"single quote in a name", PGSQL | SQLITE, "SELECT \"a'b\", '%u'", "SELECT \"a'b\", ^", {USER}},
    {"backslash in a name", PGSQL | SQLITE, "SELECT \"a\\\", '%u'", "SELECT \"a\\\", ^", {USER}},
    {"property in backticks",
     MYSQL | SQLITE,
     "SELECT `%p` FROM `users`",
     "SELECT `userPassword` FROM `users`",
     {NULL}},
    {"doubled backtick", MYSQL | SQLITE, "SELECT `a``b`, '%u'", "SELECT `a``b`, ^", {USER}},
    {"backslash in backticks", MYSQL | SQLITE, "SELECT `a\\`, '%u'", "SELECT `a\\`, ^", {USER}},
    {"quotes in backticks", MYSQL | SQLITE, "SELECT `a'\"b`, '%u'", "SELECT `a'\"b`, ^", {USER}},
    {"percent sign in backticks", MYSQL | SQLITE, "SELECT `a%%`", "SELECT `a%`", {NULL}},
    {"property in brackets",
     SQLITE,
     "SELECT [%p] FROM [my users]",
     "SELECT [userPassword] FROM [my users]",
     {NULL}},
    {"quotes in brackets", SQLITE, "SELECT [a'\"b], '%u'", "SELECT [a'\"b], ^", {USER}},
    {"brackets elsewhere", PGSQL | MYSQL, "SELECT a[1], '%u'", "SELECT a[1], ^", {USER}},
    {"macro in brackets elsewhere", PGSQL, "SELECT a[%u]", "SELECT a[^]", {USER}},
    {"name that is not ASCII", ALL, "SELECT \303\274ber, '%u'", "SELECT \303\274ber, ^", {USER}},
    {"name with digits and dollar sign", ALL, "SELECT a1$b2, '%u'", "SELECT a1$b2, ^", {USER}},

    /* --- comments and the end */
    {"comment",
     ALL,
     "SELECT /* 100% of '%u, \"x */ '%u'",
     "SELECT /* 100% of '%u, \"x */ ^",
     {USER}},
    {"short comment", ALL, "SELECT /**/ %u", "SELECT /**/ ^", {USER}},
    {"comment of stars", ALL, "SELECT /***/ %u", "SELECT /***/ ^", {USER}},
    {"comment with a semicolon", ALL, "SELECT /* ; */ %u -- ;", "SELECT /* ; */ ^ -- ;", {USER}},
    {"comment with placeholder signs",
     ALL,
     "SELECT /* ? $1 :x */ %u",
     "SELECT /* ? $1 :x */ ^",
     {USER}},
    {"hint",
     ALL,
     "SELECT /*+ MAX_EXECUTION_TIME(100) */ %u",
     "SELECT /*+ MAX_EXECUTION_TIME(100) */ ^",
     {USER}},
    {"line comment",
     ALL,
     "SELECT 1 -- 50% of '%u'\n, '%u'",
     "SELECT 1 -- 50% of '%u'\n, ^",
     {USER}},
    {"line comment at the end", ALL, "SELECT '%u' -- it's %", "SELECT ^ -- it's %", {USER}},
    {"line comment, empty", ALL, "SELECT 1 --\n, '%u'", "SELECT 1 --\n, ^", {USER}},
    {"line comment without a blank",
     PGSQL | SQLITE,
     "SELECT 1 --%u'\n, '%u'",
     "SELECT 1 --%u'\n, ^",
     {USER}},
    {"no line comment without a blank", MYSQL, "SELECT 5--'%u'", "SELECT 5--^", {USER}},
    {"line comment before a tab",
     MYSQL,
     "SELECT 1 --\t%u'\n, '%u'",
     "SELECT 1 --\t%u'\n, ^",
     {USER}},
    {"line comment that two signs alone open", MYSQL, "SELECT '%u' --", "SELECT ^ --", {USER}},
    {"hash comment",
     MYSQL,
     "SELECT 1 # 50% of '%u'\n, '%u'",
     "SELECT 1 # 50% of '%u'\n, ^",
     {USER}},
    {"blanks alone behind the semicolon", ALL, "SELECT %u;\f\v ", "SELECT ^", {USER}},
    {"hash sign elsewhere", PGSQL, "SELECT 5 # 3, '%u'", "SELECT 5 # 3, ^", {USER}},
    {"hash sign in a name of JSON",
     PGSQL,
     "SELECT d #>> '{%p}'",
     "SELECT d #>> ^",
     {"{" PROPERTY "}"}},
    {"comments nest",
     PGSQL,
     "SELECT /* a /* %u' */ b ' */ '%u'",
     "SELECT /* a /* %u' */ b ' */ ^",
     {USER}},
    {"comments do not nest",
     MYSQL | SQLITE,
     "SELECT /* a /* %u' */ '%u'",
     "SELECT /* a /* %u' */ ^",
     {USER}},
    {"slash and minus are operators", ALL, "SELECT 6/2*3-1, '%u'", "SELECT 6/2*3-1, ^", {USER}},
    {"minus before minus", ALL, "SELECT 6- -1, %u", "SELECT 6- -1, ^", {USER}},
    {"semicolon at the end", ALL, "SELECT '%u';", "SELECT ^", {USER}},
    {"semicolon and blanks at the end", ALL, "SELECT '%u' ; \t\r\n", "SELECT ^ ", {USER}},
    {"blanks in front", ALL, " \n\tSELECT %u", " \n\tSELECT ^", {USER}},

    /* --- double quotes */
    {"literal in double quotes", MYSQL, "SELECT \"%u@%r\"", "SELECT ^", {USER "@" REALM}},
    {"literal in double quotes without macro", MYSQL, "SELECT \"abc\"", "SELECT \"abc\"", {NULL}},
    {"doubled double quote in a literal", MYSQL, "SELECT \"a\"\"%u\"", "SELECT ^", {"a\"" USER}},
    {"single quote in double quotes", MYSQL, "SELECT \"a'%u\"", "SELECT ^", {"a'" USER}},
    {"escape in double quotes", MYSQL, "SELECT \"a\\\"%u\"", "SELECT ^", {"a\"" USER}},
    {"property alone in double quotes", MYSQL, "SELECT \"%p\"", "SELECT ^", {PROPERTY}},
    {"double quotes hold a user",
     SQLITE,
     "SELECT p FROM t WHERE n = \"%u\"",
     "SELECT p FROM t WHERE n = ^",
     {USER}},
    {"double quotes hold a realm", SQLITE, "SELECT \"x@%r\"", "SELECT ^", {"x@" REALM}},
    {"double quotes hold an address", SQLITE, "SELECT \"%a\"", "SELECT ^", {ADDRESS}},
    {"double quotes hold property and user",
     SQLITE,
     "SELECT \"%p:%u\"",
     "SELECT ^",
     {PROPERTY ":" USER}},
    {"doubled quotes in double quotes with a user",
     SQLITE,
     "SELECT \"a\"\"%u\"",
     "SELECT ^",
     {"a\"" USER}},
    {"backslash in double quotes with a user",
     SQLITE,
     "SELECT \"a\\%u\\\"",
     "SELECT ^",
     {"a\\" USER "\\"}},

    /* --- backslashes */
    {"backslash is plain",
     PGSQL | SQLITE,
     "SELECT '\\', '%u\\', '\\n%u'",
     "SELECT '\\', ^, ^",
     {USER "\\", "\\n" USER}},
    {"escaped quote", MYSQL, "SELECT 'a\\'%u'", "SELECT ^", {"a'" USER}},
    {"escaped quote without macro", MYSQL, "SELECT 'a\\'b', '%u'", "SELECT 'a\\'b', ^", {USER}},
    {"escaped backslash", MYSQL, "SELECT 'a\\\\%u'", "SELECT ^", {"a\\" USER}},
    {"escaped backslash at the end", MYSQL, "SELECT '%u\\\\'", "SELECT ^", {USER "\\"}},
    {"escapes with a meaning", MYSQL, "SELECT '\\b\\n\\r\\t%u'", "SELECT ^", {"\b\n\r\t" USER}},
    {"a bracket ends a name, doubled or not", SQLITE, "SELECT [a]] '%u'", "SELECT [a]] ^", {USER}},
    {"escape of an ordinary letter", MYSQL, "SELECT '\\q%u'", "SELECT ^", {"q" USER}},
    {"any escape without macro",
     MYSQL,
     "SELECT '\\0\\Z\\%%\\_\\x41', '%u'",
     "SELECT '\\0\\Z\\%\\_\\x41', ^",
     {USER}},

    /* --- PostgreSQL's own literals */
    {"E literal", PGSQL, "SELECT E'a\\'%u'", "SELECT ^", {"a'" USER}},
    {"e literal", PGSQL, "SELECT e'%u\\\\'", "SELECT ^", {USER "\\"}},
    {"E literal with meanings",
     PGSQL,
     "SELECT E'\\b\\f\\n\\r\\t%u'",
     "SELECT ^",
     {"\b\f\n\r\t" USER}},
    {"E literal with a doubled quote", PGSQL, "SELECT E'a''%u'", "SELECT ^", {"a'" USER}},
    {"E literal without macro",
     PGSQL,
     "SELECT E'a\\'\\x41\\101', '%u'",
     "SELECT E'a\\'\\x41\\101', ^",
     {USER}},
    {"e at the end of a word opens none",
     PGSQL,
     "SELECT name LIKE '%u\\', 'x'",
     "SELECT name LIKE ^, 'x'",
     {USER "\\"}},
    {"E with a blank opens none", PGSQL, "SELECT E '\\', '%u'", "SELECT E '\\', ^", {USER}},
    {"E is nothing elsewhere", SQLITE, "SELECT E '\\', '%u'", "SELECT E '\\', ^", {USER}},
    {"dollar quotes", PGSQL, "SELECT $$%u$$", "SELECT ^", {USER}},
    {"dollar quotes with a tag",
     PGSQL,
     "SELECT $tag$a '%u' \\ \"$tag$",
     "SELECT ^",
     {"a '" USER "' \\ \""}},
    {"dollar quotes in dollar quotes",
     PGSQL,
     "SELECT $a$ $b$ %u $$ $b$ $a$",
     "SELECT ^",
     {" $b$ " USER " $$ $b$ "}},
    {"dollar quotes without macro",
     PGSQL,
     "SELECT $x1$it's; %%$x1$, '%u'",
     "SELECT $x1$it's; %$x1$, ^",
     {USER}},
    {"dollar quotes side by side", PGSQL, "SELECT $$a$$||$$%u$$", "SELECT $$a$$||^", {USER}},
    {"empty dollar quotes", PGSQL, "SELECT $$$$, '%u'", "SELECT $$$$, ^", {USER}},
    {"dollar signs in a word open none", PGSQL, "SELECT a$b$, '%u'", "SELECT a$b$, ^", {USER}},
    {"cast of a literal", PGSQL, "SELECT '%u'::text", "SELECT ^::text", {USER}},
    {"cast of a macro", PGSQL, "SELECT %u::varchar(64)", "SELECT ^::varchar(64)", {USER}},
    {"cast of a name", PGSQL, "SELECT p::text, '%u'", "SELECT p::text, ^", {USER}},
    {"type before a literal",
     PGSQL,
     "SELECT inet '%a', text'%u'",
     "SELECT CAST(^ AS inet ), CAST(^ AS text)",
     {ADDRESS, USER}},
    {"type of a schema",
     PGSQL,
     "SELECT pg_catalog.text '%u'",
     "SELECT CAST(^ AS pg_catalog.text )",
     {USER}},
    {"special type of a schema",
     PGSQL,
     "SELECT pg_catalog . interval '%u'",
     "SELECT CAST(^ AS pg_catalog . interval )",
     {USER}},
    {"type in quotes", PGSQL, "SELECT \"text\" '%u'", "SELECT CAST(^ AS \"text\" )", {USER}},
    {"type before other literals",
     PGSQL,
     "SELECT text $$%u$$, text E'%u', text U&'%u'",
     "SELECT CAST(^ AS text ), CAST(^ AS text ), CAST(^ AS text )",
     {USER, USER, USER}},
    {"type, line break and comments",
     PGSQL,
     "SELECT text\n-- a\n/* b */'%u'",
     "SELECT CAST(^ AS text\n-- a\n/* b */)",
     {USER}},
    {"special type before a literal without macro",
     PGSQL,
     "SELECT interval '1 day', '%u'",
     "SELECT interval '1 day', ^",
     {USER}},
    {"type of standard SQL",
     PGSQL,
     "SELECT timestamp '%u', a.b, INT'%u'",
     "SELECT CAST(^ AS timestamp ), a.b, CAST(^ AS INT)",
     {USER, USER}},
    {"type of the user",
     PGSQL,
     "SELECT f(a)::x.\"Mail user\" = x.\"Mail user\" '%u'",
     "SELECT f(a)::x.\"Mail user\" = CAST(^ AS x.\"Mail user\" )",
     {USER}},
    {"keyword before a literal",
     PGSQL,
     "SELECT a LIKE '%u' AND '%u' Or NOT/**/'%u'",
     "SELECT a LIKE ^ AND ^ Or NOT/**/^",
     {USER, USER, USER}},
    {"keyword as part of a name",
     PGSQL,
     "SELECT x.\"like\" '%u', x.key '%u'",
     "SELECT CAST(^ AS x.\"like\" ), CAST(^ AS x.key )",
     {USER, USER}},
    {"operator after a word",
     PGSQL,
     "SELECT a <> '%u', a - '%u', a.b||'%u', a[1] = '%u'",
     "SELECT a <> ^, a - ^, a.b||^, a[1] = ^",
     {USER, USER, USER, USER}},
    {"number after a word", PGSQL, "SELECT a 1 '%u'", "SELECT a 1 ^", {USER}},
    {"U& literal", PGSQL, "SELECT U&'a''%u', u&'%u'", "SELECT ^, ^", {"a'" USER, USER}},
    {"U& literal without macro", PGSQL, "SELECT U&'\\0041', '%u'", "SELECT U&'\\0041', ^", {USER}},
    {"U& name", PGSQL, "SELECT U&\"\\0041\" = '%u'", "SELECT U&\"\\0041\" = ^", {USER}},
    {"U & with a blank opens none", PGSQL, "SELECT U & '\\', '%u'", "SELECT U & '\\', ^", {USER}},
    {"U& is nothing elsewhere", MYSQL, "SELECT U&'\\b%u'", "SELECT U&^", {"\b" USER}},
    {"question mark is an operator",
     PGSQL,
     "SELECT d ? '%p' AND d ?| a",
     "SELECT d ? ^ AND d ?| a",
     {PROPERTY}},
    {"slice of an array", PGSQL, "SELECT a[1:2], '%u'", "SELECT a[1:2], ^", {USER}},
    {"backtick is an operator sign", PGSQL, "SELECT 1 ` 2, '%u'", "SELECT 1 ` 2, ^", {USER}},

    /* --- literals of other kinds, without macro */
    {"N literal", ALL, "SELECT N'abc', '%u'", "SELECT N'abc', ^", {USER}},
    {"X literal", ALL, "SELECT X'00ff', x'00FF', '%u'", "SELECT X'00ff', x'00FF', ^", {USER}},
    {"B literal", PGSQL | MYSQL, "SELECT B'01', '%u'", "SELECT B'01', ^", {USER}},
    {"literal with a character set",
     MYSQL,
     "SELECT _utf8mb4'a\\'b', '%u'",
     "SELECT _utf8mb4'a\\'b', ^",
     {USER}},
    {"word that starts as a kind",
     ALL,
     "SELECT NOT ('%u' = name)",
     "SELECT NOT (^ = name)",
     {USER}},

    /* --- what only looks like a parameter */
    {"variables", MYSQL, "SELECT @a := 1, @@b, '%u'", "SELECT @a := 1, @@b, ^", {USER}},
    {"dollar sign", MYSQL, "SELECT $1, '%u'", "SELECT $1, ^", {USER}},
    {"colon and at sign", PGSQL, "SELECT @ -5, '%u'", "SELECT @ -5, ^", {USER}},
};

static const struct reading stores[] = {
    {"update",
     ALL,
     "UPDATE users SET %p = '%v' WHERE name = '%u' AND realm = '%r'",
     "UPDATE users SET userPassword = ^ WHERE name = ^ AND realm = ^",
     {VALUE, USER, REALM}},
    {"insert",
     ALL,
     "INSERT INTO users (name, %p) VALUES ('%u@%r', %v)",
     "INSERT INTO users (name, userPassword) VALUES (^, ^)",
     {USER "@" REALM, VALUE}},
    {"text around the value",
     ALL,
     "UPDATE t SET p = '{X}%v;'",
     "UPDATE t SET p = ^",
     {"{X}" VALUE ";"}},
    {"value and property in one literal",
     ALL,
     "UPDATE t SET p = '%p=%v'",
     "UPDATE t SET p = ^",
     {PROPERTY "=" VALUE}},
    {"value in double quotes",
     MYSQL | SQLITE,
     "UPDATE t SET p = \"%v\"",
     "UPDATE t SET p = ^",
     {VALUE}},
    {"value in dollar quotes",
     PGSQL,
     "UPDATE t SET p = $$%v$$::bytea",
     "UPDATE t SET p = ^::bytea",
     {VALUE}},
    {"the same value twice",
     ALL,
     "UPDATE t SET p = '%v', q = '%v'",
     "UPDATE t SET p = ^, q = ^",
     {VALUE, VALUE}},
    {"semicolon at the end",
     ALL,
     "DELETE FROM t WHERE n = '%u';",
     "DELETE FROM t WHERE n = ^",
     {USER}},
};

static void check_reading(const struct run *run, enum sql_template_kind kind)
{
    const struct reading *row = run->row;
    const struct bytes value = bytes_of(VALUE);
    const struct sql_values values = {USER, REALM, PROPERTY, ADDRESS, value};
    struct sql_template *template = parse(row->text, kind, run->dialect);
    struct secret parameters[MOST_PARAMETERS];
    char want_text[512];
    char *text;
    size_t count = 0, i;

    while (count < MOST_PARAMETERS && row->want[count] != NULL)
        count++;
    expand(want_text, sizeof(want_text), row->want_text, run->dialect);
    text = sql_template_text(template, PROPERTY);
    assert_non_null(text);
    assert_string_equal(text, want_text);
    assert_int_equal(sql_template_parameter_count(template), count);
    assert_true(sql_template_bind(template, &values, parameters));
    for (i = 0; i < count; i++) {
        struct secret want = lend(row->want[i]);

        assert_secret(&parameters[i], &want);
        assert_int_equal(parameters[i].bytes[parameters[i].length], '\0');
        secret_wipe(&parameters[i]);
    }
    free(text);
    sql_template_free(template);
}

static void read_select(void **state)
{
    check_reading(*state, SQL_TEMPLATE_SELECT);
}

/* Whatever a SELECT may contain, a statement that stores may contain. */
static void read_select_to_store(void **state)
{
    check_reading(*state, SQL_TEMPLATE_STORE);
}

static void read_store(void **state)
{
    check_reading(*state, SQL_TEMPLATE_STORE);
}

/* --- refusals */

struct refusal {
    const char *name;
    unsigned dialects;
    const char *text;
    size_t want_position;
    const char *want_reason;
};

static const struct refusal refusals[] = {
    {"nothing", ALL, "", 1, "empty"},
    {"blanks", ALL, " \t\r\n\v\f", 1, "empty"},
    {"semicolon", ALL, ";", 1, "empty"},
    {"blanks and semicolons", ALL, " ; ;\n", 1, "empty"},
    {"literal not closed", ALL, "SELECT 'abc", 8, "not closed"},
    {"literal not closed behind a macro", ALL, "SELECT '%u", 8, "not closed"},
    {"literal that a doubled quote does not close", ALL, "SELECT 'abc''", 8, "not closed"},
    {"quote at the end", ALL, "SELECT '", 8, "not closed"},
    {"second literal not closed", ALL, "SELECT 'a', '%u", 13, "not closed"},
    {"double quotes not closed", ALL, "SELECT \"abc", 8, "not closed"},
    {"double quotes not closed behind a macro", ALL, "SELECT \"%u", 8, "not closed"},
    {"backtick not closed", MYSQL | SQLITE, "SELECT `abc", 8, "not closed"},
    {"bracket not closed", SQLITE, "SELECT [abc", 8, "not closed"},
    {"comment not closed", ALL, "SELECT 1 /* abc", 10, "comment is not closed"},
    {"comment that one star does not close", ALL, "SELECT 1 /*/", 10, "comment is not closed"},
    {"comment at the end", ALL, "SELECT 1 /*", 10, "comment is not closed"},
    {"nested comment not closed", PGSQL, "SELECT 1 /* /* */", 10, "comment is not closed"},
    {"dollar quote not closed", PGSQL, "SELECT $$abc", 8, "not closed"},
    {"dollar quote closed by another tag", PGSQL, "SELECT $a$abc$b$", 8, "not closed"},
    {"dollar quote with a tag in other letters", PGSQL, "SELECT $a$abc$A$", 8, "not closed"},
    {"dollar quote not closed behind a macro", PGSQL, "SELECT $$%u$", 8, "not closed"},
    {"unknown macro", ALL, "SELECT '%x'", 9, "%x is not known"},
    {"unknown macro without quotes", ALL, "SELECT %d", 8, "%d is not known"},
    {"macro in a capital letter", ALL, "SELECT '%U'", 9, "%U is not known; %u is the user"},
    {"macro in a capital letter behind another", ALL, "SELECT '%u@%R'", 12,
     "%R is not known; %u is the user, %r the realm"},
    {"macro of a date", ALL, "SELECT f(d, '%Y')", 14, "%Y is not known; for the text, write %%Y"},
    {"macro of a date without quotes", ALL, "SELECT 7 %b", 10, "for the text, write %%b"},
    {"last letter of either case", ALL, "SELECT '%%%z%Z'", 11, "write %%z"},
    {"Postfix's address", ALL, "SELECT p FROM t WHERE a = '%s'", 28,
     "%s is not known; %u is the user, %r the realm, and %u@%r the address"},
    {"Postfix's domain", ALL, "SELECT p FROM t WHERE a = '%u@%d'", 31,
     "%d is not known; %u is the user, %r the realm, and %u@%r the address"},
    {"Dovecot's user", ALL, "SELECT p FROM t WHERE a = '%n'", 28, "%u is the user, %r the realm"},
    {"percent sign at the end of an open literal", ALL, "SELECT '100%", 8, "not closed"},
    {"user and realm in literals of their own", ALL, "SELECT p FROM t WHERE a = '%u'@'%r'", 31,
     "the @ belongs inside the quotes; write '%u@%r'"},
    {"the same with blanks", ALL, "SELECT p FROM t WHERE a = '%u' @\t'%r'", 32, "write '%u@%r'"},
    {"the same without quotes", ALL, "SELECT p FROM t WHERE a = %u@%r", 29, "write '%u@%r'"},
    {"the same with a domain", ALL, "SELECT p FROM t WHERE a = '%u'@'example.com'", 31,
     "write '%u@%r'"},
    {"the same in double quotes", MYSQL | SQLITE, "SELECT p FROM t WHERE a = \"%u\"@\"%r\"", 31,
     "write '%u@%r'"},
    {"unknown macro in a name", PGSQL | SQLITE, "SELECT \"%x\"", 9, "%x is not known"},
    {"value", ALL, "SELECT '%v'", 9, "%v has no meaning in a SELECT"},
    {"value without quotes", ALL, "SELECT %v", 8, "%v has no meaning in a SELECT"},
    {"second statement", ALL, "SELECT 1; DROP TABLE users", 9, "text after the final semicolon"},
    {"second statement with a macro", ALL, "SELECT '%u';DELETE FROM t", 12,
     "text after the final semicolon"},
    {"semicolon in front", ALL, "; SELECT 1", 1, "text after the final semicolon"},
    {"user as a name", PGSQL, "SELECT \"%u\"", 8, "only %p may appear in an identifier"},
    {"realm in a name", PGSQL, "SELECT a FROM \"t_%r\"", 15, "only %p may appear in an identifier"},
    {"address in a name", PGSQL, "SELECT \"%p%a\"", 8, "only %p may appear in an identifier"},
    {"user in backticks", MYSQL | SQLITE, "SELECT `%u`", 8, "only %p may appear in an identifier"},
    {"realm in backticks", MYSQL | SQLITE, "SELECT a FROM `t_%r`", 15,
     "only %p may appear in an identifier"},
    {"user in brackets", SQLITE, "SELECT [%u]", 8, "only %p may appear in an identifier"},
    {"numbered parameter", PGSQL, "SELECT $1", 8, "cannot be numbered"},
    {"numbered parameter behind a macro", PGSQL, "SELECT '%u', $12", 14, "cannot be numbered"},
    {"dollar sign at the end", PGSQL, "SELECT $", 8, "cannot be numbered"},
    {"question mark", MYSQL | SQLITE, "SELECT ?", 8, "'?' has no value"},
    {"question mark behind a macro", MYSQL | SQLITE, "SELECT '%u', ?", 14, "'?' has no value"},
    {"numbered question mark", SQLITE, "SELECT ?1", 8, "'?' has no value"},
    {"parameter with a colon", SQLITE, "SELECT :name", 8, "cannot be named"},
    {"parameter with an at sign", SQLITE, "SELECT @name", 8, "cannot be named"},
    {"parameter with a dollar sign", SQLITE, "SELECT $name", 8, "cannot be named"},
    {"N literal with a macro", ALL, "SELECT N'%u'", 9,
     "N'...' cannot hold a macro; write '...' without the N"},
    {"n literal with a macro", ALL, "SELECT n'%u'", 9, "write '...' without the n"},
    {"X literal with a macro", ALL, "SELECT X'%u'", 9,
     "X'...' cannot hold a macro; write '...' without the X"},
    {"x literal with a property", ALL, "SELECT x'%p'", 9, "write '...' without the x"},
    {"B literal with a macro", ALL, "SELECT b'0%r'", 9,
     "b'...' cannot hold a macro; write '...' without the b"},
    {"literal with a character set and a macro", MYSQL, "SELECT _utf8mb4'%u'", 16,
     "_utf8mb4'...' cannot hold a macro; write '...' without the _utf8mb4"},
    {"the same in double quotes", MYSQL, "SELECT _utf8mb4\"%u\"", 16, "without the _utf8mb4"},
    {"escape at the end", MYSQL, "SELECT 'a\\", 8, "not closed"},
    {"escaped quote does not close", MYSQL, "SELECT 'a\\'", 8, "not closed"},
    {"escaped double quote does not close", MYSQL, "SELECT \"a\\\"", 8, "not closed"},
    {"escape of NUL", MYSQL, "SELECT 'ab\\0%u'", 11, "this escape and a %"},
    {"escape of Z", MYSQL, "SELECT '\\Z%u'", 9, "this escape and a %"},
    {"escaped underscore", MYSQL, "SELECT '%u\\_'", 11, "this escape and a %"},
    {"escaped percent sign", MYSQL, "SELECT '%u\\%%'", 11, "this escape and a %"},
    {"escaped macro", MYSQL, "SELECT '\\%u'", 9, "this escape and a %"},
    {"escape in double quotes", MYSQL, "SELECT \"\\0%u\"", 9, "this escape and a %"},
    {"executable comment", MYSQL, "SELECT /*! STRAIGHT_JOIN */ '%u'", 8,
     "executable comments are not supported"},
    {"executable comment of a version", MYSQL, "SELECT /*!50000 '%u' */", 8,
     "executable comments are not supported"},
    {"hexadecimal escape", PGSQL, "SELECT E'a\\x41%u'", 11, "this escape and a %"},
    {"octal escape", PGSQL, "SELECT E'\\101%u'", 10, "this escape and a %"},
    {"Unicode escape", PGSQL, "SELECT E'\\u0041%u'", 10, "this escape and a %"},
    {"long Unicode escape", PGSQL, "SELECT E'\\U00000041%u'", 10, "this escape and a %"},
    {"escaped quote in an E literal does not close", PGSQL, "SELECT E'a\\'", 9, "not closed"},
    {"E literal not closed", PGSQL, "SELECT E'abc", 9, "not closed"},
    {"escape at the end of an E literal", PGSQL, "SELECT E'a\\", 9, "not closed"},
    {"Unicode literal with an escape", PGSQL, "SELECT U&'a\\0041%u'", 12, "this escape and a %"},
    {"Unicode literal not closed", PGSQL, "SELECT U&'abc\\", 10, "not closed"},
    {"char", PGSQL, "SELECT char '%u'", 8, "CAST('...' AS type)"},
    {"interval", PGSQL, "SELECT Interval /* a */ '%u' DAY", 8, "CAST('...' AS type)"},
    {"double precision", PGSQL, "SELECT double precision '%u'", 15, "CAST('...' AS type)"},
    {"character varying", PGSQL, "SELECT character varying'%u'", 18, "CAST('...' AS type)"},
};

static void refuse(void **state)
{
    const struct run *run = *state;
    const struct refusal *row = run->row;
    struct reason reason = {""};
    char want_start[32];
    struct sql_template *template =
        sql_template_parse(row->text, SQL_TEMPLATE_SELECT, run->dialect->dialect, &reason);

    sql_template_free(template);
    if (template != NULL)
        print_error("%s reads: %s\n", run->dialect->name, row->text);
    assert_null(template);
    snprintf(want_start, sizeof(want_start), "position %zu: ", row->want_position);
    if (strncmp(reason.text, want_start, strlen(want_start)) != 0)
        print_error("got \"%s\", want \"%s...\"\n", reason.text, want_start);
    assert_memory_equal(reason.text, want_start, strlen(want_start));
    assert_contains(reason.text, row->want_reason);
}

/* --- what is read, but hardly meant */

static const struct warning {
    const char *name;
    unsigned dialects;
    const char *text;
    size_t want_position; /* 0: there is no warning */
} warnings[] = {
    {"column", PGSQL, "SELECT p FROM t WHERE user = '%u'", 23},
    {"column in other letters", PGSQL, "SELECT p FROM t WHERE User='%u'", 23},
    {"column at the end", PGSQL, "SELECT p FROM t WHERE '%u' = user", 30},
    {"table", PGSQL, "SELECT p FROM user WHERE n = '%u'", 15},
    {"twice: the first counts", PGSQL, "SELECT user, user", 8},
    {"column behind one that is fine", PGSQL, "SELECT t.user AS user, user", 24},
    {"in parentheses", PGSQL, "SELECT p FROM t WHERE (user) = '%u'", 24},
    {"behind a word that ends in as", PGSQL, "SELECT has user", 12},
    {"other engines", MYSQL | SQLITE, "SELECT p FROM user WHERE user = '%u'", 0},
    {"in quotes", PGSQL, "SELECT p FROM \"user\" WHERE \"user\" = '%u'", 0},
    {"qualified", PGSQL, "SELECT t.user, t . user FROM t", 0},
    {"qualifier", PGSQL, "SELECT user.p, user .p FROM t", 0},
    {"label", PGSQL, "SELECT p AS user, q as\tUSER FROM t", 0},
    {"part of a word", PGSQL, "SELECT users, a_user, user1, user_a, user$, current_user", 0},
    {"in a literal", PGSQL, "SELECT 'user', $$ user $$ FROM t", 0},
    {"in a comment", PGSQL, "SELECT 1 /* user */ -- user", 0},
    {"nothing of the kind", ALL, "SELECT p FROM t WHERE n = '%u'", 0},
};

static void warn(void **state)
{
    const struct run *run = *state;
    const struct warning *row = run->row;
    struct sql_template *template = parse(row->text, SQL_TEMPLATE_SELECT, run->dialect);
    const char *text = sql_template_warning(template);
    char want_start[32];

    snprintf(want_start, sizeof(want_start), "position %zu: ", row->want_position);
    if (row->want_position == 0) {
        if (text != NULL)
            print_error("%s\n", text);
        assert_null(text);
    } else {
        assert_non_null(text);
        assert_contains(text, want_start);
        assert_contains(text, "user is CURRENT_USER; write \"user\"");
    }
    sql_template_free(template);
}

static const struct refusal store_refusals[] = {
    {"value as a name", PGSQL, "UPDATE t SET \"%v\" = 1", 14,
     "only %p may appear in an identifier"},
    {"value in backticks", MYSQL | SQLITE, "UPDATE t SET `%v` = 1", 14,
     "only %p may appear in an identifier"},
    {"value in brackets", SQLITE, "UPDATE t SET [%v] = 1", 14,
     "only %p may appear in an identifier"},
    {"X literal with a value", ALL, "UPDATE t SET p = x'%v'", 19, "without the x"},
};

static void refuse_to_store(void **state)
{
    const struct run *run = *state;
    const struct refusal *row = run->row;
    struct reason reason = {""};
    char want_start[32];

    assert_null(sql_template_parse(row->text, SQL_TEMPLATE_STORE, run->dialect->dialect, &reason));
    snprintf(want_start, sizeof(want_start), "position %zu: ", row->want_position);
    assert_contains(reason.text, want_start);
    assert_contains(reason.text, row->want_reason);
}

int main(void)
{
    struct test_list list = {0};

    ADD_FOR_DIALECTS(&list, read_select, selects);
    ADD_FOR_DIALECTS(&list, read_select_to_store, selects);
    ADD_FOR_DIALECTS(&list, read_store, stores);
    ADD_FOR_DIALECTS(&list, refuse, refusals);
    ADD_FOR_DIALECTS(&list, warn, warnings);
    ADD_FOR_DIALECTS(&list, refuse_to_store, store_refusals);
    return test_run("sql_template", &list);
}
