/* test_base.c - the sums over all pairs against long double, over scales, ranges and shapes; which
 * method runs; whether the error estimate holds.  KLDVE_LONG_TESTS=1: more and larger cases. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/divergence.h>

#include "oracle.h"
#include "problems.h"

static bool long_tests(void)
{
    const char *value = getenv("KLDVE_LONG_TESTS");

    return value && *value && *value != '0';
}

static const char *const kind_names[] = {"normal", "uniform", "clusters",
                                         "ties",   "outlier", "geometric"};

static kldve_divergence *make(kldve_ctx *ctx, size_t n, int32_t summation, double tolerance)
{
    kldve_divergence_options o = {
        .struct_size = sizeof o, .summation = summation, .tolerance = tolerance};
    kldve_divergence *d = NULL;

    assert_int_equal(kldve_divergence_new(ctx, (int32_t)n, &o, &d), KLDVE_OK);
    return d;
}

typedef struct outcome {
    double error, estimate, measured;
} outcome;

/* z and KL of one method against the oracle's. */
static outcome compare(kldve_divergence *d, const double *k, size_t n, size_t target,
                       const double *expected, double expected_kl, double tolerance)
{
    kldve_divergence_info info = {.struct_size = sizeof info};
    double *z = malloc(n * sizeof *z), kl, sum = 0, largest = 0;
    outcome out;

    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, (int32_t)target, z, &kl), KLDVE_OK);
    assert_int_equal(kldve_divergence_get_info(d, &info), KLDVE_OK);
    assert_int_equal(kldve_divergence_measure(d, 8, &out.measured), KLDVE_OK);
    out.error = oracle_distance(z, expected, n);
    out.estimate = info.error;
    for (size_t i = 0; i < n; i++) {
        sum += z[i];
        largest = fmax(largest, fabs(z[i]));
    }
    /* sum z = 0 */
    assert_true(fabs(sum) <= tolerance * largest * sqrt((double)n));
    if (fabs(kl - expected_kl) > 1e-12 + tolerance * fabs(expected_kl))
        fail_msg("KL is %.17g, not %.17g", kl, expected_kl);
    free(z);
    return out;
}

static void check_shape(oracle_kind kind, double scale, size_t n, double tolerance)
{
    double *k = malloc(n * sizeof *k), *z = malloc(n * sizeof *z), kl;
    bool *positive = calloc(n, sizeof *positive);
    size_t target = n / 3;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    oracle_scores(kind, scale, n, 7 + n, k);
    positive[target] = true;
    oracle_labels(k, positive, n, 30, z, &kl);
    for (int32_t s = KLDVE_SUMMATION_AUTO; s <= KLDVE_SUMMATION_CHEBYSHEV; s++) {
        kldve_divergence *d = make(ctx, n, s, tolerance);
        /* Three evenly spaced scores make z a small difference of large terms. */
        double exact = n < 8 ? 1e-12 : 1e-13;
        double allowed = s == KLDVE_SUMMATION_DIRECT ? exact : fmax(tolerance, exact);
        outcome o = compare(d, k, n, target, z, kl, allowed);

        /* The error is below the tolerance, and the estimate is honest. */
        if (!(o.error <= allowed) || !(o.error <= 3 * o.estimate + 1e-15) ||
            !(o.measured <= 3 * o.estimate + 1e-15) || !(o.estimate <= fmax(allowed, 1e-11)))
            fail_msg("%s x %g, n %zu, tolerance %g, method %d: error %.3g, estimate %.3g, "
                     "measured %.3g",
                     kind_names[kind], scale, n, tolerance, (int)s, o.error, o.estimate,
                     o.measured);
        kldve_divergence_free(d);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(k);
    free(z);
    free(positive);
}

static void test_scales(void **state)
{
    static const double scales[] = {0.001, 0.01, 0.1, 0.3, 1, 3, 10, 100, 1000, 33333};
    static const size_t sizes[] = {3, 8, 33, 200, 700, 4000};
    size_t count = long_tests() ? 6 : 5;

    (void)state;
    for (oracle_kind kind = ORACLE_NORMAL; kind <= ORACLE_GEOMETRIC; kind++)
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
            for (size_t i = 0; i < count; i++)
                check_shape(kind, scales[s], sizes[i], 1e-10);
}

static void test_tolerances(void **state)
{
    static const double tolerances[] = {1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-13};

    (void)state;
    for (size_t t = 0; t < sizeof tolerances / sizeof *tolerances; t++)
        for (oracle_kind kind = ORACLE_NORMAL; kind <= ORACLE_UNIFORM; kind++) {
            check_shape(kind, 1, 900, tolerances[t]);
            check_shape(kind, 5, 900, tolerances[t]);
        }
}

/* Scores that begin where the two formulas meet, and where the tree first needs two clusters. */
static void test_narrow_border(void **state)
{
    (void)state;
    for (double range = 0.60; range < 1.6; range += 0.013)
        check_shape(ORACLE_UNIFORM, range / 30, 300, 1e-10);
}

/* Far beyond what the kernel can see, up to the limit, with a common offset. */
static void test_extreme_ranges(void **state)
{
    static const double scales[] = {1e5, 1e9, 1e20, 1e72};

    (void)state;
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (oracle_kind kind = ORACLE_NORMAL; kind <= ORACLE_CLUSTERS; kind++)
            check_shape(kind, scales[s], 400, 1e-10);
}

/* The sums of one large problem: against direct sums at some of the scores. */
static void check_large(oracle_kind kind, double scale, size_t n)
{
    double *k = malloc(n * sizeof *k), error;
    kldve_divergence_info info = {.struct_size = sizeof info};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = make(ctx, n, KLDVE_SUMMATION_AUTO, 0);

    oracle_scores(kind, scale, n, 11, k);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_get_info(d, &info), KLDVE_OK);
    assert_int_equal(info.summation, KLDVE_SUMMATION_CHEBYSHEV);
    assert_int_equal(kldve_divergence_measure(d, 20, &error), KLDVE_OK);
    if (!(error <= 1e-10))
        fail_msg("%s x %g, n %zu: error %g", kind_names[kind], scale, n, error);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    free(k);
}

static void test_large(void **state)
{
    (void)state;
    for (oracle_kind kind = ORACLE_NORMAL; kind <= ORACLE_GEOMETRIC; kind++) {
        check_large(kind, 1, 50257);
        check_large(kind, 0.01, 50257);
        if (long_tests()) {
            check_large(kind, 1, 1000000);
            check_large(kind, 30000, 1000000);
        }
    }
}

/* All scores equal: no force, and KL is that of the affinities alone. */
static void test_equal_scores(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double k[500], z[500], kl;

    (void)state;
    for (size_t i = 0; i < 500; i++)
        k[i] = 3.25;
    for (int32_t s = KLDVE_SUMMATION_AUTO; s <= KLDVE_SUMMATION_CHEBYSHEV; s++) {
        kldve_divergence *d = make(ctx, 500, s, 0);

        assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(d, 4, z, &kl), KLDVE_OK);
        for (size_t i = 0; i < 500; i++)
            assert_true(z[i] == 0);
        assert_true(standardise(z, 500));
        assert_int_equal(kldve_divergence_contrast(d, 4, z), KLDVE_OK);
        for (size_t i = 0; i < 500; i++)
            assert_true(z[i] == 0);
        kldve_divergence_free(d);
    }
    kldve_ctx_free(ctx);
}

/* Same scores, same bits: no dependence on earlier contents. */
static void test_repeatable(void **state)
{
    enum { N = 3000 };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double *k = malloc(3 * N * sizeof *k), *first = k + N, *second = k + 2 * N;
    kldve_divergence *d = make(ctx, N, KLDVE_SUMMATION_CHEBYSHEV, 0);

    (void)state;
    oracle_scores(ORACLE_NORMAL, 1, N, 5, k);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 9, first, NULL), KLDVE_OK);
    oracle_scores(ORACLE_UNIFORM, 1000, N, 6, second);
    assert_int_equal(kldve_divergence_set_scores(d, second), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 9, second, NULL), KLDVE_OK);
    assert_memory_equal(first, second, N * sizeof *first);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    free(k);
}

TEST_MAIN(base)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scales),        cmocka_unit_test(test_tolerances),
        cmocka_unit_test(test_narrow_border), cmocka_unit_test(test_extreme_ranges),
        cmocka_unit_test(test_large),         cmocka_unit_test(test_equal_scores),
        cmocka_unit_test(test_repeatable),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
