/* guard.c - no output takes the place of an input or of another output, whatever the two are
 * called: files are compared by device and inode, files that do not exist yet by their folder and
 * name.  Pipes and devices may be anything. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* "-" is whatever standard input or output has been sent to. */
static bool stat_file(const char *path, int standard, struct stat *st)
{
    return strcmp(path, "-") == 0 ? fstat(standard, st) == 0 : stat(path, st) == 0;
}

/* `standard`: what "-" means as the name of `a`; b is an output. */
static bool same_file(const char *a, int standard, const char *b)
{
    struct stat one, other;
    bool has_one = stat_file(a, standard, &one), has_other = stat_file(b, STDOUT_FILENO, &other);

    if (has_one && has_other)
        return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    return !has_one && !has_other && strcmp(name_of(a), name_of(b)) == 0 && stat_folder(a, &one) &&
           stat_folder(b, &other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static const char *said_name(const char *path, const char *standard)
{
    return strcmp(path, "-") == 0 ? standard : path;
}

int guard_input(const char *command, const char *input, const guard_output *outputs, int32_t count)
{
    for (int32_t i = 0; input && i < count; i++)
        if (outputs[i].path && same_file(input, STDIN_FILENO, outputs[i].path))
            return args_usage(command,
                              "%s %s would overwrite %s, which is read: give the output another "
                              "name",
                              outputs[i].option, outputs[i].path,
                              said_name(input, "standard input"));
    return EXIT_DONE;
}

static int guard_pair(const char *command, const guard_output *a, const guard_output *b)
{
    if (!a->path || !b->path)
        return EXIT_DONE;
    if (strcmp(a->path, "-") == 0 && strcmp(b->path, "-") == 0)
        return args_usage(command,
                          "%s - and %s - cannot share standard output: give one of them "
                          "a file",
                          a->option, b->option);
    if (same_file(a->path, STDOUT_FILENO, b->path))
        return args_usage(command, "%s %s and %s %s are one file: give each its own name",
                          a->option, a->path, b->option, b->path);
    return EXIT_DONE;
}

int guard_outputs(const char *command, const guard_output *outputs, int32_t count)
{
    int status = EXIT_DONE;

    for (int32_t i = 0; i < count; i++)
        for (int32_t j = 0; status == EXIT_DONE && j < i; j++)
            status = guard_pair(command, &outputs[j], &outputs[i]);
    return status;
}

int guard_writable(const guard_output *outputs, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (outputs[i].path && !output_can_write(outputs[i].path))
            return EXIT_FAILED;
    return EXIT_DONE;
}

char *card_beside(const char *model)
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

/* The files that a card names: values of inputs and, where the command line names none, labels. */
static int guard_card(const char *command, const kldve_card *card, bool labels,
                      const guard_output *outputs, int32_t count)
{
    kldve_card_value v = {.struct_size = sizeof v};
    int status = EXIT_DONE;

    if (labels)
        status = guard_input(command, kldve_card_labels(card), outputs, count);
    for (int32_t i = 0; status == EXIT_DONE && kldve_card_value_at(card, i, &v) == KLDVE_OK; i++)
        status = guard_input(command, v.file, outputs, count);
    return status;
}

/* A card that cannot be read is refused when it is needed. */
static int guard_files_of(const char *command, const char *card, bool labels,
                          const guard_output *outputs, int32_t count)
{
    kldve_ctx *ctx = NULL;
    kldve_card *read = NULL;
    int status = EXIT_DONE;

    if (kldve_ctx_new(NULL, &ctx) == KLDVE_OK && kldve_card_load(ctx, card, &read) == KLDVE_OK)
        status = guard_card(command, read, labels, outputs, count);
    kldve_card_free(read);
    kldve_ctx_free(ctx);
    return status;
}

/* ---- weights beside a network -------------------------------------------------------------- */

typedef struct weights_guard {
    const char *command;
    const guard_output *outputs;
    int32_t count;
    int status;
} weights_guard;

static kldve_status guard_weights(void *opaque, const char *file)
{
    weights_guard *g = opaque;

    g->status = guard_input(g->command, file, g->outputs, g->count);
    return g->status == EXIT_DONE ? KLDVE_OK : KLDVE_E_ARG;
}

/* Only a file that exists can be one of weights. */
static bool any_exists(const guard_output *outputs, int32_t count)
{
    struct stat st;

    for (int32_t i = 0; i < count; i++)
        if (outputs[i].path && stat_file(outputs[i].path, STDOUT_FILENO, &st))
            return true;
    return false;
}

/* The files of weights that a network names.  One that cannot be read is refused when it is loaded.
 */
static int guard_weights_of(const char *command, const char *model, const guard_output *outputs,
                            int32_t count)
{
    weights_guard g = {command, outputs, count, EXIT_DONE};
    kldve_ctx *ctx = NULL;
    kldve_status status;

    if (!model || !any_exists(outputs, count) || kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return EXIT_DONE;
    status = kldve_onnx_weight_files(ctx, model, guard_weights, &g);
    kldve_ctx_free(ctx);
    return status == KLDVE_OK ? EXIT_DONE : g.status;
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
    if (status == EXIT_DONE && card && !input_is_pipe(card))
        status = guard_files_of(command, card, !args->labels, outputs, count);
    if (status == EXIT_DONE)
        status = guard_weights_of(command, args->model, outputs, count);
    for (int32_t i = 0; status == EXIT_DONE && i < args->input.count; i++)
        status = guard_input(command, given_file(args->input.text[i]), outputs, count);
    free(beside);
    return status;
}
