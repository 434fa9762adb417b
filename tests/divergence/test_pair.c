/* test_pair.c - two scores: P = Q whatever they are, so KL and z are exactly 0 by every way of
 * summing and for every truth; contrast, rivals and neighbours are +1 and -1. */
#include "problems.h"

#include <math.h>

#include "oracle.h"

static const double scores[][2] = {{3, -2},         {0.1, 0.1000001}, {0, 0},    {-1e70, 1e70},
                                   {5, 5 + 1e-300}, {7e-200, 0},      {1.3, 0.9}};

static void check_zero(const char *what, const double *z, const double *kl)
{
    for (int i = 0; z && i < 2; i++)
        if (z[i] != 0)
            fail_msg("%s: z[%d] = %g", what, i, z[i]);
    if (kl && *kl != 0)
        fail_msg("%s: KL = %g", what, *kl);
}

static void check_scores(kldve_divergence *d, const double *k)
{
    const double truths[][2] = {{1, 0}, {0.3, 0.7}, {2, 2}};
    kldve_divergence_info info = {.struct_size = sizeof info};
    double z[2], kl, error;

    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    for (int32_t c = 0; c < 2; c++) {
        assert_int_equal(kldve_divergence_onehot(d, c, z, &kl), KLDVE_OK);
        check_zero("one-hot", z, &kl);
        assert_int_equal(kldve_divergence_positives(d, &c, 1, z, &kl), KLDVE_OK);
        check_zero("positives", z, &kl);
        assert_int_equal(kldve_divergence_delta(d, c, z), KLDVE_OK);
        check_zero("delta", z, NULL);
        assert_int_equal(kldve_divergence_contrast(d, c, z), KLDVE_OK);
        assert_true(z[c] == 1 && z[1 - c] == -1);
        assert_int_equal(kldve_divergence_rivals(d, c, z), KLDVE_OK);
        assert_true(z[c] == 1 && z[1 - c] == -1);
        assert_int_equal(kldve_divergence_neighbours(d, c, 0, z), KLDVE_OK);
        assert_true(z[c] == 1 && z[1 - c] == -1);
    }
    assert_int_equal(kldve_divergence_base(d, z), KLDVE_OK);
    check_zero("base", z, NULL);
    assert_true(standardise(z, 2));
    for (size_t t = 0; t < 3; t++) {
        assert_int_equal(kldve_divergence_truth(d, truths[t], z, &kl), KLDVE_OK);
        check_zero("truth", z, &kl);
    }
    assert_int_equal(kldve_divergence_get_info(d, &info), KLDVE_OK);
    assert_true(info.error == 0);
    assert_int_equal(kldve_divergence_measure(d, 2, &error), KLDVE_OK);
    assert_true(error == 0);
}

static void test_zero(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (int32_t s = KLDVE_SUMMATION_AUTO; s <= KLDVE_SUMMATION_CHEBYSHEV; s++)
        for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
            kldve_divergence *d = new_divergence(ctx, 2, 30, s, KLDVE_UNATTAINABLE_LIMIT);

            check_scores(d, scores[i]);
            kldve_divergence_free(d);
        }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* The same from the definition: both affinities are one half. */
static void test_oracle(void **state)
{
    const double y[2] = {1, 0};
    long double p[4];
    double z[2], kl;

    (void)state;
    oracle_affinities(y, 2, 30, p, NULL);
    assert_true(p[1] == 0.5L && p[2] == 0.5L);
    for (size_t i = 0; i < 3; i++) {
        oracle_gradient(scores[i], p, 2, z, &kl);
        assert_true(fabs(kl) < 1e-15 && fabs(z[0]) < 1e-15 && fabs(z[1]) < 1e-15);
    }
}

/* A third class far away and without weight leaves what two classes have. */
static void test_limit(void **state)
{
    const double k[3] = {1.5, 0.25, -1e9};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d =
        new_divergence(ctx, 3, 30, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);
    double t[3];

    (void)state;
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    for (int32_t c = 0; c < 2; c++) {
        double scale;

        assert_int_equal(kldve_divergence_contrast(d, c, t), KLDVE_OK);
        scale = sqrt(1.5); /* the deviation is over three entries */
        assert_true(fabs(t[c] / scale - 1) < 1e-7 && fabs(t[1 - c] / scale + 1) < 1e-7);
    }
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(pair)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
