/* test_energy_area.c - the energy area of a map against its definition. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/metrics.h>

static int falling(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x < y) - (x > y);
}

/* The definition, by sorting: m values are enough, m - 1 are not. */
static void check_area(kldve_ctx *ctx, const float *value, size_t n, double part)
{
    float *sorted = malloc(n * sizeof *sorted);
    long double total = 0, most = 0, fewer = 0;
    double area = -1;
    size_t m;

    assert_non_null(sorted);
    memcpy(sorted, value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, falling);
    assert_int_equal(kldve_metric_energy_area(ctx, value, (int32_t)n, part, &area), KLDVE_OK);
    m = (size_t)lround(area * (double)n);
    assert_true(m >= 1 && m <= n && (double)m / (double)n == area);
    for (size_t i = 0; i < n; i++) {
        total += (long double)sorted[i];
        most += i < m ? (long double)sorted[i] : 0;
        fewer += i + 1 < m ? (long double)sorted[i] : 0;
    }
    assert_true((double)(most / total) >= part - 1e-12);
    assert_true((double)(fewer / total) < part + 1e-12);
    free(sorted);
}

static void test_definition(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 10, 49, 1000, 224 * 224};
    static const double parts[] = {1e-9, 0.1, 0.5, 0.9, 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint64_t seed = 11;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 3; kind++) {
            float *value = malloc(sizes[s] * sizeof *value);

            assert_non_null(value);
            for (size_t i = 0; i < sizes[s]; i++) {
                double u = test_random(&seed);

                /* all different; few different, many zeros; from denormal to huge */
                value[i] = kind == 0   ? (float)u
                           : kind == 1 ? (float)fmax(floor(u * 6) - 2, 0)
                                       : (float)(FLT_MAX / 1e6 * pow(10, -80 * u));
            }
            value[sizes[s] / 2] = 1;
            for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
                check_area(ctx, value, sizes[s], parts[p]);
            free(value);
        }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_known(void **state)
{
    const float even[8] = {3, 3, 3, 3, 3, 3, 3, 3}, spot[8] = {0, 0, 0, 9, 0, 0, 0, 0};
    const float mixed[5] = {1, 4, 0, 3, 2}; /* of 10: 4 + 3 >= 5, 4 alone is not */
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double area;

    (void)state;
    assert_int_equal(kldve_metric_energy_area(ctx, even, 8, 0.5, &area), KLDVE_OK);
    assert_true(area == 0.5);
    assert_int_equal(kldve_metric_energy_area(ctx, spot, 8, 0.5, &area), KLDVE_OK);
    assert_true(area == 1.0 / 8);
    assert_int_equal(kldve_metric_energy_area(ctx, spot, 8, 1, &area), KLDVE_OK);
    assert_true(area == 1.0 / 8);
    assert_int_equal(kldve_metric_energy_area(ctx, mixed, 5, 0.5, &area), KLDVE_OK);
    assert_true(area == 2.0 / 5);
    assert_int_equal(kldve_metric_energy_area(ctx, mixed, 5, 0.4, &area), KLDVE_OK);
    assert_true(area == 1.0 / 5);
    kldve_ctx_free(ctx);
}

static void test_refused(void **state)
{
    const float good[2] = {1, 2}, zero[3] = {0, -0.0f, 0}, below[2] = {1, -1};
    const float nan[2] = {1, NAN}, infinite[2] = {INFINITY, 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double area = 7;

    (void)state;
    assert_int_equal(kldve_metric_energy_area(ctx, NULL, 2, 0.5, &area), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, good, 2, 0.5, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, good, 0, 0.5, &area), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, good, 2, 0, &area), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, good, 2, 1.01, &area), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, good, 2, (double)NAN, &area), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, below, 2, 0.5, &area), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_energy_area(ctx, nan, 2, 0.5, &area), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(ctx), "energy area: value 1 is not a number");
    assert_int_equal(kldve_metric_energy_area(ctx, infinite, 2, 0.5, &area), KLDVE_E_NUMERIC);
    assert_true(area == 7);
    assert_int_equal(kldve_metric_energy_area(ctx, zero, 3, 0.5, &area), KLDVE_OK);
    assert_true(isnan(area));
    kldve_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
