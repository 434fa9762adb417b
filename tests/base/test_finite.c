/* test_finite.c - the first number that is not finite. */
#include "support.h"

#include <float.h>
#include <math.h>

#include "base/finite.h"

static void test_finite(void **state)
{
    float v[100] = {0};

    (void)state;
    v[3] = FLT_MAX;
    v[4] = -1e-45f;
    assert_int_equal(kldve_finite(v, 100), 100);
    assert_int_equal(kldve_finite(v, 0), 0);
    v[99] = NAN;
    assert_int_equal(kldve_finite(v, 100), 99);
    assert_int_equal(kldve_finite(v, 99), 99);
    v[50] = -INFINITY;
    assert_int_equal(kldve_finite(v, 100), 50);
}

static void test_at_least_zero(void **state)
{
    (void)state;
    assert_true(kldve_at_least_zero(0) && kldve_at_least_zero(-0.0));
    assert_true(kldve_at_least_zero(5e-324) && kldve_at_least_zero((double)INFINITY));
    assert_false(kldve_at_least_zero(-5e-324) || kldve_at_least_zero(-(double)INFINITY));
    assert_false(kldve_at_least_zero((double)NAN) || kldve_at_least_zero(-(double)NAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finite),
        cmocka_unit_test(test_at_least_zero),
    };

    return cmocka_run_group_tests_name("finite", tests, NULL, NULL);
}
