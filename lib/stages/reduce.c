/* reduce.c - from feature maps and their weights to one map, Eq. (3) of arXiv:1711.06431.
 *
 *     E = sum over c of a_c x_c,   x [maps][cells] row-major: the transposed matrix times a vector
 *
 * Algorithm 1 of the paper adds x_i |alpha_j| over all maps i and all classes j, which is
 * (sum_j |alpha_j|) sum_i x_i: one positive number times the sum of the maps.  Normalisation
 * removes that number, so the reading `paper` uses the sum of the maps directly and is bit for bit
 * the same for every class (docs/method.md).
 *
 * This is the only file that calls BLAS.  Cost: maps * cells multiply-adds, memory-bound. */
#include "reduce.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* In pieces, for two reasons that OpenBLAS's interface/gemv.c gives.
 *
 *   - At 9216 elements and above (2304 times GEMM_MULTITHREAD_THRESHOLD, which is 4) it wakes its
 *     own threads.  If the processors are busy, perhaps with the inference, waiting for those
 *     threads costs milliseconds for microseconds of work.  Their number also decides the order of
 *     the sum, and it belongs to the process.
 *   - Up to rows + columns + 32 = 512 floats (MAX_STACK_ALLOC, 2048 bytes) its scratch lies on the
 *     stack.  Beyond that it takes a block of 128 MiB, and where there is no such block it asks
 *     again for ever. */
static void weigh(const float *x, int32_t maps, int32_t cells, const float *a, float *map)
{
    enum { PIECE = 8192, COLUMNS = 256, ROWS = 128, ON_STACK = 512 };
    int32_t columns, rows;

    static_assert(COLUMNS + ROWS + 32 <= ON_STACK, "a piece must not need OpenBLAS's block");
    assert(maps > 0 && cells > 0 && map != a && map != x);
    columns = cells < COLUMNS ? cells : COLUMNS;
    rows = PIECE / columns < ROWS ? PIECE / columns : ROWS;
    for (int32_t p = 0; p < cells; p += columns) {
        int32_t n = cells - p < columns ? cells - p : columns;

        for (int32_t c = 0; c < maps; c += rows) {
            int32_t m = maps - c < rows ? maps - c : rows;

            cblas_sgemv(CblasRowMajor, CblasTrans, m, n, 1, x + (size_t)c * (size_t)cells + p,
                        cells, a + c, 1, c > 0, map + p, 1);
        }
    }
}

/* a / max |a| in float32; false if all are 0. */
static bool scaled(const double *a, int32_t maps, float *out)
{
    double largest = 0;

    for (int32_t c = 0; c < maps; c++)
        largest = fabs(a[c]) > largest ? fabs(a[c]) : largest;
    for (int32_t c = 0; c < maps; c++)
        out[c] = largest > 0 ? (float)(a[c] / largest) : 0;
    return largest > 0;
}

void kldve_reduce(const float *x, int32_t maps, int32_t cells, const double *a, float *scratch,
                  float *map)
{
    if (scaled(a, maps, scratch))
        weigh(x, maps, cells, scratch, map);
    else
        memset(map, 0, (size_t)cells * sizeof *map);
}

void kldve_reduce_magnitudes(const float *x, int32_t maps, int32_t cells, const double *a,
                             float *scratch, float *map)
{
    if (!scaled(a, maps, scratch)) {
        memset(map, 0, (size_t)cells * sizeof *map);
        return;
    }
    for (int32_t c = 0; c < maps; c++)
        scratch[c] = fabsf(scratch[c]);
    weigh(x, maps, cells, scratch, map);
}

void kldve_reduce_sum(const float *x, int32_t maps, int32_t cells, float *scratch, float *map)
{
    for (int32_t c = 0; c < maps; c++)
        scratch[c] = 1;
    weigh(x, maps, cells, scratch, map);
}

void kldve_reduce_relu(float *map, size_t count)
{
    for (size_t i = 0; i < count; i++)
        map[i] = map[i] > 0 ? map[i] : 0;
}
