/* test_correlation.c - the correlation of two maps against SciPy's. */
#include "support.h"

#include <math.h>

#include "pairs.h"
#include "stages/correlation.h"

static void test_scipy(void **state)
{
    float a[PAIR_COUNT], b[PAIR_COUNT];

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        pair_make(pairs[i].a, a);
        pair_make(pairs[i].b, b);
        assert_true(fabs(kldve_pearson(a, b, PAIR_COUNT) - pairs[i].pearson) < 1e-10);
        for (int j = 0; j < PAIR_COUNT; j++)
            b[j] = 1 - b[j];
        assert_true(fabs(kldve_pearson(b, a, PAIR_COUNT) + pairs[i].pearson) < 1e-7);
    }
}

static void test_edges(void **state)
{
    float a[PAIR_COUNT], flat[PAIR_COUNT];
    const float huge[3] = {3e38f, -3e38f, 1}, tiny[3] = {1e-45f, 0, 1e-45f};

    (void)state;
    pair_make(pairs[0].a, a);
    for (int j = 0; j < PAIR_COUNT; j++)
        flat[j] = 0.1f;
    assert_true(kldve_pearson(a, a, PAIR_COUNT) == 1);
    assert_true(isnan(kldve_pearson(a, flat, PAIR_COUNT)));
    assert_true(isnan(kldve_pearson(flat, flat, PAIR_COUNT)));
    assert_true(isnan(kldve_pearson(a, a, 1)));
    assert_true(kldve_pearson(huge, huge, 3) == 1);
    assert_true(kldve_pearson(tiny, tiny, 3) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scipy),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests_name("correlation", tests, NULL, NULL);
}
