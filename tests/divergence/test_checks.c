/* test_checks.c - a target that is not among the classes, and NaN in a truth vector. */
#include "support.h"

#include <math.h>

#include <kldve/divergence.h>

#include "oracle.h"

static void test_targets(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = NULL;
    double k[31], z[31];

    (void)state;
    assert_int_equal(kldve_divergence_new(ctx, 31, NULL, &d), KLDVE_OK);
    oracle_scores(ORACLE_NORMAL, 1, 31, 4, k);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 31, z, NULL), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx),
                        "one-hot divergence: target 31 is not among the 31 classes");
    assert_int_equal(kldve_divergence_onehot(NULL, 0, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_contrast(d, 31, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_rivals(d, 99, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_delta(d, 31, z), KLDVE_E_ARG);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_finite(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = NULL;
    double k[31], z[31], y[31] = {1}, value;

    (void)state;
    assert_int_equal(kldve_divergence_new(ctx, 31, NULL, &d), KLDVE_OK);
    oracle_scores(ORACLE_NORMAL, 1, 31, 4, k);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    y[9] = NAN;
    assert_int_equal(kldve_divergence_truth(d, y, z, NULL), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(ctx), "truth: entry 9 is not a number");
    assert_int_equal(kldve_divergence_plain(d, 0, y, z, &value), KLDVE_E_NUMERIC);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(checks)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_finite),
    };

    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
