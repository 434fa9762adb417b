/* test_level.c - levels against sorting, and blurring against its formula. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/blur.h"
#include "stages/level.h"

enum { COUNT = 500 };

static int falling(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x < y) - (x > y);
}

/* Values with ties and zeros, 0..1. */
static void fill(float *value, uint64_t seed)
{
    for (int i = 0; i < COUNT; i++) {
        double v = test_random(&seed);

        value[i] = v < 0.3 ? 0 : (float)(int)(40 * v * v) / 40;
    }
}

/* Values that differ in every bit, some of them by the last one alone. */
static void fill_finely(float *value, uint64_t seed)
{
    for (int i = 0; i < COUNT; i++) {
        double v = test_random(&seed);

        value[i] = i % 3 == 1 ? nextafterf(value[i - 1], 1) : (float)(v * pow(2, -i % 40));
    }
}

static void check_levels(const float *value, bool is_signed)
{
    const kldve_values values = {value, COUNT, is_signed};
    static const double parts[] = {0.01, 0.25, 0.5, 0.9};
    float sorted[COUNT];
    double all = 0;
    int some = 0;

    for (int i = 0; i < COUNT; i++) {
        sorted[i] = kldve_magnitude(value[i], is_signed);
        all += (double)sorted[i];
        some += sorted[i] > 0;
    }
    qsort(sorted, COUNT, sizeof *sorted, falling);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        double sum = 0;
        int i = 0;

        while (sum + (double)sorted[i] < parts[p] * all - 1e-9)
            sum += (double)sorted[i++];
        assert_true(kldve_level_of_sum(&values, parts[p]) == sorted[i]);
        assert_true(kldve_level_of_count(&values, parts[p]) == sorted[(int)(parts[p] * some)]);
    }
    assert_true(kldve_level_of_count(&values, 0) == sorted[0]);
}

static void test_levels(void **state)
{
    float value[COUNT];

    (void)state;
    for (uint64_t seed = 1; seed < 6; seed++) {
        fill(value, seed);
        check_levels(value, false);
        check_levels(value, true);
        fill_finely(value, seed);
        check_levels(value, false);
    }
}

/* Where all are equal every part of the sum, and all of it, needs them. */
static void test_levels_of_equal(void **state)
{
    float value[COUNT];
    const kldve_values values = {value, COUNT, false};

    (void)state;
    for (int i = 0; i < COUNT; i++)
        value[i] = 0.1f;
    for (int part = 1; part <= 10; part++)
        assert_true(kldve_level_of_sum(&values, part / 10.0) == 0.1f);
    assert_true(kldve_level_of_count(&values, 0.9) == 0.1f);
}

static void test_levels_of_nothing(void **state)
{
    const float zero[4] = {0}, middle[2] = {0.5f, 0.5f};

    (void)state;
    assert_true(kldve_level_of_sum(&(kldve_values){zero, 4, false}, 0.5) == 0);
    assert_true(kldve_level_of_count(&(kldve_values){zero, 4, false}, 0.02) == 0);
    assert_true(kldve_level_of_sum(&(kldve_values){middle, 2, true}, 0.5) == 0);
    assert_true(kldve_level_of_count(&(kldve_values){middle, 2, true}, 0) == 0);
}

/* The sum over all cells, whatever the distance; what lies beyond 3 sigma weighs nothing. */
static double blurred(const float *map, int height, int width, const int at[2],
                      const double sigma[2])
{
    double sum = 0, all = 0;

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int dy = abs(y - at[0]), dx = abs(x - at[1]);
            double w =
                exp(-dy * dy / (2 * sigma[0] * sigma[0]) - dx * dx / (2 * sigma[1] * sigma[1]));

            if (dy > ceil(3 * sigma[0]) || dx > ceil(3 * sigma[1]))
                continue;
            sum += w * (double)map[y * width + x];
            all += w;
        }
    return sum / all;
}

static void test_blur(void **state)
{
    static const int sizes[][2] = {{20, 25}, {1, 30}, {30, 1}, {3, 2}};
    static const double sigmas[][2] = {{1, 1}, {0.4, 2.5}, {40, 7}};
    float map[COUNT], out[COUNT], room[2 * 30];
    uint64_t seed = 4;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        map[i] = (float)test_random(&seed);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t g = 0; g < sizeof sigmas / sizeof *sigmas; g++) {
            memcpy(out, map, sizeof out);
            kldve_blur(out, sizes[s][0], sizes[s][1], sigmas[g], room);
            for (int y = 0; y < sizes[s][0]; y++)
                for (int x = 0; x < sizes[s][1]; x++) {
                    double want =
                        blurred(map, sizes[s][0], sizes[s][1], (const int[2]){y, x}, sigmas[g]);

                    assert_true(fabs((double)out[y * sizes[s][1] + x] - want) < 1e-5);
                }
        }
    memcpy(out, map, sizeof out);
    kldve_blur(out, 20, 25, (const double[2]){0, 0}, room);
    assert_memory_equal(out, map, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_levels_of_nothing),
        cmocka_unit_test(test_levels_of_equal),
        cmocka_unit_test(test_blur),
    };

    return cmocka_run_group_tests_name("level", tests, NULL, NULL);
}
