/* test_stages.c - upsampling, colours, overlay: the pure stages. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/overlay.h"
#include "image/upsample.h"

/* -- upsampling ------------------------------------------------------------------------------- */

/* The tent of cell i, stretched over its neighbours and level beyond the outermost centres: an
 * interpolation written as a sum over all cells instead of a search for two. */
static double tent(double s, int i, int cells)
{
    s = fmin(fmax(s, 0), cells - 1);
    return fmax(0, 1 - fabs(s - i));
}

static double upsampled(const float *map, int h, int w, int y, int x, int H, int W)
{
    double sum = 0;

    for (int i = 0; i < h; i++)
        for (int k = 0; k < w; k++)
            sum += tent((y + 0.5) / H * h - 0.5, i, h) * tent((x + 0.5) / W * w - 0.5, k, w) *
                   (double)map[i * w + k];
    return sum;
}

static void test_upsample_is_the_formula(void **state)
{
    static const int sizes[][4] = {{7, 7, 224, 224}, {14, 14, 227, 227}, {1, 1, 5, 3},
                                   {1, 4, 9, 9},     {5, 1, 9, 2},       {8, 8, 8, 8},
                                   {9, 7, 4, 3},     {2, 3, 1, 1},       {13, 5, 100, 31}};
    uint64_t seed = 1;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int h = sizes[i][0], w = sizes[i][1], H = sizes[i][2], W = sizes[i][3];
        float *map = malloc(sizeof *map * (size_t)(h * w));
        float *out = malloc(sizeof *out * (size_t)(H * W));

        for (int k = 0; k < h * w; k++)
            map[k] = (float)test_normal(&seed);
        kldve_upsample(map, h, w, out, H, W);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                if (fabs((double)out[y * W + x] - upsampled(map, h, w, y, x, H, W)) > 2e-6)
                    fail_msg("%dx%d to %dx%d at (%d, %d): %g", h, w, H, W, y, x,
                             (double)out[y * W + x]);
        free(map);
        free(out);
    }
}

static void test_upsample_same_size_is_identity(void **state)
{
    float map[12], out[12];
    uint64_t seed = 2;

    (void)state;
    for (int i = 0; i < 12; i++)
        map[i] = (float)test_normal(&seed);
    kldve_upsample(map, 3, 4, out, 3, 4);
    assert_memory_equal(map, out, sizeof map);
}

/* -- colour maps ------------------------------------------------------------------------------ */

/* CIE 1931 luminance of an sRGB colour, 0..1. */
static double luminance(const uint8_t rgb[3])
{
    static const double weight[3] = {0.2126, 0.7152, 0.0722};
    double sum = 0;

    for (int c = 0; c < 3; c++) {
        double v = rgb[c] / 255.0;

        sum += weight[c] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static void test_colormap_names(void **state)
{
    (void)state;
    assert_int_equal(kldve_colormap_from_name("viridis"), KLDVE_COLORMAP_VIRIDIS);
    assert_int_equal(kldve_colormap_from_name("inferno"), KLDVE_COLORMAP_INFERNO);
    assert_int_equal(kldve_colormap_from_name("turbo"), KLDVE_COLORMAP_TURBO);
    assert_int_equal(kldve_colormap_from_name("jet"), KLDVE_COLORMAP_JET);
    assert_int_equal(kldve_colormap_from_name("grey"), KLDVE_COLORMAP_GREY);
    assert_int_equal(kldve_colormap_from_name("diverging"), KLDVE_COLORMAP_DIVERGING);
    assert_int_equal(kldve_colormap_from_name("Jet"), -1);
    assert_int_equal(kldve_colormap_from_name(""), -1);
    assert_int_equal(kldve_colormap_from_name(NULL), -1);
}

static void test_colormap_clamps(void **state)
{
    (void)state;
    for (int32_t map = 0; map <= KLDVE_COLORMAP_DIVERGING; map++) {
        uint8_t low[3], high[3], rgb[3];

        kldve_colormap_rgb(map, 0, low);
        kldve_colormap_rgb(map, 1, high);
        kldve_colormap_rgb(map, -1e30f, rgb);
        assert_memory_equal(rgb, low, 3);
        kldve_colormap_rgb(map, NAN, rgb);
        assert_memory_equal(rgb, low, 3);
        kldve_colormap_rgb(map, INFINITY, rgb);
        assert_memory_equal(rgb, high, 3);
        assert_memory_not_equal(low, high, 3);
    }
}

/* What the header promises of viridis and inferno, and of the default. */
static void test_colormaps_keep_order_in_grey(void **state)
{
    static const int32_t maps[] = {KLDVE_COLORMAP_DEFAULT, KLDVE_COLORMAP_VIRIDIS,
                                   KLDVE_COLORMAP_INFERNO, KLDVE_COLORMAP_GREY};

    (void)state;
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
        double last = -1;

        for (int i = 0; i <= 100; i++) {
            uint8_t rgb[3];

            kldve_colormap_rgb(maps[m], (float)i / 100, rgb);
            assert_true(luminance(rgb) > last);
            last = luminance(rgb);
        }
    }
}

static void test_diverging_is_white_in_the_middle_and_even(void **state)
{
    uint8_t rgb[3], left[3], right[3];

    (void)state;
    kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, 0.5f, rgb);
    assert_true(rgb[0] == 255 && rgb[1] == 255 && rgb[2] == 255);
    for (int i = 1; i <= 50; i++) {
        kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, 0.5f - (float)i / 100, left);
        kldve_colormap_rgb(KLDVE_COLORMAP_DIVERGING, 0.5f + (float)i / 100, right);
        assert_true(left[2] > left[0]);   /* blue */
        assert_true(right[0] > right[2]); /* red */
        assert_true(fabs(luminance(left) - luminance(right)) < 0.01);
    }
}

/* -- overlay ---------------------------------------------------------------------------------- */

enum { W = 9, H = 7 };

static void test_overlay(void **state)
{
    static const float opacities[] = {0, 0.25f, 0.5f, 1};
    const kldve_rect seen = {2, 1, 5, 4};
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
        kldve_overlay(out, W, H, heat, seen,
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
            kldve_overlay(out, N, 1, heat, (kldve_rect){0, 0, N, 1},
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
    kldve_overlay(rgb, 2, 2, heat, (kldve_rect){0, 0, 2, 2},
                  (kldve_heat_style){KLDVE_COLORMAP_JET, 1, false});
    assert_memory_equal(rgb, low, 3);
    assert_memory_equal(rgb + 3, low, 3);
    assert_memory_equal(rgb + 6, high, 3);
    assert_memory_equal(rgb + 9, low, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upsample_is_the_formula),
        cmocka_unit_test(test_upsample_same_size_is_identity),
        cmocka_unit_test(test_colormap_names),
        cmocka_unit_test(test_colormap_clamps),
        cmocka_unit_test(test_colormaps_keep_order_in_grey),
        cmocka_unit_test(test_diverging_is_white_in_the_middle_and_even),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_overlay_of_signed_heat),
        cmocka_unit_test(test_overlay_of_odd_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
