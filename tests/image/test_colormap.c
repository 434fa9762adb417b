/* test_colormap.c - names, range and order of the colours. */
#include "support.h"

#include <math.h>

#include <kldve/image.h>

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

static void check_name(const char *name, int32_t expected)
{
    int32_t colormap = -1;

    assert_int_equal(kldve_colormap_from_name(name, &colormap), KLDVE_OK);
    assert_int_equal(colormap, expected);
}

static void test_colormap_names(void **state)
{
    int32_t colormap = -1;
    uint8_t rgb[3];

    (void)state;
    check_name("viridis", KLDVE_COLORMAP_VIRIDIS);
    check_name("inferno", KLDVE_COLORMAP_INFERNO);
    check_name("turbo", KLDVE_COLORMAP_TURBO);
    check_name("jet", KLDVE_COLORMAP_JET);
    check_name("grey", KLDVE_COLORMAP_GREY);
    check_name("diverging", KLDVE_COLORMAP_DIVERGING);
    check_name("plasma", KLDVE_COLORMAP_PLASMA);
    assert_int_equal(kldve_colormap_from_name("Jet", &colormap), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_colormap_from_name("", &colormap), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_colormap_from_name(NULL, &colormap), KLDVE_E_ARG);
    assert_int_equal(kldve_colormap_rgb(KLDVE_COLORMAP_PLASMA + 1, 0, rgb), KLDVE_E_ARG);
    assert_int_equal(kldve_colormap_rgb(-1, 0, rgb), KLDVE_E_ARG);
}

static void test_colormap_clamps(void **state)
{
    (void)state;
    for (int32_t map = 0; map <= KLDVE_COLORMAP_PLASMA; map++) {
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

/* What the header promises of viridis, inferno and plasma, and of the default. */
static void test_colormaps_keep_order_in_grey(void **state)
{
    static const int32_t maps[] = {KLDVE_COLORMAP_DEFAULT, KLDVE_COLORMAP_VIRIDIS,
                                   KLDVE_COLORMAP_INFERNO, KLDVE_COLORMAP_PLASMA,
                                   KLDVE_COLORMAP_GREY};

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

TEST_MAIN(colormap)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colormap_names),
        cmocka_unit_test(test_colormap_clamps),
        cmocka_unit_test(test_colormaps_keep_order_in_grey),
        cmocka_unit_test(test_diverging_is_white_in_the_middle_and_even),
    };

    return cmocka_run_group_tests_name("colormap", tests, NULL, NULL);
}
