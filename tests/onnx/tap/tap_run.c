/* tap_run.c - what compare_tap.py asks of the engine.
 *
 *   tap_run --names MODEL LAYER     "input CHANNEL_AXIS DIM,DIM,... NAME", a line "tap NAME" for
 *                                   each tensor that a head takes, in its order, "logits NAME"
 *   tap_run --tap MODEL OUT NAME... MODEL with these tensors as outputs
 *   tap_run MODEL LAYER FOLDER      FOLDER/input, FOLDER/taps -> the largest difference between the
 *                                   whole network and its head: of feature maps and scores, in
 * parts of the largest, and of the maps by method, with milliseconds
 *
 * LAYER "-" is the default.  Exits with 0, or with one line that says why not. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kldve/onnx.h>

#include "got.h"
#include "onnx/networks/raw_files.h"

/* Without hires-cam and lafam: in front of a normalisation the sum of gradient times feature is 0
 * and behind one the mean of the maps, so their maps are rounding. */
static const char *const methods[] = {"kl-dve", "grad-cam", "layer-cam", "ablation-cam"};

enum { MOST_ABLATED = 256 /* maps: each takes a pass */ };

typedef struct loaded {
    kldve_onnx *net;
    kldve_explainer *explainer;
} loaded;

static void end(kldve_ctx *ctx)
{
    printf("%s\n", kldve_ctx_message(ctx));
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static kldve_onnx *load(kldve_ctx *ctx, const char *path, const char *layer, uint64_t flags)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .layer = strcmp(layer, "-") == 0 ? NULL : layer,
                                        .flags = flags};
    kldve_onnx *net = NULL;

    if (kldve_onnx_load(ctx, path, &options, &net) < 0)
        end(ctx);
    return net;
}

static size_t count_maps(const kldve_shape *s)
{
    return (size_t)s->maps * (size_t)s->height * (size_t)s->width;
}

static void list(kldve_ctx *ctx, const char *path, const char *layer)
{
    kldve_onnx *net = load(ctx, path, layer, KLDVE_ONNX_FLAG_HEAD);
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    kldve_onnx_choice c = {.struct_size = sizeof c};

    if (kldve_onnx_tensor_at(net, 0, &t) < 0)
        end(ctx);
    printf("input %d ", (int)t.channel_axis);
    for (int32_t i = 0; i < t.rank; i++)
        printf("%s%lld", i ? "," : "", (long long)t.dim[i]);
    printf(" %s\n", t.name);
    for (int32_t i = 0; kldve_onnx_tap_at(net, i, &t) == KLDVE_OK; i++)
        printf("tap %s\n", t.name);
    if (kldve_onnx_chosen(net, &c) == KLDVE_OK)
        printf("logits %s\n", c.logits);
    kldve_onnx_free(net);
}

static loaded open_as(kldve_ctx *ctx, const char *path, const char *layer, uint64_t flags)
{
    loaded l = {.net = load(ctx, path, layer, flags)};

    if (kldve_explainer_new(ctx, kldve_onnx_backend(), l.net, &l.explainer) < 0)
        end(ctx);
    return l;
}

static void close_it(loaded *l)
{
    kldve_explainer_free(l->explainer);
    kldve_onnx_free(l->net);
}

/* The map of a method, in `ms` milliseconds; NULL: refused. */
static kldve_heatmap *explain(kldve_explainer *ex, const char *method, const float *input,
                              const kldve_feature_maps *features, double *ms)
{
    const kldve_options options = {.struct_size = sizeof options, .method = method};
    double start = now_ms();
    kldve_heatmap *map = NULL;
    kldve_status st = features ? kldve_explain_features(ex, features, &options, &map)
                               : kldve_explain_input(ex, input, &options, &map);

    *ms = now_ms() - start;
    return st == KLDVE_OK ? map : NULL;
}

static double difference(const kldve_heatmap *a, const kldve_heatmap *b)
{
    kldve_record r = {.struct_size = sizeof r};
    double most = 0;

    if (kldve_heatmap_record(a, &r) < 0)
        return INFINITY;
    for (int32_t i = 0; i < r.height * r.width; i++)
        most = fmax(most, fabs((double)got_values(a)[i] - (double)got_values(b)[i]));
    return most;
}

/* Logits and feature maps of a pass, one behind the other. */
static float *pass(kldve_ctx *ctx, const kldve_onnx *net, const kldve_shape *s, const float *input)
{
    const kldve_backend *b = kldve_onnx_backend();
    size_t classes = (size_t)s->classes;
    float *out = raw_room(classes + count_maps(s));
    void *state = NULL;

    if (b->open(ctx, net, &state) < 0 || b->forward(state, input, out, out + classes) < 0)
        end(ctx);
    b->close(state);
    return out;
}

/* In parts of the largest. */
static double distance(const float *a, const float *b, size_t n)
{
    double most = 0, far = 0;

    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)a[i]));
        far = fmax(far, fabs((double)a[i] - (double)b[i]));
    }
    return most > 0 ? far / most : far;
}

static void compare_passes(kldve_ctx *ctx, const loaded *whole, const loaded *head,
                           const kldve_shape *s, const float *input, const float *taps)
{
    float *a = pass(ctx, whole->net, s, input), *b = pass(ctx, head->net, s, taps);
    size_t classes = s->single ? 1 : (size_t)s->classes;

    printf("features %.3g\nscores %.3g\n", distance(a + s->classes, b + s->classes, count_maps(s)),
           distance(a, b, classes));
    free(a);
    free(b);
}

static void compare(kldve_ctx *ctx, const char *path, const char *layer, const char *folder)
{
    loaded whole = open_as(ctx, path, layer, 0),
           head = open_as(ctx, path, layer, KLDVE_ONNX_FLAG_HEAD);
    kldve_shape s = {.struct_size = sizeof s};
    kldve_feature_maps f = {.struct_size = sizeof f};
    float *input, *taps;

    if (kldve_explainer_shape(head.explainer, &s) < 0)
        end(ctx);
    input =
        raw_read(folder, "input", (size_t)s.in_channels * (size_t)s.in_height * (size_t)s.in_width);
    f.values = taps = raw_read(folder, "taps", (size_t)s.head);
    f.count = s.head;
    compare_passes(ctx, &whole, &head, &s, input, taps);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        double ms[2];
        kldve_heatmap *a, *b;

        if (s.maps > MOST_ABLATED && strcmp(methods[i], "ablation-cam") == 0)
            continue;
        a = explain(whole.explainer, methods[i], input, NULL, &ms[0]);
        b = explain(head.explainer, methods[i], NULL, &f, &ms[1]);

        if (!a || !b)
            end(ctx);
        printf("%s %.3g %.2f %.2f\n", methods[i], difference(a, b), ms[0], ms[1]);
        kldve_heatmap_free(a);
        kldve_heatmap_free(b);
    }
    free(input);
    free(taps);
    close_it(&whole);
    close_it(&head);
}

int main(int argc, char **argv)
{
    kldve_ctx *ctx = NULL;

    if (kldve_ctx_new(NULL, &ctx) < 0)
        return 2;
    if (argc == 4 && strcmp(argv[1], "--names") == 0)
        list(ctx, argv[2], argv[3]);
    else if (argc >= 5 && strcmp(argv[1], "--tap") == 0) {
        if (kldve_onnx_tap_file(ctx, argv[2], (const char *const *)argv + 4, argc - 4, argv[3]) < 0)
            end(ctx);
    } else if (argc == 4)
        compare(ctx, argv[1], argv[2], argv[3]);
    else {
        printf(
            "usage: tap_run --names MODEL LAYER | --tap MODEL OUT NAME... | MODEL LAYER FOLDER\n");
        return 2;
    }
    kldve_ctx_free(ctx);
    return 0;
}
