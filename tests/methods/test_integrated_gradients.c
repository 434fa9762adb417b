/* test_integrated_gradients.c - completeness, whatever the network; steps; cancelling. */
#include "bench.h"

#include <math.h>
#include <string.h>

#include "methods/methods.h"

/* How far the sum of the map is from the change of the score, relative to the sum of magnitudes: of
 * what speaks for and against the target, which nearly cancel in this network. */
static double gap(struct bench *b, kldve_options o)
{
    double magnitudes = 0;

    run_probe(b, o);
    for (int i = 0; i < PIXELS; i++)
        magnitudes += fabs((double)b->probe.map[i]);
    return fabs(map_sum(b->probe.map) - b->probe.change) / magnitudes;
}

static void test_completeness(void **state)
{
    const int32_t set[] = {0, 3, 4};
    const kldve_options what[] = {
        {.target_kind = KLDVE_TARGET_INDEX, .target = 1},
        {.target_kind = KLDVE_TARGET_RANK, .target = 0},
        {.target_kind = KLDVE_TARGET_SET, .targets = set, .target_count = 3},
        {.target_kind = KLDVE_TARGET_VERSUS, .target = 2, .rival = 5},
    };
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_integrated_gradients);
    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        kldve_options o = what[i];
        double coarse, fine;

        o.samples = 2;
        coarse = gap(&b, o);
        o.samples = 64;
        fine = gap(&b, o);
        if (!(fine <= 0.002 && fine < coarse))
            fail_msg("target %zu: off by %g with 2 steps, by %g with 64", i, coarse, fine);
    }
    close_bench(&b);
}

/* One step is the gradient at half the input; many are more than one. */
static void test_default_steps(void **state)
{
    struct bench b;
    float map[PIXELS];

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_integrated_gradients);
    run_probe(&b, (kldve_options){.samples = 32});
    memcpy(map, b.probe.map, sizeof map);
    run_probe(&b, (kldve_options){.samples = 0});
    assert_memory_equal(map, b.probe.map, sizeof map);
    run_probe(&b, (kldve_options){.samples = 31});
    assert_memory_not_equal(map, b.probe.map, sizeof map);
    close_bench(&b);
}

static void test_cancel(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_saliency);
    check_cancel(&b, "integrated-gradients");
    close_bench(&b);
}

TEST_MAIN(integrated_gradients)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completeness),
        cmocka_unit_test(test_default_steps),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("integrated gradients", tests, NULL, NULL);
}
