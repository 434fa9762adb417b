/* test_truth.c - any truth vector: against a dense matrix in long double; ties, gaps, outliers,
 * limits; large groups of equal values summed by the tree against the same by rows. */
#include "problems.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "oracle.h"

static void check_case(const char *folder, int32_t summation)
{
    test_npy logits = test_npy_load(test_path("%s/logits.npy", folder));
    test_npy truth = test_npy_load(test_path("%s/truth.npy", folder));
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = golden_open(ctx, &logits, golden_number(folder, "perplexity"), summation);
    double *z = malloc(logits.count * sizeof *z), kl;

    assert_int_equal(kldve_divergence_truth(d, truth.value, z, &kl), KLDVE_OK);
    golden_check(folder, "z", z);
    golden_check(folder, "kl", &kl);
    assert_int_equal(kldve_divergence_rows(d, z, NULL, NULL), KLDVE_OK);
    golden_check(folder, "beta", z);
    free(z);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    test_npy_free(&logits);
    test_npy_free(&truth);
}

static void test_golden(void **state)
{
    const char *shared = test_shared_or_skip();

    (void)state;
    for (int32_t s = KLDVE_SUMMATION_AUTO; s <= KLDVE_SUMMATION_CHEBYSHEV; s++)
        assert_true(golden_each(test_path("%s/golden/divergence", shared), check_case, s) >= 7);
}

static void check_truth(truth_kind kind, size_t n, double perplexity, int32_t summation)
{
    double *k = malloc(6 * n * sizeof *k), *y = k + n, *z = y + n, *expected = z + n;
    double *beta = expected + n, *expected_beta = beta + n, kl, expected_kl;
    long double *p = malloc(n * n * sizeof *p);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = new_divergence(ctx, n, perplexity, summation, KLDVE_UNATTAINABLE_LIMIT);
    double off;

    oracle_scores(ORACLE_NORMAL, 0.4, n, 3, k);
    make_truth(kind, n, y);
    oracle_affinities(y, n, perplexity, p, expected_beta);
    oracle_gradient(k, p, n, expected, &expected_kl);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, &kl), KLDVE_OK);
    off = oracle_distance(z, expected, n);
    if (!(off <= 1e-9) || fabs(kl - expected_kl) > 1e-9)
        fail_msg("%s, n %zu, perplexity %g: z is off by %g, KL by %g", truth_names[kind], n,
                 perplexity, off, kl - expected_kl);
    assert_int_equal(kldve_divergence_rows(d, beta, NULL, NULL), KLDVE_OK);
    for (size_t i = 0; i < n; i++)
        /* A perplexity equal to the number of ties is reached at infinity, and to the oracle's last
         * digit before it. */
        if (kind != TINY && kind != HUGE && !(isinf(beta[i]) && perplexity == floor(perplexity)) &&
            beta[i] != expected_beta[i] &&
            !(fabs(beta[i] - expected_beta[i]) <= 1e-8 * expected_beta[i]))
            fail_msg("%s, n %zu, perplexity %g: beta[%zu] is %g, not %g", truth_names[kind], n,
                     perplexity, i, beta[i], expected_beta[i]);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(k);
    free(p);
}

static void test_against_matrix(void **state)
{
    static const size_t sizes[] = {3, 5, 17, 64};

    (void)state;
    for (truth_kind kind = CONTINUOUS; kind <= OFFSET; kind++)
        for (size_t s = 0; s < 4; s++) {
            double n = (double)sizes[s];

            for (int32_t method = KLDVE_SUMMATION_DIRECT; method <= KLDVE_SUMMATION_CHEBYSHEV;
                 method++) {
                check_truth(kind, sizes[s], 1.5, method);
                check_truth(kind, sizes[s], fmin(4.6, n - 1.5), method);
                check_truth(kind, sizes[s], n - 1.01, method);
                check_truth(kind, sizes[s], n - 1, method);
                check_truth(kind, sizes[s], n + 3, method);
            }
        }
}

static int32_t count_groups(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)done;
    if (strcmp(stage, "tied values") == 0)
        *(int64_t *)opaque = total;
    return 0;
}

/* Groups large enough for the tree: the same as row by row. */
static void test_large_groups(void **state)
{
    enum { N = 3000 };
    double *k = malloc(4 * N * sizeof *k), *y = k + N, *by_tree = y + N, *by_rows = by_tree + N;

    (void)state;
    for (truth_kind kind = FEW_VALUES; kind <= UNEVEN; kind++)
        for (int which = 0; which < 3; which++) {
            double perplexity = which == 0 ? 30 : which == 1 ? 1000 : 2900, kl, direct_kl, off;
            int64_t groups = 0;
            test_heap heap;
            kldve_ctx *ctx = test_ctx(&heap);
            kldve_divergence *d = new_divergence(ctx, N, perplexity, KLDVE_SUMMATION_CHEBYSHEV,
                                                 KLDVE_UNATTAINABLE_LIMIT);
            kldve_divergence *e = new_divergence(ctx, N, perplexity, KLDVE_SUMMATION_DIRECT,
                                                 KLDVE_UNATTAINABLE_LIMIT);

            oracle_scores(ORACLE_NORMAL, which == 2 ? 0.01 : 1, N, 3, k);
            make_truth(kind, N, y);
            assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
            assert_int_equal(kldve_divergence_set_scores(e, k), KLDVE_OK);
            kldve_ctx_set_progress(ctx, count_groups, &groups);
            assert_int_equal(kldve_divergence_truth(d, y, by_tree, &kl), KLDVE_OK);
            assert_true(groups > 0);
            groups = 0;
            assert_int_equal(kldve_divergence_truth(e, y, by_rows, &direct_kl), KLDVE_OK);
            assert_true(groups == 0);
            off = oracle_distance(by_tree, by_rows, N);
            if (!(off <= 1e-10) || fabs(kl - direct_kl) > 1e-10)
                fail_msg("%s, perplexity %g: z off by %g, KL by %g", truth_names[kind], perplexity,
                         off, kl - direct_kl);
            kldve_divergence_free(d);
            kldve_divergence_free(e);
            kldve_ctx_free(ctx);
            assert_int_equal(heap.live, 0);
        }
    free(k);
}

/* A truth vector with two values, label smoothing too, is the closed form. */
static void test_two_values(void **state)
{
    static const double values[][2] = {{1, 0}, {0.9, 0.1 / (MANY - 1)}, {-3, 1e6}, {1e-12, 0}};
    static const int32_t targets[] = {5, 6, 640};

    (void)state;
    for (size_t v = 0; v < 4; v++)
        for (int32_t count = 1; count <= 3; count++) {
            fixture *f = start(MANY, count == 1 ? 30 : MANY - 1.25);
            double y[MANY], kl, expected_kl;

            for (size_t i = 0; i < MANY; i++)
                y[i] = values[v][1];
            for (int32_t i = 0; i < count; i++)
                y[targets[i]] = values[v][0];
            assert_int_equal(
                kldve_divergence_positives(f->d, targets, count, f->other, &expected_kl), KLDVE_OK);
            assert_int_equal(kldve_divergence_truth(f->d, y, f->z, &kl), KLDVE_OK);
            check_near("two values", values[v][0], f->z, f->other, MANY, 1e-9);
            assert_true(fabs(kl - expected_kl) <= 1e-11);
            finish(f);
        }
}

/* dKL/dk by central differences, and sum z = 0. */
static void test_differences(void **state)
{
    enum { N = 40 };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = new_divergence(ctx, N, 7, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_FAIL);
    double k[N], y[N], z[N], slope[N], up, down, sum = 0;

    (void)state;
    oracle_scores(ORACLE_NORMAL, 0.5, N, 13, k);
    make_truth(SOFTMAX, N, y);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, NULL), KLDVE_OK);
    for (size_t i = 0; i < N; i++) {
        double at = k[i];

        k[i] = at + 1e-4;
        assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
        assert_int_equal(kldve_divergence_truth(d, y, NULL, &up), KLDVE_OK);
        k[i] = at - 1e-4;
        assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
        assert_int_equal(kldve_divergence_truth(d, y, NULL, &down), KLDVE_OK);
        k[i] = at;
        slope[i] = (up - down) / 2e-4;
        sum += z[i];
    }
    assert_true(oracle_distance(slope, z, N) <= 1e-7);
    assert_true(fabs(sum) <= 1e-15);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
}

/* P sees only ratios of distances; z is permuted with both, and turns with the scores. */
static void test_symmetries(void **state)
{
    enum { N = 900 };
    double *k = malloc(6 * N * sizeof *k), *y = k + N, *z = y + N, *other = z + N,
           *moved = other + N, *moved_y = moved + N;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    oracle_scores(ORACLE_NORMAL, 1, N, 3, k);
    make_truth(CONTINUOUS, N, y);
    for (int32_t method = KLDVE_SUMMATION_DIRECT; method <= KLDVE_SUMMATION_CHEBYSHEV; method++) {
        kldve_divergence *d = new_divergence(ctx, N, 30, method, KLDVE_UNATTAINABLE_FAIL);

        assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
        assert_int_equal(kldve_divergence_truth(d, y, z, NULL), KLDVE_OK);
        for (size_t i = 0; i < N; i++)
            moved_y[i] = 5 - 0.003 * y[i];
        assert_int_equal(kldve_divergence_truth(d, moved_y, other, NULL), KLDVE_OK);
        assert_true(oracle_distance(other, z, N) <= 1e-10);
        for (size_t i = 0; i < N; i++) {
            moved[i * 37 % N] = -7 - k[i];
            moved_y[i * 37 % N] = y[i];
        }
        assert_int_equal(kldve_divergence_set_scores(d, moved), KLDVE_OK);
        assert_int_equal(kldve_divergence_truth(d, moved_y, other, NULL), KLDVE_OK);
        for (size_t i = 0; i < N; i++)
            moved[i] = -other[i * 37 % N];
        assert_true(oracle_distance(moved, z, N) <= 1e-11);
        kldve_divergence_free(d);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(k);
}

static int32_t stop(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    return strcmp(stage, opaque) == 0;
}

static void test_cancel(void **state)
{
    enum { N = 9000 };
    static const char *const stages[] = {"kernel widths", "truth", "tied values"};
    double *k = malloc(2 * N * sizeof *k), *y = k + N, z0 = 0;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d =
        new_divergence(ctx, N, 30, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);

    (void)state;
    oracle_scores(ORACLE_NORMAL, 1, N, 3, k);
    make_truth(CONTINUOUS, N, y);
    for (size_t i = 0; i < 3000; i++)
        y[i * 3] = 0;
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    for (size_t s = 0; s < 3; s++) {
        char stage[32];

        snprintf(stage, sizeof stage, "%s", stages[s]);
        kldve_ctx_set_progress(ctx, stop, stage);
        assert_int_equal(kldve_divergence_truth(d, y, NULL, &z0), KLDVE_E_CANCELLED);
        assert_true(z0 == 0);
    }
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(k);
}

TEST_MAIN(truth)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),       cmocka_unit_test(test_against_matrix),
        cmocka_unit_test(test_large_groups), cmocka_unit_test(test_two_values),
        cmocka_unit_test(test_differences),  cmocka_unit_test(test_symmetries),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("truth", tests, NULL, NULL);
}
