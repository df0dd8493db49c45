/* SPDX-License-Identifier: BSD-3-Clause */
#include "password/scram_verifier.h"

#include "support/unit.h"

#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define KEYS                                                                                       \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define VERIFIER "SCRAM-SHA-256$4096:" SALT "$" KEYS

static const struct text {
    const char *name;
    const char *text;
    bool want_valid;
} texts[] = {
    /* from RFC 7677's exchange, as PostgreSQL writes it */
    {"SHA-256", VERIFIER, true},
    {"SHA-1",
     "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:"
     "D+CSWLOshSulAsxiupA+qs2/fTE=",
     true},
    {"SHA-512", "SCRAM-SHA-512$10000:c2FsdA==$a2V5:a2V5", true},
    {"nothing", "", false},
    {"prefix alone", "SCRAM-SHA-", false},
    {"name alone", "SCRAM-SHA-256", false},
    {"shorter than the prefix", "SCRAM", false},
    {"one byte short of the prefix", "SCRAM-SHA", false},
    {"no hash name", "SCRAM-SHA-$4096:" SALT "$" KEYS, false},
    {"letter case of the prefix", "scram-sha-256$4096:" SALT "$" KEYS, false},
    {"blank in front", " " VERIFIER, false},
    {"blank behind", VERIFIER " ", false},
    {"line feed behind", VERIFIER "\n", false},
    {"scheme in front", "{SCRAM-SHA-256}4096," SALT ",a2V5,a2V5", false},
    {"no iterations", "SCRAM-SHA-256$:" SALT "$" KEYS, false},
    {"iterations not a number", "SCRAM-SHA-256$4o96:" SALT "$" KEYS, false},
    {"negative iterations", "SCRAM-SHA-256$-4096:" SALT "$" KEYS, false},
    {"no salt", "SCRAM-SHA-256$4096:$" KEYS, false},
    {"salt not in base64", "SCRAM-SHA-256$4096:s*lt$" KEYS, false},
    {"no stored key", "SCRAM-SHA-256$4096:" SALT "$:a2V5", false},
    {"no server key", "SCRAM-SHA-256$4096:" SALT "$a2V5:", false},
    {"one key only", "SCRAM-SHA-256$4096:" SALT "$a2V5", false},
    {"three keys", VERIFIER ":a2V5", false},
    {"another field", VERIFIER "$a2V5", false},
    {"salt and key separated otherwise", "SCRAM-SHA-256$4096:" SALT ":" KEYS, false},
    {"dollar sign in the place of a colon", "SCRAM-SHA-256$4096$" SALT "$" KEYS, false},
    {"another hash altogether", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIF",
     false},
};

static void valid(void **state)
{
    const struct text *row = *state;
    /* Exactly this size, so that a read beyond the end shows under ASan. */
    char *copy = strdup(row->text);
    bool got;

    assert_non_null(copy);
    got = scram_verifier_valid(bytes_of(copy));
    free(copy);
    assert_int_equal(got, row->want_valid);
}

static void nul_inside(void **state)
{
    static const char behind[] = VERIFIER "\0x";
    static const char within[] = "SCRAM-SHA-256$4096:" SALT "\0$" KEYS;

    (void)state;
    assert_false(scram_verifier_valid((struct bytes){behind, sizeof(behind) - 1}));
    assert_false(scram_verifier_valid((struct bytes){behind, strlen(behind) + 1}));
    assert_false(scram_verifier_valid((struct bytes){within, sizeof(within) - 1}));
    assert_true(scram_verifier_valid(bytes_of(behind)));
}

/* A part of a longer text, which continues after it. */
static void part_of_a_text(void **state)
{
    static const char padded[] = VERIFIER "   ", longer[] = VERIFIER "AAAA";

    (void)state;
    assert_true(scram_verifier_valid((struct bytes){padded, sizeof(VERIFIER) - 1}));
    assert_false(scram_verifier_valid((struct bytes){padded, sizeof(VERIFIER)}));
    assert_true(scram_verifier_valid((struct bytes){longer, sizeof(VERIFIER) - 1}));
    assert_false(scram_verifier_valid((struct bytes){longer, strlen("SCRAM-SHA-256$4096:")}));
}

/* No text that lacks its end is valid. */
static void every_truncation(void **state)
{
    static const char whole[] = VERIFIER;
    const size_t last_key = (size_t)(strrchr(whole, ':') - whole) + 1;
    size_t length;

    (void)state;
    for (length = 0; length < strlen(whole); length++) {
        char *copy = strndup(whole, length);
        bool got;

        assert_non_null(copy);
        got = scram_verifier_valid((struct bytes){copy, length});
        free(copy);
        /* A cut inside the last key leaves a shorter key, which stays readable. */
        if (got != (length > last_key)) {
            print_error("cut to %zu bytes: %s\n", length, got ? "valid" : "not valid");
            fail();
        }
    }
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, valid, texts);
    TEST_ADD(&list, nul_inside);
    TEST_ADD(&list, part_of_a_text);
    TEST_ADD(&list, every_truncation);
    return test_run("scram_verifier", &list);
}
