/* test_tree.c - the tree's sums against long double: with charges and without, for scores of every
 * kind; the sum of logarithms. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "divergence/tree.h"
#include "oracle.h"

enum { N = 700 };
static const double tolerance = 1e-12;

typedef struct problem {
    double k[N], q[N], s1[N], s2[N], low, high;
} problem;

/* A tree of N scores, and charges for them. */
static kldve_tree *plant(kldve_ctx *ctx, problem *p, oracle_kind kind, double scale)
{
    kldve_tree *t = NULL;
    uint64_t seed = 17;

    oracle_scores(kind, scale, N, 3, p->k);
    p->low = INFINITY;
    p->high = -INFINITY;
    for (size_t i = 0; i < N; i++) {
        p->q[i] = test_random(&seed);
        p->low = fmin(p->low, p->k[i]);
        p->high = fmax(p->high, p->k[i]);
    }
    assert_int_equal(kldve_tree_new(ctx, kldve_kernels_best(), N, &t), KLDVE_OK);
    assert_int_equal(kldve_tree_build(t, p->k, p->low, p->high, tolerance), KLDVE_OK);
    return t;
}

/* S1, S2 (narrow: S3) and the sum over pairs by their definitions; q NULL: charges of 1. */
static double by_definition(const problem *p, bool narrow, const double *q, double *s1, double *s2)
{
    long double pairs = 0;

    for (size_t i = 0; i < N; i++) {
        long double a = 0, b = 0;

        for (size_t j = 0; j < N; j++) {
            long double d = (long double)p->k[i] - p->k[j], w = 1 / (1 + d * d);
            long double charge = q ? q[j] : 1;

            a += charge * w * d;
            b += charge * w * w * d * (narrow ? d * d : 1);
            pairs += i == j ? 0 : narrow ? w * d * d : w;
        }
        s1[i] = (double)a;
        s2[i] = (double)b;
    }
    return (double)pairs;
}

/* Chebyshev coefficients of w d fall like rho^-m; those of w^2 d like m rho^-m, as the pole is
 * double. */
static void check_sums(problem *p, kldve_tree *t, const char *what, const double *q)
{
    double s1[N], s2[N], pairs = 0, off1, off2;
    double expected = by_definition(p, t->narrow, q, s1, s2);

    assert_int_equal(kldve_tree_sum(t, q, p->s1, p->s2, q ? NULL : &pairs), KLDVE_OK);
    off1 = oracle_distance(p->s1, s1, N);
    off2 = oracle_distance(p->s2, s2, N);
    if (!(off1 <= tolerance) || !(off2 <= (double)t->order * tolerance))
        fail_msg("%s: S1 is off by %g, S2 by %g", what, off1, off2);
    if (!q && !(fabs(pairs - expected) <= tolerance * expected))
        fail_msg("%s: the sum over pairs is %.17g, not %.17g", what, pairs, expected);
}

static const double scales[] = {0.01, 1, 30};

static void test_sums(void **state)
{
    (void)state;
    for (oracle_kind kind = ORACLE_NORMAL; kind <= ORACLE_GEOMETRIC; kind++)
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
            problem p;
            test_heap heap;
            kldve_ctx *ctx = test_ctx(&heap);
            kldve_tree *t = plant(ctx, &p, kind, scales[s]);

            check_sums(&p, t, "charges of 1", NULL);
            check_sums(&p, t, "drawn charges", p.q);
            check_sums(&p, t, "charges of 1 again", NULL);
            kldve_tree_free(t);
            kldve_ctx_free(ctx);
            assert_int_equal(heap.live, 0);
        }
}

/* sum a_i b_j log(1 + d^2). */
static void check_log(problem *p, kldve_tree *t, const double *a, const double *b)
{
    long double expected = 0;
    double sum = 0;

    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            long double d = (long double)p->k[i] - p->k[j];

            expected += (a ? a[i] : 1) * (long double)(b ? b[j] : 1) * log1pl(d * d);
        }
    assert_int_equal(kldve_tree_log(t, a, b, &sum), KLDVE_OK);
    if (!(fabs(sum - (double)expected) <= tolerance * (double)expected))
        fail_msg("the sum of logarithms is %.17g, not %.17g", sum, (double)expected);
}

static void test_logarithms(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        problem p;
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_tree *t = plant(ctx, &p, ORACLE_NORMAL, scales[s]);

        check_log(&p, t, NULL, NULL);
        check_log(&p, t, p.q, NULL);
        check_log(&p, t, p.q, p.q);
        kldve_tree_free(t);
        kldve_ctx_free(ctx);
    }
}

TEST_MAIN(tree)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_logarithms),
    };

    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
