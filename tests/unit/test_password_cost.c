/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/password_cost.h"

#include "support/watched_crypt.h"

/* --- every refusal costs the same */

#define SHA256_HASH "$5$rounds=1400$anotherlongsalts$sw4nxJsiJXpEwiiUuqI9Tpwduvoz/aXd/SVh9LlV1c6"
#define BCRYPT_10 "$2b$10$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"
#define YESCRYPT_HASH "$y$j9T$LdJMENpBABJJ3hIHjB1B$U8a2MaK.yesqWySK8Owk6PWeWmp/XuagMbpP45q1/q1"
#define SHA512_HASH                                                                                \
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfa" \
    "S35inz1"
#define DEAREST "$5$rounds=4000000$anotherlongsalts$sw4nxJsiJXpEwiiUuqI9Tpwduvoz/aXd/SVh9LlV1c6"

/* Who is refused, and the setting of the hash that is made on the way, if any. */
static const struct refused {
    const char *name;
    bool no_user;
    const char *stored;
    size_t stored_length;
    const char *setting;
} refused[] = {
    {"no such user", true, TEXT(""), NULL},
    {"NULL", false, NULL, 0, NULL},
    {"locked", false, TEXT("!" SHA256_HASH), NULL},
    {"star", false, TEXT("*"), NULL},
    {"blanks", false, TEXT("   "), NULL},
    {"PASSWORD()", false, TEXT(MYSQL_HASH), NULL},
    {"OLD_PASSWORD()", false, TEXT(OLD_MYSQL_HASH), NULL},
    {"NUL in what is stored", false, TEXT("hun\0ter2"), NULL},
    {"unknown method", false, TEXT("$9$salt$hash"), NULL},
    {"over its ceiling", false, TEXT("$5$rounds=5000001$salt$hash"), NULL},
    {"damaged salt", false, TEXT("$y$j9T$LdJMENpBABJJ3hIHjB1B2$hash"), NULL},
    {"clear text", false, TEXT("hunter2"), "hu"},
    {"truncated hash", false, TEXT("$6$truncated$svn8UoSVapNtMuq1ukKS4tPQd8iK"), "$6$"},
    {"DES", false, TEXT(DES_HASH), "ab"},
    {"MD5", false, TEXT(MD5_HASH), "$1$"},
    {"SHA-256 of few rounds", false, TEXT(SHA256_HASH), "$5$rounds=1400$"},
    {"SHA-512", false, TEXT(SHA512_HASH), "$6$"},
    {"padded SHA-512", false, TEXT(" " SHA512_HASH "  "), "$6$"},
    {"yescrypt", false, TEXT(YESCRYPT_HASH), "$y$j9T$"},
    {"bcrypt of cost 10", false, TEXT(BCRYPT_10), "$2b$10$"},
};

static const struct site {
    const char *store_scheme, *store_cost;
    const char *setting;
} sites[] = {
    {"YESCRYPT", "5", "$y$j9T$"},   {"SHA512-CRYPT", NULL, "$6$"}, {"BLF-CRYPT", "5", "$2y$05$"},
    {"BLF-CRYPT", "10", "$2y$10$"}, {"MD5-CRYPT", NULL, "$1$"},
};

/* What a client may do before another one is refused. */
static const struct before {
    const char *name;
    const char *stored; /* NULL: there is no such user */
    const char *password;
    enum verdict want;
} befores[] = {
    {"unknown user", NULL, "hunter2", VERDICT_NO_USER},
    {"right DES", DES_HASH, "Tr0ub4d", VERDICT_MATCH},
    {"wrong DES", DES_HASH, "hunter2", VERDICT_MISMATCH},
    {"right MD5", MD5_HASH, PHRASE, VERDICT_MATCH},
    {"four million rounds", DEAREST, "hunter2", VERDICT_MISMATCH},
    {"bcrypt", BCRYPT_10, "hunter2", VERDICT_MISMATCH},
    {"unusable", "$9$salt$hash", "hunter2", VERDICT_UNUSABLE},
    {"over its ceiling", "$5$rounds=5000001$salt$hash", "hunter2", VERDICT_UNUSABLE},
    {"no possible password", MD5_HASH, "", VERDICT_MISMATCH},
};

/* The cost of one refusal. */
static uint64_t cost_of(struct password_policy *policy, const struct refused *row, size_t length)
{
    char bytes[1000];
    const struct bytes password = {memset(bytes, 'p', length), length};
    const struct bytes stored = {row->stored, row->stored_length};
    const uint64_t start = clock_of_work.now;
    enum verdict verdict;

    clock_of_work.looks = 0;
    bytes[length] = '\0';
    verdict = row->no_user ? refuse(policy, password) : judge(policy, stored, password);
    assert_true(verdict == VERDICT_NO_USER || verdict == VERDICT_LOCKED ||
                verdict == VERDICT_UNUSABLE || verdict == VERDICT_MISMATCH);
    return clock_of_work.now - start;
}

/* Within 5 %. */
static void assert_cost(uint64_t cost, uint64_t want, const char *before, const char *site)
{
    const bool agrees = cost >= want - want / 20 && cost <= want + want / 20;

    if (!agrees)
        print_error("%s, %s: %u us, want %u us\n", site, before, (unsigned)(cost / MICROSECOND),
                    (unsigned)(want / MICROSECOND));
    assert_true(agrees);
}

/* The standard, or the cost of a more expensive hash. */
static uint64_t want_cost(const struct site *site, const struct refused *row, size_t length)
{
    const uint64_t standard = time_of(site->setting, length);
    const uint64_t own = row->setting != NULL ? time_of(row->setting, length) : 0;

    return own > standard ? own : standard;
}

static struct password_policy *new_site(const struct site *site)
{
    struct reason reason;
    struct password_policy *policy =
        password_policy_new("crypt", site->store_scheme, site->store_cost, &reason);

    assert_non_null(policy);
    return policy;
}

/* Whatever a client has done before, and how often. */
static void refusals_cost_the_same(void **state)
{
    const struct refused *row = *state;
    size_t i, j, k;

    clock_of_work.is_set = true;
    for (i = 0; i < COUNT(sites); i++)
        for (j = 0; j < COUNT(befores); j++) {
            const struct bytes stored = bytes_of(befores[j].stored);
            const struct bytes typed = bytes_of(befores[j].password);
            struct password_policy *policy = new_site(&sites[i]);

            cost_of(policy, &refused[0], 7);
            for (k = 0; k < 2; k++) {
                assert_verdict(befores[j].stored != NULL ? judge(policy, stored, typed)
                                                         : refuse(policy, typed),
                               befores[j].want);
                assert_cost(cost_of(policy, row, 7), want_cost(&sites[i], row, 7), befores[j].name,
                            sites[i].store_scheme);
            }
            password_policy_free(policy);
        }
    clock_of_work.is_set = false;
}

/* The first one of a process measures the standard: which user is refused has no influence. */
static void first_refusals_cost_the_same(void **state)
{
    const struct refused *row = *state;
    size_t i;

    clock_of_work.is_set = true;
    for (i = 0; i < COUNT(sites); i++) {
        struct password_policy *policy = new_site(&sites[i]);

        assert_cost(cost_of(policy, row, 7),
                    time_of(sites[i].setting, 7) + want_cost(&sites[i], row, 7), "first",
                    sites[i].store_scheme);
        password_policy_free(policy);
    }
    clock_of_work.is_set = false;
}

/* Without a clock, there is no waiting, not even if there was a clock at first. */
static void refusals_without_a_clock(void **state)
{
    const struct bytes typed = bytes_of("hunter2");
    unsigned had_clock, i;

    (void)state;
    for (had_clock = 0; had_clock < 2; had_clock++) {
        struct password_policy *policy = new_policy("crypt");

        if (had_clock)
            assert_verdict(refuse(policy, typed), VERDICT_NO_USER);
        no_clock = true;
        for (i = 0; i < 3; i++)
            assert_verdict(refuse(policy, typed), VERDICT_NO_USER);
        no_clock = false;
        password_policy_free(policy);
    }
}

/* A hash of a long password takes longer: as long for an unknown user as for a known one. One
 * password that is too long for any hash is like another. */
static void refusals_of_each_length_cost_the_same(void **state)
{
    static const size_t typed[] = {1, 8, 12, 72, 300, 511, 512, 900};
    const struct refused *row = *state;
    size_t i, j;

    clock_of_work.is_set = true;
    for (i = 0; i < COUNT(sites); i++) {
        struct password_policy *policy = new_site(&sites[i]);

        for (j = 0; j < COUNT(typed); j++) {
            const struct refused nobody = {.no_user = true};
            const bool is_possible = typed[j] < 512;
            const size_t length = is_possible ? typed[j] : strlen("any password");

            cost_of(policy, &nobody, typed[j]);
            assert_cost(cost_of(policy, row, typed[j]),
                        is_possible ? want_cost(&sites[i], row, length)
                                    : time_of(sites[i].setting, length),
                        "length", sites[i].store_scheme);
        }
        password_policy_free(policy);
    }
    clock_of_work.is_set = false;
}

/* Nothing that is stored is kept, or used to judge others. */
static void works_by_the_standard_alone(void **state)
{
    const struct refused *row = *state;
    const struct bytes right = bytes_of(PHRASE), stored = {row->stored, row->stored_length};
    struct password_policy *policy = new_policy("crypt");
    char setting[CRYPT_OUTPUT_SIZE];

    clock_of_work.is_set = true;
    assert_verdict(refuse(policy, right), VERDICT_NO_USER);
    memcpy(setting, seen.setting, sizeof(setting));
    assert_memory_equal(setting, "$1$", 3);
    if (row->no_user)
        refuse(policy, right);
    else
        judge(policy, stored, right);
    memset(&seen, 0, sizeof(seen));
    assert_verdict(refuse(policy, right), VERDICT_NO_USER);
    assert_int_equal(seen.calls, 1);
    assert_string_equal(seen.setting, setting);
    clock_of_work.is_set = false;
    password_policy_free(policy);
}

/* A right password costs its own hash, however cheap. */
static void a_match_costs_one_hash(void **state)
{
    const struct bytes usual = bytes_of(DES_HASH), right = bytes_of("Tr0ub4d");
    struct password_policy *policy = new_policy("crypt");

    (void)state;
    memset(&seen, 0, sizeof(seen));
    assert_verdict(judge(policy, usual, right), VERDICT_MATCH);
    assert_int_equal(seen.calls, 1);
    password_policy_free(policy);
}

/* --- what a hash may ask for */

#define BCRYPT_REST "$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"
#define YESCRYPT_REST "$LdJMENpBABJJ3hIHjB1B$U8a2MaK.yesqWySK8Owk6PWeWmp/XuagMbpP45q1/q1"
#define SHA256_REST "$anotherlongsalts$sw4nxJsiJXpEwiiUuqI9Tpwduvoz/aXd/SVh9LlV1c6"

static const struct costly {
    const char *name;
    const char *stored;
    const char *want_reason;
} costlies[] = {
    {"bcrypt, one more than the ceiling", "$2b$16" BCRYPT_REST, "bcrypt: cost 15"},
    {"bcrypt, most", "$2b$31" BCRYPT_REST, "bcrypt: cost 15"},
    {"bcrypt, prefixed and padded", " {CRYPT} $2y$31" BCRYPT_REST "  ", "bcrypt: cost 15"},
    {"SHA-256, one more than the ceiling", "$5$rounds=5000001" SHA256_REST, "5000000 rounds"},
    {"SHA-256, most", "$5$rounds=999999999" SHA256_REST, "5000000 rounds"},
    {"SHA-256, beyond any number", "$5$rounds=99999999999999999999999" SHA256_REST,
     "5000000 rounds"},
    {"SHA-512, most", "$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO",
     "5000000 rounds"},
    {"yescrypt, 512 MiB", "$y$jET" YESCRYPT_REST, "256 MiB"},
    {"gost-yescrypt, 512 MiB", "$gy$jET" YESCRYPT_REST, "256 MiB"},
    {"scrypt, 512 MiB", "$7$FU..../....SodiumChloride$s11WGHKgvfcB7ELUeO2Tqc2jtAnfB.TMGxs0fYodfy2",
     "256 MiB"},
    {"scrypt, little memory, many passes",
     "$7$0/........USodiumChloride$s11WGHKgvfcB7ELUeO2Tqc2jtAnfB.TMGxs0fYodfy2", "1 GiB"},
    {"SHA-1, one more than the ceiling", "$sha1$2000001$iVdJqfSE$1pV9Q8cPed5ywN.7wVCIRWgqikdv",
     "2000000 rounds"},
    {"SHA-1, negative", "$sha1$-1$iVdJqfSE$1pV9Q8cPed5ywN.7wVCIRWgqikdv", "malformed"},
    {"Sun MD5, one more than the ceiling", "$md5,rounds=2000001$GUBv0xjJ$$yHRKhdy0NgmMN8limuql51",
     "2000000 rounds"},
    {"BSDi, one more than the ceiling", "_/h2HAEpBSYugrBD6xxx", "5000000 rounds"},
    {"BSDi, most", "_zzzzAEpBSYugrBD6xxx", "5000000 rounds"},
    {"method that nobody knows", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "known here"},
};

/* The only hash that is made is the standard's. */
static void does_nothing_for_costly_hashes(void **state)
{
    const struct costly *row = *state;
    const struct bytes password = bytes_of(PHRASE), stored = bytes_of(row->stored);
    struct password_policy *policy = new_policy("crypt");
    struct reason reason = {""};
    unsigned i;

    clock_of_work.is_set = true;
    assert_verdict(refuse(policy, password), VERDICT_NO_USER);
    for (i = 0; i < 2; i++) {
        memset(&seen, 0, sizeof(seen));
        assert_verdict(password_policy_judge(policy, stored, password, &reason), VERDICT_UNUSABLE);
        assert_contains(reason.text, row->want_reason);
        assert_lacks(reason.text, row->stored);
        assert_int_equal(seen.calls, 1);
        assert_memory_equal(seen.setting, "$1$", 3);
    }
    clock_of_work.is_set = false;
    password_policy_free(policy);
}

/* The same in other formats, whatever they say about it. */
static void calls_crypt_in_no_format(void **state)
{
    const struct costly *row = *state;
    const struct bytes stored = bytes_of(row->stored), password = bytes_of(PHRASE);
    size_t i;

    for (i = 0; i < COUNT(formats); i++) {
        struct password_policy *policy = new_policy(formats[i]);

        memset(&seen, 0, sizeof(seen));
        judge(policy, stored, password);
        /* Those of the standard, at most twice. */
        assert_true(seen.calls <= 2);
        assert_null(strstr(row->stored, seen.calls > 0 ? seen.setting : "none"));
        password_policy_free(policy);
    }
}

/* A hash at its ceiling is computed. One call is enough to see it. */
static void works_up_to_the_ceiling(void **state)
{
    static const char *const allowed[] = {
        "$2b$15" BCRYPT_REST,
        "$5$rounds=5000000" SHA256_REST,
        "$y$jDT" YESCRYPT_REST,
        "$gy$jDT" YESCRYPT_REST,
        "$7$EU..../....SodiumChloride$s11WGHKgvfcB7ELUeO2Tqc2jtAnfB.TMGxs0fYodfy2",
        "$sha1$2000000$iVdJqfSE$1pV9Q8cPed5ywN.7wVCIRWgqikdv",
        "$md5,rounds=2000000$GUBv0xjJ$$yHRKhdy0NgmMN8limuql51",
        "_.h2HAEpBSYugrBD6xx.",
    };
    struct password_policy *policy = new_policy("crypt");
    const struct bytes password = bytes_of(PHRASE);
    size_t i;

    (void)state;
    pretending = true;
    for (i = 0; i < COUNT(allowed); i++) {
        const struct bytes stored = bytes_of(allowed[i]);

        memset(&seen, 0, sizeof(seen));
        assert_verdict(judge(policy, stored, password), VERDICT_MISMATCH);
        assert_true(seen.calls > 0);
        assert_string_equal(seen.first, allowed[i]);
    }
    pretending = false;
    password_policy_free(policy);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, refusals_cost_the_same, refused);
    TEST_ADD_CASES(&list, first_refusals_cost_the_same, refused);
    TEST_ADD(&list, refusals_without_a_clock);
    TEST_ADD_CASES(&list, refusals_of_each_length_cost_the_same, refused);
    TEST_ADD_CASES(&list, works_by_the_standard_alone, refused);
    TEST_ADD(&list, a_match_costs_one_hash);
    TEST_ADD_CASES(&list, does_nothing_for_costly_hashes, costlies);
    TEST_ADD_CASES(&list, calls_crypt_in_no_format, costlies);
    TEST_ADD(&list, works_up_to_the_ceiling);
    return test_run("password_cost", &list);
}
