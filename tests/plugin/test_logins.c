/* SPDX-License-Identifier: BSD-3-Clause */

/* Logins through the real libsasl2: one table of cases for every engine that is built, with
 * exact result codes. */

#include "support/alice.h"
#include "support/hostile_texts.h"

#define SETTING "$5$rounds=1000$salt"

enum { LONG_VALUE = 64 * 1024, LONGEST_NAME = 243 }; /* without the realm */

/* --- what each test starts with */

/* Every test function starts with this. */
static const struct run *started(void **state)
{
    return make_alice(state, SETTING);
}

/* --- what is stored */

static const struct kind {
    const char *name;
    const char *prefix;
    unsigned long cost;
} kinds[] = {
    {"MD5", "$1$", 0},      {"SHA-256", "$5$", 1000}, {"SHA-512", "$6$", 1000},
    {"yescrypt", "$y$", 1}, {"bcrypt", "$2b$", 4},
};

static void logs_in_by(void **state)
{
    const struct kind *kind = started(state)->row;
    char *stored = strdup(new_hash("open sesame", kind->prefix, kind->cost));

    assert_non_null(stored);
    program_secret("open sesame");
    mail_users_add("bob", stored);
    start("");
    expect("bob", "open sesame", SASL_OK);
    expect("bob@example.com", "open sesame", SASL_OK);
    expect("bob", "Open sesame", SASL_BADAUTH);
    expect("bob", "open sesame ", SASL_BADAUTH);
    expect("bob", RIGHT, SASL_BADAUTH);
    expect("bob", stored, SASL_BADAUTH);
    expect("bob", "open sesame", SASL_OK);
    expect_errors(0);
    program_stop();
    free(stored);
}

#define FULL_HASH "{hash}" /* that of RIGHT */

static const struct stored {
    const char *name;
    const char *values[3]; /* one row for each */
    size_t values_count;
    int want;
    const char *want_in_log;
    bool want_error;
} storeds[] = {
    {"no row", {NULL}, 0, SASL_BADAUTH, "FAIL PLAIN: user \"bob\": no such user", false},
    {"NULL", {NULL}, 1, SASL_BADAUTH, "no password or is locked", false},
    {"empty", {""}, 1, SASL_BADAUTH, "no password or is locked", false},
    {"locked", {"*"}, 1, SASL_BADAUTH, "no password or is locked", false},
    {"locked by a mark", {"!" FULL_HASH}, 1, SASL_BADAUTH, "no password or is locked", false},
    {"locked by a star", {"*" FULL_HASH}, 1, SASL_BADAUTH, "no password or is locked", false},
    {"clear text", {RIGHT}, 1, SASL_BADAUTH, "not a hash", true},
    {"start of a hash",
     {"$5$rounds=1000$salt$NshgYHW"},
     1,
     SASL_BADAUTH,
     "truncated or malformed",
     true},
    {"cost that is not allowed",
     {"$2y$31$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"},
     1,
     SASL_BADAUTH,
     "exceeds the cost limit (bcrypt: cost 15)",
     true},
    {"rounds that are not allowed",
     {"$6$rounds=999999999$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO"},
     1,
     SASL_BADAUTH,
     "exceeds the cost limit (SHA-crypt: 5000000 rounds)",
     true},
    {"PASSWORD() of MySQL",
     {"*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"},
     1,
     SASL_BADAUTH,
     "MySQL's PASSWORD()",
     true},
    {"hash in quotes", {"'" FULL_HASH "'"}, 1, SASL_BADAUTH, "not a hash", true},
    {"hash", {FULL_HASH}, 1, SASL_OK, NULL, false},
    {"hash with a prefix", {"{CRYPT}" FULL_HASH}, 1, SASL_OK, NULL, false},
    {"two rows", {FULL_HASH, "*"}, 2, SASL_UNAVAIL, "more than one row", true},
    {"two equal rows", {FULL_HASH, FULL_HASH}, 2, SASL_UNAVAIL, "more than one row", true},
    {"three rows with NULL", {NULL, FULL_HASH, NULL}, 3, SASL_UNAVAIL, "more than one row", true},
};

/* Writes out FULL_HASH. Returns a string from malloc(3), NULL for NULL. */
static char *spell(const char *value)
{
    const char *at = value != NULL ? strstr(value, FULL_HASH) : NULL;
    char *spelt = NULL;

    if (value == NULL)
        return NULL;
    if (at == NULL)
        spelt = strdup(value);
    else if (asprintf(&spelt, "%.*s%s%s", (int)(at - value), value, hash_of(RIGHT, SETTING),
                      at + strlen(FULL_HASH)) < 0)
        spelt = NULL;
    assert_non_null(spelt);
    return spelt;
}

static void judges(void **state)
{
    const struct stored *row = started(state)->row;
    size_t i;

    for (i = 0; i < row->values_count; i++) {
        char *spelt = spell(row->values[i]);

        mail_users_add("bob", spelt);
        free(spelt);
    }
    start("");
    expect("bob", RIGHT, row->want);
    if (row->want_in_log != NULL)
        assert_contains(program_log(), row->want_in_log);
    expect_errors(row->want_error ? 2 : 0);
    expect("bob", "wrong", row->want != SASL_OK ? row->want : SASL_BADAUTH);
    for (i = 0; i < row->values_count; i++) {
        char *typed = spell(row->values[i]);

        if (typed != NULL && typed[0] != '\0' && strcmp(typed, RIGHT) != 0)
            expect("bob", typed, row->want != SASL_OK ? row->want : SASL_BADAUTH);
        free(typed);
    }
    /* No other user is affected. */
    expect("alice", RIGHT, SASL_OK);
    program_stop();
}

/* --- padding */

#define OPEN "open sesame"
#define SCRAM_VERIFIER /* of "pencil" */                                                           \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                 \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static const struct padding {
    const char *name;
    const char *engine; /* NULL: any */
    const char *type;   /* of the column; NULL: strings without a limit */
    const char *before, *after;
    bool has_nuls; /* so it needs a clear-text password without a NUL */
    const char *statement;
} paddings[] = {
    {.name = "blanks", .before = "", .after = "    "},
    {.name = "blanks in front", .before = "  ", .after = ""},
    {.name = "line feed", .before = "", .after = "\n"},
    {.name = "end of a line", .before = "", .after = "\r\n"},
    {.name = "tabs", .before = "\t", .after = "\t"},
    {.name = "no-break spaces", .before = "\302\240", .after = "\302\240"},
    {.name = "byte order mark", .before = "\357\273\277", .after = ""},
    {.name = "CHAR(n)", .type = "CHAR(200)", .before = "", .after = ""},
    {.name = "CHAR(n) and a line feed", .type = "CHAR(200)", .before = "", .after = "\n"},
    {.name = "BINARY(n)",
     .engine = "mysql",
     .type = "BINARY(200)",
     .before = "",
     .after = "",
     .has_nuls = true},
    {.name = "BINARY(n) and a line feed",
     .engine = "mysql",
     .type = "BINARY(200)",
     .before = "",
     .after = "\n"},
    {.name = "NULs",
     .engine = "sqlite3",
     .before = "",
     .after = "",
     .has_nuls = true,
     .statement = "UPDATE users SET password = CAST(password || x'000000' AS TEXT)"},
};

/* Makes a new table, with one row for each text of `values` under the name before it. */
static void store_padded(const struct padding *row, const char *const values[][2], size_t count)
{
    char statement[300];
    size_t i;

    snprintf(statement, sizeof(statement),
             "DROP TABLE users; CREATE TABLE users (name VARCHAR(255), realm VARCHAR(255),"
             " address VARCHAR(511), password %s)",
             row->type != NULL ? row->type : "{text}");
    mail_users_run(statement);
    for (i = 0; i < count; i++) {
        char *padded;

        assert_true(asprintf(&padded, "%s%s%s", row->before, values[i][1], row->after) >= 0);
        mail_users_add(values[i][0], padded);
        free(padded);
    }
    if (row->statement != NULL)
        mail_users_run(row->statement);
}

static void expect_alone(const char *options, const char *user, const char *right)
{
    start(options);
    expect(user, right, SASL_OK);
    expect(user, "wrong", SASL_BADAUTH);
    expect_errors(0);
    program_stop();
}

static void ignores_padding(void **state)
{
    const struct padding *row = started(state)->row;
    char sha[150], marked[200], padded[250];
    const char *const values[][2] = {
        {"bob", sha},
        {"carol", marked},
        {"dave", "0cc175b9c0f1b6a831c399e269772661"}, /* of "a" */
        {"erin", "abhqWgdm30m6k"},                    /* of "Tr0ub4d" */
        {"sue", SCRAM_VERIFIER},
        {"tom", "!"},
        {"uma", ""},
    };

    snprintf(sha, sizeof(sha), "%s", hash_of(OPEN, SETTING));
    snprintf(marked, sizeof(marked), "{CRYPT} %s", sha);
    snprintf(padded, sizeof(padded), "%s%s%s", row->before, sha, row->after);
    store_padded(row, values, COUNT(values));
    program_secret(OPEN);

    start("mech_list: PLAIN LOGIN SCRAM-SHA-256\n");
    expect("bob", OPEN, SASL_OK);
    expect("bob", "wrong", SASL_BADAUTH);
    expect("bob", sha, SASL_BADAUTH);
    expect("bob", padded, SASL_BADAUTH);
    expect("carol", OPEN, SASL_OK);
    expect("carol", marked, SASL_BADAUTH);
    expect("erin", "Tr0ub4d", SASL_OK);
    expect("erin", "Tr0ub4x", SASL_BADAUTH);
    expect_errors(0);
    if (login_knows("SCRAM-SHA-256")) {
        assert_int_equal(login_by("SCRAM-SHA-256", "sue", "pencil"), SASL_OK);
        assert_int_equal(login_by("SCRAM-SHA-256", "sue", "pencils"), SCRAM_WRONG);
        assert_int_equal(login_by("SCRAM-SHA-256", "sue", SCRAM_VERIFIER), SCRAM_WRONG);
    }
    program_clear_log();
    expect("tom", "!", SASL_BADAUTH);
    expect("uma", "x", SASL_BADAUTH);
    assert_int_equal(program_log_count("the account has no password or is locked"), 4);
    program_stop();
    expect_alone("password_format: md5\n", "dave", "a");
    expect_alone("password_format: crypt_trad\n", "erin", "Tr0ub4d");
}

#define EVERY_MECHANISM "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256"

/* Tries every mechanism that has a clear-text password. */
static void expect_by_all(const char *user, const char *password, bool want)
{
    static const char *const mechanisms[] = {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5",
                                             "SCRAM-SHA-256"};
    size_t i;

    for (i = 0; i < COUNT(mechanisms); i++) {
        int result;

        if (!login_knows(mechanisms[i]))
            continue;
        result = login_by(mechanisms[i], user, password);
        if ((result == SASL_OK) != want)
            print_error("%s, %s, by %s: %d\n%s", user, password, mechanisms[i], result,
                        program_log());
        assert_int_equal(result == SASL_OK, want);
    }
}

/* If passwords are stored in clear text, a hash is not a password. */
static void takes_no_padded_hash_for_a_password(void **state)
{
    const struct padding *row = started(state)->row;
    char sha[150], marked[200], padded[320];
    const char *const values[][2] = {
        {"bob", sha}, {"carol", marked}, {"sue", SCRAM_VERIFIER}, {"dave", OPEN}};
    size_t i;

    snprintf(sha, sizeof(sha), "%s", hash_of(RIGHT, SETTING));
    snprintf(marked, sizeof(marked), "{CRYPT} %s", sha);
    store_padded(row, values, COUNT(values));
    program_secret(OPEN);
    start("password_format: plain\nmech_list: " EVERY_MECHANISM "\n");
    for (i = 0; i < 3; i++) {
        snprintf(padded, sizeof(padded), "%s%s%s", row->before, values[i][1], row->after);
        expect_by_all(values[i][0], padded, false);
        expect_by_all(values[i][0], values[i][1], false);
        expect_by_all(values[i][0], RIGHT, false);
        if (row->type != NULL && strncmp(row->type, "CHAR", 4) == 0) {
            snprintf(padded, sizeof(padded), "%-200s", values[i][1]);
            expect_by_all(values[i][0], padded, false);
        }
    }
    /* A password is taken as it is, and has no NULs. */
    if (row->type == NULL || row->has_nuls) {
        snprintf(padded, sizeof(padded), "%s%s%s", row->before, OPEN, row->after);
        expect_by_all("dave", padded, true);
        expect_by_all("dave", OPEN, row->before[0] == '\0' && row->after[0] == '\0');
    }
    expect_by_all("dave", "wrong", false);
    program_stop();
}

static void judges_long_values(void **state)
{
    static char value[LONG_VALUE + 1];
    static const char *const starts[] = {"", SETTING "$", "*"};
    size_t i;

    started(state);
    start("");
    for (i = 0; i < COUNT(starts); i++) {
        memset(value, 'v', LONG_VALUE);
        memcpy(value, starts[i], strlen(starts[i]));
        mail_users_run("DELETE FROM users WHERE name = 'bob'");
        mail_users_add("bob", value);
        program_secret("vvvvvvvvvv");
        expect("bob", RIGHT, SASL_BADAUTH);
        expect("bob", "vvvv", SASL_BADAUTH);
    }
    expect("alice", RIGHT, SASL_OK);
    program_stop();
}

/* --- names and passwords */

static void takes_text_as_text(void **state)
{
    const struct hostile *row = started(state)->row;
    char user[100], password[200];
    unsigned rows;

    snprintf(user, sizeof(user), "%.*s", (int)strcspn(row->text, "@"), row->text);
    snprintf(password, sizeof(password), "pw %s", row->text);
    program_secret(password);
    start("");
    /* Such a user does not exist, */
    expect(row->text, RIGHT, SASL_BADAUTH);
    expect("alice", row->text, SASL_BADAUTH);
    /* but is found once it does. */
    mail_users_add(user, hash_of(password, SETTING));
    rows = mail_users_count();
    expect(row->text, password, SASL_OK);
    expect(row->text, RIGHT, SASL_BADAUTH);
    expect(row->text, row->text, SASL_BADAUTH);
    expect("alice", RIGHT, SASL_OK);
    expect_errors(0);
    assert_int_equal(mail_users_count(), rows);
    program_stop();
}

static void tells_letters_apart(void **state)
{
    started(state);
    program_secret("p\303\244ssw\303\266rd");
    mail_users_add("bob", hash_of("p\303\244ssw\303\266rd", SETTING));
    start("");
    expect("bob", "p\303\244ssw\303\266rd", SASL_OK);
    expect("bob", "passwort", SASL_BADAUTH);
    expect("bob", "p\303\204ssw\303\266rd", SASL_BADAUTH);
    expect("bob", "pa\314\210sswo\314\210rd", SASL_BADAUTH);
    expect("bob", "p\344ssw\366rd", SASL_BADAUTH);
    expect_errors(0);
    program_stop();
}

static void takes_names_of_any_length(void **state)
{
    static const size_t lengths[] = {LONGEST_NAME, 256, 257, 900, 1000};
    char name[1001];
    size_t i;

    started(state);
    start("");
    memset(name, 'n', sizeof(name));
    name[LONGEST_NAME] = '\0';
    mail_users_add(name, hash_of(RIGHT, SETTING));
    for (i = 0; i < COUNT(lengths); i++) {
        memset(name, 'n', sizeof(name));
        name[lengths[i]] = '\0';
        expect(name, RIGHT, i == 0 ? SASL_OK : SASL_BADAUTH);
        expect(name, "wrong", SASL_BADAUTH);
    }
    expect_errors(0);
    program_stop();
}

/* A name that is not UTF-8 is no user's, and not an outage. */
static void takes_no_broken_names(void **state)
{
    static const char *const names[] = {"\377", "al\303", "\300\257", "\355\240\200"};
    size_t i;

    started(state);
    start("");
    for (i = 0; i < COUNT(names); i++) {
        int result = login_plain(names[i], RIGHT);

        assert_true(result == SASL_BADAUTH || result == SASL_BADPROT);
    }
    expect("alice", RIGHT, SASL_OK);
    expect_errors(0);
    program_stop();
}

/* Other spellings of "alice" for a database that ignores invisible characters. */
static const struct control {
    const char *name;
    const char *user;
} controls[] = {
    {"a control character", "al\007ice"},
    {"a control character first", "\001alice"},
    {"a line break at the end", "alice\n"},
    {"line breaks", "al\r\nice"},
    {"a tab", "\talice"},
    {"DEL", "ali\177ce"},
    {"the first of C1", "al\302\200ice"},
    {"the last of C1", "alice\302\237"},
    {"C1 that starts a sequence of a terminal", "\302\233alice"},
    {"in the realm", "alice@exam\177ple.com"},
    {"a byte of C1 that is not UTF-8", "al\233ice"},
    {"nothing else", "\033"},
};

static void takes_no_control_character(void **state)
{
    const struct run *run = started(state);
    const struct control *row = run->row;
    const bool passes_over = strcmp(run->fixture->engine, "mysql") == 0;

    if (passes_over)
        mail_users_run("ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4 "
                       "COLLATE utf8mb4_unicode_ci");
    else if (strchr(row->user, '\233') == NULL || strchr(row->user, '\302') != NULL)
        mail_users_add(row->user, hash_of(RIGHT, SETTING));
    start("log_level: 5\n");
    expect(row->user, RIGHT, SASL_BADAUTH);
    expect(row->user, "wrong", SASL_BADAUTH);
    assert_int_equal(program_log_count(": the user name "), 4);
    assert_int_equal(login_plain_as(row->user, "alice", RIGHT), SASL_BADAUTH);
    assert_int_equal(program_log_count(": the authorization identity "), 1);
    assert_int_not_equal(set_password(row->user, "sesame"), SASL_OK);
    assert_int_equal(program_log_count("nothing was stored"), 1);
    expect_stored("alice", SETTING);
    expect("alice", RIGHT, SASL_OK);
    expect_errors(2); /* one is from libsasl2 itself */
    program_stop();
}

/* A mechanism of libsasl2 itself */
static void finds_no_control_character(void **state)
{
    const struct run *run = started(state);
    const bool passes_over = strcmp(run->fixture->engine, "mysql") == 0;
    unsigned i;

    if (passes_over)
        mail_users_run("ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4 "
                       "COLLATE utf8mb4_unicode_ci");
    mail_users_run("UPDATE users SET password = 'sesame'");
    start("mech_list: CRAM-MD5\npassword_format: plain\nlog_level: 5\n");
    for (i = 0; i < 2; i++) {
        assert_int_equal(login_by("CRAM-MD5", i == 0 ? "alice" : "al\007ice", "sesame"),
                         i == 0 ? SASL_OK : SASL_NOUSER);
        assert_int_equal(
            program_log_count("not looked for: the user name holds a control character"), i);
    }
    /* Other characters than controls are up to the database. */
    assert_int_equal(login_by("CRAM-MD5", "al\342\200\213ice", "sesame"),
                     passes_over ? SASL_OK : SASL_NOUSER);
    expect_errors(0);
    program_stop();
}

/* --- templates */

static const struct template
{
    const char *name;
    const char *select;
    const char *user; /* who logs in: alice */
}
templates[] = {
    {"in quotes", "SELECT password FROM users WHERE name = '%u' AND realm = '%r'", "alice"},
    {"without quotes", "SELECT password FROM users WHERE name = %u AND realm = %r", "alice"},
    {"with the realm", "SELECT password FROM users WHERE name = '%u' AND realm = '%r'",
     "alice@example.com"},
    {"an address", "SELECT password FROM users WHERE address = '%u@%r'", "alice"},
    {"an address with more around it",
     "SELECT password FROM users WHERE address LIKE '%u@%r' AND '<%u>' <> '<>'", "alice"},
    {"a wildcard", "SELECT password FROM users WHERE address LIKE '%u@%%' AND name <> ''", "alice"},
    {"a percent sign", "SELECT password FROM users WHERE name = '%u' AND '100%%' = '100%%'",
     "alice"},
    {"a function", "SELECT password FROM users WHERE name = LOWER('%u')", "ALICE"},
    {"a property",
     "SELECT %p FROM (SELECT name, password AS userPassword FROM users) AS u"
     " WHERE name = '%u'",
     "alice"},
    {"a property in a literal",
     "SELECT password FROM users WHERE name = '%u' AND '%p' = 'userPassword'", "alice"},
    {"percent signs that are themselves",
     "SELECT password FROM users WHERE address LIKE '%u@%' AND address LIKE '%@example.com'"
     " AND 7 % 2 = 1 AND '100%' = '100%%' AND '%' <> '%_'",
     "alice"},
    {"a percent sign as operator of a macro",
     "SELECT password FROM users WHERE name = '%u' AND (7 %(2)) = 7%2", "alice"},
    {"a percent sign before a macro's own",
     "SELECT password FROM users WHERE '%u' = name AND '%%u' <> '%r%' AND address LIKE '%@%r'",
     "alice"},
    {"an address of a client",
     "SELECT password FROM users WHERE name = '%u' AND '%a' = '192.0.2.7'", "alice"},
    {"the same twice",
     "SELECT password FROM users WHERE name = '%u' AND address = '%u@%r' AND realm = '%r'",
     "alice"},
    {"a semicolon", "SELECT password FROM users WHERE name = '%u';", "alice"},
    {"a comment", "SELECT password /* of '%u' ? $1 */ FROM users WHERE name = '%u' -- %u", "alice"},
    {"a subquery",
     "SELECT password FROM users WHERE name IN (SELECT name FROM users WHERE name = '%u')",
     "alice"},
    {"more columns", "SELECT password, name, realm FROM users WHERE name = '%u'", "alice"},
};

static void runs_template(void **state)
{
    const struct template *row = started(state)->row;
    char options[500];

    mail_users_add("bob", hash_of("open sesame", SETTING));
    snprintf(options, sizeof(options), "sql_select: %s\n", row->select);
    start(options);
    expect(row->user, RIGHT, SASL_OK);
    expect(row->user, "open sesame", SASL_BADAUTH);
    expect("bob", "open sesame", SASL_OK);
    expect("bob", RIGHT, SASL_BADAUTH);
    expect("nobody", RIGHT, SASL_BADAUTH);
    expect("' OR ''='", RIGHT, SASL_BADAUTH);
    expect_errors(0);
    program_stop();
}

#define USER_COLUMN "(SELECT name AS user, password FROM users) AS t"

/* In PostgreSQL, a word that means the role unless it is clearly a name. */
static void means_the_role_by_user(void **state)
{
    const struct run *run = started(state);
    bool is_role = strcmp(run->fixture->engine, "pgsql") == 0;

    start("sql_select: SELECT t.password AS user FROM " USER_COLUMN " WHERE t.user = '%u'\n");
    expect("alice", RIGHT, SASL_OK);
    assert_int_equal(program_log_count("CURRENT_USER"), 0);
    expect_errors(0);
    program_stop();

    start("sql_select: SELECT password FROM " USER_COLUMN " WHERE user = '%u'\n");
    assert_int_equal(program_log_count("init sqlcrypt: sql_select: position 76: in PostgreSQL, user"
                                       " is CURRENT_USER; write \"user\" if"),
                     is_role);
    assert_int_equal(program_log_count("CURRENT_USER"), is_role);
    expect("alice", RIGHT, is_role ? SASL_BADAUTH : SASL_OK);
    expect_errors(0);
    program_stop();
}

/* What its log line says. */
static void means_a_column_by_quoted_user(void **state)
{
    started(state);
    start("sql_select: SELECT password FROM " USER_COLUMN " WHERE \"user\" = '%u'\n");
    assert_int_equal(program_log_count("CURRENT_USER"), 0);
    expect("alice", RIGHT, SASL_OK);
    expect("alice", "wrong", SASL_BADAUTH);
    expect_errors(0);
    program_stop();
}

/* Templates that cannot work, and what their log lines say to write instead. */
static const struct advice {
    const char *name;
    const char *select;
    const char *instead;
} advices[] = {
    {"N", "SELECT password FROM users WHERE name = N'%u'",
     "SELECT password FROM users WHERE name = '%u'"},
    {"user and realm apart", "SELECT password FROM users WHERE address = '%u'@'%r'",
     "SELECT password FROM users WHERE address = '%u@%r'"},
    {"two statements", "SELECT password FROM users WHERE name = '%u'; SELECT 1",
     "SELECT password FROM users WHERE name = '%u'; "},
};

static void works_as_advised(void **state)
{
    const struct advice *row = started(state)->row;
    char options[500];

    snprintf(options, sizeof(options), "sql_select: %s\n", row->select);
    start(options);
    assert_int_equal(program_log_count("init sqlcrypt: sql_select: position "), 1);
    expect("alice", RIGHT, SASL_UNAVAIL);
    program_stop();

    snprintf(options, sizeof(options), "sql_select: %s\n", row->instead);
    start(options);
    expect("alice", RIGHT, SASL_OK);
    expect("alice", "wrong", SASL_BADAUTH);
    expect_errors(0);
    program_stop();
}

static void takes_names_in_utf8_without_a_character_set(void **state)
{
    static const char name[] = "b\303\274rgi";

    started(state);
    mail_users_add(name, hash_of(RIGHT, SETTING));
    start("sql_select: SELECT password FROM users WHERE name = _utf8mb4'%u'\n");
    assert_int_equal(program_log_count("cannot hold a macro; write '...' without the _utf8mb4"), 1);
    expect(name, RIGHT, SASL_UNAVAIL);
    program_stop();
    start("sql_select: SELECT password FROM users WHERE name = '%u'\n");
    expect(name, RIGHT, SASL_OK);
    program_stop();
}

static void knows_realms(void **state)
{
    started(state);
    mail_users_run("INSERT INTO users SELECT name, 'example.org', 'alice@example.org',"
                   " '*' FROM users WHERE name = 'alice'");
    start("");
    expect("alice", RIGHT, SASL_OK);
    expect("alice@example.com", RIGHT, SASL_OK);
    expect("alice@example.org", RIGHT, SASL_BADAUTH);
    expect("alice@example.net", RIGHT, SASL_BADAUTH);
    expect_errors(0);
    program_stop();
}

static const struct refusal {
    const char *name;
    const char *option;
    const char *want_in_log;
} refusals[] = {
    {"no such column", "sql_select: SELECT passwd FROM users WHERE name = '%u'\n", "passwd"},
    {"no such table", "sql_select: SELECT password FROM mailbox WHERE name = '%u'\n", "mailbox"},
    {"syntax error", "sql_select: SELECT password FROM users WHERE WHERE name = '%u'\n", "WHERE"},
    {"no SELECT", "sql_select: SHUT THE DOOR '%u'\n", "SHUT"},
};

/* For any user, the answer is an outage, and one line says so. */
static void reports_refusal(void **state)
{
    const struct refusal *row = started(state)->row;

    start(row->option);
    assert_int_equal(login_plain("alice", RIGHT), SASL_UNAVAIL);
    expect_errors(1);
    assert_contains(program_log(), "statement refused: ");
    assert_contains(program_log(), row->want_in_log);
    assert_lacks(program_log(), "alice'");
    expect("alice", "wrong", SASL_UNAVAIL);
    expect("nobody", RIGHT, SASL_UNAVAIL);
    program_stop();
}

/* --- a table that changes */

static void finds_a_new_table(void **state)
{
    started(state);
    start("");
    expect("alice", RIGHT, SASL_OK);
    mail_users_run("DROP TABLE users");
    expect("alice", RIGHT, SASL_UNAVAIL);
    expect_errors(2);
    mail_users_run("CREATE TABLE users (more INTEGER, password {text}, name VARCHAR(64),"
                   " realm VARCHAR(64))");
    expect("alice", RIGHT, SASL_BADAUTH);
    mail_users_run("INSERT INTO users (name, realm) VALUES ('alice', 'example.com')");
    expect("alice", RIGHT, SASL_BADAUTH);
    mail_users_run("DROP TABLE users");
    mail_users_run("CREATE TABLE users (name VARCHAR(99), realm VARCHAR(99), address INTEGER,"
                   " password VARCHAR(200))");
    mail_users_run("INSERT INTO users VALUES ('alice', 'example.com', 1, '*')");
    expect("alice", RIGHT, SASL_BADAUTH);
    expect_errors(2);
    program_stop();
}

static void finds_a_column_again(void **state)
{
    started(state);
    start("");
    expect("alice", RIGHT, SASL_OK);
    mail_users_run("ALTER TABLE users RENAME COLUMN password TO passwd");
    expect("alice", RIGHT, SASL_UNAVAIL);
    expect("alice", "wrong", SASL_UNAVAIL);
    mail_users_run("ALTER TABLE users RENAME COLUMN passwd TO password");
    expect("alice", RIGHT, SASL_OK);
    expect("alice", "wrong", SASL_BADAUTH);
    expect_errors(4);
    program_stop();
}

static void sees_a_change_at_once(void **state)
{
    char *stored;

    started(state);
    start("");
    expect("alice", RIGHT, SASL_OK);
    stored = mail_users_stored("alice");
    assert_non_null(stored);
    mail_users_run("UPDATE users SET password = '*' WHERE name = 'alice'");
    expect("alice", RIGHT, SASL_BADAUTH);
    mail_users_run("DELETE FROM users");
    expect("alice", RIGHT, SASL_BADAUTH);
    mail_users_add("alice", stored);
    expect("alice", RIGHT, SASL_OK);
    expect_errors(0);
    program_stop();
    free(stored);
}

/* --- the list */

static void add_paddings(struct test_list *list, const struct engine_fixture *fixture)
{
    size_t i;

    for (i = 0; i < COUNT(paddings); i++) {
        const struct padding *row = &paddings[i];

        if (row->engine != NULL && strcmp(row->engine, fixture->engine) != 0)
            continue;
        run_add(list, fixture, ignores_padding, row, "ignores_padding", row->name);
        run_add(list, fixture, takes_no_padded_hash_for_a_password, row,
                "takes_no_padded_hash_for_a_password", row->name);
    }
}

static void add_all(struct test_list *list, const struct engine_fixture *fixture)
{
    RUN_ADD_ROWS(list, fixture, logs_in_by, kinds);
    RUN_ADD_ROWS(list, fixture, judges, storeds);
    add_paddings(list, fixture);
    RUN_ADD(list, fixture, judges_long_values);
    RUN_ADD_ROWS(list, fixture, takes_text_as_text, hostiles);
    RUN_ADD(list, fixture, tells_letters_apart);
    RUN_ADD(list, fixture, takes_names_of_any_length);
    RUN_ADD(list, fixture, takes_no_broken_names);
    RUN_ADD_ROWS(list, fixture, takes_no_control_character, controls);
    RUN_ADD(list, fixture, finds_no_control_character);
    RUN_ADD_ROWS(list, fixture, runs_template, templates);
    RUN_ADD(list, fixture, means_the_role_by_user);
    RUN_ADD_ROWS(list, fixture, works_as_advised, advices);
    if (strcmp(fixture->engine, "mysql") == 0)
        RUN_ADD(list, fixture, takes_names_in_utf8_without_a_character_set);
    else
        RUN_ADD(list, fixture, means_a_column_by_quoted_user);
    RUN_ADD(list, fixture, knows_realms);
    RUN_ADD_ROWS(list, fixture, reports_refusal, refusals);
    RUN_ADD(list, fixture, finds_a_new_table);
    RUN_ADD(list, fixture, finds_a_column_again);
    RUN_ADD(list, fixture, sees_a_change_at_once);
}

int main(void)
{
    alarm(900); /* a login that never ends is stopped here */
    return run_all("logins", NULL, remove_users, add_all);
}
