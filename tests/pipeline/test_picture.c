/* test_picture.c - from pictures to maps and back: which part the network sees, where the heat is
 * drawn, what is refused.  Values are compared with torchvision in torch_cases.py. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/tiny.h"

enum { SIDE = 8 * TINY_PATCH };

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};
static const tiny_config grey = {1, 8, 8, 4, 3, 17, true};
static const tiny_config four = {4, 8, 8, 4, 3, 17, true};
static const tiny_config wide = {3, 4, 8, 4, 3, 17, true};

static kldve_image *noise(kldve_ctx *ctx, int32_t width, int32_t height)
{
    kldve_image *image = NULL;
    uint64_t seed = 2;
    uint8_t *rgb;

    assert_int_equal(kldve_image_new(ctx, width, height, &image), KLDVE_OK);
    rgb = kldve_image_edit(image);
    for (int32_t i = 0; i < 3 * width * height; i++)
        rgb[i] = (uint8_t)(40 + 200 * test_random(&seed));
    return image;
}

static kldve_explainer *open(kldve_ctx *ctx, const tiny_config *config)
{
    kldve_explainer *ex = NULL;

    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, config, &ex), KLDVE_OK);
    return ex;
}

/* -- what the network sees -------------------------------------------------------------------- */

static const struct view {
    const char *name;
    const tiny_config *net;
    int32_t width, height; /* of the picture */
    int32_t resize, crop;
    double x, y, seen_width, seen_height; /* pixels of the picture */
} views[] = {
    {"network's size", &colour, SIDE, SIDE, 64, 48, 0, 0, SIDE, SIDE},
    {"landscape", &colour, 200, 100, 0, 0, 50, 0, 100, 100},
    {"portrait", &colour, 100, 200, 0, 0, 0, 50, 100, 100},
    /* 80 x 40 after resizing; 32 x 32 cut at (24, 4) */
    {"margin around the crop", &colour, 400, 200, 40, 32, 120, 20, 160, 160},
    /* 64 x 32; crop 20 at (22, 6), enlarged to 32 */
    {"crop smaller than the network's input", &colour, 128, 64, 0, 20, 44, 12, 40, 40},
    /* a wide network on a tall picture: 32 x 64 is enough for a crop of 32 x 16 */
    {"wide network, tall picture", &wide, 50, 100, 0, 0, 0, 37.5, 50, 25},
    {"wide network, wide picture", &wide, 200, 50, 0, 0, 50, 0, 100, 50},
};

static void check_view(void **state)
{
    const struct view *v = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, v->net);
    kldve_image *picture = noise(ctx, v->width, v->height);
    kldve_input_spec spec = {.struct_size = sizeof spec,
                             .resize_shorter_side = v->resize,
                             .center_crop = v->crop,
                             .scale = 1 / 255.0f};
    kldve_record r = {.struct_size = sizeof r};
    kldve_timings ms = {.struct_size = sizeof ms};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explainer_set_input(ex, &spec), KLDVE_OK);
    if (kldve_explain(ex, picture, NULL, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_true(fabs((double)r.seen_x * v->width - v->x) < 1e-3);
    assert_true(fabs((double)r.seen_y * v->height - v->y) < 1e-3);
    assert_true(fabs((double)r.seen_width * v->width - v->seen_width) < 1e-3);
    assert_true(fabs((double)r.seen_height * v->height - v->seen_height) < 1e-3);
    assert_int_equal(kldve_heatmap_timings(map, &ms), KLDVE_OK);
    assert_true(ms.preprocess > 0);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- drawing ---------------------------------------------------------------------------------- */

/* Inside of the crop a pixel is a blend, outside a quarter of what it was. */
static void check_drawn(const kldve_image *picture, const kldve_image *drawn,
                        const kldve_heatmap *map, int32_t x0, int32_t y0, int32_t side)
{
    const uint8_t *before = kldve_image_pixels(picture), *after = kldve_image_pixels(drawn);
    int32_t width = kldve_image_width(picture), height = kldve_image_height(picture);
    float *heat = malloc(sizeof *heat * (size_t)(side * side));

    assert_int_equal(kldve_image_width(drawn), width);
    assert_int_equal(kldve_image_height(drawn), height);
    assert_int_equal(kldve_heatmap_upsample(map, side, side, heat), KLDVE_OK);
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            bool inside = x >= x0 && x < x0 + side && y >= y0 && y < y0 + side;
            uint8_t rgb[3];

            if (inside)
                kldve_colormap_rgb(KLDVE_COLORMAP_VIRIDIS, heat[(y - y0) * side + x - x0], rgb);
            for (int c = 0; c < 3; c++) {
                int32_t i = 3 * (y * width + x) + c;
                double want = inside ? 0.75 * before[i] + 0.25 * rgb[c] : 0.25 * before[i];

                if (fabs(after[i] - want) > 2)
                    fail_msg("pixel (%d, %d): %d, expected %.1f", x, y, after[i], want);
            }
        }
    free(heat);
}

static void test_render(void **state)
{
    const kldve_render_options viridis = {sizeof viridis, KLDVE_COLORMAP_VIRIDIS, 0.25f};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, &colour);
    kldve_image *picture = noise(ctx, 200, 100), *half = noise(ctx, 100, 50), *drawn = NULL;
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(map, picture, &viridis, &drawn), KLDVE_OK);
    check_drawn(picture, drawn, map, 50, 0, 100);
    kldve_image_free(drawn);
    assert_int_equal(kldve_heatmap_render(map, half, &viridis, &drawn), KLDVE_OK);
    check_drawn(half, drawn, map, 25, 0, 50); /* the same picture in another size */
    kldve_image_free(drawn);
    assert_int_equal(kldve_heatmap_render(map, NULL, &viridis, &drawn), KLDVE_OK);
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
    } cases[] = {{0, 0.5f}, {-1, 0}, {1, 1}, {0.25f, 0.25f}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, &colour);
    kldve_image *picture = noise(ctx, SIDE, SIDE), *drawn = NULL;
    const uint8_t *before = kldve_image_pixels(picture);
    kldve_heatmap *map = NULL;
    float heat[SIDE * SIDE];

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_upsample(map, SIDE, SIDE, heat), KLDVE_OK);
    for (size_t i = 0; i < 4; i++) {
        kldve_render_options o = {sizeof o, KLDVE_COLORMAP_GREY, cases[i].given};

        assert_int_equal(kldve_heatmap_render(map, picture, &o, &drawn), KLDVE_OK);
        for (int p = 0; p < SIDE * SIDE; p++) {
            double want = (1 - (double)cases[i].used) * before[3 * p] +
                          (double)cases[i].used * 255 * (double)heat[p];

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
    const kldve_render_options o = {sizeof o, KLDVE_COLORMAP_DIVERGING, 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, &colour);
    kldve_image *picture = noise(ctx, SIDE, SIDE), *over = NULL, *alone = NULL;
    const uint8_t *before = kldve_image_pixels(picture);
    kldve_heatmap *map = NULL;
    float heat[SIDE * SIDE];
    int below = 0, above = 0;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, &signs, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_upsample(map, SIDE, SIDE, heat), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(map, picture, &o, &over), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(map, NULL, &o, &alone), KLDVE_OK);
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

static void test_render_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, &colour);
    kldve_image *picture = noise(ctx, SIDE, SIDE), *drawn = NULL;
    kldve_render_options o = {sizeof o, 7, 0};
    kldve_heatmap *map = NULL;
    float heat[4];

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "render: unknown colour map 7");
    o = (kldve_render_options){sizeof o, 0, 1.5f};
    assert_int_equal(kldve_heatmap_render(map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "render: opacity is 1.5, it must be at most 1");
    o = (kldve_render_options){sizeof o, 0, NAN};
    assert_int_equal(kldve_heatmap_render(map, picture, &o, &drawn), KLDVE_E_ARG);
    o = (kldve_render_options){0, 0, 0};
    assert_int_equal(kldve_heatmap_render(map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render(map, picture, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render(NULL, picture, NULL, &drawn), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(map, 0, 2, heat), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(map, 2, 2, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(NULL, 2, 2, heat), KLDVE_E_ARG);
    assert_null(drawn);
    for (long budget = 0; budget < 2; budget++) {
        heap.budget = budget;
        assert_int_equal(kldve_heatmap_render(map, picture, NULL, &drawn), KLDVE_E_NOMEM);
        assert_null(drawn);
    }
    heap.budget = 2;
    assert_int_equal(kldve_heatmap_render(map, picture, NULL, &drawn), KLDVE_OK);
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- specifications --------------------------------------------------------------------------- */

#define SIZED .struct_size = sizeof(kldve_input_spec)

static const struct refusal {
    const char *name;
    const tiny_config *net;
    kldve_input_spec spec;
    const char *message;
} refusals[] = {
    {"size not set",
     &colour,
     {.struct_size = 4},
     "kldve_input_spec: struct_size is 4; set it to sizeof(kldve_input_spec)"},
    {"no such channel order", &colour, {SIZED, .channels = 3}, "input: unknown channel order 3"},
    {"grey for a colour network",
     &colour,
     {SIZED, .channels = KLDVE_CHANNELS_GRAY},
     "input: grey for a network whose input has 3 channels"},
    {"colour for a grey network",
     &grey,
     {SIZED, .channels = KLDVE_CHANNELS_BGR},
     "input: three colours for a network whose input has 1 channels"},
    {"negative resize",
     &colour,
     {SIZED, .resize_shorter_side = -1},
     "input: resize_shorter_side is -1, it must be 0 to 65535"},
    {"crop outside of the resized picture",
     &colour,
     {SIZED, .resize_shorter_side = 40, .center_crop = 41},
     "input: center_crop is 41, it must be 0 to 40, the shorter side"},
    {"negative crop",
     &colour,
     {SIZED, .center_crop = -5},
     "input: center_crop is -5, it must be 0 to 32, the shorter side"},
    {"deviation that is no number",
     &colour,
     {SIZED, .std = {1, NAN, 1}},
     "input: scale, mean and std must be finite"},
    {"infinite scale",
     &colour,
     {SIZED, .scale = INFINITY},
     "input: scale, mean and std must be finite"},
};

static void check_refusal(void **state)
{
    const struct refusal *r = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, r->net);

    assert_int_equal(kldve_explainer_set_input(ex, &r->spec), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), r->message);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_without_specification(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, &grey);
    kldve_image *picture = noise(ctx, 70, 90);
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK); /* grey by itself */
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    map = NULL;
    ex = open(ctx, &four);
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx),
                        "the network's input has 4 channels, a picture has 1 "
                        "or 3: use kldve_explain_input()");
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_image_free(picture);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_too_narrow(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open(ctx, &colour);
    kldve_image *picture = noise(ctx, 4, 20000);
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_E_LIMIT);
    assert_string_equal(kldve_ctx_message(ctx), "a picture of 4 x 20000 pixels is too narrow: it "
                                                "would be resized to 32 x 160000; crop it first");
    assert_null(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_allocations(void **state)
{
    long calls = 1;

    (void)state;
    for (long budget = -1; budget < calls; budget++) {
        const kldve_input_spec cropped = {SIZED, .resize_shorter_side = 40, .center_crop = 36};
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_explainer *ex = open(ctx, &colour);
        kldve_image *picture = noise(ctx, 90, 60);
        kldve_heatmap *map = NULL;

        assert_int_equal(kldve_explainer_set_input(ex, &cropped), KLDVE_OK);
        heap.calls = 0;
        heap.budget = budget;
        assert_int_equal(kldve_explain(ex, picture, NULL, &map),
                         budget < 0 ? KLDVE_OK : KLDVE_E_NOMEM);
        heap.budget = -1;
        if (budget < 0)
            calls = heap.calls;
        assert_true((map != NULL) == (budget < 0));
        assert_true((*kldve_ctx_message(ctx) != 0) == (budget >= 0));
        kldve_heatmap_free(map);
        kldve_image_free(picture);
        kldve_explainer_free(ex);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

enum { VIEWS = sizeof views / sizeof *views, REFUSALS = sizeof refusals / sizeof *refusals };

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_render_opacity),
        cmocka_unit_test(test_render_signed),
        cmocka_unit_test(test_render_refuses),
        cmocka_unit_test(test_without_specification),
        cmocka_unit_test(test_too_narrow),
        cmocka_unit_test(test_allocations),
    };
    struct CMUnitTest named[VIEWS + REFUSALS];
    int failed;

    memset(named, 0, sizeof named);
    for (size_t i = 0; i < VIEWS; i++) {
        named[i].name = views[i].name;
        named[i].test_func = check_view;
        named[i].initial_state = (void *)(uintptr_t)&views[i];
    }
    for (size_t i = 0; i < REFUSALS; i++) {
        named[VIEWS + i].name = refusals[i].name;
        named[VIEWS + i].test_func = check_refusal;
        named[VIEWS + i].initial_state = (void *)(uintptr_t)&refusals[i];
    }
    failed = cmocka_run_group_tests_name("pictures by name", named, NULL, NULL);
    return failed + cmocka_run_group_tests_name("pictures", rest, NULL, NULL);
}
