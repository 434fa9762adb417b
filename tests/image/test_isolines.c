/* test_isolines.c - lines of equal value, of a cone and of a slope, against geometry. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "image/isolines.h"

enum { SIDE = 120, MIDDLE = SIDE / 2 };

static float value[SIDE][SIDE];
static uint8_t rgb[SIDE][SIDE][3];

static void draw(const kldve_isoline *lines, int32_t count, float thick)
{
    memset(rgb, 100, sizeof rgb);
    for (int y = 0; y < SIDE; y++) {
        const float *const rows[3] = {value[y > 0 ? y - 1 : y], value[y],
                                      value[y < SIDE - 1 ? y + 1 : y]};

        kldve_isolines_row(lines, count, thick, rows, SIDE, rgb[y][0]);
    }
}

/* Circles around the peak of a cone: light within half a line of the radius, dark beside it, and
 * the picture elsewhere. */
static void test_circles(void **state)
{
    const kldve_isoline lines[] = {{0.75f, {250, 250, 250}, {0, 0, 0}},
                                   {0.25f, {200, 200, 200}, {0, 0, 0}}};

    (void)state;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            value[y][x] = 1 - hypotf((float)(x - MIDDLE), (float)(y - MIDDLE)) / 60;
    draw(lines, 2, 4);
    for (int y = 2; y < SIDE - 2; y++)
        for (int x = 2; x < SIDE - 2; x++) {
            double r = hypot(x - MIDDLE, y - MIDDLE);
            double away = fmin(fabs(r - 15), fabs(r - 45));
            int got = rgb[y][x][1];

            if (away < 1)
                assert_int_equal(got, r < 30 ? 250 : 200);
            else if (away > 2.7 && away < 3.3)
                assert_int_equal(got, 0);
            else if (away > 5)
                assert_int_equal(got, 100);
        }
}

/* A line along a slope has the same thickness, whether the slope is steep or not. */
static void test_thickness_of_slopes(void **state)
{
    const kldve_isoline line = {0.5f, {255, 255, 255}, {100, 100, 100}};

    (void)state;
    for (int steep = 1; steep <= 3; steep++) {
        double drawn = 0;

        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                value[y][x] = 0.5f + (float)(x - MIDDLE) * 0.003f * (float)steep;
        draw(&line, 1, 5);
        for (int x = 0; x < SIDE; x++)
            drawn += (rgb[MIDDLE][x][0] - 100) / 155.0;
        assert_true(fabs(drawn - 5) < 0.3);
    }
}

static void test_flat_has_no_line(void **state)
{
    const kldve_isoline line = {0.5f, {255, 255, 255}, {0, 0, 0}};

    (void)state;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            value[y][x] = 0.5f;
    draw(&line, 1, 4);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            assert_int_equal(rgb[y][x][0], 100);
}

TEST_MAIN(isolines)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_circles),
        cmocka_unit_test(test_thickness_of_slopes),
        cmocka_unit_test(test_flat_has_no_line),
    };

    return cmocka_run_group_tests_name("isolines", tests, NULL, NULL);
}
