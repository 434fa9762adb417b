/* test_prediction_difference.c - a picture of one colour, and standard errors. */
#include "repeats.h"

#include <math.h>

/* A patch of a picture of one colour is like every other. */
static void test_nothing_differs(void **state)
{
    float input[INPUTS];

    (void)state;
    for (int i = 0; i < INPUTS; i++)
        input[i] = i < PIXELS ? 1.25f : -0.5f;
    run_raw("prediction-difference", &tiny_backend, &curved, input,
            (kldve_options){TARGET_IS, .window = 4});
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabsf(raw.map[i]) < 1e-6f && raw.error[i] < 1e-6f);
}

static void test_errors(void **state)
{
    (void)state;
    check_errors("prediction-difference", 20, 4);
}

TEST_MAIN(prediction_difference)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_differs),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("prediction difference", tests, NULL, NULL);
}
