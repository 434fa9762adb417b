/* test_weights.c - one weight a map from its gradient. */
#include "support.h"

#include "stages/weights.h"

static void test_mean(void **state)
{
    const float g[6] = {1, 2, 6, -1, 0, 4};
    double a[2];

    (void)state;
    kldve_weights_mean(g, 2, 3, a);
    assert_true(a[0] == 3 && a[1] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),
    };

    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
