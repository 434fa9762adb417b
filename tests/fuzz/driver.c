/* driver.c - a stand-in for libFuzzer, so that harnesses run as ordinary tests with any compiler:
 *
 *     PROGRAM ROUNDS FILE...
 *
 * passes on each file unchanged, then ROUNDS times with some bytes changed, removed, repeated or
 * taken from another file.  The same arguments give the same inputs.  It fails by crashing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 65536 };

struct input {
    size_t nbytes;
    uint8_t bytes[INPUT_MAX];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

static uint64_t seed = 88172645463325252u;

static size_t below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? (size_t)(seed >> 11) % n : 0;
}

static int load(const char *path, struct input *input)
{
    FILE *f = fopen(path, "rb");

    if (!f) {
        perror(path);
        return -1;
    }
    input->nbytes = fread(input->bytes, 1, INPUT_MAX, f);
    fclose(f);
    return 0;
}

/* A copy of exactly its length, for sanitizers to guard. */
static void run(const struct input *input)
{
    uint8_t *copy = malloc(input->nbytes ? input->nbytes : 1);

    if (!copy)
        abort();
    memcpy(copy, input->bytes, input->nbytes);
    LLVMFuzzerTestOneInput(copy, input->nbytes);
    free(copy);
}

static void change(struct input *input, const struct input *other)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x10, 0x40};
    size_t at = below(input->nbytes), n = 1 + below(16), from = below(other->nbytes);

    if (input->nbytes == 0)
        return;
    if (n > input->nbytes - at)
        n = input->nbytes - at;
    switch (below(6)) {
    case 0: /* one bit */
        input->bytes[at] ^= (uint8_t)(1 << below(8));
        break;
    case 1: /* one byte */
        input->bytes[at] = odd[below(sizeof odd)];
        break;
    case 2: /* several bytes */
        memset(input->bytes + at, odd[below(sizeof odd)], n);
        break;
    case 3: /* some less */
        memmove(input->bytes + at, input->bytes + at + n, input->nbytes - at - n);
        input->nbytes -= n;
        break;
    case 4: /* some twice */
        if (input->nbytes + n <= INPUT_MAX) {
            memmove(input->bytes + at + n, input->bytes + at, input->nbytes - at);
            input->nbytes += n;
        }
        break;
    default: /* some of another */
        if (n > other->nbytes - from)
            n = other->nbytes - from;
        memcpy(input->bytes + at, other->bytes + from, n);
        break;
    }
}

int main(int argc, char **argv)
{
    static struct input original, other, input;
    long rounds;

    if (argc < 3)
        return 2;
    rounds = strtol(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++) {
        if (load(argv[i], &original) != 0)
            return 1;
        run(&original);
        for (long round = 0; round < rounds; round++) {
            if (round % 64 == 0 && load(argv[2 + below((size_t)argc - 2)], &other) != 0)
                return 1;
            input = original;
            for (size_t changes = 1 + below(4); changes > 0; changes--)
                change(&input, &other);
            run(&input);
        }
    }
    printf("%d files, %ld rounds of each\n", argc - 2, rounds);
    return 0;
}
