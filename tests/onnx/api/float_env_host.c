/* float_env_host.c - see float_env_host.h. */
#include "float_env_host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/metrics.h>
#include <kldve/onnx.h>

#include "support.h"

static void keep(results *r, const void *bytes, size_t count)
{
    r->bytes = realloc(r->bytes, r->count + count);
    memcpy(r->bytes + r->count, bytes, count);
    r->count += count;
}

static void keep_map(results *r, kldve_heatmap *map)
{
    const float *value;
    int32_t count;

    assert_int_equal(kldve_heatmap_values(map, &value, &count), KLDVE_OK);
    keep(r, value, (size_t)count * sizeof *value);
    assert_int_equal(kldve_heatmap_logits(map, &value, &count), KLDVE_OK);
    keep(r, value, (size_t)count * sizeof *value);
}

static int32_t hear_progress(void *opaque, const char *stage, int64_t done, int64_t total)
{
    results *r = opaque;

    (void)stage;
    (void)done;
    (void)total;
    r->heard++;
    r->other += r->read_control() != r->control;
    return 0;
}

static void hear_log(void *opaque, int32_t level, const char *line)
{
    (void)level;
    hear_progress(opaque, line, 0, 0);
}

static kldve_image *photo(kldve_ctx *ctx)
{
    enum { WIDTH = 150, HEIGHT = 100 };
    kldve_image *image = NULL;
    uint8_t *pixels;

    assert_int_equal(kldve_image_new(ctx, WIDTH, HEIGHT, &image), KLDVE_OK);
    pixels = kldve_image_edit(image);
    for (unsigned i = 0; i < WIDTH * HEIGHT * 3; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    return image;
}

static void draw(kldve_ctx *ctx, kldve_heatmap *map, kldve_image *picture, results *r)
{
    static const float bilinear[64 * 48];
    kldve_image *drawn = NULL;
    kldve_heatmap *both = NULL;
    float *large = calloc(64 * 48, sizeof *large);
    uint8_t rgb[3];

    assert_int_equal(kldve_heatmap_render(ctx, map, picture, NULL, &drawn), KLDVE_OK);
    keep(r, kldve_image_pixels(drawn),
         (size_t)kldve_image_width(drawn) * (size_t)kldve_image_height(drawn) * 3);
    kldve_image_free(drawn);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 64, 48, 0, large), KLDVE_OK);
    keep(r, large, sizeof bilinear);
    assert_int_equal(kldve_colormap_rgb(KLDVE_COLORMAP_VIRIDIS, large[100], rgb), KLDVE_OK);
    keep(r, rgb, sizeof rgb);
    assert_int_equal(kldve_heatmap_fuse(ctx, (const kldve_heatmap *[]){map, map, map}, 3, &both),
                     KLDVE_OK);
    keep_map(r, both);
    kldve_heatmap_free(both);
    free(large);
}

static void explain(kldve_ctx *ctx, int threads, kldve_image *picture, results *r)
{
    static const kldve_options cases[] = {
        {.struct_size = sizeof(kldve_options), .flags = KLDVE_FLAG_CHECK},
        {.struct_size = sizeof(kldve_options), .method = "lrp-composite"},
        {.struct_size = sizeof(kldve_options), .method = "integrated-gradients", .samples = 3},
        {.struct_size = sizeof(kldve_options), .method = "rise", .samples = 12, .seed = 4},
        {.struct_size = sizeof(kldve_options), .method = "lime", .samples = 40, .seed = 4},
    };
    kldve_onnx_options o = {.struct_size = sizeof o,
                            .threads = threads,
                            .batch = 4,
                            .flags = KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_DIRECT};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_onnx_explainer(ctx, NULL, &o, &ex), KLDVE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kldve_explain(ex, picture, &cases[i], &map), KLDVE_OK);
        keep_map(r, map);
        if (i == 0)
            draw(ctx, map, picture, r);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(ex);
}

/* Feature maps whose products with the weights are denormal numbers. */
static void explain_arrays(kldve_ctx *ctx, results *r)
{
    enum { CLASSES = 5, MAPS = 12, CELLS = 9 };
    static float logits[CLASSES], features[MAPS * CELLS], gradient[MAPS * CELLS];
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = features,
                      .gradient = gradient,
                      .classes = CLASSES,
                      .maps = MAPS,
                      .height = 3,
                      .width = 3};
    kldve_options o = {.struct_size = sizeof o, .method = "grad-cam"};
    float cotangent[CLASSES];
    kldve_heatmap *map = NULL;
    static const uint32_t tiny = 0x00012345, small = 0x0a000000; /* 1e-40, 6e-33 */

    for (int i = 0; i < CLASSES; i++)
        memcpy(&logits[i], &(uint32_t){0x3f800000u + (uint32_t)i * 0x123457}, sizeof *logits);
    for (uint32_t i = 0; i < MAPS * CELLS; i++) {
        memcpy(&features[i], &(uint32_t){tiny * (1 + i % 7)}, sizeof *features);
        memcpy(&gradient[i], &(uint32_t){small + i * 0x1357}, sizeof *gradient);
    }
    assert_int_equal(kldve_arrays_cotangent(ctx, logits, CLASSES, NULL, cotangent), KLDVE_OK);
    keep(r, cotangent, sizeof cotangent);
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_OK);
    keep_map(r, map);
    kldve_heatmap_free(map);
}

/* A film of three frames over a layer of two, and where an object lies in one of them. */
static void look_at_film(kldve_ctx *ctx, results *r)
{
    static const float logits[3] = {1, 2, 4}, boxes[4] = {0.3f, 1.1f, 5.7f, 6.3f};
    static float features[2 * 2 * 3], gradient[2 * 2 * 3];
    static const uint8_t mask[7 * 9] = {[11] = 1, [12] = 1, [20] = 1};
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = features,
                      .gradient = gradient,
                      .classes = 3,
                      .maps = 1,
                      .height = 4,
                      .width = 3,
                      .frames = 2,
                      .picture_width = 10,
                      .picture_height = 7,
                      .picture_frames = 3};
    kldve_options o = {.struct_size = sizeof o, .method = "grad-cam"};
    kldve_heatmap *film = NULL, *frame = NULL;
    uint8_t truth[2][10 * 7];

    for (uint32_t i = 0; i < 2 * 2 * 3; i++) {
        memcpy(&features[i], &(uint32_t){0x3f800000u + i * 0x54321}, sizeof *features);
        memcpy(&gradient[i], &(uint32_t){0x3f800000u}, sizeof *gradient);
    }
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &film), KLDVE_OK);
    assert_int_equal(kldve_heatmap_frame(ctx, film, 1, &frame), KLDVE_OK);
    keep_map(r, frame);
    assert_int_equal(kldve_heatmap_truth_boxes(ctx, frame, 9, 7, boxes, 1, truth[0]), KLDVE_OK);
    assert_int_equal(kldve_heatmap_truth_mask(ctx, frame, 9, 7, mask, truth[1]), KLDVE_OK);
    keep(r, truth, sizeof truth);
    kldve_heatmap_free(frame);
    kldve_heatmap_free(film);
}

/* Float pixels, one of them no number, through all calls that read or write them. */
static void turn_pixels(kldve_ctx *ctx, results *r)
{
    enum { SIDE = 5, COUNT = 3 * SIDE * SIDE };
    float given[COUNT], back[COUNT];
    kldve_pixels from = kldve_pixels_of(KLDVE_PIXEL_RGB_FLOAT, SIDE, SIDE, given, 0);
    kldve_pixels to = kldve_pixels_of(KLDVE_PIXEL_RGB_FLOAT, SIDE, SIDE, back, 0);
    kldve_image *copied = NULL, *borrowed = NULL, *cut = NULL;

    for (uint32_t i = 0; i < COUNT; i++)
        memcpy(&given[i], &(uint32_t){i == 7 ? 0x7fa00000u : 0x3e800000u + i * 0x34567}, 4);
    assert_int_equal(kldve_image_from_pixels(ctx, &from, &copied), KLDVE_OK);
    assert_int_equal(kldve_image_read(ctx, copied, 0, &to), KLDVE_OK);
    keep(r, back, sizeof back);
    assert_int_equal(kldve_image_borrow(ctx, &from, NULL, NULL, &borrowed), KLDVE_OK);
    assert_int_equal(kldve_image_crop(ctx, borrowed, 1, 1, 4, 3, &cut), KLDVE_OK);
    keep(r, kldve_image_pixels(cut), (size_t)4 * 3 * 3);
    kldve_image_free(copied);
    kldve_image_free(borrowed);
    kldve_image_free(cut);
}

static void diverge(kldve_ctx *ctx, results *r)
{
    enum { N = 37 };
    double scores[N], z[N], y[N], value = 0;
    kldve_divergence_options o = {.struct_size = sizeof o,
                                  .unattainable = KLDVE_UNATTAINABLE_LIMIT};
    kldve_divergence_info info = {.struct_size = sizeof info};
    kldve_divergence *d = NULL;
    int32_t flat;

    for (uint64_t i = 0; i < N; i++) {
        memcpy(&scores[i], &(uint64_t){0x3ff0000000000000u + i * 0x0123456789abcu}, sizeof *scores);
        memset(&y[i], 0, sizeof *y);
    }
    memcpy(&scores[0], &(uint64_t){0x3fb999999999999au},
           sizeof *scores); /* 0.1: the range rounds */
    memcpy(&y[3], &(uint64_t){0x3ff0000000000000u}, sizeof *y);
    assert_int_equal(kldve_divergence_new(ctx, N, &o, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, scores), KLDVE_OK);
    assert_int_equal(kldve_divergence_get_info(d, &info), KLDVE_OK);
    keep(r, &info.range, sizeof info.range);
    assert_int_equal(kldve_divergence_onehot(d, 3, z, &value), KLDVE_OK);
    keep(r, z, sizeof z);
    keep(r, &value, sizeof value);
    assert_int_equal(kldve_divergence_standardise(z, N, z, &flat), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_base(d, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_delta(d, 7, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_contrast(d, 5, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_neighbours(d, 5, 0, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_plain(d, KLDVE_PLAIN_KL, y, z, &value), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_truth(d, y, z, &value), KLDVE_OK);
    keep(r, z, sizeof z);
    kldve_divergence_free(d);
    value = kldve_divergence_neighbour_perplexity(38);
    keep(r, &value, sizeof value);
}

/* What is not a number is refused, and does not trap. */
static void refuse(kldve_ctx *ctx)
{
    kldve_options o = {.struct_size = sizeof o, .temperature = NAN, .deadline_ms = (double)NAN};
    static const float logits[3] = {INFINITY, NAN, 0}, zero[3];
    const kldve_onnx_options load = {.struct_size = sizeof load, .deadline_ms = (double)NAN};
    kldve_explainer *none = NULL;
    float cotangent[3];

    assert_int_equal(kldve_ctx_set_deadline(ctx, (double)NAN), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, zero, 3, &o, cotangent), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, logits, 3, NULL, cotangent), KLDVE_E_NUMERIC);
    assert_int_equal(kldve_onnx_explainer(ctx, NULL, &load, &none), KLDVE_E_ARG);
}

results float_env_host(uint64_t (*read_control)(void), int threads)
{
    results r = {.read_control = read_control, .control = read_control()};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *picture = photo(ctx), *small = NULL;

    kldve_ctx_set_progress(ctx, hear_progress, &r);
    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, hear_log, &r);
    assert_int_equal(kldve_image_resize(ctx, picture, 60, 41, &small), KLDVE_OK);
    keep(&r, kldve_image_pixels(small), (size_t)60 * 41 * 3);
    kldve_image_free(small);
    explain(ctx, threads, picture, &r);
    explain_arrays(ctx, &r);
    look_at_film(ctx, &r);
    turn_pixels(ctx, &r);
    diverge(ctx, &r);
    refuse(ctx);
    kldve_image_free(picture);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return r;
}
