/* test_similarity.c - structural similarity against scikit-image's. */
#include "support.h"

#include <math.h>

#include "pairs.h"
#include "stages/similarity.h"

static void test_skimage(void **state)
{
    float a[PAIR_COUNT], b[PAIR_COUNT];
    double work[KLDVE_SSIM_SUMS * PAIR_WIDTH];

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        pair_make(pairs[i].a, a);
        pair_make(pairs[i].b, b);
        assert_true(fabs(kldve_ssim(a, b, PAIR_HEIGHT, PAIR_WIDTH, 1, work) - pairs[i].ssim) <
                    1e-9);
        assert_true(fabs(kldve_ssim(b, a, PAIR_HEIGHT, PAIR_WIDTH, 1, work) - pairs[i].ssim) <
                    1e-9);
        assert_true(fabs(kldve_ssim(a, a, PAIR_HEIGHT, PAIR_WIDTH, 1, work) - 1) < 1e-12);
        for (int j = 0; j < PAIR_COUNT; j++) { /* another unit */
            a[j] *= 256;
            b[j] *= 256;
        }
        assert_true(fabs(kldve_ssim(a, b, PAIR_HEIGHT, PAIR_WIDTH, 256, work) - pairs[i].ssim) <
                    1e-9);
    }
}

/* Two constant maps: (2 a b + C1) / (a^2 + b^2 + C1); the second factor is 1. */
static void test_constant(void **state)
{
    enum { SIDE = KLDVE_SSIM_WINDOW };
    float a[SIDE * SIDE], b[SIDE * SIDE];
    double work[KLDVE_SSIM_SUMS * SIDE];

    (void)state;
    for (int i = 0; i < SIDE * SIDE; i++) {
        a[i] = 0.25f;
        b[i] = 0.75f;
    }
    assert_true(fabs(kldve_ssim(a, b, SIDE, SIDE, 1, work) - 0.3751 / 0.6251) < 1e-9);
    assert_true(isnan(kldve_ssim(a, b, SIDE - 1, SIDE, 1, work)));
    assert_true(isnan(kldve_ssim(a, b, SIDE, SIDE - 1, 1, work)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skimage),
        cmocka_unit_test(test_constant),
    };

    return cmocka_run_group_tests_name("similarity", tests, NULL, NULL);
}
