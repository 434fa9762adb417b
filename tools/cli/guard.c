/* guard.c - no output takes the place of an input or of another output, whatever the two are
 * called: files are compared by device and inode, files that do not exist yet by their folder and
 * name.  Pipes and devices may be anything. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The folder of `path` -> *st; false if there is none. */
static bool stat_folder(const char *path, struct stat *st)
{
    size_t n = (size_t)(name_of(path) - path);
    char *folder = malloc(n + 2);
    bool found = false;

    if (folder) {
        memcpy(folder, path, n);
        memcpy(folder + n, ".", 2); /* "a/" -> "a/." */
        found = stat(folder, st) == 0;
    }
    free(folder);
    return found;
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, other;
    bool has_one = stat(a, &one) == 0, has_other = stat(b, &other) == 0;

    if (has_one && has_other)
        return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    return !has_one && !has_other && strcmp(name_of(a), name_of(b)) == 0 && stat_folder(a, &one) &&
           stat_folder(b, &other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static bool is_file(const char *path)
{
    return path && strcmp(path, "-") != 0;
}

int guard_input(const char *command, const char *input, const guard_output *outputs, int32_t count)
{
    for (int32_t i = 0; input && i < count; i++)
        if (is_file(outputs[i].path) && same_file(input, outputs[i].path))
            return args_usage(command,
                              "%s %s would overwrite %s, which is read: give the output another "
                              "name",
                              outputs[i].option, outputs[i].path, input);
    return EXIT_DONE;
}

int guard_outputs(const char *command, const guard_output *outputs, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        for (int32_t j = 0; is_file(outputs[i].path) && j < i; j++)
            if (is_file(outputs[j].path) && same_file(outputs[i].path, outputs[j].path))
                return args_usage(command, "%s %s and %s %s are one file: give each its own name",
                                  outputs[j].option, outputs[j].path, outputs[i].option,
                                  outputs[i].path);
    return EXIT_DONE;
}

/* NAME.card.json beside NAME.onnx; NULL: out of memory. */
static char *card_beside(const char *model)
{
    static const char model_ending[] = ".onnx", ending[] = ".card.json";
    size_t n = strlen(model), m = strlen(model_ending);
    char *path = malloc(n + sizeof ending);

    if (n > m && strcmp(model + n - m, model_ending) == 0)
        n -= m;
    if (path) {
        memcpy(path, model, n);
        memcpy(path + n, ending, sizeof ending);
    }
    return path;
}

/* The labels that a card names.  A card that cannot be read is refused when it is needed. */
static int guard_labels_of(const char *command, const char *card, const guard_output *outputs,
                           int32_t count)
{
    kldve_ctx *ctx = NULL;
    kldve_card *read = NULL;
    int status = EXIT_DONE;

    if (kldve_ctx_new(NULL, &ctx) == KLDVE_OK && kldve_card_load(ctx, card, &read) == KLDVE_OK)
        status = guard_input(command, kldve_card_labels(read), outputs, count);
    kldve_card_free(read);
    kldve_ctx_free(ctx);
    return status;
}

int guard_network(const char *command, const network_args *args, const guard_output *outputs,
                  int32_t count)
{
    char *beside = args->model && !args->card ? card_beside(args->model) : NULL;
    const char *card = args->card ? args->card : beside;
    int status = guard_input(command, args->model, outputs, count);

    if (status == EXIT_DONE)
        status = guard_input(command, args->labels, outputs, count);
    if (status == EXIT_DONE)
        status = guard_input(command, card, outputs, count);
    if (status == EXIT_DONE && card && !args->labels)
        status = guard_labels_of(command, card, outputs, count);
    for (int32_t i = 0; status == EXIT_DONE && i < args->input.count; i++)
        status = guard_input(command, given_file(args->input.text[i]), outputs, count);
    free(beside);
    return status;
}
