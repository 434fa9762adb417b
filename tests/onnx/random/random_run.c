/* random_run.c - what compare_random.py asks of networks with random parameters.
 *
 *   random_run MODEL                      a line "layer NAME" for each layer with parameters, from
 *                                         the logits, each with its lines "tensor TYPE COUNT NAME"
 *   random_run MODEL KIND LAYER SEED OTHER
 *       MODEL with random parameters (cascade, independent) against the file OTHER as it is:
 * logits, a batch and maps, bit for bit; and MODEL again afterwards against MODEL.  Prints the
 *       milliseconds of loading and of the random parameters, and the bytes that the latter take.
 *
 * Exits with 0, or with one line that says what differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/load.h"
#include "build/parameters.h"
#include "got.h"

static const char *const methods[] = {"grad-cam", "guided-backprop", "lrp-epsilon", "full-grad",
                                      "ablation-cam"};
enum {
    METHODS = sizeof methods / sizeof *methods,
    BATCH = 2,
    LARGE = 100000, /* numbers of an input from which on only some methods are compared */
    OF_LARGE = 2
};

static void end(const char *what)
{
    printf("%s\n", what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void list(kldve_ctx *ctx, const char *path)
{
    kldve_onnx *net = NULL;
    kx_parameters p;
    kx_arena arena;

    kx_arena_init(&arena, ctx);
    if (kldve_onnx_load(ctx, path, NULL, &net) < 0 ||
        kx_parameters_find(net->graph, net->choice.logits, &arena, &p) < 0)
        end(kldve_ctx_message(ctx));
    for (int32_t i = 0; i < p.layers; i++) {
        printf("layer %s\n", p.layer[i].name);
        for (int32_t k = p.layer[i].first; k < p.layer[i].first + p.layer[i].count; k++)
            printf("tensor %d %zu %s\n", (int)p.tensor[k]->dtype, p.tensor[k]->count,
                   p.tensor[k]->name);
    }
    kx_arena_free(&arena);
    kldve_onnx_free(net);
}

/* -- the same network twice ------------------------------------------------------------------- */

typedef struct opened {
    kldve_onnx *net;
    kldve_explainer *ex;
} opened;

/* Without a card: the other file has none. */
static opened open_net(kldve_ctx *ctx, const char *path)
{
    const kldve_onnx_options o = {
        .struct_size = sizeof o, .flags = KLDVE_ONNX_FLAG_VJP_INPUT, .batch = BATCH};
    opened n = {NULL, NULL};

    if (kldve_onnx_load(ctx, path, &o, &n.net) < 0 ||
        kldve_explainer_new(ctx, kldve_onnx_backend(), n.net, &n.ex) < 0)
        end(kldve_ctx_message(ctx));
    return n;
}

static void close_net(opened n)
{
    kldve_explainer_free(n.ex);
    kldve_onnx_free(n.net);
}

static size_t input_count(const kldve_explainer *ex, kldve_shape *s)
{
    s->struct_size = sizeof *s;
    if (kldve_explainer_shape(ex, s) < 0)
        end("no shape");
    return (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
}

static float *draw(size_t count)
{
    float *x = malloc(count * sizeof *x);

    if (!x)
        end("out of memory");
    for (size_t i = 0; i < count; i++)
        x[i] = (float)((i * 2654435761u) % 4096) / 1024 - 2;
    return x;
}

static void same_maps(const kldve_heatmap *a, const kldve_heatmap *b, const char *what)
{
    const float *x = NULL, *y = NULL;
    int32_t count = 0;
    size_t logits;
    const float *k = got_logits(a, &logits), *l = got_logits(b, &logits);

    if (kldve_heatmap_values(a, &x, &count) < 0 || kldve_heatmap_values(b, &y, &count) < 0)
        end("no map");
    if (memcmp(k, l, logits * sizeof *k) != 0)
        end("the logits differ");
    if (memcmp(x, y, (size_t)count * sizeof *x) != 0)
        end(what);
}

static void compare_one(kldve_explainer *a, kldve_explainer *b, const float *input,
                        const char *method)
{
    const kldve_options o = {.struct_size = sizeof o, .method = method};
    kldve_heatmap *x = NULL, *y = NULL;
    kldve_status first = kldve_explain_input(a, input, &o, &x);
    kldve_status second = kldve_explain_input(b, input, &o, &y);

    if (first != second)
        end("the maps end differently");
    if (first == KLDVE_OK)
        same_maps(x, y, method);
    kldve_heatmap_free(x);
    kldve_heatmap_free(y);
}

static void compare_batch(kldve_explainer *a, kldve_explainer *b, const float *inputs)
{
    kldve_heatmap *x[BATCH] = {NULL}, *y[BATCH] = {NULL};

    if (kldve_explain_inputs(a, inputs, BATCH, NULL, x) < 0 ||
        kldve_explain_inputs(b, inputs, BATCH, NULL, y) < 0)
        end("a batch fails");
    for (int i = 0; i < BATCH; i++) {
        same_maps(x[i], y[i], "a batch");
        kldve_heatmap_free(x[i]);
        kldve_heatmap_free(y[i]);
    }
}

static void compare(kldve_explainer *a, kldve_explainer *b)
{
    kldve_shape s;
    size_t count = input_count(a, &s);
    float *inputs = draw(BATCH * count);

    for (int i = 0; i < (count < LARGE ? METHODS : OF_LARGE); i++)
        compare_one(a, b, inputs + count, methods[i]);
    compare_batch(a, b, inputs);
    free(inputs);
}

/* A shuffle that changes nothing would pass every other test. */
static void differ(kldve_explainer *a, kldve_explainer *b)
{
    kldve_shape s;
    float *input = draw(input_count(a, &s));
    kldve_heatmap *x = NULL, *y = NULL;
    const float *k, *l;
    size_t logits;

    if (kldve_explain_input(a, input, NULL, &x) < 0 || kldve_explain_input(b, input, NULL, &y) < 0)
        end("no map");
    k = got_logits(x, &logits);
    l = got_logits(y, &logits);
    if (memcmp(k, l, logits * sizeof *k) == 0)
        end("random parameters change nothing");
    kldve_heatmap_free(x);
    kldve_heatmap_free(y);
    free(input);
}

static void randomise(kldve_ctx *ctx, char **argv)
{
    int32_t kind =
        strcmp(argv[2], "cascade") == 0 ? KLDVE_RANDOMISE_CASCADE : KLDVE_RANDOMISE_INDEPENDENT;
    int32_t layer = (int32_t)strtol(argv[3], NULL, 10);
    double start = now_ms(), loaded;
    opened random = open_net(ctx, argv[1]), file = open_net(ctx, argv[1]);
    opened other = open_net(ctx, argv[5]);
    size_t before = 0, now = 0;
    const char *note;

    loaded = (now_ms() - start) / 3;
    compare(random.ex, file.ex);
    if (kldve_ctx_memory(ctx, &before, NULL) < 0)
        end("no memory");
    start = now_ms();
    if (kldve_explainer_randomise(random.ex, kind, layer, strtoull(argv[4], NULL, 10)) < 0)
        end(kldve_ctx_message(ctx));
    printf("load %.1f ms, random %.1f ms", loaded, now_ms() - start);
    compare(random.ex, other.ex);
    differ(random.ex, file.ex);
    if (kldve_ctx_memory(ctx, &now, NULL) < 0)
        end("no memory");
    printf(", %.1f MB\n", ((double)now - (double)before) / 1e6);
    if (kldve_explainer_note(random.ex, 0, &note) < 0 || !strstr(note, "parameters are random"))
        end("no note says so");
    if (kldve_explainer_randomise(random.ex, KLDVE_RANDOMISE_NONE, 0, 0) < 0)
        end(kldve_ctx_message(ctx));
    compare(random.ex, file.ex);
    if (kldve_explainer_note(random.ex, 0, &note) == KLDVE_OK && strstr(note, "are random"))
        end("the note stays");
    close_net(random);
    close_net(file);
    close_net(other);
}

int main(int argc, char **argv)
{
    kldve_ctx *ctx = NULL;

    if ((argc != 2 && argc != 6) || kldve_ctx_new(NULL, &ctx) < 0)
        return 2;
    if (argc == 2)
        list(ctx, argv[1]);
    else
        randomise(ctx, argv);
    kldve_ctx_free(ctx);
    return 0;
}
