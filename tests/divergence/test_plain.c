/* test_plain.c - KL, reverse KL and Jensen-Shannon of the truth and the softmax of the scores. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <kldve/divergence.h>

#include "oracle.h"

enum { N = 50 };

typedef struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_divergence *d;
    double k[N], y[N], z[N];
} fixture;

static fixture *start(double scale, double temperature)
{
    kldve_divergence_options o = {.struct_size = sizeof o, .temperature = temperature};
    fixture *f = calloc(1, sizeof *f);
    uint64_t seed = 5;
    double sum = 0;

    assert_non_null(f);
    f->ctx = test_ctx(&f->heap);
    assert_int_equal(kldve_divergence_new(f->ctx, N, &o, &f->d), KLDVE_OK);
    oracle_scores(ORACLE_NORMAL, scale, N, 8, f->k);
    for (size_t i = 0; i < N; i++)
        sum += f->y[i] = exp(2 * test_normal(&seed));
    for (size_t i = 0; i < N; i++)
        f->y[i] /= sum;
    assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
    return f;
}

static void finish(fixture *f)
{
    kldve_divergence_free(f->d);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
    free(f);
}

/* By the definitions, in long double. */
static double expected(const fixture *f, double temperature, int32_t kind)
{
    long double sum = 0, value = 0, highest = f->k[0];

    for (size_t i = 0; i < N; i++)
        highest = fmaxl(highest, f->k[i]);
    for (size_t i = 0; i < N; i++)
        sum += expl((f->k[i] - highest) / temperature);
    for (size_t i = 0; i < N; i++) {
        long double y = f->y[i], s = expl((f->k[i] - highest) / temperature) / sum, m = (y + s) / 2;

        if (kind == KLDVE_PLAIN_KL)
            value += y > 0 ? y * logl(y / s) : 0;
        else if (kind == KLDVE_PLAIN_REVERSE_KL)
            value += s * logl(s / y);
        else
            value += 0.5L * ((y > 0 ? y * logl(y / m) : 0) + s * logl(s / m));
    }
    return (double)value;
}

static void test_values(void **state)
{
    static const double scales[] = {0.01, 1, 30}, temperatures[] = {0.5, 1, 10};

    (void)state;
    for (size_t s = 0; s < 3; s++)
        for (size_t t = 0; t < 3; t++)
            for (int32_t kind = KLDVE_PLAIN_KL; kind <= KLDVE_PLAIN_JENSEN_SHANNON; kind++) {
                fixture *f = start(scales[s], temperatures[t]);
                double value, right = expected(f, temperatures[t], kind);

                assert_int_equal(kldve_divergence_plain(f->d, kind, f->y, f->z, &value), KLDVE_OK);
                if (!(fabs(value - right) <= 1e-13 * (1 + right)))
                    fail_msg("kind %d, scale %g, temperature %g: %.17g, not %.17g", (int)kind,
                             scales[s], temperatures[t], value, right);
                finish(f);
            }
}

static void test_gradients(void **state)
{
    (void)state;
    for (int32_t kind = KLDVE_PLAIN_KL; kind <= KLDVE_PLAIN_JENSEN_SHANNON; kind++) {
        fixture *f = start(0.3, 0);
        double slope[N], sum = 0, up, down;

        f->y[4] += kind == KLDVE_PLAIN_REVERSE_KL ? 0 : f->y[3];
        f->y[3] = kind == KLDVE_PLAIN_REVERSE_KL ? f->y[3] : 0;
        assert_int_equal(kldve_divergence_plain(f->d, kind, f->y, f->z, NULL), KLDVE_OK);
        for (size_t i = 0; i < N; i++) {
            double at = f->k[i];

            f->k[i] = at + 1e-4;
            assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
            assert_int_equal(kldve_divergence_plain(f->d, kind, f->y, NULL, &up), KLDVE_OK);
            f->k[i] = at - 1e-4;
            assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
            assert_int_equal(kldve_divergence_plain(f->d, kind, f->y, NULL, &down), KLDVE_OK);
            f->k[i] = at;
            slope[i] = (up - down) / 2e-4;
            sum += f->z[i];
        }
        assert_true(oracle_distance(slope, f->z, N) <= 1e-7);
        assert_true(fabs(sum) <= 1e-14);
        finish(f);
    }
}

/* Probabilities that underflow, one-hot truth, truth equal to the softmax. */
static void test_extremes(void **state)
{
    fixture *f = start(1000, 0);
    double value, onehot[N] = {0};

    (void)state;
    onehot[1] = 1;
    for (int32_t kind = KLDVE_PLAIN_KL; kind <= KLDVE_PLAIN_JENSEN_SHANNON; kind += 2) {
        assert_int_equal(kldve_divergence_plain(f->d, kind, onehot, f->z, &value), KLDVE_OK);
        assert_true(isfinite(value));
        for (size_t i = 0; i < N; i++)
            assert_true(isfinite(f->z[i]));
    }
    assert_true(fabs(value - log(2)) <= 1e-15); /* nothing in common */
    assert_int_equal(kldve_divergence_plain(f->d, KLDVE_PLAIN_REVERSE_KL, onehot, f->z, &value),
                     KLDVE_E_NUMERIC);
    finish(f);

    f = start(0.2, 0);
    value = 0;
    for (size_t i = 0; i < N; i++)
        value += f->y[i] = exp(f->k[i]);
    for (size_t i = 0; i < N; i++)
        f->y[i] /= value;
    for (int32_t kind = KLDVE_PLAIN_KL; kind <= KLDVE_PLAIN_JENSEN_SHANNON; kind++) {
        assert_int_equal(kldve_divergence_plain(f->d, kind, f->y, f->z, &value), KLDVE_OK);
        assert_true(fabs(value) <= 1e-15);
        for (size_t i = 0; i < N; i++)
            assert_true(fabs(f->z[i]) <= 1e-15);
    }
    finish(f);
}

TEST_MAIN(plain)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
