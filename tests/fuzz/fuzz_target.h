/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

/*
 * One fuzz target: for libFuzzer (link with -fsanitize=fuzzer) as well as for
 * fuzz_main.c, which runs it over files and over a fixed sequence of inputs.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs to start from, and pieces that make sense in one. */
struct fuzz_text {
    const char *bytes;
    size_t size;
};

#define FUZZ_TEXT(literal)                                                                         \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

extern const struct fuzz_text fuzz_seeds[]; /* ends with NULL bytes */
extern const struct fuzz_text fuzz_words[]; /* likewise */

/* Ends the process: the input that did this is a finding. */
#define FUZZ_ASSERT(holds)                                                                         \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
