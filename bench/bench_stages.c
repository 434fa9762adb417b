/* bench_stages.c - where does the time of an explanation go?
 *
 *     bench-stages PICTURE ROUNDS [--threads N] [--json FILE] [--marks] NETWORK.onnx...
 *
 * For each network, prints the median of every stage over ROUNDS, in milliseconds, from a file and
 * a picture to a picture in memory, with the reading `contrast`, and of their sum without loading.
 * The first round is not counted: it reads the files from disk.  Loading takes long and is repeated
 * only once per ten rounds, plus once.  The card beside the network says how the picture becomes
 * its input; the network "-" is the built-in one.  --marks prints lines "mark STAGE" where forward
 * and backward passes begin, between the lines of DNNL_VERBOSE=1, for layers.py. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

#include "bench.h"

enum { LOAD, DECODE, PREPROCESS, FORWARD, DIVERGENCE, BACKWARD, REDUCE, RENDER, TOTAL, STAGES };

static const char *const stage_name[STAGES] = {"load",    "decode",     "preprocess",
                                               "forward", "divergence", "backward",
                                               "reduce",  "render",     "total"};

typedef struct bench {
    const char *picture, *model; /* model: NULL for the built-in one */
    size_t rounds, loads;        /* of the two kinds of samples */
    kldve_onnx_options options;
    kldve_ctx *ctx;
    double *sample[STAGES]; /* [rounds], the load [loads] */
} bench;

static void must(const bench *b, kldve_status st)
{
    if (st < 0)
        die("libkldve", kldve_ctx_message(b->ctx));
}

/* Milliseconds to load, plan and open the network. */
static double load(const bench *b, kldve_explainer **explainer)
{
    double start = now();

    must(b, kldve_onnx_explainer(b->ctx, b->model, &b->options, explainer));
    return now() - start;
}

/* All other stages once, [STAGES] milliseconds. */
static void explain(const bench *b, kldve_explainer *explainer, double *ms)
{
    kldve_timings stage = {.struct_size = sizeof stage};
    kldve_image *photo = NULL, *drawn = NULL;
    kldve_heatmap *map = NULL;
    double start = now();

    must(b, kldve_image_load(b->ctx, b->picture, &photo));
    ms[DECODE] = now() - start;
    must(b, kldve_explain(explainer, photo, NULL, &map));
    must(b, kldve_heatmap_timings(map, &stage));
    ms[PREPROCESS] = stage.preprocess;
    ms[FORWARD] = stage.forward;
    ms[DIVERGENCE] = stage.divergence;
    ms[BACKWARD] = stage.backward;
    ms[REDUCE] = stage.reduce;
    start = now();
    must(b, kldve_heatmap_render(b->ctx, map, photo, NULL, &drawn));
    ms[RENDER] = now() - start;
    ms[TOTAL] = 0;
    for (int s = DECODE; s <= RENDER; s++)
        ms[TOTAL] += ms[s];
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
}

static int32_t mark(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)opaque;
    (void)total;
    if (done == 0)
        printf("mark %s\n", stage);
    return 0;
}

/* -> medians [STAGES] */
static void measure(bench *b, double *medians)
{
    double ms[STAGES];
    kldve_explainer *explainer = NULL;

    for (size_t i = 0; i <= b->loads; i++) {
        ms[LOAD] = load(b, &explainer);
        if (i > 0)
            b->sample[LOAD][i - 1] = ms[LOAD];
        if (i < b->loads)
            kldve_explainer_free(explainer);
    }
    for (size_t i = 0; i <= b->rounds; i++) {
        explain(b, explainer, ms);
        for (int s = DECODE; s < STAGES && i > 0; s++)
            b->sample[s][i - 1] = ms[s];
    }
    kldve_explainer_free(explainer);
    for (int s = 0; s < STAGES; s++)
        medians[s] = median(b->sample[s], s == LOAD ? b->loads : b->rounds);
}

static void head(void)
{
    printf("| %-24s |", "ms");
    for (int s = 0; s < STAGES; s++)
        printf(" %10s |", stage_name[s]);
    printf("\n|---|");
    for (int s = 0; s < STAGES; s++)
        printf("---:|");
    printf("\n");
}

static void report(const bench *b, const double *medians, FILE *json, bool first)
{
    const char *slash = b->model ? strrchr(b->model, '/') : NULL;
    const char *name = slash ? slash + 1 : b->model ? b->model : "built-in";

    printf("| %-24s |", name);
    for (int s = 0; s < STAGES; s++)
        printf(" %10.3f |", medians[s]);
    printf("\n");
    fflush(stdout);
    if (!json)
        return;
    fprintf(json, "%s\n  {\"model\": \"%s\", \"threads\": %d, \"rounds\": %zu", first ? "[" : ",",
            name, (int)b->options.threads, b->rounds);
    for (int s = 0; s < STAGES; s++)
        fprintf(json, ", \"%s_ms\": %.4f", stage_name[s], medians[s]);
    fprintf(json, "}");
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "bench-stages PICTURE ROUNDS [--threads N] [--json FILE] [--marks] NETWORK.onnx...";
    bench b = {.options = {.struct_size = sizeof b.options}};
    const char *json_path = NULL;
    bool marks = false;
    FILE *json = NULL;
    double medians[STAGES];
    int at = 3;

    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at++)
        if (strcmp(argv[at], "--threads") == 0)
            b.options.threads = number(argv[++at], 1024);
        else if (strcmp(argv[at], "--json") == 0)
            json_path = argv[++at];
        else if (strcmp(argv[at], "--marks") == 0)
            marks = true;
        else
            die("usage", usage);
    if (argc <= at)
        die("usage", usage);
    b.picture = argv[1];
    b.rounds = (size_t)number(argv[2], 1000000);
    b.loads = 1 + b.rounds / 10;
    for (int s = 0; s < STAGES; s++)
        if (!(b.sample[s] = malloc((b.rounds + 1) * sizeof(double))))
            die("samples", "out of memory");
    if (json_path && !(json = fopen(json_path, "w")))
        die(json_path, strerror(errno));
    if (kldve_ctx_new(NULL, &b.ctx) < 0)
        die("libkldve", "out of memory");
    if (marks)
        kldve_ctx_set_progress(b.ctx, mark, NULL);
    head();
    for (int i = at; i < argc; i++) {
        b.model = strcmp(argv[i], "-") ? argv[i] : NULL;
        measure(&b, medians);
        report(&b, medians, json, i == at);
    }
    if (json && (fprintf(json, "\n]\n") < 0 || fclose(json) != 0))
        die(json_path, "cannot write");
    for (int s = 0; s < STAGES; s++)
        free(b.sample[s]);
    kldve_ctx_free(b.ctx);
    return 0;
}
