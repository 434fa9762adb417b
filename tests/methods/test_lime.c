/* test_lime.c - LIME finds the coefficients of a linear network; its standard errors. */
#include "repeats.h"

#include <math.h>

/* The coefficients of a linear network, but for what the penalty of 1 takes: with weights around
 * 1/2 and 2000 samples of variance 1/4 that is 1 / 250. */
static void test_lime_linear(void **state)
{
    float input[INPUTS];
    int32_t label[PIXELS];
    int d;
    double expected[24] = {0}, largest = 0, off = 0;

    (void)state;
    draw_input(input);
    d = find_superpixels(input, 3, 4, label);
    assert_in_range(d, 2, 24);
    for (int i = 0; i < INPUTS; i++)
        expected[label[i % PIXELS]] += share(input, i);
    run_raw(
        "lime", &linear_backend, NULL, input,
        (kldve_options){NEARLY_LINEAR, .sign = KLDVE_SIGN_SIGNED, .window = 4, .samples = 2000});
    for (int j = 0; j < d; j++)
        largest = fmax(largest, fabs(expected[j]));
    for (int i = 0; i < PIXELS; i++)
        off = fmax(off, fabs((double)raw.map[i] - expected[label[i]]) / largest);
    print_message("lime: at most %.4f of the largest coefficient from a linear network's own\n",
                  off);
    assert_true(off < 0.01);
}

static void test_errors(void **state)
{
    (void)state;
    check_errors("lime", 200, 3);
}

TEST_MAIN(lime)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lime_linear),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("lime", tests, NULL, NULL);
}
