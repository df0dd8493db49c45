/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Runs a fuzz target without a fuzzer: over the files that the command line
 * names, and over mutations of its seeds that are the same each time. An input
 * that ends the process remains in the file that FUZZ_LAST_INPUT names.
 */

#include "fuzz/fuzz_target.h"

#include <stdbool.h>
#include <string.h>

enum { ROUNDS = 6000, MOST_CHANGES = 6, LONGEST = 2048 };

static uint32_t random_state = 2463534242u;

/* xorshift32: the same sequence everywhere. */
static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

struct input {
    uint8_t bytes[LONGEST];
    size_t size;
};

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = getenv("FUZZ_LAST_INPUT");
    /* Exactly this size, so that a read beyond the end shows under ASan. */
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    if (path != NULL) {
        FILE *file = fopen(path, "wb");

        if (file != NULL) {
            fwrite(bytes, 1, size, file);
            fclose(file);
        }
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static bool run_file(const char *path)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL) {
        perror(path);
        return false;
    }
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    run(bytes, size);
    return true;
}

static size_t count_texts(const struct fuzz_text *texts)
{
    size_t count = 0;

    while (texts[count].bytes != NULL)
        count++;
    return count;
}

static void insert(struct input *input, size_t at, const void *bytes, size_t size)
{
    if (input->size + size > LONGEST)
        return;
    memmove(input->bytes + at + size, input->bytes + at, input->size - at);
    memcpy(input->bytes + at, bytes, size);
    input->size += size;
}

static void mutate(struct input *input)
{
    const struct fuzz_text *word = &fuzz_words[random_below(count_texts(fuzz_words))];
    const struct fuzz_text *seed = &fuzz_seeds[random_below(count_texts(fuzz_seeds))];
    size_t at = random_below(input->size + 1);
    size_t rest = input->size - at;
    uint8_t byte = (uint8_t)random_below(256);

    switch (random_below(7)) {
    case 0:
        if (rest > 0)
            input->bytes[at] = byte;
        break;
    case 1:
        if (rest > 0)
            input->bytes[at] ^= (uint8_t)(1u << random_below(8));
        break;
    case 2:
        insert(input, at, &byte, 1);
        break;
    case 3:
        if (rest > 0) {
            size_t cut = 1 + random_below(rest < 16 ? rest : 16);

            memmove(input->bytes + at, input->bytes + at + cut, rest - cut);
            input->size -= cut;
        }
        break;
    case 4:
        input->size = at;
        break;
    case 5:
        insert(input, at, word->bytes, word->size);
        break;
    case 6:
        if (seed->size > 0) {
            size_t from = random_below(seed->size);

            insert(input, at, seed->bytes + from, 1 + random_below(seed->size - from));
        }
        break;
    }
}

int main(int argc, char **argv)
{
    const size_t seeds = count_texts(fuzz_seeds);
    bool done = true;
    size_t round, changes;
    int i;

    printf("1..1\n");
    fflush(stdout);
    for (i = 1; i < argc; i++)
        done = run_file(argv[i]) && done;
    for (round = 0; round < seeds; round++)
        run((const uint8_t *)fuzz_seeds[round].bytes, fuzz_seeds[round].size);
    for (round = 0; round < ROUNDS; round++) {
        const struct fuzz_text *seed = &fuzz_seeds[random_below(seeds)];
        struct input input = {.size = 0};

        insert(&input, 0, seed->bytes, seed->size);
        for (changes = 1 + random_below(MOST_CHANGES); changes > 0; changes--)
            mutate(&input);
        run(input.bytes, input.size);
    }
    printf("%s 1 - %d mutations of %zu seeds, %d files\n", done ? "ok" : "not ok", (int)ROUNDS,
           seeds, argc - 1);
    return done ? 0 : 1;
}
