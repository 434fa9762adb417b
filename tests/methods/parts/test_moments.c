/* test_moments.c - mean and variance of gradients under noise (SmoothGrad and VarGrad): seeds,
 * standard errors that are correct, cancelling. */
#include "../bench.h"

#include <math.h>
#include <string.h>

#include "methods/methods.h"

static const kldve_method *const random_methods[] = {&kldve_method_smooth_grad,
                                                     &kldve_method_var_grad};

static void test_seeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        struct probe first;

        open_bench(&b, &two_channels, random_methods[i]);
        run_probe(&b, (kldve_options){.seed = 5});
        first = b.probe;
        run_probe(&b, (kldve_options){.seed = 6});
        assert_memory_not_equal(first.map, b.probe.map, sizeof first.map);
        run_probe(&b, (kldve_options){.seed = 5, .samples = 25, .noise = 0.15}); /* the defaults */
        assert_memory_equal(first.map, b.probe.map, sizeof first.map);
        assert_memory_equal(first.error, b.probe.error, sizeof first.error);
        run_probe(&b, (kldve_options){.seed = 5, .samples = 1}); /* two at least */
        first = b.probe;
        run_probe(&b, (kldve_options){.seed = 5, .samples = 2});
        assert_memory_equal(first.map, b.probe.map, sizeof first.map);
        assert_memory_equal(first.error, b.probe.error, sizeof first.error);
        close_bench(&b);
    }
}

static void test_error_shrinks(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        double few, many;

        open_bench(&b, &one_channel, random_methods[i]);
        run_probe(&b, (kldve_options){.samples = 200});
        few = map_sum(b.probe.error);
        run_probe(&b, (kldve_options){.samples = 3200});
        many = map_sum(b.probe.error);
        if (!(fabs(few / many - 4) <= 0.4))
            fail_msg("%s: error %g with 200 draws, %g with 3200", random_methods[i]->name, few,
                     many);
        close_bench(&b);
    }
}

/* The error is what the map really varies by from seed to seed. */
static void test_error_is_right(void **state)
{
    enum { SEEDS = 60 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        double mean[PIXELS] = {0}, squares[PIXELS] = {0}, said = 0, found = 0;
        struct bench b;

        open_bench(&b, &one_channel, random_methods[i]);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            run_probe(&b, (kldve_options){.samples = 64, .seed = seed});
            for (int p = 0; p < PIXELS; p++) {
                double v = (double)b.probe.map[p], error = (double)b.probe.error[p];

                mean[p] += v / SEEDS;
                squares[p] += v * v / SEEDS;
                said += error * error / SEEDS;
            }
        }
        for (int p = 0; p < PIXELS; p++)
            found += (squares[p] - mean[p] * mean[p]) * SEEDS / (SEEDS - 1);
        if (!(fabs(sqrt(said / found) - 1) <= 0.15))
            fail_msg("%s: standard error %g, from seed to seed %g", random_methods[i]->name,
                     sqrt(said), sqrt(found));
        close_bench(&b);
    }
}

static void test_cancel(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_saliency);
    for (size_t i = 0; i < 2; i++)
        check_cancel(&b, random_methods[i]->name);
    close_bench(&b);
}

TEST_MAIN(moments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_error_shrinks),
        cmocka_unit_test(test_error_is_right),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
