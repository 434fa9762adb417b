/* test_render.c - heat maps drawn over pictures and alone. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include <kldve/kldve.h>

#include "backends/picture.h"

enum { SIDE = 8 * TINY_PATCH };

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};

/* Inside of the crop a pixel is a blend, outside a quarter of what it was. */
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
    } cases[] = {{0, 0.5f}, {-1, 0}, {1, 1}, {0.25f, 0.25f}};
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
        kldve_render_options o = {sizeof o, KLDVE_COLORMAP_GREY, cases[i].given};

        assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_OK);
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

static void test_render_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, SIDE, SIDE), *drawn = NULL;
    kldve_render_options o = {sizeof o, 7, 0};
    kldve_heatmap *map = NULL;
    float heat[4];

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "render: unknown colour map 7");
    o = (kldve_render_options){sizeof o, 0, 1.5f};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "render: opacity is 1.5, it must be at most 1");
    o = (kldve_render_options){sizeof o, 0, NAN};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    o = (kldve_render_options){0, 0, 0};
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, &o, &drawn), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_render(ctx, NULL, picture, NULL, &drawn), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 0, 2, 0, heat), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 2, 2, 0, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_upsample(ctx, NULL, 2, 2, 0, heat), KLDVE_E_ARG);
    assert_null(drawn);
    for (long budget = 0; budget < 2; budget++) {
        heap.budget = budget;
        assert_int_equal(kldve_heatmap_render(ctx, map, picture, NULL, &drawn), KLDVE_E_NOMEM);
        assert_null(drawn);
    }
    heap.budget = 2;
    assert_int_equal(kldve_heatmap_render(ctx, map, picture, NULL, &drawn), KLDVE_OK);
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
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
    };

    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
