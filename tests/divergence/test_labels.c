/* test_labels.c - closed forms: one-hot truth and several positives, the split into base and delta,
 * cotangents of many classes, the temperature. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/divergence.h>

#include "oracle.h"

enum { N = 60, MANY = 700 };

typedef struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_divergence *d;
    double k[MANY], z[MANY], other[MANY], third[MANY];
} fixture;

static kldve_divergence *make(kldve_ctx *ctx, size_t n, double perplexity, int32_t summation)
{
    kldve_divergence_options o = {.struct_size = sizeof o,
                                  .perplexity = perplexity,
                                  .summation = summation,
                                  .unattainable = KLDVE_UNATTAINABLE_LIMIT,
                                  .tolerance = 1e-13};
    kldve_divergence *d = NULL;

    assert_int_equal(kldve_divergence_new(ctx, n, &o, &d), KLDVE_OK);
    return d;
}

static fixture *start(size_t n, double perplexity)
{
    fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->ctx = test_ctx(&f->heap);
    f->d = make(f->ctx, n, perplexity, KLDVE_SUM_AUTO);
    oracle_scores(ORACLE_NORMAL, 0.5, n, 21, f->k);
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

static void check(const char *what, double value, const double *got, const double *expected,
                  size_t n, double tolerance)
{
    double off = oracle_distance(got, expected, n);

    if (!(off <= tolerance))
        fail_msg("%s at %.17g: off by %g", what, value, off);
}

/* Perplexities in all three regimes, at their borders and on both sides of them. */
static void test_regimes(void **state)
{
    static const size_t sizes[] = {3, 4, 5, 10, N};
    static const double offsets[] = {-40,  -5,    -1.5,  -1 - 1e-6, -1,   -1 + 1e-6, -0.999,
                                     -0.5, -1e-3, -1e-6, 0,         1e-6, 0.5,       100};
    bool positive[N] = {false};

    (void)state;
    positive[2] = true;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
            size_t n = sizes[s];
            double perplexity = (double)n - 1 + offsets[i], kl, expected_kl;
            fixture *f;

            if (perplexity <= 1)
                continue;
            f = start(n, perplexity);
            oracle_labels(f->k, positive, n, perplexity, f->other, &expected_kl);
            assert_int_equal(kldve_divergence_onehot(f->d, 2, f->z, &kl), KLDVE_OK);
            check("gradient", perplexity, f->z, f->other, n, 1e-9);
            if (fabs(kl - expected_kl) > 1e-12)
                fail_msg("KL at %.17g: %.17g, not %.17g", perplexity, kl, expected_kl);
            finish(f);
        }
}

/* Crossing a border moves z no more than its distance from the border. */
static void test_borders_meet(void **state)
{
    (void)state;
    for (int border = 1; border <= 2; border++) {
        double at = N - border;
        fixture *inside = start(N, at - 1e-9), *outside = start(N, at + 1e-9);

        assert_int_equal(kldve_divergence_onehot(inside->d, 5, inside->z, NULL), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(outside->d, 5, outside->z, NULL), KLDVE_OK);
        /* At n - 1, u leaves 1 like a square root. */
        check("border", at, inside->z, outside->z, N, border == 1 ? 1e-3 : 1e-6);
        finish(inside);
        finish(outside);
    }
}

/* dKL/dk by central differences. */
static void test_differences(void **state)
{
    static const double perplexities[] = {5, N - 1.5, 100};

    (void)state;
    for (size_t p = 0; p < 3; p++)
        for (size_t count = 1; count <= 3; count++) {
            static const size_t targets[] = {7, 0, 31};
            fixture *f = start(N, perplexities[p]);
            double step = 1e-4, up, down;

            assert_int_equal(kldve_divergence_positives(f->d, targets, count, f->z, NULL),
                             KLDVE_OK);
            for (size_t i = 0; i < N; i++) {
                double at = f->k[i];

                f->k[i] = at + step;
                assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
                assert_int_equal(kldve_divergence_positives(f->d, targets, count, NULL, &up),
                                 KLDVE_OK);
                f->k[i] = at - step;
                assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
                assert_int_equal(kldve_divergence_positives(f->d, targets, count, NULL, &down),
                                 KLDVE_OK);
                f->k[i] = at;
                f->other[i] = (up - down) / (2 * step);
            }
            check("central differences", perplexities[p], f->other, f->z, N, 1e-6);
            finish(f);
        }
}

static void onehot(fixture *f, const double *k, size_t target, double *z)
{
    assert_int_equal(kldve_divergence_set_scores(f->d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(f->d, target, z, NULL), KLDVE_OK);
}

/* Shift, reflection and permutation of the scores, with both methods. */
static void test_symmetries(void **state)
{
    (void)state;
    for (int32_t s = KLDVE_SUM_DIRECT; s <= KLDVE_SUM_CHEBYSHEV; s++) {
        fixture *f = start(MANY, 30);
        double moved[MANY];
        size_t target = 11;

        kldve_divergence_free(f->d);
        f->d = make(f->ctx, MANY, 30, s);
        onehot(f, f->k, target, f->z);
        for (size_t i = 0; i < MANY; i++)
            moved[i] = f->k[i] + 1000;
        onehot(f, moved, target, f->other);
        check("shift", 1000, f->other, f->z, MANY, 1e-11); /* the shift itself rounds */
        for (size_t i = 0; i < MANY; i++)
            moved[i] = -f->k[i];
        onehot(f, moved, target, f->other);
        for (size_t i = 0; i < MANY; i++)
            f->other[i] = -f->other[i];
        check("reflection", -1, f->other, f->z, MANY, 1e-12);
        for (size_t i = 0; i < MANY; i++)
            moved[i * 37 % MANY] = f->k[i];
        onehot(f, moved, target * 37 % MANY, f->third);
        for (size_t i = 0; i < MANY; i++)
            f->other[i] = f->third[i * 37 % MANY];
        check("permutation", 37, f->other, f->z, MANY, 1e-12);
        finish(f);
    }
}

static void test_split(void **state)
{
    static const size_t targets[] = {0, 3, 3, 699};
    fixture *f = start(MANY, 30);
    double *many = malloc(4 * MANY * sizeof *many);

    (void)state;
    for (int32_t kind = KLDVE_CLASS_ONEHOT; kind <= KLDVE_CLASS_RIVALS; kind++) {
        assert_int_equal(kldve_divergence_many(f->d, kind, targets, 4, many), KLDVE_OK);
        for (size_t t = 0; t < 4; t++) {
            kldve_status st =
                kind == KLDVE_CLASS_ONEHOT  ? kldve_divergence_onehot(f->d, targets[t], f->z, NULL)
                : kind == KLDVE_CLASS_DELTA ? kldve_divergence_delta(f->d, targets[t], f->z)
                : kind == KLDVE_CLASS_CONTRAST ? kldve_divergence_contrast(f->d, targets[t], f->z)
                                               : kldve_divergence_rivals(f->d, targets[t], f->z);

            assert_int_equal(st, KLDVE_OK);
            assert_memory_equal(f->z, many + t * MANY, MANY * sizeof *f->z);
        }
    }
    assert_int_equal(kldve_divergence_base(f->d, f->z), KLDVE_OK);
    assert_int_equal(kldve_divergence_delta(f->d, 3, f->other), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(f->d, 3, f->third, NULL), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++)
        f->z[i] += f->other[i];
    check("base + delta", 3, f->z, f->third, MANY, 1e-15);
    free(many);
    finish(f);
}

/* For the class with the largest score, contrast is -delta up to a positive factor. */
static void test_contrast_is_delta(void **state)
{
    fixture *f = start(MANY, 30);
    double sum = 0;

    (void)state;
    assert_int_equal(kldve_divergence_delta(f->d, 0, f->z), KLDVE_OK);
    assert_int_equal(kldve_standardise(f->z, MANY, f->z), 0);
    assert_int_equal(kldve_divergence_contrast(f->d, 0, f->other), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++) {
        f->z[i] = -f->z[i];
        sum += f->other[i];
    }
    check("contrast", 0, f->z, f->other, MANY, 1e-12);
    assert_true(fabs(sum) <= 1e-11);
    /* At perplexity n - 1 delta vanishes and contrast does not. */
    kldve_divergence_free(f->d);
    f->d = make(f->ctx, MANY, MANY, KLDVE_SUM_AUTO);
    assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
    assert_int_equal(kldve_divergence_delta(f->d, 0, f->z), KLDVE_OK);
    assert_int_equal(kldve_divergence_contrast(f->d, 0, f->third), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++)
        assert_true(f->z[i] == 0);
    assert_memory_equal(f->third, f->other, MANY * sizeof *f->other);
    finish(f);
}

/* Several positives: the oracle, and the rows of a tree as soon as there are many. */
static void test_positives(void **state)
{
    static const size_t counts[] = {1, 2, 5, 30, 190, 200, 500, 699};
    static const double perplexities[] = {3, 30, 250, 400, 650, 698.5, 2000};
    size_t targets[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        targets[i] = i * 37 % MANY;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t p = 0; p < sizeof perplexities / sizeof *perplexities; p++) {
            fixture *f = start(MANY, perplexities[p]);
            bool positive[MANY] = {false};
            double kl, expected_kl;

            for (size_t i = 0; i < counts[c]; i++)
                positive[targets[i]] = true;
            oracle_labels(f->k, positive, MANY, perplexities[p], f->other, &expected_kl);
            assert_int_equal(kldve_divergence_positives(f->d, targets, counts[c], f->z, &kl),
                             KLDVE_OK);
            check("positives", perplexities[p], f->z, f->other, MANY, 1e-9);
            if (fabs(kl - expected_kl) > 1e-11)
                fail_msg("KL of %zu positives: %.17g, not %.17g", counts[c], kl, expected_kl);
            finish(f);
        }
}

/* A truth vector with two values, label smoothing too, is the closed form. */
static void test_two_values(void **state)
{
    static const double values[][2] = {{1, 0}, {0.9, 0.1 / (MANY - 1)}, {-3, 1e6}, {1e-12, 0}};
    static const size_t targets[] = {5, 6, 640};

    (void)state;
    for (size_t v = 0; v < 4; v++)
        for (size_t count = 1; count <= 3; count++) {
            fixture *f = start(MANY, count == 1 ? 30 : MANY - 1.25);
            double y[MANY], kl, expected_kl;

            for (size_t i = 0; i < MANY; i++)
                y[i] = values[v][1];
            for (size_t i = 0; i < count; i++)
                y[targets[i]] = values[v][0];
            assert_int_equal(
                kldve_divergence_positives(f->d, targets, count, f->other, &expected_kl), KLDVE_OK);
            assert_int_equal(kldve_divergence_truth(f->d, y, f->z, &kl), KLDVE_OK);
            check("two values", values[v][0], f->z, f->other, MANY, 1e-9);
            assert_true(fabs(kl - expected_kl) <= 1e-11);
            finish(f);
        }
}

/* Scores divided by T at T = 1 and scores at T, and a sweep over it. */
static void test_temperature(void **state)
{
    static const double temperatures[] = {0.25, 1, 3, 40};
    fixture *f = start(MANY, 30), *g = start(MANY, 30);
    double *z = malloc(4 * MANY * sizeof *z), kl[4], own;

    (void)state;
    assert_int_equal(kldve_divergence_onehot(f->d, 1, f->other, NULL), KLDVE_OK);
    assert_int_equal(kldve_divergence_sweep(f->d, 1, temperatures, 4, z, kl), KLDVE_OK);
    for (size_t t = 0; t < 4; t++) {
        for (size_t i = 0; i < MANY; i++)
            g->k[i] = f->k[i] / temperatures[t];
        assert_int_equal(kldve_divergence_set_scores(g->d, g->k), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(g->d, 1, g->z, &own), KLDVE_OK);
        check("temperature", temperatures[t], z + t * MANY, g->z, MANY, 1e-11);
        assert_true(fabs(own - kl[t]) <= 1e-12);
        assert_int_equal(kldve_divergence_set_temperature(f->d, temperatures[t]), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(f->d, 1, f->z, NULL), KLDVE_OK);
        assert_memory_equal(f->z, z + t * MANY, sizeof f->z);
        assert_int_equal(kldve_divergence_set_temperature(f->d, 1), KLDVE_OK);
    }
    assert_int_equal(kldve_divergence_onehot(f->d, 1, f->z, NULL), KLDVE_OK);
    assert_memory_equal(f->z, f->other, sizeof f->z);
    free(z);
    finish(f);
    finish(g);
}

static void test_standardise(void **state)
{
    double z[] = {1e300, -1e300, 3e299, 0}, tiny[] = {1e-310, 2e-310, 4e-310},
           same[] = {0.1, 0.1, 0.1};

    (void)state;
    for (int which = 0; which < 2; which++) {
        double *x = which ? tiny : z, mean = 0, squares = 0;
        size_t n = which ? 3 : 4;

        assert_int_equal(kldve_standardise(x, n, x), 0);
        for (size_t i = 0; i < n; i++) {
            mean += x[i] / (double)n;
            squares += x[i] * x[i] / (double)n;
        }
        assert_true(fabs(mean) <= 1e-15 && fabs(squares - 1) <= 1e-14);
    }
    assert_int_equal(kldve_standardise(same, 3, same), 1);
    assert_true(same[0] == 0 && same[1] == 0 && same[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regimes),     cmocka_unit_test(test_borders_meet),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_symmetries),
        cmocka_unit_test(test_split),       cmocka_unit_test(test_contrast_is_delta),
        cmocka_unit_test(test_positives),   cmocka_unit_test(test_two_values),
        cmocka_unit_test(test_temperature), cmocka_unit_test(test_standardise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
