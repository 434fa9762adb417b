/* test_sensitivity.c - how far two maps differ. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "stages/sensitivity.h"

static void test_sensitivity(void **state)
{
    const float a[4] = {0, 1, 0.5f, 0.25f}, opposite[4] = {1, 0, 0.5f, 0.75f}, flat[4] = {0};
    const float stretched[4] = {0.1f, 0.9f, 0.5f, 0.3f};

    (void)state;
    assert_true(kldve_sensitivity(a, a, 4) == 0);
    assert_true(kldve_sensitivity(flat, flat, 4) == 0);
    assert_true(kldve_sensitivity(a, flat, 4) == 1);
    assert_true(kldve_sensitivity(flat, a, 4) == 1);
    assert_true(fabs(kldve_sensitivity(a, opposite, 4) - 2) < 1e-12);
    assert_true(fabs(kldve_sensitivity(a, stretched, 4)) < 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensitivity),
    };

    return cmocka_run_group_tests_name("sensitivity", tests, NULL, NULL);
}
