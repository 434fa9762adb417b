/* diff.c - kldve diff: do two arrays of maps agree?  For pipelines: its exit status says so. */
#include "diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct diff_args {
    arg_list file;
    arg_list at_least, at_most;
    double part;
    const char *json;
    bool resize, quiet;
} diff_args;

static const arg_option options[] = {
    OPTION_REST(offsetof(diff_args, file)),
    OPTION_LIST("at-least", offsetof(diff_args, at_least), "NAME=X",
                "fail if a map has less than X of this measure; repeat for more"),
    OPTION_LIST("at-most", offsetof(diff_args, at_most), "NAME=X",
                "fail if a map has more than X of this measure; repeat for more"),
    OPTION_FLAG("resize", offsetof(diff_args, resize),
                "scale smaller maps up to the size of the larger ones"),
    OPTION_NUMBER("part", offsetof(diff_args, part), "X",
                  "the largest values that top_overlap compares: a part; default 0.02", 1e-9, 1),
    OPTION_STRING("json", offsetof(diff_args, json), "FILE",
                  "write all figures as JSON; - is standard output"),
    OPTION_FLAG("quiet", offsetof(diff_args, quiet), "print only what fails"),
    OPTION_END,
};

/* ---- what people read --------------------------------------------------------------------- */

enum { NUMBER_SIZE = 32 };

static const char *number_text(double value, char text[NUMBER_SIZE])
{
    snprintf(text, NUMBER_SIZE, isnan(value) ? "-" : "%.6g", value);
    return text;
}

static void print_figures(const diff_measures *m, const diff_figures *f)
{
    char least[NUMBER_SIZE], mean[NUMBER_SIZE], most[NUMBER_SIZE];

    if (f->maps > 1)
        printf("%d maps           %12s  %12s  %12s\n", (int)f->maps, "least", "mean", "most");
    for (int32_t i = 0; i < m->count; i++) {
        const diff_figure *x = &f->figure[i];

        if (f->maps == 1)
            printf("%-16s  %s\n", m->metric[i]->name, number_text(x->mean, mean));
        else
            printf("%-16s  %12s  %12s  %12s\n", m->metric[i]->name, number_text(x->least, least),
                   number_text(x->mean, mean), number_text(x->most, most));
    }
}

static void complain_bound(const diff_measures *m, const diff_figures *f, const diff_bound *b)
{
    const char *name = m->metric[b->measure]->name;
    char where[NUMBER_SIZE] = "";
    int32_t map;
    double value = diff_decides(f, b, &map);

    if (f->maps > 1)
        snprintf(where, sizeof where, " of map %d", (int)map);
    if (isnan(value))
        complain("%s%s does not exist: a map is constant, or too small for it", name, where);
    else
        complain("%s%s is %.9g, %s %.9g by %.3g", name, where, value,
                 b->at_most ? "above" : "below", b->limit, fabs(value - b->limit));
}

/* Whether every bound holds; says of each that does not by how much. */
static bool keep_bounds(const diff_measures *m, const diff_figures *f, const diff_bounds *bounds)
{
    bool ok = true;

    for (int32_t i = 0; i < bounds->count; i++)
        if (!diff_holds(f, &bounds->bound[i])) {
            complain_bound(m, f, &bounds->bound[i]);
            ok = false;
        }
    return ok;
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* ---- the command -------------------------------------------------------------------------- */

static bool compare(const diff_args *args, kldve_ctx *ctx, const diff_measures *m,
                    const diff_bounds *bounds)
{
    diff_maps a = {0}, b = {0};
    diff_figures f = {0};
    bool ok = diff_load(&a, args->file.text[0]) && diff_load(&b, args->file.text[1]) &&
              diff_match(ctx, &a, &b, args->resize) &&
              diff_figures_make(&f, ctx, m, &a, &b, args->part);

    if (ok && !args->quiet && !is_stdout(args->json))
        print_figures(m, &f);
    ok = ok && output_flush() &&
         (!args->json || diff_write_json(args->json, &a, &b, m, &f, bounds)) &&
         keep_bounds(m, &f, bounds);
    diff_figures_free(&f);
    diff_free(&a);
    diff_free(&b);
    return ok;
}

static int check_args(const diff_args *args, const diff_measures *m, diff_bounds *bounds)
{
    const guard_output output = {"--json", args->json};

    int status;

    if (args->file.count < 2)
        return args_usage("diff", "give two files, A.npy and B.npy");
    if ((status = diff_bounds_read(bounds, m, &args->at_least, &args->at_most)) != EXIT_DONE)
        return status;
    for (int i = 0; status == EXIT_DONE && i < 2; i++)
        status = guard_input("diff", args->file.text[i], &output, 1);
    return status == EXIT_DONE ? guard_writable(&output, 1) : status;
}

static int run(const diff_args *args)
{
    diff_measures measures;
    diff_bounds bounds = {0};
    kldve_ctx *ctx = NULL;
    int status;

    diff_measures_list(&measures);
    status = check_args(args, &measures, &bounds);
    if (status == EXIT_DONE && kldve_ctx_new(NULL, &ctx) != KLDVE_OK) {
        complain("out of memory");
        status = EXIT_FAILED;
    }
    if (status == EXIT_DONE && !compare(args, ctx, &measures, &bounds))
        status = EXIT_FAILED;
    kldve_ctx_free(ctx);
    free(bounds.bound);
    return status;
}

static int command_diff(const arg_command *command, int argc, char **argv)
{
    diff_args args;
    int32_t count;
    int status;

    memset(&args, 0, sizeof args);
    count = args_parse(command, argc, argv, &args);
    status = count < 0 ? args_status(count) : run(&args);
    args_free(command, &args);
    return status;
}

static const arg_example examples[] = {
    {"Of two maps that kldve explain --map has written:",
     "kldve diff a.npy b.npy --at-least pearson=0.9"},
    {NULL, NULL},
};

const arg_command diff_command = {
    .name = "diff",
    .group = "Measure explanations:",
    .line = "how far two arrays of maps agree, and whether that is enough",
    .files = ".npy",
    .example = examples,
    .usage = "A.npy B.npy [options]",
    .summary =
        "Say how far the maps of two arrays agree: one map each, or equally many.  Exit status\n"
        "0: every bound holds, 1: one does not, or a file is bad, 2: wrong usage.",
    .notes =
        "Axes of length 1 do not count; of the others the last two are rows and columns, and "
        "the\nrest counts maps.  A bound holds if every map keeps it.  kldve metrics says what "
        "the\nmeasures are.\n",
    .option = options,
    .max_rest = 2,
    .run = command_diff,
};
