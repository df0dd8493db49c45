/* SPDX-License-Identifier: BSD-3-Clause */

/* Any text as a SCRAM verifier: if it is accepted, sscanf(3) finds its fields,
 * too. */

#include "fuzz/fuzz_target.h"

#include <string.h>

#include "password/scram_verifier.h"

const struct fuzz_text fuzz_seeds[] = {
    FUZZ_TEXT("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLm"
              "tbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="),
    FUZZ_TEXT("SCRAM-SHA-1$1:a$b:c"),
    FUZZ_TEXT("SCRAM-SHA-512$4096:c2FsdA==$a2V5:a2V5"),
    FUZZ_TEXT("SCRAM-SHA"),
    FUZZ_TEXT(""),
    {NULL, 0},
};

const struct fuzz_text fuzz_words[] = {
    FUZZ_TEXT("SCRAM-SHA-"), FUZZ_TEXT("$"),  FUZZ_TEXT(":"), FUZZ_TEXT("="),
    FUZZ_TEXT("4096"),       FUZZ_TEXT("\0"), FUZZ_TEXT("-"), {NULL, 0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int end = -1;

    FUZZ_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    (void)sscanf(
        text, "SCRAM-SHA-%*[-0-9A-Z]$%*[0-9]:%*[0-9A-Za-z+/=]$%*[0-9A-Za-z+/=]:%*[0-9A-Za-z+/=]%n",
        &end);
    FUZZ_ASSERT(scram_verifier_valid((struct bytes){text, size}) ==
                (end >= 0 && (size_t)end == size));
    free(text);
    return 0;
}
