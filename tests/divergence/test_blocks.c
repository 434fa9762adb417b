/* test_blocks.c - the affinities of one-hot truth in closed form, in all regimes of the perplexity.
 */
#include "problems.h"

#include <math.h>

#include "oracle.h"

/* Perplexities in all three regimes, at their borders and on both sides of them. */
static void test_regimes(void **state)
{
    static const size_t sizes[] = {3, 4, 5, 10, FEW};
    static const double offsets[] = {-40,  -5,    -1.5,  -1 - 1e-6, -1,   -1 + 1e-6, -0.999,
                                     -0.5, -1e-3, -1e-6, 0,         1e-6, 0.5,       100};
    bool positive[FEW] = {false};

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
            check_near("gradient", perplexity, f->z, f->other, n, 1e-9);
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
        double at = FEW - border;
        fixture *inside = start(FEW, at - 1e-9), *outside = start(FEW, at + 1e-9);

        assert_int_equal(kldve_divergence_onehot(inside->d, 5, inside->z, NULL), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(outside->d, 5, outside->z, NULL), KLDVE_OK);
        /* At n - 1, u leaves 1 like a square root. */
        check_near("border", at, inside->z, outside->z, FEW, border == 1 ? 1e-3 : 1e-6);
        finish(inside);
        finish(outside);
    }
}

TEST_MAIN(blocks)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regimes),
        cmocka_unit_test(test_borders_meet),
    };

    return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
