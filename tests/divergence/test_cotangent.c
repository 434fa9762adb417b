/* test_cotangent.c - cotangents of classes: golden files, many classes at once, contrast and delta;
 * standardising. */
#include "problems.h"

#include <math.h>
#include <stdlib.h>

#include "golden.h"

static void check_case(const char *folder, int32_t summation)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int32_t target = (int32_t)golden_number(folder, "target");
    size_t n;
    kldve_divergence *d = golden_open_onehot(ctx, folder, summation, &n);
    double *z = malloc(n * sizeof *z);

    assert_int_equal(kldve_divergence_contrast(d, target, z), KLDVE_OK);
    golden_check(folder, "contrast_cotangent", z);
    assert_int_equal(kldve_divergence_rivals(d, target, z), KLDVE_OK);
    golden_check(folder, "rivals_cotangent", z);
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

static void test_many(void **state)
{
    static const int32_t targets[] = {0, 3, 3, 699};
    fixture *f = start(MANY, 30);
    double *many = malloc(4 * MANY * sizeof *many);

    (void)state;
    for (int32_t kind = KLDVE_CLASS_TERM_ONEHOT; kind <= KLDVE_CLASS_TERM_NEIGHBOURS; kind++) {
        assert_int_equal(kldve_divergence_many(f->d, kind, targets, 4, many), KLDVE_OK);
        for (size_t t = 0; t < 4; t++) {
            kldve_status st = kind == KLDVE_CLASS_TERM_ONEHOT
                                  ? kldve_divergence_onehot(f->d, targets[t], f->z, NULL)
                              : kind == KLDVE_CLASS_TERM_DELTA
                                  ? kldve_divergence_delta(f->d, targets[t], f->z)
                              : kind == KLDVE_CLASS_TERM_CONTRAST
                                  ? kldve_divergence_contrast(f->d, targets[t], f->z)
                              : kind == KLDVE_CLASS_TERM_RIVALS
                                  ? kldve_divergence_rivals(f->d, targets[t], f->z)
                                  : kldve_divergence_neighbours(f->d, targets[t], 0, f->z);

            assert_int_equal(st, KLDVE_OK);
            assert_memory_equal(f->z, many + t * MANY, MANY * sizeof *f->z);
        }
    }
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
    assert_false(standardise(f->z, MANY));
    assert_int_equal(kldve_divergence_contrast(f->d, 0, f->other), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++) {
        f->z[i] = -f->z[i];
        sum += f->other[i];
    }
    check_near("contrast", 0, f->z, f->other, MANY, 1e-12);
    assert_true(fabs(sum) <= 1e-11);
    /* At perplexity n - 1 delta vanishes and contrast does not. */
    kldve_divergence_free(f->d);
    f->d = new_divergence(f->ctx, MANY, MANY, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);
    assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
    assert_int_equal(kldve_divergence_delta(f->d, 0, f->z), KLDVE_OK);
    assert_int_equal(kldve_divergence_contrast(f->d, 0, f->third), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++)
        assert_true(f->z[i] == 0);
    assert_memory_equal(f->third, f->other, MANY * sizeof *f->other);
    finish(f);
}

static void test_standardise(void **state)
{
    double z[] = {1e300, -1e300, 3e299, 0}, tiny[] = {1e-310, 2e-310, 4e-310},
           same[] = {0.1, 0.1, 0.1};

    (void)state;
    for (int which = 0; which < 2; which++) {
        double *x = which ? tiny : z, mean = 0, squares = 0;
        size_t n = which ? 3 : 4;

        assert_false(standardise(x, n));
        for (size_t i = 0; i < n; i++) {
            mean += x[i] / (double)n;
            squares += x[i] * x[i] / (double)n;
        }
        assert_true(fabs(mean) <= 1e-15 && fabs(squares - 1) <= 1e-14);
    }
    assert_true(standardise(same, 3));
    assert_int_equal(kldve_divergence_standardise(NULL, 3, same, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_standardise(same, 3, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_standardise(same, 0, same, NULL), KLDVE_E_ARG);
    assert_true(same[0] == 0 && same[1] == 0 && same[2] == 0);
}

TEST_MAIN(cotangent)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_contrast_is_delta),
        cmocka_unit_test(test_standardise),
    };

    return cmocka_run_group_tests_name("cotangent", tests, NULL, NULL);
}
