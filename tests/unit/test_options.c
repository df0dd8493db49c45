/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of options, and whether man/sqlcrypt.5 says the same. */

#include "base/options.h"

#include "support/unit.h"

/* --- the table */

static void is_whole(void **state)
{
    enum option option;

    (void)state;
    for (option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = options_row(option);
        enum option other;

        if (row->name == NULL)
            print_error("option %d has no row\n", option);
        assert_non_null(row->name);
        assert_string_equal(row->name, options_name(option));
        for (other = 0; other < option; other++)
            assert_string_not_equal(row->name, options_name(other));
    }
}

static const char *nothing(void *context, const char *name)
{
    (void)context, (void)name;
    return NULL;
}

/* The defaults that the getters return are valid values. */
static void has_good_defaults(void **state)
{
    const struct options unset = {nothing, NULL};
    enum option option;

    (void)state;
    for (option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = options_row(option);
        struct reason reason;
        unsigned number;
        int level;

        assert_ptr_equal(options_text(&unset, option), row->otherwise);
        assert_true(options_is_default(&unset, option));
        switch (row->kind) {
        case OPTION_SWITCH:
            assert_string_equal(row->otherwise, options_on(&unset, option) ? "yes" : "no");
            break;
        case OPTION_SECONDS:
            assert_true(row->least < row->most);
            assert_true(options_seconds(&unset, option, &number, &reason));
            break;
        case OPTION_WORD:
            assert_true(options_word(&unset, option, &number, &reason));
            assert_string_equal(row->words[number], row->otherwise);
            break;
        case OPTION_LEVEL:
            assert_true(options_level(&unset, option, &level));
            break;
        case OPTION_TEXT:
        case OPTION_LIST:
        case OPTION_NUMBER:
        case OPTION_FILE:
        case OPTION_STATEMENT:
            break;
        }
    }
}

/* --- reading */

struct setting {
    const char *name;
    const char *value;
};

static const char *look_up(void *context, const char *name)
{
    const struct setting *setting = context;

    for (; setting->name != NULL; setting++)
        if (strcmp(setting->name, name) == 0)
            return setting->value;
    return NULL;
}

static struct options options_of(const struct setting *settings)
{
    return (struct options){look_up, (void *)(uintptr_t)settings};
}

static const struct reading {
    const char *name;
    struct setting settings[3];
    enum option option;
    const char *want_set;
    const char *want;
    bool want_default;
} readings[] = {
    {"nothing", {{NULL, NULL}}, OPTION_SQL_ENGINE, NULL, "mysql", true},
    {"a value", {{"sql_engine", "pgsql"}}, OPTION_SQL_ENGINE, "pgsql", "pgsql", false},
    {"the default", {{"sql_engine", "mysql"}}, OPTION_SQL_ENGINE, "mysql", "mysql", true},
    {"in other letters", {{"sql_engine", "MySQL"}}, OPTION_SQL_ENGINE, "MySQL", "MySQL", true},
    {"an empty value", {{"sql_engine", ""}}, OPTION_SQL_ENGINE, "", "", false},
    {"another option", {{"sql_user", "x"}}, OPTION_SQL_ENGINE, NULL, "mysql", true},
    {"by the other name", {{"sql_statement", "a"}}, OPTION_SQL_SELECT, "a", "a", false},
    {"by both names",
     {{"sql_statement", "a"}, {"sql_select", "b"}},
     OPTION_SQL_SELECT,
     "b",
     "b",
     false},
    {"by libsasl2's name", {{"authdaemon_path", "/a"}}, OPTION_AUTHDAEMOND_PATH, "/a", "/a", false},
    {"no default", {{NULL, NULL}}, OPTION_AUXPROP_PLUGIN, NULL, NULL, true},
    {"a value and no default", {{"auxprop_plugin", "a"}}, OPTION_AUXPROP_PLUGIN, "a", "a", false},
};

static void expect_text(const char *got, const char *want)
{
    if (want == NULL)
        assert_null(got);
    else
        assert_string_equal(got, want);
}

static void reads(void **state)
{
    const struct reading *row = *state;
    const struct options options = options_of(row->settings);
    char *copy;

    expect_text(options_set(&options, row->option), row->want_set);
    expect_text(options_text(&options, row->option), row->want);
    assert_int_equal(options_is_default(&options, row->option), row->want_default);
    assert_true(options_copy(&options, row->option, &copy));
    expect_text(copy, row->want);
    free(copy);
}

static void reads_a_switch(void **state)
{
    static const struct setting settings[] = {
        {"sql_usessl", "yes"}, {"sql_persistent", "0"}, {NULL, NULL}};
    const struct options options = options_of(settings);

    (void)state;
    assert_true(options_on(&options, OPTION_SQL_USESSL));
    assert_false(options_on(&options, OPTION_SQL_PERSISTENT));
    assert_false(options_on(&options, OPTION_AUTHDAEMOND_SEND_REMOTE_IP));
}

static const struct level {
    const char *name;
    struct setting settings[2];
    bool want;
    int want_level;
} levels[] = {
    {"nothing", {{NULL, NULL}}, true, 3},
    {"five", {{"log_level", "5"}}, true, 5},
    {"zero", {{"log_level", "0"}}, true, 0},
    {"a word", {{"log_level", "DEBUG"}}, false, 3},
};

static void reads_a_level(void **state)
{
    const struct level *row = *state;
    const struct options options = options_of(row->settings);
    int level = -1;

    assert_int_equal(options_level(&options, OPTION_LOG_LEVEL, &level), row->want);
    assert_int_equal(level, row->want_level);
}

/* The reason starts with the name of the option. */
static const struct number {
    const char *name;
    struct setting settings[2];
    enum option option;
    unsigned want;
    const char *want_reason; /* NULL: it is accepted */
} numbers[] = {
    {"seconds by default", {{NULL, NULL}}, OPTION_SQL_TIMEOUT, 10000, NULL},
    {"seconds", {{"sql_timeout", "2.5"}}, OPTION_SQL_TIMEOUT, 2500, NULL},
    {"seconds of another option", {{"sql_timeout", "1"}}, OPTION_AUTHDAEMOND_TIMEOUT, 10000, NULL},
    {"no time",
     {{"sql_timeout", "0"}},
     OPTION_SQL_TIMEOUT,
     0,
     "sql_timeout: \"0\": must be 0.001 to 3600 seconds"},
    {"a word for a time",
     {{"authdaemond_timeout", "soon"}},
     OPTION_AUTHDAEMOND_TIMEOUT,
     0,
     "authdaemond_timeout: \"soon\": must be 0.001 to 3600 seconds"},
    {"word by default", {{NULL, NULL}}, OPTION_SQL_SSL_MODE, 1, NULL},
    {"first word", {{"sql_ssl_mode", "disable"}}, OPTION_SQL_SSL_MODE, 0, NULL},
    {"last word", {{"sql_ssl_mode", "Verify-Full"}}, OPTION_SQL_SSL_MODE, 4, NULL},
    {"one word of two",
     {{"sql_host_order", "any"}},
     OPTION_SQL_HOST_ORDER,
     0,
     "sql_host_order: \"any\": must be listed or random"},
    {"one word of many",
     {{"sql_ssl_mode", ""}},
     OPTION_SQL_SSL_MODE,
     0,
     "sql_ssl_mode: \"\": must be disable, prefer, require, verify-ca or verify-full"},
};

static void reads_a_number(void **state)
{
    const struct number *row = *state;
    const struct options options = options_of(row->settings);
    bool is_word = options_row(row->option)->kind == OPTION_WORD;
    struct reason reason = {""};
    unsigned got;

    assert_int_equal(is_word ? options_word(&options, row->option, &got, &reason)
                             : options_seconds(&options, row->option, &got, &reason),
                     row->want_reason == NULL);
    if (row->want_reason == NULL)
        assert_int_equal(got, row->want);
    assert_string_equal(reason.text, row->want_reason != NULL ? row->want_reason : "");
}

static void shows_no_secret(void **state)
{
    struct reason reason;
    enum option option;

    (void)state;
    for (option = 0; option < OPTION_COUNT; option++) {
        options_refuse(option, "hunter2", &reason, "must be %d", 1);
        assert_memory_equal(reason.text, options_name(option), strlen(options_name(option)));
        assert_contains(reason.text, "must be 1");
        if (option == OPTION_SQL_PASSWD)
            assert_string_equal(reason.text, "sql_passwd: must be 1");
        assert_int_equal(strstr(reason.text, "hunter2") == NULL, option == OPTION_SQL_PASSWD);
    }
}

/* --- the manual */

enum { NAMES = 4 };

/* An entry of the OPTIONS section: the options that share it, and what it says about their
 * default; "" if nothing. */
struct entry {
    char names[NAMES][64];
    size_t count;
    char note[100];
};

/* What the manual says in place of a default that is not a value. */
static const struct {
    enum option option;
    const char *note;
} notes[] = {
    {OPTION_AUXPROP_PLUGIN, "all"},
    {OPTION_PASSWORD_STORE_SCHEME, "yescrypt, or SHA512-CRYPT if libcrypt has none"},
    {OPTION_PASSWORD_STORE_COST, "that of libcrypt"},
    {OPTION_SQL_HOSTNAMES, "that of the client library"},
    {OPTION_AUTHDAEMOND_PATH, "chosen when the plug-in was built"},
    {OPTION_AUTHDAEMOND_SERVICE, "the SASL service: smtp"},
};

static const char *note_of(enum option option)
{
    const char *otherwise = options_row(option)->otherwise;
    size_t i;

    for (i = 0; i < COUNT(notes); i++)
        if (notes[i].option == option)
            return notes[i].note;
    return otherwise != NULL && otherwise[0] != '\0' ? otherwise : "none";
}

/* Without the marks of troff */
static void unescape(char *line)
{
    char *from, *to = line;

    for (from = line; *from != '\0'; from++)
        if (*from != '\\' && *from != '"' && *from != '\n')
            *to++ = *from;
    *to = '\0';
}

/* Reads ".BR sql_user ", " sql_passwd " (default: none)"". */
static struct entry read_entry(char *line)
{
    static const char before[] = "(default: ";
    struct entry entry = {.count = 0};
    char *note, *word, *rest;

    unescape(line);
    note = strstr(line, before);
    if (note != NULL) {
        *note = '\0';
        note += strlen(before);
        note[strcspn(note, ")")] = '\0';
        snprintf(entry.note, sizeof(entry.note), "%s", note);
    }
    strtok_r(line, " ,", &rest);
    while ((word = strtok_r(NULL, " ,", &rest)) != NULL) {
        assert_true(entry.count < NAMES);
        snprintf(entry.names[entry.count++], sizeof(entry.names[0]), "%s", word);
    }
    return entry;
}

/* Reads the entries, which start after ".TP"; a list within one is between ".RS" and ".RE".
 * Everything that the text of the section names goes to `text`. */
static size_t read_manual(struct entry *entries, char *text, size_t size)
{
    char path[4096], line[1000];
    bool in_section = false, is_entry = false;
    size_t count = 0, depth = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/man/sqlcrypt.5", test_environment("srcdir"));
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, ".SH ", 4) == 0)
            in_section = strcmp(line, ".SH OPTIONS\n") == 0;
        if (!in_section)
            continue;
        strncat(text, line, size - strlen(text) - 1);
        depth += strcmp(line, ".RS\n") == 0;
        depth -= strcmp(line, ".RE\n") == 0;
        if (is_entry) {
            assert_true(count < OPTION_COUNT);
            entries[count++] = read_entry(line);
        }
        is_entry = depth == 0 && strcmp(line, ".TP\n") == 0;
    }
    fclose(file);
    return count;
}

static bool find_option(const char *name, enum option *found)
{
    for (*found = 0; *found < OPTION_COUNT; (*found)++)
        if (strcmp(options_name(*found), name) == 0)
            return true;
    return false;
}

/* Both ways: each option has an entry, with the same default, and there are no others.
 * mech_list is libsasl2's, and in its manual. */
static void agrees_with_the_manual(void **state)
{
    static char text[64 * 1024];
    struct entry entries[OPTION_COUNT];
    bool is_described[OPTION_COUNT] = {false};
    enum option option;
    size_t count, i, j;

    (void)state;
    text[0] = '\0';
    count = read_manual(entries, text, sizeof(text));
    for (i = 0; i < count; i++)
        for (j = 0; j < entries[i].count; j++) {
            if (!find_option(entries[i].names[j], &option)) {
                print_error("man/sqlcrypt.5 describes %s\n", entries[i].names[j]);
                fail();
            }
            is_described[option] = true;
            if (strcmp(entries[i].note, note_of(option)) != 0)
                print_error("%s\n", options_name(option));
            assert_string_equal(entries[i].note, note_of(option));
        }
    for (option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = options_row(option);

        if (is_described[option] == (row->reader == OPTION_OF_LIBSASL))
            print_error("man/sqlcrypt.5 and %s\n", row->name);
        assert_int_equal(is_described[option], row->reader != OPTION_OF_LIBSASL);
        if (row->alias != NULL)
            assert_contains(text, row->alias);
    }
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD(&list, is_whole);
    TEST_ADD(&list, has_good_defaults);
    TEST_ADD_CASES(&list, reads, readings);
    TEST_ADD(&list, reads_a_switch);
    TEST_ADD_CASES(&list, reads_a_level, levels);
    TEST_ADD_CASES(&list, reads_a_number, numbers);
    TEST_ADD(&list, shows_no_secret);
    TEST_ADD(&list, agrees_with_the_manual);
    return test_run("options", &list);
}
