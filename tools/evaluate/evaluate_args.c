/* evaluate_args.c - the command line of kldve evaluate. */
#include "evaluate.h"
#include "many/cores.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *ask_choice(int32_t index)
{
    static const char *const names[] = {"target", "label", "alone"};

    return index >= 0 && index < 3 ? names[index] : NULL;
}

#define AT(member) offsetof(evaluate_args, member)

const arg_option evaluate_options[] = {
    GRID_METHOD_OPTIONS(evaluate_args, grid),
    OPTION_CHOICE("ask", AT(ask), "WHAT",
                  "the class: --target's (default), the label; of a mosaic: the photo's",
                  ask_choice),
    OPTION_GROUP("The data set:"),
    DATASET_OPTIONS(evaluate_args, data),
    OPTION_GROUP("What to measure, and where to:"),
    OPTION_LIST("metric", AT(metric), "NAME",
                "NAME:KEY=VALUE... with options, a family, or all; repeat for more"),
    OPTION_STRING("randomise", AT(randomise), "KIND:LAYER",
                  "cascade or independent, layer from the scores; default cascade:0"),
    OPTION_INT("randomise-seed", AT(randomise_seed), "N", "of it; default 0", 0, INT32_MAX),
    OPTION_STRING("db", AT(db), "FILE",
                  "the database of the results, which goes on where it ended"),
    OPTION_STRING("shard", AT(shard), "I/N", "only part I of N, for kldve merge"),
    OPTION_GROUP("The results:"),
    RESULTS_OPTIONS(evaluate_args, results),
    GRID_NETWORK_OPTIONS(evaluate_args, grid),
    OPTION_END,
};

static const char command_name[] = "evaluate";

/* "2/8" */
static int read_shard(evaluate_args *a)
{
    char *end = NULL;
    long part, parts = 1;

    a->parts = 1;
    if (!a->shard)
        return EXIT_DONE;
    part = strtol(a->shard, &end, 10);
    if (end != a->shard && *end == '/' && end[1] >= '0' && end[1] <= '9')
        parts = strtol(end + 1, &end, 10);
    if (*a->shard < '0' || *a->shard > '9' || *end || part < 1 || parts < part || parts > INT32_MAX)
        return args_usage(command_name, "--shard: '%s' is not I/N, part I of N, from 1/N to N/N",
                          a->shard);
    a->part = (int32_t)part - 1;
    a->parts = (int32_t)parts;
    return EXIT_DONE;
}

/* "cascade:3" */
static int read_randomise(evaluate_args *a)
{
    const char *colon = a->randomise ? strchr(a->randomise, ':') : NULL;
    char *end = NULL;
    long layer = 0;

    a->kind = KLDVE_RANDOMISE_CASCADE;
    if (!a->randomise)
        return EXIT_DONE;
    if (strncmp(a->randomise, "independent:", strlen("independent:")) == 0)
        a->kind = KLDVE_RANDOMISE_INDEPENDENT;
    else if (strncmp(a->randomise, "cascade:", strlen("cascade:")) != 0)
        colon = NULL;
    if (colon && colon[1] >= '0' && colon[1] <= '9')
        layer = strtol(colon + 1, &end, 10);
    if (!end || *end || layer > INT32_MAX)
        return args_usage(command_name,
                          "--randomise: '%s' is not cascade:LAYER or independent:LAYER, the layers "
                          "numbered from 0, the one of the scores",
                          a->randomise);
    a->layer = (int32_t)layer;
    return EXIT_DONE;
}

static int check_ask(const evaluate_args *a)
{
    if (a->grid.target.count > 1)
        return args_usage(command_name, "--target: one class is explained of each picture, so give "
                                        "it once");
    if (a->grid.target.count > 0 && a->ask > ASK_TARGET)
        return args_usage(command_name, "--target changes nothing beside --ask %s",
                          ask_choice(a->ask - 1));
    if (a->ask == ASK_ALONE && a->data.mosaic == 0)
        return args_usage(command_name, "--ask alone is for --mosaic");
    if (a->ask == ASK_TARGET && a->data.mosaic > 0)
        return args_usage(command_name, "--ask target: a mosaic is asked for the class of each of "
                                        "its photographs: give --ask label or alone");
    if (a->grid.pick.over)
        return args_usage(command_name, "--over is of one picture: give --at or --box");
    return EXIT_DONE;
}

/* What can be said about metrics before the data set is known. */
static int check_metrics(const evaluate_args *a)
{
    const measure_can all = {.truth = true, .other = true};
    measure *list = malloc(MEASURES * sizeof *list);
    int32_t count;
    int status = EXIT_FAILED;

    if (list)
        status = measures_read(command_name, &a->metric, &all, list, &count);
    else
        complain("out of memory");
    free(list);
    return status;
}

static int check_outputs(const arg_command *command, const evaluate_args *a)
{
    const guard_output outputs[] = {{"--db", a->db},
                                    {"--json", a->results.json},
                                    {"--csv", a->results.csv},
                                    {"--export", a->results.numbers},
                                    {"--page", a->results.page}};
    enum { OUTPUTS = sizeof outputs / sizeof *outputs };
    int status;

    if (!a->db)
        return args_usage(command_name, "--db FILE is missing: the results go into a database");
    if ((status = results_check_args(command_name, &a->results, a->db)) != EXIT_DONE ||
        (status = grid_guard(command, &a->grid, outputs, OUTPUTS)) != EXIT_DONE ||
        (status = guard_input(command_name, a->data.path, outputs, OUTPUTS)) != EXIT_DONE)
        return status;
    return guard_input(command_name, a->data.classes, outputs, OUTPUTS);
}

bool evaluate_spares(const evaluate_args *a, const dataset *d)
{
    const guard_output outputs[] = {{"--json", a->results.json},
                                    {"--csv", a->results.csv},
                                    {"--export", a->results.numbers},
                                    {"--page", a->results.page}};
    enum { OUTPUTS = sizeof outputs / sizeof *outputs };
    bool given = false;
    int status = EXIT_DONE;

    for (int i = 0; i < OUTPUTS; i++) /* only what exists can be a picture */
        given = given || (outputs[i].path && access(outputs[i].path, F_OK) == 0);
    for (int32_t i = 0; given && status == EXIT_DONE && i < d->photos; i++)
        status = guard_input(command_name, d->photo[i].path, outputs, OUTPUTS);
    for (int32_t i = 0; given && status == EXIT_DONE && i < d->questions; i++)
        for (int64_t k = 0; status == EXIT_DONE && k < d->question[i].pieces; k++) {
            const dataset_piece *piece = &d->piece[d->question[i].first + k];

            if (piece->kind == DATASET_MASK)
                status = guard_input(command_name, piece->at.mask, outputs, OUTPUTS);
        }
    return status == EXIT_DONE;
}

static int check(const arg_command *command, evaluate_args *a)
{
    int status;

    if (a->grid.picture.count == 0)
        return args_usage(command_name, "a data set is missing: kldve evaluate [NET.onnx...] "
                                        "DATASET");
    a->data.path = a->grid.picture.text[0];
    a->grid.picture.count = 0; /* it is no picture of a grid */
    if ((status = grid_finish_args(command, &a->grid)) != EXIT_DONE ||
        (status = dataset_check_args(command_name, &a->data)) != EXIT_DONE ||
        (status = read_shard(a)) != EXIT_DONE || (status = read_randomise(a)) != EXIT_DONE ||
        (status = check_ask(a)) != EXIT_DONE || (status = check_metrics(a)) != EXIT_DONE)
        return status;
    return check_outputs(command, a);
}

int evaluate_read_args(const arg_command *command, int argc, char **argv, evaluate_args *a,
                       bool *go)
{
    int32_t n;

    *go = false;
    memset(a, 0, sizeof *a);
    n = args_parse(command, argc, argv, a);
    if (n < 0)
        return args_status(n);
    *go = true;
    return check(command, a);
}

void evaluate_free_args(const arg_command *command, evaluate_args *a)
{
    grid_free_args(command, &a->grid);
}

int32_t evaluate_threads(const evaluate_args *a, int32_t processes)
{
    return a->grid.network[0].threads > 0 ? a->grid.network[0].threads : cores_here(processes);
}
