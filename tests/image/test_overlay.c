/* test_overlay.c - heat blended into a picture. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/overlay.h"

enum { W = 9, H = 7 };

typedef struct rect {
    int32_t x, y, width, height;
} rect;

/* Row by row, as render.c does it. */
static void overlay(uint8_t *rgb, int32_t width, int32_t height, const float *heat, rect seen,
                    kldve_heat_style style)
{
    kldve_paint paints[KLDVE_HEAT_LEVELS];

    kldve_heat_paint(style, paints);
    for (int32_t y = 0; y < height; y++, rgb += 3 * width) {
        if (y < seen.y || y >= seen.y + seen.height)
            kldve_overlay_row(paints, width, 0, NULL, width, rgb);
        else
            kldve_overlay_row(paints, seen.x, seen.width, heat + (y - seen.y) * seen.width, width,
                              rgb);
    }
}

static void test_overlay(void **state)
{
    static const float opacities[] = {0, 0.25f, 0.5f, 1};
    const rect seen = {2, 1, 5, 4};
    uint8_t picture[H * W * 3], out[H * W * 3], colour[3];
    float heat[4 * 5];
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < H * W * 3; i++)
        picture[i] = (uint8_t)(256 * test_random(&seed));
    for (int i = 0; i < 20; i++)
        heat[i] = (float)(int)(256 * test_random(&seed)) / 255;
    for (int o = 0; o < 4; o++) {
        memcpy(out, picture, sizeof out);
        overlay(out, W, H, heat, seen,
                (kldve_heat_style){KLDVE_COLORMAP_TURBO, opacities[o], false});
        for (int i = 0; i < H * W * 3; i++) {
            int x = i / 3 % W - seen.x, y = i / 3 / W - seen.y;
            double want = 0.25 * picture[i];

            if (x >= 0 && x < seen.width && y >= 0 && y < seen.height) {
                kldve_colormap_rgb(KLDVE_COLORMAP_TURBO, heat[y * seen.width + x], colour);
                want =
                    (1 - (double)opacities[o]) * picture[i] + (double)opacities[o] * colour[i % 3];
            }
            if (fabs(out[i] - want) > 0.51)
                fail_msg("opacity %g byte %d: %d, not %g", (double)opacities[o], i, out[i], want);
        }
    }
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
            overlay(out, N, 1, heat, (rect){0, 0, N, 1},
                    (kldve_heat_style){KLDVE_COLORMAP_DIVERGING, opacities[o], true});
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
    overlay(rgb, 2, 2, heat, (rect){0, 0, 2, 2}, (kldve_heat_style){KLDVE_COLORMAP_JET, 1, false});
    assert_memory_equal(rgb, low, 3);
    assert_memory_equal(rgb + 3, low, 3);
    assert_memory_equal(rgb + 6, high, 3);
    assert_memory_equal(rgb + 9, low, 3);
}

TEST_MAIN(overlay)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_overlay_of_signed_heat),
        cmocka_unit_test(test_overlay_of_odd_values),
    };

    return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
