/* test_ranks.c - values in falling order, the largest ones, and the correlation of ranks. */
#include "support.h"

#include <math.h>

#include "pairs.h"
#include "stages/ranks.h"

/* Every value once, none larger than the one before, equal ones by place. */
static void test_order(void **state)
{
    const float value[] = {0.5f, -0.0f, 3e38f, -1e-45f, 0, 1e-45f, -3e38f, 0.5f, 1, -1, 0.5f};
    const int32_t expected[] = {2, 8, 0, 7, 10, 5, 1, 4, 3, 9, 6};
    enum { N = sizeof value / sizeof *value };
    kldve_ranked sorted[N], scratch[N];

    (void)state;
    kldve_rank(value, N, sorted, scratch);
    for (int i = 0; i < N; i++) {
        assert_int_equal(sorted[i].place, expected[i]);
        assert_true(sorted[i].value == value[expected[i]]);
    }
    assert_int_equal(kldve_ranked_tie(sorted, N, 2), 5);
    assert_int_equal(kldve_ranked_tie(sorted, N, 6), 8);
    assert_int_equal(kldve_ranked_tie(sorted, N, N - 1), N);
    assert_true(kldve_ranked_ties(sorted, N) == 5 / 11.0); /* 0.5 three times, 0 twice */
    assert_true(kldve_ranked_ties(sorted + 2, 3) == 1);
    assert_true(kldve_ranked_ties(sorted, 2) == 0);
}

/* Of any size, so that no digit of the keys may be left out. */
static void test_random_order(void **state)
{
    enum { N = 5000 };
    static float value[N];
    static kldve_ranked sorted[N], scratch[N];
    uint64_t seed = 5;

    (void)state;
    for (int i = 0; i < N; i++)
        value[i] = (float)(test_normal(&seed) * exp(20 * test_normal(&seed)));
    kldve_rank(value, N, sorted, scratch);
    for (int i = 0; i < N; i++) {
        assert_true(sorted[i].value == value[sorted[i].place]);
        assert_true(
            i == 0 || sorted[i - 1].value > sorted[i].value ||
            (sorted[i - 1].value == sorted[i].value && sorted[i - 1].place < sorted[i].place));
    }
}

/* The k largest hold k in all, however many values are equal. */
static void test_top(void **state)
{
    float value[PAIR_COUNT];
    kldve_ranked work[2 * PAIR_COUNT];

    (void)state;
    pair_make(pairs[1].a, value);
    kldve_rank(value, PAIR_COUNT, work, work + PAIR_COUNT);
    for (size_t k = 1; k <= PAIR_COUNT; k++) {
        kldve_top top = kldve_top_of(work, PAIR_COUNT, k);
        double sum = 0;
        size_t above = 0;

        for (int i = 0; i < PAIR_COUNT; i++) {
            sum += kldve_top_holds(top, value[i]);
            above += value[i] > top.least;
        }
        assert_true(fabs(sum - (double)k) < 1e-9);
        assert_true(above < k && top.share > 0 && top.share <= 1);
    }
    assert_int_equal(kldve_top_count(0.02, 49), 1);
    assert_int_equal(kldve_top_count(0.5, 49), 25);
    assert_int_equal(kldve_top_count(1, 49), 49);
    assert_int_equal(kldve_top_count(1e-9, 49), 1);
}

static void test_overlap(void **state)
{
    const float a[] = {4, 3, 2, 1, 0, 0, 0, 0}, b[] = {4, 0, 2, 3, 0, 0, 0, 0}, flat[8] = {0};
    kldve_ranked work[16];

    (void)state;
    assert_true(kldve_top_overlap(a, b, 8, 1, work) == 1);
    assert_true(kldve_top_overlap(a, b, 8, 2, work) == 0.5);
    assert_true(fabs(kldve_top_overlap(a, b, 8, 3, work) - 2.0 / 3) < 1e-15);
    for (size_t k = 1; k <= 8; k++) {
        assert_true(kldve_top_overlap(a, a, 8, k, work) == 1);
        assert_true(kldve_top_overlap(flat, flat, 8, k, work) == 1);
    }
    for (size_t k = 1; k <= 4; k++) /* no ties within: what chance gives */
        assert_true(fabs(kldve_top_overlap(a, flat, 8, k, work) - (double)k / 8) < 1e-15);
}

static void test_spearman(void **state)
{
    float a[PAIR_COUNT], b[PAIR_COUNT], ranks[2 * PAIR_COUNT];
    kldve_ranked work[2 * PAIR_COUNT];

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        pair_make(pairs[i].a, a);
        pair_make(pairs[i].b, b);
        assert_true(fabs(kldve_spearman(a, b, PAIR_COUNT, work, ranks) - pairs[i].spearman) <
                    1e-10);
        for (int j = 0; j < PAIR_COUNT; j++)
            b[j] = expf(10 * a[j]) - 3; /* the same order on another scale */
        assert_true(kldve_spearman(a, b, PAIR_COUNT, work, ranks) == 1);
        for (int j = 0; j < PAIR_COUNT; j++)
            b[j] = 0.25f;
        assert_true(isnan(kldve_spearman(a, b, PAIR_COUNT, work, ranks)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),    cmocka_unit_test(test_random_order),
        cmocka_unit_test(test_top),      cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_spearman),
    };

    return cmocka_run_group_tests_name("ranks", tests, NULL, NULL);
}
