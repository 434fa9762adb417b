/* test_render.c - heat maps drawn over pictures and alone. */
#include "folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/picture.h"

enum { SIDE = 8 * TINY_PATCH };

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};

/* The share of the colour in a blend. */
static double weight_of(double opacity, float heat)
{
    return opacity * (double)heat;
}

/* Inside of the crop a pixel is a blend; outside, two lines of one pixel surround it, a light and a
 * dark one, and all else is as it was. */
static void check_drawn(kldve_ctx *ctx, const kldve_image *picture, const kldve_image *drawn,
                        const kldve_heatmap *map, int32_t x0, int32_t y0, int32_t side)
{
    const uint8_t *before = kldve_image_pixels(picture), *after = kldve_image_pixels(drawn);
    int32_t width = kldve_image_width(picture), height = kldve_image_height(picture);
    float *heat = malloc(sizeof *heat * (size_t)(side * side));

    assert_int_equal(kldve_image_width(drawn), width);
    assert_int_equal(kldve_image_height(drawn), height);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, side, side, 0, heat), KLDVE_OK);
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            bool inside = x >= x0 && x < x0 + side && y >= y0 && y < y0 + side;
            int32_t far = x < x0 ? x0 - x : x - x0 - side + 1;
            uint8_t rgb[3] = {0, 0, 0};
            double weight = 0;

            if (inside) {
                weight = weight_of(0.25, heat[(y - y0) * side + x - x0]);
                kldve_colormap_rgb(KLDVE_COLORMAP_VIRIDIS, heat[(y - y0) * side + x - x0], rgb);
            }
            for (int c = 0; c < 3; c++) {
                int32_t i = 3 * (y * width + x) + c;
                double want = (1 - weight) * before[i] + weight * rgb[c];

                if (!inside && far <= 2)
                    want = far == 1 ? 255 : 0;
                if (fabs(after[i] - want) > (inside ? 2 : 0))
                    fail_msg("pixel (%d, %d): %d, expected %.1f", x, y, after[i], want);
            }
        }
    free(heat);
}

static void test_render(void **state)
{
    const kldve_render_options viridis = {.struct_size = sizeof viridis,
                                          .colormap = KLDVE_COLORMAP_VIRIDIS,
                                          .opacity = 0.25f,
                                          .upsampling = KLDVE_UPSAMPLING_BILINEAR,
                                          .side = -1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, 200, 100), *half = picture_noise(ctx, 100, 50),
                *drawn = NULL;
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &viridis, &drawn), KLDVE_OK);
    check_drawn(ctx, picture, drawn, map, 50, 0, 100);
    kldve_image_free(drawn);
    assert_int_equal(kldve_heatmap_render(ctx, map, half, &viridis, &drawn), KLDVE_OK);
    check_drawn(ctx, half, drawn, map, 25, 0, 50); /* the same picture in another size */
    kldve_image_free(drawn);
    assert_int_equal(kldve_heatmap_render(ctx, map, NULL, &viridis, &drawn), KLDVE_OK);
    assert_int_equal(kldve_image_width(drawn), SIDE);
    assert_int_equal(kldve_image_height(drawn), SIDE);
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_image_free(half);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_render_opacity(void **state)
{
    static const struct {
        float given, used;
    } cases[] = {{0, 0.75f}, {-1, 0}, {1, 1}, {0.25f, 0.25f}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, SIDE, SIDE), *drawn = NULL;
    const uint8_t *before = kldve_image_pixels(picture);
    kldve_heatmap *map = NULL;
    float heat[SIDE * SIDE];

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, SIDE, SIDE, 0, heat), KLDVE_OK);
    for (size_t i = 0; i < 4; i++) {
        kldve_render_options o = {.struct_size = sizeof o,
                                  .colormap = KLDVE_COLORMAP_GREY,
                                  .opacity = cases[i].given,
                                  .upsampling = KLDVE_UPSAMPLING_BILINEAR,
                                  .side = -1};

        assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_OK);
        for (int p = 0; p < SIDE * SIDE; p++) {
            double weight = weight_of((double)cases[i].used, heat[p]);
            double want = (1 - weight) * before[3 * p] + weight * 255 * (double)heat[p];

            assert_true(fabs(kldve_image_pixels(drawn)[3 * p] - want) <= 2);
        }
        kldve_image_free(drawn);
    }
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

/* A signed map: alone in all its colours, over a picture as a tint that is nothing at zero. */
static void test_render_signed(void **state)
{
    const kldve_options signs = {
        .struct_size = sizeof signs, .method = "gradient-x-input", .sign = KLDVE_SIGN_SIGNED};
    const kldve_render_options o = {.struct_size = sizeof o,
                                    .opacity = 0.5f,
                                    .upsampling = KLDVE_UPSAMPLING_BILINEAR,
                                    .clip = -1,
                                    .side = -1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, SIDE, SIDE), *over = NULL, *alone = NULL;
    const uint8_t *before = kldve_image_pixels(picture);
    kldve_heatmap *map = NULL;
    float heat[SIDE * SIDE];
    int below = 0, above = 0;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, &signs, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, SIDE, SIDE, 0, heat), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &over), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(ctx, map, NULL, &o, &alone), KLDVE_OK);
    for (int p = 0; p < SIDE * SIDE; p++) {
        double rest = 1 - fabs(2 * (double)heat[p] - 1), weight = 0.5 * (1 - rest * rest);
        uint8_t full[3], end[3];

        kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, heat[p], full);
        kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, heat[p] < 0.5f ? 0 : 1, end);
        for (int c = 0; c < 3; c++) {
            double want = (1 - weight) * before[3 * p + c] + weight * end[c];

            assert_true(fabs(kldve_image_pixels(over)[3 * p + c] - want) <= 3);
            assert_true(abs(kldve_image_pixels(alone)[3 * p + c] - full[c]) <= 2);
        }
        below += heat[p] < 0.4f;
        above += heat[p] > 0.6f;
    }
    assert_true(below > 10 && above > 10);
    kldve_image_free(over);
    kldve_image_free(alone);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

/* Where the result of render_into() may not go. */
static void refuse_dest(kldve_ctx *ctx, const kldve_heatmap *map, const kldve_image *picture)
{
    uint8_t untouched[4] = {1, 2, 3, 4};
    kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE - 1, SIDE, untouched, 0);

    assert_int_equal(kldve_heatmap_render_into(ctx, map, picture, NULL, &p), KLDVE_E_ARG);
    test_says(ctx, "give its size");
    p.width = SIDE;
    p.stride[0] = 3;
    assert_int_equal(kldve_heatmap_render_into(ctx, map, picture, NULL, &p), KLDVE_E_ARG);
    test_says(ctx, "the stride of plane 0 is 3 bytes");
    p = kldve_pixels_of(KLDVE_PIXEL_NV12, SIDE, SIDE, untouched, 0);
    assert_int_equal(kldve_heatmap_render_into(ctx, map, picture, NULL, &p), KLDVE_E_UNSUPPORTED);
    test_says(ctx, "cannot write NV12, give RGB");
    assert_int_equal(kldve_heatmap_render_into(ctx, map, picture, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render_into(ctx, NULL, picture, NULL, &p), KLDVE_E_ARG);
    assert_memory_equal(untouched, "\1\2\3\4", 4);
}

/* Into memory with gaps, upside down and in other orders: what render() makes, and in place. */
static void test_render_into(void **state)
{
    enum { W = 101, H = 60, GAP = 7, ROW = 4 * W + GAP };
    static const int32_t orders[] = {KLDVE_PIXEL_BGR, KLDVE_PIXEL_RGBA, KLDVE_PIXEL_BGRX};
    static uint8_t memory[H * ROW], got[3 * W * H];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, W, H), *drawn = NULL, *mine = NULL;
    kldve_pixels rgb = kldve_pixels_of(KLDVE_PIXEL_RGB, W, H, got, 0);
    const kldve_render_options as_it_is = {.struct_size = sizeof as_it_is, .side = -1};
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &as_it_is, &drawn), KLDVE_OK);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        kldve_pixels p = kldve_pixels_of(orders[i], W, H, memory + (H - 1) * ROW, -ROW);

        assert_int_equal(kldve_image_read(ctx, picture, 0, &p), KLDVE_OK);
        assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &mine), KLDVE_OK);
        assert_int_equal(kldve_heatmap_render_into(ctx, map, mine, NULL, &p), KLDVE_OK);
        assert_int_equal(kldve_image_read(ctx, mine, 0, &rgb), KLDVE_OK);
        assert_memory_equal(got, kldve_image_pixels(drawn), sizeof got);
        kldve_image_free(mine);
    }
    kldve_image_free(drawn);
    rgb.height = 30; /* the map alone, in any size */
    assert_int_equal(kldve_heatmap_render_into(ctx, map, NULL, NULL, &rgb), KLDVE_OK);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Straight into a file: the pixels of render(), enlarged or not, over a picture or alone. */
static void test_save(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, 101, 60);
    const char *path = test_in_folder("drawn.png");
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    for (int32_t i = 0; i < 4 && (kldve_features() & KLDVE_FEATURE_PNG); i++) {
        const kldve_render_options o = {.struct_size = sizeof o, .side = i & 1 ? -1 : 0};
        const kldve_image *below = i & 2 ? picture : NULL;
        kldve_image *drawn = NULL, *read = NULL;

        assert_int_equal(kldve_heatmap_render(ctx, map, below, &o, &drawn), KLDVE_OK);
        assert_int_equal(kldve_heatmap_save(ctx, map, below, &o, path, 0), KLDVE_OK);
        assert_int_equal(kldve_image_load(ctx, path, &read), KLDVE_OK);
        assert_int_equal(kldve_image_width(read), kldve_image_width(drawn));
        assert_int_equal(kldve_image_height(read), kldve_image_height(drawn));
        assert_memory_equal(kldve_image_pixels(read), kldve_image_pixels(drawn),
                            3 * (size_t)kldve_image_width(read) * (size_t)kldve_image_height(read));
        kldve_image_free(read);
        kldve_image_free(drawn);
    }
    assert_int_equal(kldve_heatmap_save(ctx, map, picture, NULL, "drawn.gif", 0),
                     KLDVE_E_UNSUPPORTED);
    assert_int_equal(kldve_heatmap_save(ctx, NULL, picture, NULL, path, 0), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_save(ctx, map, picture, NULL, NULL, 0), KLDVE_E_ARG);
    test_folder_clear();
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* 12 megapixels in the caller's memory, in and out: nothing of that size is allocated, and all
 * allocations together are less than half of it. */
static void test_large_picture_is_not_copied(void **state)
{
    enum { W = 4000, H = 3000 };
    size_t nbytes = 3 * (size_t)W * H;
    uint8_t *bgr = calloc(nbytes, 1);
    kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_BGR, W, H, bgr, 0);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *photo = NULL;
    kldve_heatmap *map = NULL;

    (void)state;
    assert_non_null(bgr);
    for (size_t i = 0; i < nbytes; i += 101)
        bgr[i] = (uint8_t)i;
    heap.bytes = 0;
    assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &photo), KLDVE_OK);
    assert_int_equal(kldve_explain(ex, photo, NULL, &map), KLDVE_OK);
    assert_true(heap.bytes < nbytes / 4);
    heap.bytes = 0;
    assert_int_equal(kldve_heatmap_render_into(ctx, map, photo, NULL, &p), KLDVE_OK);
    assert_true(heap.bytes < 100 * W); /* rows */
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(bgr);
}

enum { ARRAY_MAPS = 2, ARRAY_CELLS = 4 };

static kldve_heatmap *from_arrays(kldve_ctx *ctx, float factor, int32_t sign)
{
    const float logits[3] = {3, 1, 0};
    const float gradient[8] = {1, 1, 1, 1, -0.5f, -0.5f, -0.5f, -0.5f};
    float features[8] = {4, 0, 2, 1, 1, 6, 2, 0};
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = features,
                                 .gradient = gradient,
                                 .classes = 3,
                                 .maps = ARRAY_MAPS,
                                 .height = 2,
                                 .width = 2};
    const kldve_options o = {.struct_size = sizeof o, .method = "grad-cam", .sign = sign};
    kldve_heatmap *map = NULL;

    for (int i = 0; i < 8; i++)
        features[i] *= factor;
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &o, &map), KLDVE_OK);
    return map;
}

static const struct scale_case {
    const char *name;
    int32_t sign;
    double low, high; /* of 1 x map 0 - 1/2 x map 1, by hand */
} scales[] = {
    {"what speaks for the class", KLDVE_SIGN_POSITIVE, 0, 3.5},
    {"signed", KLDVE_SIGN_SIGNED, -3.5, 3.5},
    {"magnitudes", KLDVE_SIGN_ABSOLUTE, 1, 3.5},
};

/* What 0 and 1 stood for, and pictures on one scale: half the features, half the way up. */
static void check_scale(void **state)
{
    const struct scale_case *c = *state;
    kldve_render_options o = {.struct_size = sizeof o, .colormap = KLDVE_COLORMAP_GREY};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_record r = {.struct_size = sizeof r};
    uint8_t got[2][12];

    o.high = (float)c->high;
    for (int i = 0; i < 2; i++) {
        double factor = i ? 0.5 : 1;
        kldve_heatmap *map = from_arrays(ctx, (float)factor, c->sign), *mean = NULL;
        kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_RGB, 2, 2, got[i], 0);

        assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
        assert_true(fabs(r.low - c->low * factor) < 1e-6 && fabs(r.high - c->high * factor) < 1e-6);
        assert_int_equal(kldve_heatmap_render_into(ctx, map, NULL, &o, &p), KLDVE_OK);
        assert_int_equal(kldve_heatmap_fuse(ctx, (const kldve_heatmap *const[]){map}, 1, &mean),
                         KLDVE_OK);
        assert_int_equal(kldve_heatmap_render_into(ctx, mean, NULL, &o, &p), KLDVE_E_ARG);
        test_says(ctx, "a fixed scale for a mean of maps");
        kldve_heatmap_free(mean);
        kldve_heatmap_free(map);
    }
    for (int i = 0; i < 12; i++) {
        double zero = c->sign == KLDVE_SIGN_SIGNED ? 127.5 : 0;

        assert_true(fabs((got[0][i] - zero) / 2 - (got[1][i] - zero)) <= 1.5);
    }
    assert_int_equal(got[0][0], 255); /* 4 - 1/2 */
    o.low = -1;
    if (c->sign == KLDVE_SIGN_SIGNED) {
        kldve_heatmap *map = from_arrays(ctx, 1, c->sign);
        kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_RGB, 2, 2, got[0], 0);

        assert_int_equal(kldve_heatmap_render_into(ctx, map, NULL, &o, &p), KLDVE_E_ARG);
        test_says(ctx, "so that zero stays in the middle");
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_render_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, SIDE, SIDE), *drawn = NULL;
    kldve_render_options o = {.struct_size = sizeof o, .colormap = 8, .opacity = 0};
    kldve_heatmap *map = NULL;
    float heat[4];

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "render: unknown colour map 8");
    o = (kldve_render_options){.struct_size = sizeof o, .colormap = 0, .opacity = 1.5f};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "render: opacity is 1.5, it must be at most 1");
    o = (kldve_render_options){.struct_size = sizeof o, .colormap = 0, .opacity = NAN};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    o = (kldve_render_options){.colormap = 0};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render(ctx, NULL, picture, NULL, &drawn), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 0, 2, 0, heat), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 2, 2, 0, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, NULL, 2, 2, 0, heat), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 2, 2, 7, heat), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 2, 2, -4, heat), KLDVE_E_ARG);
    test_says(ctx, "the stride is -4 bytes");
    o = (kldve_render_options){.struct_size = sizeof o, .low = 2, .high = 1};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    test_says(ctx, "the scale goes from 2 to 1: low must be below high");
    o = (kldve_render_options){.struct_size = sizeof o, .high = NAN};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    refuse_dest(ctx, map, picture);
    assert_null(drawn);
    o = (kldve_render_options){.struct_size = sizeof o, .blur = 1};
    for (long budget = 0; !drawn; budget++) {
        kldve_status status;

        heap.budget = budget;
        status = kldve_heatmap_render(ctx, map, picture, &o, &drawn);
        assert_true(budget < 20 && (status == KLDVE_OK) == (drawn != NULL));
        assert_true(status == KLDVE_OK || status == KLDVE_E_NOMEM);
    }
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Options out of their range, each with what the message says. */
static void test_render_options_refused(void **state)
{
    static const struct {
        kldve_render_options o;
        const char *says;
    } cases[] = {
        {{.view = 5}, "unknown view 5"},
        {{.view = -1}, "unknown view -1"},
        {{.upsampling = 4}, "unknown upsampling 4"},
        {{.clip = 100}, "clip is 100 percent, it must be below 100"},
        {{.clip = NAN}, "clip is nan"},
        {{.blur = 1001}, "blur is 1001, it must be at most 1000"},
        {{.part = 1}, "part is 1, it must be from 0 to below 1"},
        {{.part = -0.5f}, "part is -0.5"},
        {{.line = 1001}, "line is 1001"},
        {{.side = 20000}, "side is 20000"},
        {{.frame = 2}, "frame 2 of a film of 1"},
        {{.clip = 1, .high = 1}, "a fixed scale and clip both say where the scale ends"},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = from_arrays(ctx, 1, KLDVE_SIGN_POSITIVE);
    kldve_render_options known = KLDVE_RENDER_OPTIONS_INIT;
    kldve_image *drawn = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_render_options o = cases[i].o;

        o.struct_size = sizeof o;
        assert_int_equal(kldve_heatmap_render(ctx, map, NULL, &o, &drawn), KLDVE_E_ARG);
        test_says(ctx, cases[i].says);
        assert_int_equal(kldve_heatmap_render_defaults(ctx, map, 0, 0, &o, &known), KLDVE_E_ARG);
    }
    assert_null(drawn);
    assert_int_equal(kldve_heatmap_render_defaults(ctx, map, -1, 0, NULL, &known), KLDVE_E_ARG);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A map that has a cell for each pixel of the input. */
static kldve_heatmap *explain_pixels(kldve_ctx *ctx, kldve_explainer *ex,
                                     const kldve_image *picture, int32_t sign)
{
    const kldve_options o = {.struct_size = sizeof o, .method = "gradient-x-input", .sign = sign};
    kldve_heatmap *map = NULL;

    (void)ctx;
    assert_int_equal(kldve_explain(ex, picture, &o, &map), KLDVE_OK);
    return map;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Maps of pixels are clipped unless told otherwise, others are not; a scale of its own is never. */
static void test_render_defaults(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, SIDE, SIDE);
    kldve_heatmap *pixels = explain_pixels(ctx, ex, picture, KLDVE_SIGN_SIGNED), *cells = NULL;
    kldve_render_options o = KLDVE_RENDER_OPTIONS_INIT, got = KLDVE_RENDER_OPTIONS_INIT;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &cells), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render_defaults(ctx, cells, 4000, 3000, NULL, &got), KLDVE_OK);
    assert_true(got.colormap == KLDVE_COLORMAP_PLASMA && got.view == KLDVE_VIEW_OVERLAY);
    assert_true(got.upsampling == KLDVE_UPSAMPLING_BICUBIC && got.opacity == 0.75f);
    assert_true(got.clip < 0 && got.blur < 0 && got.line == 4 && got.part == 0.5f);
    assert_int_equal(kldve_heatmap_render_defaults(ctx, pixels, 200, 300, NULL, &got), KLDVE_OK);
    assert_true(got.colormap == KLDVE_COLORMAP_DIVERGING);
    assert_true(got.clip == 2 && got.blur < 0 && got.line == 1);
    o.view = KLDVE_VIEW_OUTLINE;
    assert_int_equal(kldve_heatmap_render_defaults(ctx, pixels, 200, 300, &o, &got), KLDVE_OK);
    assert_true(fabsf(got.blur - (float)SIDE / 40) < 1e-6f);
    assert_int_equal(kldve_heatmap_render_defaults(ctx, pixels, 0, 0, &o, &got), KLDVE_OK);
    assert_true(got.view == KLDVE_VIEW_OVERLAY && got.blur < 0);
    o.high = 1;
    assert_int_equal(kldve_heatmap_render_defaults(ctx, pixels, 9, 9, &o, &got), KLDVE_OK);
    assert_true(got.clip < 0 && got.low == -1);
    kldve_heatmap_free(cells);
    kldve_heatmap_free(pixels);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A tenth of the cells that are not zero is drawn as the strongest heat, the rest in proportion. */
static void test_render_clip(void **state)
{
    const kldve_render_options o = {.struct_size = sizeof o,
                                    .colormap = KLDVE_COLORMAP_GREY,
                                    .upsampling = KLDVE_UPSAMPLING_BILINEAR,
                                    .clip = 10,
                                    .side = -1};
    static float sorted[SIDE * SIDE];
    static uint8_t got[3 * SIDE * SIDE];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, SIDE, SIDE);
    kldve_heatmap *map = explain_pixels(ctx, ex, picture, KLDVE_SIGN_POSITIVE);
    kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, got, 0);
    const float *value;
    int32_t count, zeros = 0, beyond;

    (void)state;
    assert_int_equal(kldve_heatmap_values(map, &value, &count), KLDVE_OK);
    assert_int_equal(count, SIDE * SIDE);
    memcpy(sorted, value, sizeof sorted);
    qsort(sorted, SIDE * SIDE, sizeof *sorted, compare_floats);
    while (sorted[zeros] == 0)
        zeros++;
    beyond = (count - zeros) / 10;
    assert_int_equal(kldve_heatmap_render_into(ctx, map, NULL, &o, &p), KLDVE_OK);
    for (int32_t i = 0; i < count; i++) {
        double want = fmin((double)value[i] / (double)sorted[count - 1 - beyond], 1) * 255;

        assert_true(fabs(got[3 * i] - want) <= 1.01);
    }
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Small pictures become larger by a whole factor, each pixel a square. */
static void test_render_enlarges(void **state)
{
    static const struct {
        int32_t width, height, side, factor;
    } cases[] = {{28, 28, 0, 10}, {64, 16, 0, 4},   {127, 9, 0, 3},  {128, 9, 0, 1},
                 {16, 16, -1, 1}, {16, 16, 100, 7}, {49, 1, 100, 3}, {50, 1, 100, 1}};
    const uint8_t *before, *after;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = from_arrays(ctx, 1, KLDVE_SIGN_POSITIVE);
    kldve_render_options o = {.struct_size = sizeof o, .opacity = -1};
    kldve_image *drawn = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t factor = cases[i].factor, width = cases[i].width;
        kldve_image *picture = picture_noise(ctx, width, cases[i].height);

        o.side = cases[i].side;
        assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_OK);
        assert_int_equal(kldve_image_width(drawn), width * factor);
        assert_int_equal(kldve_image_height(drawn), cases[i].height * factor);
        before = kldve_image_pixels(picture);
        after = kldve_image_pixels(drawn);
        for (int32_t y = 0; y < cases[i].height * factor; y++)
            for (int32_t x = 0; x < width * factor; x++)
                assert_memory_equal(after + 3 * (y * width * factor + x),
                                    before + 3 * (y / factor * width + x / factor), 3);
        kldve_image_free(drawn);
        kldve_image_free(picture);
        drawn = NULL;
    }
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_render_opacity),
        cmocka_unit_test(test_render_signed),
        cmocka_unit_test(test_render_refuses),
        cmocka_unit_test(test_render_into),
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_large_picture_is_not_copied),
        cmocka_unit_test(test_render_options_refused),
        cmocka_unit_test(test_render_defaults),
        cmocka_unit_test(test_render_clip),
        cmocka_unit_test(test_render_enlarges),
    };

    return cmocka_run_group_tests_name("render", tests, test_folder_make, test_folder_remove) +
           TEST_RUN_CASES("scales", scales, check_scale);
}
