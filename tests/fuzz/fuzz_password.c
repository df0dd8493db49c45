/* SPDX-License-Identifier: BSD-3-Clause */

/* Any stored text and any password, in each format. The first byte chooses the
 * format, the second says where the password begins. Deliberately slow hashes
 * are left out: they would only test libcrypt. */

#include "fuzz/fuzz_target.h"

#include <string.h>
#include <strings.h>

#include "password/password_policy.h"
#include "password/password_scheme.h"
#include "password/stored_text.h"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("0\007hunter2hunter2"),
    FUZZ_TEXT("1\033$1$ab$BGweqrca.3UvnWSg8yFZd1correct horse battery staple"),
    FUZZ_TEXT("1\042{CRYPT}$1$ab$BGweqrca.3UvnWSg8yFZd1correct horse battery staple"),
    FUZZ_TEXT("1\015abhqWgdm30m6kTr0ub4d"),
    FUZZ_TEXT("2\015abhqWgdm30m6kTr0ub4d"),
    FUZZ_TEXT("3\0400cc175b9c0f1b6a831c399e269772661a"),
    FUZZ_TEXT("0\050SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5abcx"),
    FUZZ_TEXT("1\045$3$$1b9d5effd34ac283c8efe2eacaea8bbccorrect horse battery staple"),
    FUZZ_TEXT("1\002*0*0"),
    FUZZ_TEXT("1\001!x"),
    FUZZ_TEXT("0\037$1$ab$BGweqrca.3UvnWSg8yFZd1    $1$ab$BGweqrca.3UvnWSg8yFZd1"),
    FUZZ_TEXT("1\037 $1$ab$BGweqrca.3UvnWSg8yFZd1\r\n\0correct horse battery staple"),
    FUZZ_TEXT("1\021{CRYPT}  abhqWgdm30m6kTr0ub4d"),
    FUZZ_TEXT("1\051*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19password"),
    {NULL, 0},
};

const struct fuzz_text fuzz_words[] = {
    FUZZ_TEXT("{CRYPT}"),  FUZZ_TEXT("{crypt}"),
    FUZZ_TEXT("$1$"),      FUZZ_TEXT("$3$"),
    FUZZ_TEXT("$"),        FUZZ_TEXT("!"),
    FUZZ_TEXT("*"),        FUZZ_TEXT("\0"),
    FUZZ_TEXT("$9$"),      FUZZ_TEXT("_...."),
    FUZZ_TEXT(":"),        FUZZ_TEXT("\377"),
    FUZZ_TEXT(" "),        FUZZ_TEXT("\r\n"),
    FUZZ_TEXT("\302\240"), FUZZ_TEXT("\357\273\277"),
    FUZZ_TEXT("\0\0\0"),   {NULL, 0},
};

/* DES, MD5 and NT are cheap; the others can ask for seconds. */
static bool is_slow(const struct secret *stored)
{
    struct bytes text = stored_text_trim(secret_bytes(stored));
    size_t prefix = 7;

    if (strncasecmp(text.start, "{CRYPT}", prefix) == 0) {
        text = (struct bytes){text.start + prefix, text.length - prefix};
        text.start += stored_text_space(text);
    }
    if (text.start[0] == '_')
        return true;
    return text.start[0] == '$' && strncmp(text.start, "$1$", 3) != 0 &&
           strncmp(text.start, "$3$", 3) != 0;
}

static void check(struct password_policy *policy, struct bytes stored, struct bytes password)
{
    struct reason reason = {""};
    enum verdict verdict = password_policy_judge(policy, stored, password, &reason);

    FUZZ_ASSERT(verdict == VERDICT_MATCH || reason.text[0] != '\0');
    FUZZ_ASSERT(verdict == VERDICT_MATCH || verdict == VERDICT_MISMATCH ||
                verdict == VERDICT_UNUSABLE || verdict == VERDICT_LOCKED);
    FUZZ_ASSERT(verdict != VERDICT_LOCKED || stored_text_is_locked(stored_text_trim(stored)));
    FUZZ_ASSERT(!stored_text_is_locked(stored_text_trim(stored)) || verdict == VERDICT_LOCKED ||
                stored_text_is_mysql_hash(stored_text_trim(stored)));
    if (verdict == VERDICT_MATCH) {
        FUZZ_ASSERT(password.length > 0 && password.length <= PASSWORD_MAX);
        FUZZ_ASSERT(!bytes_have_nul(password));
        FUZZ_ASSERT(strlen(stored.start) == stored_text_without_nuls(stored).length ||
                    !password_policy_is_clear_text(policy));
        FUZZ_ASSERT(!stored_text_is_hash(stored) || !password_policy_is_clear_text(policy));
        /* Someone who has read the table does not get in. */
        FUZZ_ASSERT(password_policy_is_clear_text(policy) || stored.length != password.length ||
                    memcmp(stored.start, password.start, stored.length) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"plain", "crypt", "crypt_trad", "md5"};
    static struct password_policy *policies[4];
    struct secret stored = SECRET_EMPTY, password = SECRET_EMPTY;
    struct password_policy **policy;
    struct reason reason;
    size_t length;

    if (size < 2)
        return 0;
    policy = &policies[data[0] % 4];
    if (*policy == NULL) {
        const char *format = formats[data[0] % 4];

        *policy = password_policy_new(format, strcmp(format, "crypt") == 0 ? "MD5-CRYPT" : NULL,
                                      NULL, &reason);
        FUZZ_ASSERT(*policy != NULL);
    }
    length = data[1] < size - 2 ? data[1] : size - 2;
    FUZZ_ASSERT(secret_set(&stored, (const char *)data + 2, length));
    FUZZ_ASSERT(secret_set(&password, (const char *)data + 2 + length, size - 2 - length));
    if (!is_slow(&stored)) {
        check(*policy, secret_bytes(&stored), secret_bytes(&password));
        check(*policy, secret_bytes(&stored), secret_bytes(&stored));
    }
    secret_wipe(&stored);
    secret_wipe(&password);
    return 0;
}
