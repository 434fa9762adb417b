/* driver.c - a stand-in for libFuzzer, so that harnesses run as ordinary tests with any compiler:
 *
 *     PROGRAM ROUNDS FILE|FOLDER...
 *
 * passes on each file unchanged, then ROUNDS times changed: by the harness's own mutator where it
 * has one, else some bytes are changed, removed, repeated or taken from another file.  The same
 * arguments give the same inputs.  It fails by crashing; with KLDVE_FUZZ_KEEP=FILE in the
 * environment the input is then in FILE. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mutator.h"

enum { INPUT_MAX = 65536, FILES_MAX = 1024, PATH_SIZE = 1024 };

struct input {
    size_t nbytes;
    uint8_t bytes[INPUT_MAX];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);
#pragma weak LLVMFuzzerCustomMutator /* a harness may have one */

static char *paths[FILES_MAX];
static size_t files;
static uint64_t seed = 88172645463325252u;
static struct input original, other, input;

static size_t below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? (size_t)(seed >> 11) % n : 0;
}

/* ---- files -------------------------------------------------------------------------------- */

static void add_file(const char *path)
{
    size_t n = strlen(path) + 1;

    if (files == FILES_MAX || !(paths[files] = malloc(n))) {
        fprintf(stderr, "%s: too many files\n", path);
        exit(1);
    }
    memcpy(paths[files++], path, n);
}

static int by_name(const void *left, const void *right)
{
    char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

static void add_folder(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    char path[PATH_SIZE];
    size_t from = files;

    while (d && (entry = readdir(d)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            add_file(path);
        }
    if (d)
        closedir(d);
    qsort(paths + from, files - from, sizeof *paths, by_name);
}

static void add_path(const char *path)
{
    struct stat s;

    if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        add_folder(path);
    else
        add_file(path);
}

static void load(const char *path, struct input *to)
{
    FILE *f = fopen(path, "rb");

    if (!f) {
        perror(path);
        exit(1);
    }
    to->nbytes = fread(to->bytes, 1, INPUT_MAX, f);
    fclose(f);
}

/* ---- changes ------------------------------------------------------------------------------ */

/* Bytes [nbytes] with one change, at most `room` of them. */
static size_t change(uint8_t *bytes, size_t nbytes, size_t room)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x10, 0x40};
    size_t at = below(nbytes), n = 1 + below(16), from = below(other.nbytes);

    if (nbytes == 0)
        return 0;
    if (n > nbytes - at)
        n = nbytes - at;
    switch (below(6)) {
    case 0: /* one bit */
        bytes[at] ^= (uint8_t)(1 << below(8));
        break;
    case 1: /* one byte */
        bytes[at] = odd[below(sizeof odd)];
        break;
    case 2: /* several bytes */
        memset(bytes + at, odd[below(sizeof odd)], n);
        break;
    case 3: /* some less */
        memmove(bytes + at, bytes + at + n, nbytes - at - n);
        return nbytes - n;
    case 4: /* some twice */
        if (nbytes + n > room)
            break;
        memmove(bytes + at + n, bytes + at, nbytes - at);
        return nbytes + n;
    default: /* some of another */
        if (n > other.nbytes - from)
            n = other.nbytes - from;
        memcpy(bytes + at, other.bytes + from, n);
        break;
    }
    return nbytes;
}

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t nbytes, size_t room)
{
    return change(bytes, nbytes, room);
}

static void change_input(void)
{
    for (size_t changes = 1 + below(4); changes > 0; changes--)
        if (LLVMFuzzerCustomMutator)
            input.nbytes = LLVMFuzzerCustomMutator(input.bytes, input.nbytes, INPUT_MAX,
                                                   (unsigned)below(1u << 31));
        else
            input.nbytes = change(input.bytes, input.nbytes, INPUT_MAX);
}

/* ---- runs --------------------------------------------------------------------------------- */

/* What a crash leaves: written beforehand, because nothing can be trusted afterwards. */
static void keep(const struct input *in)
{
    const char *path = getenv("KLDVE_FUZZ_KEEP");
    FILE *f = path ? fopen(path, "wb") : NULL;

    if (!f)
        return;
    fwrite(in->bytes, 1, in->nbytes, f);
    fclose(f);
}

/* A copy of exactly its length, for sanitizers to guard. */
static void run(const struct input *in)
{
    uint8_t *copy = malloc(in->nbytes ? in->nbytes : 1);

    if (!copy)
        abort();
    keep(in);
    memcpy(copy, in->bytes, in->nbytes);
    LLVMFuzzerTestOneInput(copy, in->nbytes);
    free(copy);
}

int main(int argc, char **argv)
{
    long rounds;

    if (argc < 3)
        return 2;
    rounds = strtol(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++)
        add_path(argv[i]);
    for (size_t i = 0; i < files; i++) {
        load(paths[i], &original);
        run(&original);
        for (long round = 0; round < rounds; round++) {
            if (round % 64 == 0)
                load(paths[below(files)], &other);
            input = original;
            change_input();
            run(&input);
        }
    }
    printf("%zu files, %ld rounds of each\n", files, rounds);
    while (files > 0)
        free(paths[--files]);
    return 0;
}
