/* test_sort.c - a stable order of all kinds of numbers, against qsort(). */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "divergence/sort.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void test_sort(void **state)
{
    enum { N = 5000 };
    static const double special[] = {-INFINITY, INFINITY, 0.0,   -0.0,
                                     5e-324,    -5e-324,  1e308, -1e308};
    double x[N], sorted[N];
    uint64_t keys[N], spare_keys[N], seed = 3;
    uint32_t order[N], spare[N];

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        x[i] = i < 8 ? special[i] : floor(1000 * test_normal(&seed)) / 64;
        keys[i] = kldve_sort_key(x[i]);
        order[i] = i;
    }
    memcpy(sorted, x, sizeof x);
    qsort(sorted, N, sizeof *sorted, by_value);
    kldve_sort(keys, order, N, 64, spare_keys, spare);
    for (size_t i = 0; i < N; i++) {
        assert_true(x[order[i]] == sorted[i]);
        /* stable: equal values keep their order (0 and -0 are equal) */
        assert_true(i == 0 || sorted[i] != sorted[i - 1] || order[i] > order[i - 1]);
    }
    kldve_sort(keys, order, 0, 64, spare_keys, spare);
    kldve_sort(keys, order, 1, 0, spare_keys, spare);
}

TEST_MAIN(sort)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort),
    };

    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
