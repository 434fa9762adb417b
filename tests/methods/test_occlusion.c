/* test_occlusion.c - occlusion of a linear network against its definition, for all kinds of
 * windows. */
#include "repeats.h"

#include <math.h>
#include <string.h>

/* Where windows begin: every stride, the last at the border. */
static int starts(int size, int window, int stride, int *start)
{
    int count = 0;

    for (int at = 0; at + window < size; at += stride)
        start[count++] = at;
    start[count++] = size - window;
    return count;
}

static double occluded(const float *input, int top, int left, int height, int width)
{
    float changed[INPUTS];

    memcpy(changed, input, sizeof changed);
    for (int c = 0; c < CHANNELS; c++)
        for (int y = top; y < top + height; y++)
            for (int x = left; x < left + width; x++)
                changed[c * PIXELS + y * WIDTH + x] = 0;
    return linear_probability(input) - linear_probability(changed);
}

static void check_occlusion(const float *input, kldve_options o, int height, int width, int stride)
{
    int top[HEIGHT], left[WIDTH], rows = starts(HEIGHT, height, stride, top),
                                  columns = starts(WIDTH, width, stride, left);
    double sum[PIXELS] = {0}, count[PIXELS] = {0};

    run_raw("occlusion", &linear_backend, NULL, input, o);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            double drop = occluded(input, top[r], left[c], height, width);

            for (int i = 0; i < PIXELS; i++)
                if (i / WIDTH >= top[r] && i / WIDTH < top[r] + height && i % WIDTH >= left[c] &&
                    i % WIDTH < left[c] + width) {
                    sum[i] += drop;
                    count[i]++;
                }
        }
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabs((double)raw.map[i] - sum[i] / count[i]) < 1e-6);
}

static void test_occlusion(void **state)
{
    float input[INPUTS];

    (void)state;
    draw_input(input);
    check_occlusion(input, (kldve_options){TARGET_IS}, 2, 2, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 5}, 5, 5, 3);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 5, .stride = 1}, 5, 5, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 4, .stride = 9}, 4, 4, 4);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 1}, 1, 1, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 14, .stride = 1}, 12, 14, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 1000}, 12, 16, 12);
}

TEST_MAIN(occlusion)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_occlusion),
    };

    return cmocka_run_group_tests_name("occlusion", tests, NULL, NULL);
}
