/* test_overlay.c - heat blended into a picture. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/overlay.h"

enum { COUNT = 63 };

static void overlay(uint8_t *rgb, int32_t count, const float *heat, kldve_heat_style style)
{
    kldve_paint paints[KLDVE_HEAT_LEVELS];

    kldve_heat_paint(style, paints);
    kldve_overlay_row(paints, heat, count, rgb);
}

/* Zero leaves every pixel as it is, and the weight of the colour grows as the value does. */
static void test_overlay(void **state)
{
    static const float opacities[] = {0, 0.25f, 0.75f, 1};
    uint8_t picture[3 * COUNT], out[3 * COUNT], colour[3];
    float heat[COUNT];
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 3 * COUNT; i++)
        picture[i] = (uint8_t)(256 * test_random(&seed));
    for (int i = 0; i < COUNT; i++)
        heat[i] = i % 2 ? (float)(int)(256 * test_random(&seed)) / 255 : 0;
    for (int o = 0; o < 4; o++) {
        memcpy(out, picture, sizeof out);
        overlay(out, COUNT, heat,
                (kldve_heat_style){KLDVE_PAINT_HEAT, KLDVE_COLORMAP_TURBO, opacities[o]});
        for (int i = 0; i < 3 * COUNT; i++) {
            double weight = (double)(opacities[o] * heat[i / 3]), want;

            kldve_colormap_rgb(KLDVE_COLORMAP_TURBO, heat[i / 3], colour);
            want = (1 - weight) * picture[i] + weight * colour[i % 3];
            if (fabs(out[i] - want) > (weight > 0 ? 0.51 : 0))
                fail_msg("opacity %g byte %d: %d, not %g", (double)opacities[o], i, out[i], want);
        }
    }
}

static void test_overlay_without_a_picture(void **state)
{
    const float heat[3] = {0, 0.5f, 1};
    uint8_t rgb[9] = {9, 9, 9, 9, 9, 9, 9, 9, 9}, colour[3];

    (void)state;
    overlay(rgb, 3, heat, (kldve_heat_style){KLDVE_PAINT_ALONE, KLDVE_COLORMAP_GREY, 0.1f});
    for (int i = 0; i < 3; i++) {
        kldve_colormap_rgb(KLDVE_COLORMAP_GREY, heat[i], colour);
        assert_true(abs(rgb[3 * i] - colour[0]) <= 1);
    }
}

/* Below 0.4 one grey, above 0.6 the picture, between them a smooth step. */
static void test_mask(void **state)
{
    enum { N = 101 };
    uint8_t rgb[3 * N];
    float heat[N];

    (void)state;
    for (int i = 0; i < N; i++)
        heat[i] = (float)i / (N - 1);
    memset(rgb, 200, sizeof rgb);
    overlay(rgb, N, heat, (kldve_heat_style){KLDVE_PAINT_MASK, KLDVE_COLORMAP_GREY, 0.75f});
    for (int i = 1; i < N; i++) {
        assert_true(rgb[3 * i] >= rgb[3 * i - 3] && rgb[3 * i] - rgb[3 * i - 3] < 20);
        assert_true(i > 39 || rgb[3 * i] == rgb[0]);
        assert_true(i < 61 || rgb[3 * i] == 200);
    }
    assert_true(rgb[0] < 80 && abs(rgb[3 * 50] - (200 + rgb[0]) / 2) <= 2);
    overlay(rgb, N, NULL, (kldve_heat_style){KLDVE_PAINT_MASK, KLDVE_COLORMAP_GREY, 0.75f});
    assert_int_equal(rgb[3 * N - 1], rgb[0]);
}

/* All values of signed heat over one grey: the formula of overlay.c with |v| as it is, where the
 * levels make a step of 1/127; zero leaves the picture alone, and the ends have full opacity. */
static void test_overlay_of_signed_heat(void **state)
{
    enum { N = 1001 };
    static const float opacities[] = {0, 0.25f, 0.5f, 1};
    static const uint8_t greys[] = {0, 128, 255};
    uint8_t end[2][3], out[N * 3];
    float heat[N];

    (void)state;
    kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, 0, end[0]);
    kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, 1, end[1]);
    for (int i = 0; i < N; i++)
        heat[i] = (float)i / (N - 1);
    for (int o = 0; o < 4; o++)
        for (int g = 0; g < 3; g++) {
            double opacity = (double)opacities[o], grey = greys[g];

            memset(out, greys[g], sizeof out);
            overlay(out, N, heat,
                    (kldve_heat_style){KLDVE_PAINT_SIGNED, KLDVE_COLORMAP_DIVERGING, opacities[o]});
            for (int i = 0; i < 3 * N; i++) {
                int at = i / 3, far = abs(2 * at - (N - 1)), last = i < 3 * (N / 2) ? i + 3 : i - 3;
                double rest = 1 - (double)far / (N - 1), weight = opacity * (1 - rest * rest);
                double over = end[at > N / 2][i % 3], want = (1 - weight) * grey + weight * over;
                double slack = far == 0 || far == N - 1 ? 0.51 : 0.51 + 2 * opacity / 127 * 255;

                if (fabs(out[i] - want) > slack)
                    fail_msg("opacity %g grey %g heat %g: %d, not %g", opacity, grey,
                             (double)heat[at], out[i], want);
                /* Nearer to the end's colour than its neighbour towards zero is. */
                assert_true(fabs(out[i] - over) <= fabs(out[last] - over) || at == N / 2);
            }
        }
}

static void test_overlay_of_odd_values(void **state)
{
    const float heat[4] = {NAN, -3, INFINITY, 1e-9f};
    uint8_t rgb[12] = {0}, low[3], high[3];

    (void)state;
    kldve_colormap_rgb(KLDVE_COLORMAP_JET, 0, low);
    kldve_colormap_rgb(KLDVE_COLORMAP_JET, 1, high);
    overlay(rgb, 4, heat, (kldve_heat_style){KLDVE_PAINT_ALONE, KLDVE_COLORMAP_JET, 1});
    assert_memory_equal(rgb, low, 3);
    assert_memory_equal(rgb + 3, low, 3);
    assert_memory_equal(rgb + 6, high, 3);
    assert_memory_equal(rgb + 9, low, 3);
}

TEST_MAIN(overlay)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_overlay_without_a_picture),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_overlay_of_signed_heat),
        cmocka_unit_test(test_overlay_of_odd_values),
    };

    return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
