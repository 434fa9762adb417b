/* test_truth.c - any truth vector: against a dense matrix in long double; ties, gaps, outliers,
 * limits; large groups of equal values summed by the tree against the same by rows. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/divergence.h>

#include "oracle.h"

static kldve_divergence *make(kldve_ctx *ctx, size_t n, double perplexity, int32_t summation,
                              int32_t unattainable)
{
    kldve_divergence_options o = {.struct_size = sizeof o,
                                  .perplexity = perplexity,
                                  .summation = summation,
                                  .unattainable = unattainable,
                                  .tolerance = 1e-13};
    kldve_divergence *d = NULL;

    assert_int_equal(kldve_divergence_new(ctx, n, &o, &d), KLDVE_OK);
    return d;
}

typedef enum truth_kind {
    CONTINUOUS,
    SOFTMAX,    /* probabilities: one near 1, many near 0 */
    FEW_VALUES, /* rounded: ties */
    HALF_ZERO,  /* one large group among distinct values */
    UNEVEN,     /* groups of all sizes between distinct values */
    TWO_HEAPS,  /* far from each other */
    TINY,       /* as CONTINUOUS, times 1e-200 */
    HUGE,       /* times 1e300 */
    OFFSET      /* plus 1e6 */
} truth_kind;

static const char *const kind_names[] = {"continuous", "softmax", "few values",
                                         "half zero",  "uneven",  "two heaps",
                                         "tiny",       "huge",    "offset"};

static void make_truth(truth_kind kind, size_t n, double *y)
{
    uint64_t seed = 99;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double g = test_normal(&seed);

        y[i] = kind == SOFTMAX      ? exp(3 * g)
               : kind == FEW_VALUES ? floor(3 * g)
               : kind == HALF_ZERO  ? (i % 2 ? 0 : g)
               : kind == UNEVEN     ? (i % 4 ? floor(fabs(g) * 4) / 4 : g)
               : kind == TWO_HEAPS  ? g + 1e4 * (double)(i % 3 == 0)
               : kind == TINY       ? g * 1e-200
               : kind == HUGE       ? g * 1e300
               : kind == OFFSET     ? g + 1e6
                                    : g;
        sum += y[i];
    }
    for (size_t i = 0; kind == SOFTMAX && i < n; i++)
        y[i] /= sum;
}

static void check_truth(truth_kind kind, size_t n, double perplexity, int32_t summation)
{
    double *k = malloc(6 * n * sizeof *k), *y = k + n, *z = y + n, *expected = z + n;
    double *beta = expected + n, *expected_beta = beta + n, kl, expected_kl;
    long double *p = malloc(n * n * sizeof *p);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = make(ctx, n, perplexity, summation, KLDVE_UNATTAINABLE_LIMIT);
    double off;

    oracle_scores(ORACLE_NORMAL, 0.4, n, 3, k);
    make_truth(kind, n, y);
    oracle_affinities(y, n, perplexity, p, expected_beta);
    oracle_gradient(k, p, n, expected, &expected_kl);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, &kl), KLDVE_OK);
    off = oracle_distance(z, expected, n);
    if (!(off <= 1e-9) || fabs(kl - expected_kl) > 1e-9)
        fail_msg("%s, n %zu, perplexity %g: z is off by %g, KL by %g", kind_names[kind], n,
                 perplexity, off, kl - expected_kl);
    assert_int_equal(kldve_divergence_rows(d, beta, NULL, NULL), KLDVE_OK);
    for (size_t i = 0; i < n; i++)
        /* A perplexity equal to the number of ties is reached at infinity, and to the oracle's last
         * digit before it. */
        if (kind != TINY && kind != HUGE && !(isinf(beta[i]) && perplexity == floor(perplexity)) &&
            beta[i] != expected_beta[i] &&
            !(fabs(beta[i] - expected_beta[i]) <= 1e-8 * expected_beta[i]))
            fail_msg("%s, n %zu, perplexity %g: beta[%zu] is %g, not %g", kind_names[kind], n,
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

            for (int32_t method = KLDVE_SUM_DIRECT; method <= KLDVE_SUM_CHEBYSHEV; method++) {
                check_truth(kind, sizes[s], 1.5, method);
                check_truth(kind, sizes[s], fmin(4.6, n - 1.5), method);
                check_truth(kind, sizes[s], n - 1.01, method);
                check_truth(kind, sizes[s], n - 1, method);
                check_truth(kind, sizes[s], n + 3, method);
            }
        }
}

/* What the rows say of themselves is what the entropy of their probabilities is. */
static void test_rows(void **state)
{
    enum { N = 400 };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = make(ctx, N, 12, KLDVE_SUM_AUTO, KLDVE_UNATTAINABLE_FAIL);
    double k[N], y[N], beta[N], perplexity[N];
    int32_t flag[N];

    (void)state;
    oracle_scores(ORACLE_NORMAL, 1, N, 3, k);
    make_truth(CONTINUOUS, N, y);
    y[0] = 40; /* far from all others */
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_rows(d, beta, perplexity, flag), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_truth(d, y, NULL, NULL), KLDVE_OK);
    assert_int_equal(kldve_divergence_rows(d, beta, perplexity, flag), KLDVE_OK);
    for (size_t i = 0; i < N; i++) {
        double sum = 0, entropy = 0, nearest = INFINITY;

        for (size_t j = 0; j < N; j++)
            nearest = j == i ? nearest : fmin(nearest, fabs(y[i] - y[j]));
        for (size_t j = 0; j < N; j++)
            sum += j == i ? 0 : exp(beta[i] * (nearest * nearest - (y[i] - y[j]) * (y[i] - y[j])));
        for (size_t j = 0; j < N; j++) {
            double p =
                j == i ? 0
                       : exp(beta[i] * (nearest * nearest - (y[i] - y[j]) * (y[i] - y[j]))) / sum;

            entropy -= p > 0 ? p * log(p) : 0;
        }
        assert_true(fabs(entropy - log(12)) <= 1e-10);
        assert_true(fabs(perplexity[i] - 12) <= 1e-9);
        assert_int_equal(flag[i], 0);
    }
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
}

static void test_unattainable(void **state)
{
    static const double y[] = {0, 0, 0, 0, 0, 0, 1, 5, 7, 8};
    static const double k[] = {3, 1, 2, 5, 9, -1, 0, 4, 2.5, 1.5};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = make(ctx, 10, 3, KLDVE_SUM_AUTO, KLDVE_UNATTAINABLE_FAIL);
    double beta[10], perplexity[10], z[10] = {-7}, kl = -7;
    int32_t flag[10];

    (void)state;
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, &kl), KLDVE_E_UNATTAINABLE);
    assert_string_equal(kldve_ctx_message(ctx),
                        "truth: 7 of 10 rows cannot reach the perplexity 3: entry 0 reaches at "
                        "least 5; choose another or allow the limit");
    assert_true(z[0] == -7 && kl == -7);
    assert_int_equal(kldve_divergence_rows(d, beta, perplexity, flag), KLDVE_OK);
    for (size_t i = 0; i < 10; i++) {
        /* The zeros have five nearest neighbours, 1 has six; the others can have 3. */
        assert_int_equal(flag[i], i < 7);
        assert_true(i >= 7 || (isinf(beta[i]) && perplexity[i] == (i < 6 ? 5 : 6)));
        assert_true(i < 7 || (beta[i] > 0 && fabs(perplexity[i] - 3) < 1e-9));
    }
    kldve_divergence_free(d);
    d = make(ctx, 10, 30, KLDVE_SUM_AUTO, KLDVE_UNATTAINABLE_FAIL);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, NULL), KLDVE_E_UNATTAINABLE);
    assert_non_null(strstr(kldve_ctx_message(ctx), "at most 9"));
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
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
            kldve_divergence *d =
                make(ctx, N, perplexity, KLDVE_SUM_CHEBYSHEV, KLDVE_UNATTAINABLE_LIMIT);
            kldve_divergence *e =
                make(ctx, N, perplexity, KLDVE_SUM_DIRECT, KLDVE_UNATTAINABLE_LIMIT);

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
                fail_msg("%s, perplexity %g: z off by %g, KL by %g", kind_names[kind], perplexity,
                         off, kl - direct_kl);
            kldve_divergence_free(d);
            kldve_divergence_free(e);
            kldve_ctx_free(ctx);
            assert_int_equal(heap.live, 0);
        }
    free(k);
}

/* dKL/dk by central differences, and sum z = 0. */
static void test_differences(void **state)
{
    enum { N = 40 };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = make(ctx, N, 7, KLDVE_SUM_AUTO, KLDVE_UNATTAINABLE_FAIL);
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
    for (int32_t method = KLDVE_SUM_DIRECT; method <= KLDVE_SUM_CHEBYSHEV; method++) {
        kldve_divergence *d = make(ctx, N, 30, method, KLDVE_UNATTAINABLE_FAIL);

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
    kldve_divergence *d = make(ctx, N, 30, KLDVE_SUM_AUTO, KLDVE_UNATTAINABLE_LIMIT);

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_matrix), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unattainable),   cmocka_unit_test(test_large_groups),
        cmocka_unit_test(test_differences),    cmocka_unit_test(test_symmetries),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
