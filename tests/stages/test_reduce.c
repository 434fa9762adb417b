/* test_reduce.c - weighted sums of maps against sums in float64. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/reduce.h"

static void test_reduce(void **state)
{
    static const int32_t sizes[][2] = {{1, 1}, {1, 9}, {5, 1}, {3, 4}, {512, 49}, {40, 3136}};
    uint64_t seed = 2;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int32_t maps = sizes[s][0], cells = sizes[s][1];
        float *x = malloc(sizeof *x * (size_t)(maps * cells)),
              *e = malloc(sizeof *e * (size_t)cells);
        float *scratch = malloc(sizeof *scratch * (size_t)maps);
        double *a = malloc(sizeof *a * (size_t)maps), largest = 0;

        for (int32_t i = 0; i < maps * cells; i++)
            x[i] = (float)test_normal(&seed);
        for (int32_t c = 0; c < maps; c++) {
            a[c] = test_normal(&seed) * 1e300; /* beyond float32 */
            largest = fmax(largest, fabs(a[c]));
        }
        for (int kind = 0; kind < 3; kind++) {
            if (kind == 0)
                kldve_reduce(x, maps, cells, a, scratch, e);
            else if (kind == 1)
                kldve_reduce_magnitudes(x, maps, cells, a, scratch, e);
            else
                kldve_reduce_sum(x, maps, cells, scratch, e);
            for (int32_t i = 0; i < cells; i++) {
                double want = 0, size = 0;

                for (int32_t c = 0; c < maps; c++) {
                    double w = kind == 2 ? 1 : (kind == 1 ? fabs(a[c]) : a[c]) / largest;

                    want += w * (double)x[c * cells + i];
                    size += fabs(w * (double)x[c * cells + i]);
                }
                assert_true(fabs((double)e[i] - want) <= 1e-6 * size);
            }
        }
        memset(a, 0, sizeof *a * (size_t)maps);
        kldve_reduce(x, maps, cells, a, scratch, e);
        for (int32_t i = 0; i < cells; i++)
            assert_true(e[i] == 0);
        free(x);
        free(e);
        free(scratch);
        free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reduce),
    };

    return cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
}
