/* weigh_cblas.c - the product of weigh.h by the sgemv of any cblas.
 *
 * Cost: maps * cells multiply-adds, memory-bound. */
#include "weigh.h"

#include <assert.h>
#include <cblas.h>

/* In pieces, for two reasons that OpenBLAS's interface/gemv.c gives; other libraries lose nothing
 * by it.
 *
 *   - At 9216 elements and above (2304 times GEMM_MULTITHREAD_THRESHOLD, which is 4) it wakes its
 *     own threads.  If the processors are busy, perhaps with the inference, waiting for those
 *     threads costs milliseconds for microseconds of work.  Their number also decides the order of
 *     the sum, and it belongs to the process.
 *   - Up to rows + columns + 32 = 512 floats (MAX_STACK_ALLOC, 2048 bytes) its scratch lies on the
 *     stack.  Beyond that it takes a block of 128 MiB, and where there is no such block it asks
 *     again for ever. */
void kldve_weigh(const float *x, int32_t maps, int32_t cells, const float *a, float *map)
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
