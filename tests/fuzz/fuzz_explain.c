/* fuzz_explain.c - a whole explanation with any options of any small network: the first HEAD bytes
 * are choices, the rest is the model.  What is explained twice is the same to the bit, also with a
 * call that was refused in between. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

#include "mutate_graph.h"
#include "mutator.h"
#include "run_onnx.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

enum { HEAD = 20, SIDE = 12 };

static kldve_options options_of(const uint8_t *c)
{
    static const int32_t targets[] = {0, 1, 2};
    static const double truth[] = {0.5, 0.25, 0.25, 0, 0, 0, 0, 0};
    static const uint8_t region[SIDE * SIDE] = {1, 1, 0, 1};
    static const float temperatures[] = {0, 1, 0.5f, 1e-30f, 1e30f, -1, NAN};
    static const double perplexities[] = {0, 2, 1, 1e300, -3, 1.0001, NAN};
    kldve_options o = KLDVE_OPTIONS_INIT;

    const kldve_method *method = NULL;

    if (kldve_method_at(NULL, c[0] % 40, &method) == KLDVE_OK)
        o.method = method->name;
    o.reading = c[1] % 7;
    o.target_kind = c[2] % 5;
    o.target = (int8_t)c[3];
    o.rival = (int8_t)c[4];
    o.targets = c[5] & 1 ? targets : NULL;
    o.target_count = c[5] / 2 % 4;
    o.temperature = temperatures[c[6] % 7];
    o.neighbour_perplexity = perplexities[c[7] % 7];
    o.perplexity = perplexities[c[8] % 7];
    o.sign = c[9] % 5;
    if (method && method->options & KLDVE_OPTION_SAMPLES)
        o.samples = 1 + c[10] % 4; /* the default is many */
    o.window = c[11] % 10;
    o.stride = c[11] / 32;
    o.flags = c[12] % 4;
    o.check_passes = c[12] & 1 ? 5 : 0;
    o.smooth = c[12] / 4 % 8 == 7;
    o.truth = c[13] % 8 == 7 ? truth : NULL;
    o.noise = c[13] % 16 == 3 ? 0.5 : 0;
    o.pick = c[14] % 7;
    o.pick_row = (int8_t)c[15] / 8;
    o.pick_x = c[15] % 16;
    o.pick_y = c[15] / 16;
    o.region = c[14] & 8 ? region : NULL;
    o.region_width = o.region_height = c[14] & 8 ? SIDE : 0;
    return o;
}

static kldve_heatmap *explain(kldve_ctx *ctx, kldve_explainer *e, const kldve_image *picture,
                              const kldve_options *o, kldve_status *status)
{
    kldve_heatmap *map = NULL;

    *status = kldve_explain(e, picture, o, &map);
    watch_call(ctx, *status, map != NULL);
    return map;
}

static void look(const kldve_heatmap *map)
{
    kldve_record r = KLDVE_RECORD_INIT;
    const float *values = NULL;
    int32_t count = 0;

    watch_that(kldve_heatmap_record(map, &r) == KLDVE_OK && r.height > 0 && r.width > 0,
               "a record of nothing");
    watch_that(kldve_heatmap_values(map, &values, &count) == KLDVE_OK &&
                   count == r.height * r.width,
               "a map of another size than its record says");
    for (int32_t i = 0; i < count; i++)
        watch_that(values[i] >= 0 && values[i] <= 1, "a value outside of 0..1");
}

static void same(const kldve_heatmap *a, const kldve_heatmap *b)
{
    const float *values[2];
    int32_t count[2];

    watch_that((a == NULL) == (b == NULL), "what worked fails, or the other way round");
    if (!a || !b)
        return;
    watch_that(kldve_heatmap_values(a, &values[0], &count[0]) == KLDVE_OK &&
                   kldve_heatmap_values(b, &values[1], &count[1]) == KLDVE_OK &&
                   count[0] == count[1] &&
                   memcmp(values[0], values[1], sizeof **values * (size_t)count[0]) == 0,
               "the same explanation gave other bits");
}

static void draw(kldve_ctx *ctx, const kldve_heatmap *map, const kldve_image *picture,
                 const uint8_t *c)
{
    kldve_render_options o = KLDVE_RENDER_OPTIONS_INIT;
    kldve_image *drawn = NULL;
    kldve_status status;

    o.view = c[16] % 6;
    o.upsampling = c[16] / 8 % 5;
    o.colormap = c[17] % 12;
    o.side = c[17] & 64 ? -1 : 24;
    o.clip = c[18] & 1 ? 5 : 0;
    o.blur = c[18] & 2 ? 1.5f : 0;
    o.line = c[18] / 4 % 4;
    status = kldve_heatmap_render(ctx, map, c[18] & 128 ? NULL : picture, &o, &drawn);
    watch_call(ctx, status, drawn != NULL);
    kldve_image_free(drawn);
}

/* The readings of the paper's method, which share most of what they do. */
static void read_all(kldve_ctx *ctx, kldve_explainer *e, const kldve_image *picture,
                     const kldve_options *like)
{
    for (int32_t reading = KLDVE_READING_PAPER; reading <= KLDVE_READING_NEIGHBOURS; reading++) {
        kldve_options o = KLDVE_OPTIONS_INIT;
        kldve_status status;
        kldve_heatmap *map;

        o.reading = reading;
        o.pick = like->pick;
        o.pick_x = like->pick_x;
        o.pick_y = like->pick_y;
        map = explain(ctx, e, picture, &o, &status);
        if (map)
            look(map);
        kldve_heatmap_free(map);
    }
}

static void run(kldve_ctx *ctx, kldve_explainer *e, const kldve_image *picture, const uint8_t *c)
{
    const kldve_options o = options_of(c);
    kldve_options wrong = o;
    kldve_status status[3];
    kldve_heatmap *map = explain(ctx, e, picture, &o, &status[0]);
    kldve_heatmap *again = explain(ctx, e, picture, &o, &status[1]), *third;

    same(map, again);
    kldve_heatmap_free(again);
    if (map) {
        look(map);
        draw(ctx, map, picture, c);
    }
    wrong.flags = UINT64_MAX;
    again = explain(ctx, e, picture, &wrong, &status[1]);
    watch_that(status[1] != KLDVE_OK, "unknown flags are an error");
    third = explain(ctx, e, picture, &o, &status[2]);
    watch_that(status[2] == status[0], "another failure than the first time");
    same(map, third);
    kldve_heatmap_free(third);
    kldve_heatmap_free(map);
    if (c[19] % 4 == 0)
        read_all(ctx, e, picture, &o);
}

static kldve_image *photograph(kldve_ctx *ctx)
{
    uint8_t pixel[SIDE * SIDE * 3];
    kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, pixel, 0);
    kldve_image *made = NULL;
    kldve_status status;

    for (size_t i = 0; i < sizeof pixel; i++)
        pixel[i] = (uint8_t)(i * 37 ^ i >> 3);
    status = kldve_image_from_pixels(ctx, &pixels, &made);
    watch_call(ctx, status, made != NULL);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    kldve_onnx_options options = KLDVE_ONNX_OPTIONS_INIT;
    kldve_explainer *explainer = NULL;
    kldve_image *picture;
    kldve_onnx *net = NULL;
    kldve_status status;
    kldve_ctx *ctx;

    if (nbytes < HEAD)
        return 0;
    ctx = watch_open();
    picture = photograph(ctx);
    options.threads = 1;
    options.in_height = options.in_width = 8;
    options.batch = 1 + bytes[19] / 4 % 2;
    options.flags = (bytes[19] % 32 == 31 ? 0 : KLDVE_ONNX_FLAG_PLAIN) | KLDVE_ONNX_FLAG_VJP_INPUT |
                    (bytes[14] % 7 ? KLDVE_ONNX_FLAG_PICK_PLACE : 0);
    status = kldve_onnx_load_memory(ctx, bytes + HEAD, nbytes - HEAD, &options, &net);
    watch_call(ctx, status, net != NULL);
    if (net && network_is_small(net)) {
        status = kldve_explainer_new(ctx, kldve_onnx_backend(), net, &explainer);
        watch_call(ctx, status, explainer != NULL);
        if (explainer)
            run(ctx, explainer, picture, bytes);
        kldve_explainer_free(explainer);
    }
    kldve_onnx_free(net);
    kldve_image_free(picture);
    watch_close(ctx);
    return 0;
}

/* Choices or the model. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t nbytes, size_t room, unsigned seed)
{
    if (nbytes < HEAD || room < HEAD)
        return LLVMFuzzerMutate(bytes, nbytes, room);
    if (seed % 2) {
        bytes[seed / 2 % HEAD] = (uint8_t)(seed / 64);
        return nbytes;
    }
    return HEAD + mutate_graph(bytes + HEAD, nbytes - HEAD, room - HEAD, seed / 2);
}
