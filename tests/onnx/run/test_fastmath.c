/* test_fastmath.c - the bounds that fastmath.h states, over floats of every exponent and sign. */
#include "support.h"

#include <float.h>
#include <math.h>

#include "run/fastmath.h"

enum { STRIDE = 9973 }; /* of bit patterns: some 430 000 floats */

static float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Calls check with floats from the whole range, NaN excepted. */
static void each_float(void (*check)(float x))
{
    for (uint32_t bits = 0; bits < UINT32_MAX - STRIDE; bits += STRIDE)
        if (!isnan(float_of(bits)))
            check(float_of(bits));
}

static void check_exp(float x)
{
    double right = exp((double)x), got = (double)kx_exp(x);

    if (right < (double)FLT_MIN)
        assert_true(got == 0 || got <= (double)FLT_MIN * 1.001);
    else if (right > (double)FLT_MAX)
        assert_true(isinf(got));
    else
        assert_true(fabs(got - right) <= 2 * (double)FLT_EPSILON * right);
}

static void check_others(float x)
{
    float density;
    double d = (double)x;

    assert_true(fabs((double)kx_sigmoid(x) - 1 / (1 + exp(-d))) <= 2e-7);
    assert_true(fabs((double)kx_tanh(x) - tanh(d)) <= 2e-7);
    assert_true(fabs((double)kx_erf(x) - erf(d)) <= 5e-7);
    assert_true(fabs((double)kx_gelu_cdf(x, &density) - 0.5 * erfc(-d * sqrt(0.5))) <= 3e-7);
    assert_true(fabs((double)density - exp(-0.5 * d * d)) <= 2e-7);
}

static void test_exp(void **state)
{
    (void)state;
    each_float(check_exp);
}

static void test_others(void **state)
{
    (void)state;
    each_float(check_others);
}

static void test_limits(void **state)
{
    float density;

    (void)state;
    assert_true(kx_exp(INFINITY) == INFINITY && kx_exp(-INFINITY) == 0 && kx_exp(0) == 1);
    assert_true(kx_sigmoid(INFINITY) == 1 && kx_sigmoid(-INFINITY) == 0);
    assert_true(kx_tanh(INFINITY) == 1 && kx_tanh(-INFINITY) == -1);
    assert_true(kx_erf(INFINITY) == 1 && kx_erf(-INFINITY) == -1);
    assert_true(kx_gelu_cdf(INFINITY, &density) == 1 && kx_gelu_cdf(-INFINITY, &density) == 0);
    assert_true(isnan(kx_exp(NAN)) && isnan(kx_sigmoid(NAN)) && isnan(kx_tanh(NAN)) &&
                isnan(kx_erf(NAN)) && isnan(kx_gelu_cdf(NAN, &density)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exp), cmocka_unit_test(test_others),
                                       cmocka_unit_test(test_limits)};

    return cmocka_run_group_tests_name("fastmath", tests, NULL, NULL);
}
