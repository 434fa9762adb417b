/* test_reduce.c - weighted sums of maps against sums in float64. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <unistd.h>

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
        const kldve_strided plain = kldve_strided_plain(x, maps, 1, cells);

        for (int32_t i = 0; i < maps * cells; i++)
            x[i] = (float)test_normal(&seed);
        for (int32_t c = 0; c < maps; c++) {
            a[c] = test_normal(&seed) * 1e300; /* beyond float32 */
            largest = fmax(largest, fabs(a[c]));
        }
        for (int kind = 0; kind < 3; kind++) {
            if (kind == 0)
                kldve_reduce(&plain, a, scratch, e);
            else if (kind == 1)
                kldve_reduce_magnitudes(&plain, a, scratch, e);
            else
                kldve_reduce_sum(&plain, scratch, e);
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
        kldve_reduce(&plain, a, scratch, e);
        for (int32_t i = 0; i < cells; i++)
            assert_true(e[i] == 0);
        free(x);
        free(e);
        free(scratch);
        free(a);
    }
}

/* Sums of a network's size while the process may take no block of OpenBLAS's size (128 MiB): it
 * must not wait for one. */
static void test_little_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    (void)state;
    skip(); /* takes terabytes of addresses */
#else
    enum { MAPS = 1024, CELLS = 3136, ROOM = 16 << 20, SECONDS = 60 };
    float *x = calloc((size_t)MAPS * CELLS, sizeof *x), *e = malloc(CELLS * sizeof *e);
    float *scratch = malloc(MAPS * sizeof *scratch);
    const kldve_strided plain = kldve_strided_plain(x, MAPS, 1, CELLS);
    FILE *file = fopen("/proc/self/statm", "r");
    struct rlimit limit, before;
    unsigned long pages = 0;

    (void)state;
    if (!file || fscanf(file, "%lu", &pages) != 1)
        skip();
    fclose(file);
    x[CELLS] = 3;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + ROOM;
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    alarm(SECONDS);
    kldve_reduce_sum(&plain, scratch, e);
    alarm(0);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(e[0] == 3 && e[1] == 0);
    free(scratch);
    free(e);
    free(x);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reduce),
        cmocka_unit_test(test_little_memory),
    };

    return cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
}
