/* test_smooth_grad.c - SmoothGrad with hardly any noise, and its error in units of the map. */
#include "bench.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include "methods/methods.h"

static void test_little_noise(void **state)
{
    struct bench smooth, plain;

    (void)state;
    open_bench(&smooth, &two_channels, &kldve_method_smooth_grad);
    open_bench(&plain, &two_channels, &kldve_method_saliency);
    run_probe(&smooth, (kldve_options){.noise = 1e-6});
    run_probe(&plain, (kldve_options){0});
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabs((double)smooth.probe.map[i] - (double)plain.probe.map[i]) <=
                    1e-4 * map_largest(plain.probe.map));
    run_probe(&smooth, (kldve_options){.noise = 0.3});
    assert_memory_not_equal(smooth.probe.map, plain.probe.map, sizeof plain.probe.map);
    close_bench(&smooth);
    close_bench(&plain);
}

/* What a program gets: the error in units of its map. */
static void test_error_of_heatmap(void **state)
{
    kldve_options o = {.struct_size = sizeof o, .method = "smooth-grad"};
    kldve_heatmap *map = NULL;
    struct bench b;
    const float *error;
    size_t count;
    double low = INFINITY, high = 0;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_smooth_grad);
    run_probe(&b, (kldve_options){.sign = KLDVE_SIGN_ABSOLUTE});
    for (int i = 0; i < PIXELS; i++) {
        low = fmin(low, (double)b.probe.map[i]);
        high = fmax(high, (double)b.probe.map[i]);
    }
    assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &map), KLDVE_OK);
    error = got_error(map, &count);
    assert_int_equal(count, PIXELS);
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabs((double)error[i] - (double)b.probe.error[i] / (high - low)) <= 1e-6);
    kldve_heatmap_free(map);
    close_bench(&b);
}

TEST_MAIN(smooth_grad)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_noise),
        cmocka_unit_test(test_error_of_heatmap),
    };

    return cmocka_run_group_tests_name("smooth grad", tests, NULL, NULL);
}
