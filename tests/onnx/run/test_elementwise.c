/* test_elementwise.c - activations against their definitions in float64, their VJPs against central
 * differences of those definitions, and the rules of modified backward passes against theirs. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include <kldve/backend.h>

#include "run/elementwise.h"

static double define(kx_act act, double x)
{
    double a = (double)act.a, b = (double)act.b;

    switch (act.kind) {
    case KX_ACT_NONE:
        return x;
    case KX_ACT_RELU:
        return fmax(x, 0);
    case KX_ACT_LEAKY:
        return x < 0 ? a * x : x;
    case KX_ACT_CLIP:
        return fmin(fmax(x, a), b);
    case KX_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case KX_ACT_TANH:
        return tanh(x);
    case KX_ACT_ELU:
        return x < 0 ? a * expm1(x) : x;
    case KX_ACT_SWISH:
        return x / (1 + exp(-a * x));
    case KX_ACT_HARDSWISH:
        return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case KX_ACT_HARDSIGMOID:
        return fmin(fmax(a * x + b, 0), 1);
    case KX_ACT_GELU:
        return x * 0.5 * erfc(-x * sqrt(0.5));
    case KX_ACT_GELU_TANH:
        return x * 0.5 * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case KX_ACT_ERF:
        return erf(x);
    case KX_ACT_EXP:
        return exp(x);
    case KX_ACT_POW:
        return pow(x, a);
    case KX_ACT_ROUND8:
        return a * fmin(fmax(nearbyint(x / a), b), b + 255);
    case KX_ACT_ROUND16:
        return a * fmin(fmax(nearbyint(x / a), b), b + 65535);
    case KX_ACT_LEVEL:
        return nearbyint(x / a);
    case KX_ACT_LINEAR:
        return a * x + b;
    }
    return NAN;
}

static const kx_act acts[] = {{KX_ACT_NONE, 0, 0},
                              {KX_ACT_RELU, 0, 0},
                              {KX_ACT_LEAKY, 0.1f, 0},
                              {KX_ACT_CLIP, -0.5f, 2},
                              {KX_ACT_CLIP, 0, 6},
                              {KX_ACT_SIGMOID, 0, 0},
                              {KX_ACT_TANH, 0, 0},
                              {KX_ACT_ELU, 1.3f, 0},
                              {KX_ACT_SWISH, 1, 0},
                              {KX_ACT_SWISH, 1.702f, 0},
                              {KX_ACT_HARDSIGMOID, 0.2f, 0.5f},
                              {KX_ACT_GELU, 0, 0},
                              {KX_ACT_GELU_TANH, 0, 0},
                              {KX_ACT_ERF, 0, 0},
                              {KX_ACT_EXP, 0, 0},
                              {KX_ACT_POW, 2, 0},
                              {KX_ACT_POW, 3, 0},
                              {KX_ACT_HARDSWISH, 0, 0},
                              {KX_ACT_LINEAR, -1.5f, 0.3f}};

enum { NACT = sizeof acts / sizeof *acts, MOST = 40000 /* more than one thread has by itself */ };

static float x[MOST], y[MOST], dy[MOST], dx[MOST];

static void fill(size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(3 * test_normal(&seed));
        dy[i] = (float)test_normal(&seed);
    }
}

/* Is f's slope another one on the other side of a place this near? */
static bool near_kink(kx_act act, double at)
{
    const double kinks[] = {0, -3, 3, (double)act.a, (double)act.b};

    for (size_t i = 0; i < sizeof kinks / sizeof *kinks; i++)
        if (fabs(at - kinks[i]) < 1e-3)
            return true;
    return false;
}

static const float *seen_by(kx_act act)
{
    return kx_act_from_output(act) ? y : x;
}

static void test_forward(void **state)
{
    (void)state;
    fill(MOST, 1);
    for (size_t k = 0; k < NACT; k++) {
        kx_act_forward(acts[k], MOST, x, y);
        for (size_t i = 0; i < MOST; i++) {
            double right = define(acts[k], (double)x[i]);

            assert_true(fabs((double)y[i] - right) <= 2e-6 * (1 + fabs(right)));
        }
    }
}

/* Halves to even, clipped to 256 levels; the derivative is 1 wherever nothing was clipped. */
static void test_rounding(void **state)
{
    static const float at[] = {0.24f,  0.25f,  0.26f, 0.75f, -0.25f, 4.9f,
                               126.4f, 126.8f, -1.2f, -1.3f, NAN};
    static const float level[] = {0, 0, 0.5f, 1, 0, 5, 126.5f, 126.5f, -1, -1, -1};
    static const float slope[] = {1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0};
    enum { N = sizeof at / sizeof *at };
    const kx_act act = {KX_ACT_ROUND8, 0.5f, -2};
    float ones[N], out[N];

    (void)state;
    for (size_t i = 0; i < N; i++)
        ones[i] = 1;
    kx_act_forward(act, N, at, out);
    for (size_t i = 0; i < N; i++)
        assert_true(out[i] == level[i]);
    kx_act_vjp(act, KLDVE_RULE_GRADIENT, N, at, ones, out);
    for (size_t i = 0; i < N; i++)
        assert_true(out[i] == slope[i]);
}

static void test_vjp_against_differences(void **state)
{
    const double step = 1e-5;

    (void)state;
    fill(MOST, 2);
    for (size_t k = 0; k < NACT; k++) {
        size_t compared = 0;

        kx_act_forward(acts[k], MOST, x, y);
        kx_act_vjp(acts[k], KLDVE_RULE_GRADIENT, MOST, seen_by(acts[k]), dy, dx);
        for (size_t i = 0; i < MOST; i++) {
            double at = (double)x[i], right;

            if (near_kink(acts[k], at))
                continue;
            right = (define(acts[k], at + step) - define(acts[k], at - step)) / (2 * step) *
                    (double)dy[i];
            assert_true(fabs((double)dx[i] - right) <=
                        1e-5 * (1 + fabs((double)dy[i]) + fabs(right)));
            compared++;
        }
        assert_true(compared > MOST * 9 / 10);
    }
}

/* Guided backpropagation (Springenberg et al. 2015) passes what is positive where the rectifier is
 * open, the salient deconvolution (Mahendran and Vedaldi 2016) does the same at rectifiers, and a
 * deconvolution (Zeiler and Fergus 2014) passes what is positive everywhere. */
static void test_rules(void **state)
{
    static const kx_act rectifiers[] = {{KX_ACT_RELU, 0, 0}, {KX_ACT_CLIP, 0, 6}};
    static const int32_t rules[] = {KLDVE_RULE_GRADIENT, KLDVE_RULE_GUIDED,
                                    KLDVE_RULE_DECONVOLUTION, KLDVE_RULE_SALIENT_DECONVOLUTION};

    (void)state;
    fill(MOST, 3);
    for (int k = 0; k < 2; k++)
        for (int r = 0; r < 4; r++) {
            bool everywhere = rules[r] == KLDVE_RULE_DECONVOLUTION;
            bool any_sign = rules[r] == KLDVE_RULE_GRADIENT;

            kx_act_forward(rectifiers[k], MOST, x, y);
            kx_act_vjp(rectifiers[k], rules[r], MOST, y, dy, dx);
            for (size_t i = 0; i < MOST; i++) {
                bool open = x[i] > 0 && (k == 0 || x[i] < 6);

                assert_true(dx[i] == ((open || everywhere) && (any_sign || dy[i] > 0) ? dy[i] : 0));
            }
        }
}

/* Rules are for rectifiers: other activations have their VJP under all of them. */
static void test_rules_leave_others_alone(void **state)
{
    static float other[MOST];

    (void)state;
    fill(MOST, 4);
    for (size_t k = 0; k < NACT; k++) {
        if (acts[k].kind == KX_ACT_RELU || acts[k].kind == KX_ACT_CLIP)
            continue;
        kx_act_forward(acts[k], MOST, x, y);
        kx_act_vjp(acts[k], KLDVE_RULE_GRADIENT, MOST, seen_by(acts[k]), dy, dx);
        kx_act_vjp(acts[k], KLDVE_RULE_GUIDED, MOST, seen_by(acts[k]), dy, other);
        assert_memory_equal(dx, other, sizeof dx);
        kx_act_vjp(acts[k], KLDVE_RULE_DECONVOLUTION, MOST, seen_by(acts[k]), dy, other);
        assert_memory_equal(dx, other, sizeof dx);
    }
}

static void test_in_place(void **state)
{
    static float at[MOST];

    (void)state;
    fill(MOST, 5);
    for (size_t k = 0; k < NACT; k++) {
        kx_act_forward(acts[k], MOST, x, y);
        kx_act_vjp(acts[k], KLDVE_RULE_GRADIENT, MOST, seen_by(acts[k]), dy, dx);
        for (size_t i = 0; i < MOST; i++)
            at[i] = x[i];
        kx_act_forward(acts[k], MOST, at, at);
        assert_memory_equal(at, y, sizeof at);
        for (size_t i = 0; i < MOST; i++)
            at[i] = dy[i];
        kx_act_vjp(acts[k], KLDVE_RULE_GRADIENT, MOST, seen_by(acts[k]), at, at);
        assert_memory_equal(at, dx, sizeof at);
    }
}

static void test_add(void **state)
{
    static const size_t sizes[] = {0, 1, 17, MOST};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        fill(MOST, 6);
        if (sizes[s] < MOST)
            dx[sizes[s]] = 99;
        kx_add(sizes[s], x, dy, dx);
        for (size_t i = 0; i < sizes[s]; i++)
            assert_true(dx[i] == x[i] + dy[i]);
        if (sizes[s] < MOST)
            assert_true(dx[sizes[s]] == 99); /* nothing behind the end */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_vjp_against_differences),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_rules_leave_others_alone),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_add),
    };

    return cmocka_run_group_tests_name("elementwise", tests, NULL, NULL);
}
