/* test_upsample.c - upsampling against its formula. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/upsample.h"

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

/* Each frame by itself, then linear between the centres of the frames. */
static void test_film_is_the_formula(void **state)
{
    enum { T = 3, H = 2, W = 4, CELLS = H * W, OUT = 6 * 5 };
    float map[T * CELLS], frame[T][OUT], out[7 * OUT], one[CELLS];
    const kldve_film film = {map, T, H, W};
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < T * CELLS; i++)
        map[i] = (float)test_normal(&seed);
    for (int t = 0; t < T; t++)
        kldve_upsample(map + t * CELLS, H, W, frame[t], 6, 5);
    for (int frames = 1; frames <= 7; frames++) {
        kldve_upsample_film(&film, frames, (const int32_t[2]){6, 5}, 5, out);
        for (int t = 0; t < frames; t++) {
            double at = fmin(fmax((t + 0.5) * T / frames - 0.5, 0), T - 1), later;
            int first = (int)at, next = first + (first < T - 1);

            later = at - first;
            for (int i = 0; i < OUT; i++)
                assert_true(fabs((1 - later) * (double)frame[first][i] +
                                 later * (double)frame[next][i] - (double)out[t * OUT + i]) < 2e-6);
            kldve_upsample_frame(&film, frames, t, one);
            for (int i = 0; i < CELLS; i++)
                assert_true(fabs((1 - later) * (double)map[first * CELLS + i] +
                                 later * (double)map[next * CELLS + i] - (double)one[i]) < 2e-6);
        }
    }
}

TEST_MAIN(upsample)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upsample_is_the_formula),
        cmocka_unit_test(test_upsample_same_size_is_identity),
        cmocka_unit_test(test_film_is_the_formula),
    };

    return cmocka_run_group_tests_name("upsample", tests, NULL, NULL);
}
