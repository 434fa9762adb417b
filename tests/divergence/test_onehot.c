/* test_onehot.c - one-hot truth and several positives: golden files, central differences,
 * symmetries, the split into base and delta, the oracle. */
#include "problems.h"

#include <math.h>
#include <stdlib.h>

#include "golden.h"
#include "oracle.h"

static void check_case(const char *folder, int32_t summation)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int32_t target = (int32_t)golden_number(folder, "target");
    size_t n;
    kldve_divergence *d = golden_open_onehot(ctx, folder, summation, &n);
    double *z = malloc(n * sizeof *z), kl;

    assert_int_equal(kldve_divergence_onehot(d, target, z, &kl), KLDVE_OK);
    golden_check(folder, "z", z);
    golden_check(folder, "kl", &kl);
    assert_false(standardise(z, n));
    golden_check(folder, "alpha_logits", z);
    assert_int_equal(kldve_divergence_base(d, z), KLDVE_OK);
    golden_check(folder, "base", z);
    assert_int_equal(kldve_divergence_delta(d, target, z), KLDVE_OK);
    golden_check(folder, "delta", z);
    free(z);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_golden(void **state)
{
    (void)state;
    golden_models(check_case);
}

/* dKL/dk by central differences. */
static void test_differences(void **state)
{
    static const double perplexities[] = {5, FEW - 1.5, 100};

    (void)state;
    for (size_t p = 0; p < 3; p++)
        for (int32_t count = 1; count <= 3; count++) {
            static const int32_t targets[] = {7, 0, 31};
            fixture *f = start(FEW, perplexities[p]);
            double step = 1e-4, up, down;

            assert_int_equal(kldve_divergence_positives(f->d, targets, count, f->z, NULL),
                             KLDVE_OK);
            for (size_t i = 0; i < FEW; i++) {
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
            check_near("central differences", perplexities[p], f->other, f->z, FEW, 1e-6);
            finish(f);
        }
}

static void onehot(fixture *f, const double *k, int32_t target, double *z)
{
    assert_int_equal(kldve_divergence_set_scores(f->d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(f->d, target, z, NULL), KLDVE_OK);
}

/* Shift, reflection and permutation of the scores, with both methods. */
static void test_symmetries(void **state)
{
    (void)state;
    for (int32_t s = KLDVE_SUMMATION_DIRECT; s <= KLDVE_SUMMATION_CHEBYSHEV; s++) {
        fixture *f = start(MANY, 30);
        double moved[MANY];
        int32_t target = 11;

        kldve_divergence_free(f->d);
        f->d = new_divergence(f->ctx, MANY, 30, s, KLDVE_UNATTAINABLE_LIMIT);
        onehot(f, f->k, target, f->z);
        for (size_t i = 0; i < MANY; i++)
            moved[i] = f->k[i] + 1000;
        onehot(f, moved, target, f->other);
        check_near("shift", 1000, f->other, f->z, MANY, 1e-11); /* the shift itself rounds */
        for (size_t i = 0; i < MANY; i++)
            moved[i] = -f->k[i];
        onehot(f, moved, target, f->other);
        for (size_t i = 0; i < MANY; i++)
            f->other[i] = -f->other[i];
        check_near("reflection", -1, f->other, f->z, MANY, 1e-12);
        for (size_t i = 0; i < MANY; i++)
            moved[i * 37 % MANY] = f->k[i];
        onehot(f, moved, target * 37 % MANY, f->third);
        for (size_t i = 0; i < MANY; i++)
            f->other[i] = f->third[i * 37 % MANY];
        check_near("permutation", 37, f->other, f->z, MANY, 1e-12);
        finish(f);
    }
}

/* base + delta is the one-hot gradient. */
static void test_split(void **state)
{
    fixture *f = start(MANY, 30);

    (void)state;
    assert_int_equal(kldve_divergence_base(f->d, f->z), KLDVE_OK);
    assert_int_equal(kldve_divergence_delta(f->d, 3, f->other), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(f->d, 3, f->third, NULL), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++)
        f->z[i] += f->other[i];
    check_near("base + delta", 3, f->z, f->third, MANY, 1e-15);
    finish(f);
}

/* Several positives: the oracle, and the rows of a tree as soon as there are many. */
static void test_positives(void **state)
{
    static const int32_t counts[] = {1, 2, 5, 30, 190, 200, 500, 699};
    static const double perplexities[] = {3, 30, 250, 400, 650, 698.5, 2000};
    int32_t targets[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        targets[i] = (int32_t)(i * 37 % MANY);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t p = 0; p < sizeof perplexities / sizeof *perplexities; p++) {
            fixture *f = start(MANY, perplexities[p]);
            bool positive[MANY] = {false};
            double kl, expected_kl;

            for (int32_t i = 0; i < counts[c]; i++)
                positive[targets[i]] = true;
            oracle_labels(f->k, positive, MANY, perplexities[p], f->other, &expected_kl);
            assert_int_equal(kldve_divergence_positives(f->d, targets, counts[c], f->z, &kl),
                             KLDVE_OK);
            check_near("positives", perplexities[p], f->z, f->other, MANY, 1e-9);
            if (fabs(kl - expected_kl) > 1e-11)
                fail_msg("KL of %d positives: %.17g, not %.17g", (int)counts[c], kl, expected_kl);
            finish(f);
        }
}

TEST_MAIN(onehot)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_differences),
        cmocka_unit_test(test_symmetries), cmocka_unit_test(test_split),
        cmocka_unit_test(test_positives),
    };

    return cmocka_run_group_tests_name("onehot", tests, NULL, NULL);
}
