/* test_weigh.c - the product of maps and weights against sums in float64, by cblas and without. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "stages/weigh.h"

/* The bound is relative to the sum of all magnitudes.  What is positive throughout makes rounding
 * add up if sums are long. */
static void check(int32_t maps, int32_t cells, double shift, double within)
{
    size_t count = (size_t)maps * (size_t)cells;
    float *x = malloc(count * sizeof *x), *a = malloc((size_t)maps * sizeof *a);
    float *map = malloc(((size_t)cells + 1) * sizeof *map);
    uint64_t seed = 7;

    for (size_t i = 0; i < count; i++)
        x[i] = (float)(test_normal(&seed) + shift);
    for (int32_t c = 0; c < maps; c++)
        a[c] = (float)(test_normal(&seed) + shift);
    map[cells] = 42;
    kldve_weigh(x, maps, cells, a, map);
    assert_true(map[cells] == 42);
    for (int32_t i = 0; i < cells; i++) {
        double want = 0, size = 0;

        for (int32_t c = 0; c < maps; c++) {
            double term = (double)a[c] * (double)x[c * cells + i];

            want += term;
            size += fabs(term);
        }
        assert_true(fabs((double)map[i] - want) <= within * size);
    }
    free(map);
    free(a);
    free(x);
}

static void test_sizes(void **state)
{
    static const int32_t maps[] = {1, 7, 8, 9, 16, 129, 2048},
                         cells[] = {1, 49, 255, 256, 257, 784};

    (void)state;
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
        for (size_t c = 0; c < sizeof cells / sizeof *cells; c++)
            check(maps[m], cells[c], 0, 1e-6);
}

/* WITHIN: some ulps for our loop, whose sums are short; of a cblas it is not known how it sums. */
static void test_long_sums(void **state)
{
    (void)state;
    check(20000, 49, 10, WITHIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_long_sums),
    };

    return cmocka_run_group_tests_name("weigh", tests, NULL, NULL);
}
