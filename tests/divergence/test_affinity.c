/* test_affinity.c - kernel widths: the rows say what the entropy of their probabilities is;
 * perplexities that cannot be reached. */
#include "problems.h"

#include <math.h>
#include <string.h>

#include "oracle.h"

/* What the rows say of themselves is what the entropy of their probabilities is. */
static void test_rows(void **state)
{
    enum { N = 400 };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = new_divergence(ctx, N, 12, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_FAIL);
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
    kldve_divergence *d = new_divergence(ctx, 10, 3, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_FAIL);
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
    d = new_divergence(ctx, 10, 30, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_FAIL);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, NULL), KLDVE_E_UNATTAINABLE);
    assert_non_null(strstr(kldve_ctx_message(ctx), "at most 9"));
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(affinity)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unattainable),
    };

    return cmocka_run_group_tests_name("affinity", tests, NULL, NULL);
}
