/* weigh_plain.c - the product of weigh.h without BLAS.
 *
 * The map is made in pieces of COLUMNS cells.  A piece adds GROUP rows in float32, and the sums of
 * the groups in float64:
 *
 *     total_i += (double)(a_c x_ci + a_c+1 x_c+1,i + ... + a_c+GROUP-1 x_c+GROUP-1,i)
 *
 * so the error is that of GROUP additions, however many maps there are, and only one value in GROUP
 * is converted.  Compilers turn the inner loops into vector instructions as they are: no sum
 * changes its order.  Cost: maps * cells multiply-adds, memory-bound. */
#include "weigh.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum {
    COLUMNS = 256, /* cells of a piece: its totals take 2 KiB of the stack */
    GROUP = 8      /* rows; each is read as a stream of its own */
};

/* total [n] += the weighted sum of GROUP rows that lie `stride` values apart. */
static void add_group(const float *x, size_t stride, const float *a, size_t n, double *total)
{
    const float *x1 = x + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    const float *x4 = x3 + stride, *x5 = x4 + stride, *x6 = x5 + stride, *x7 = x6 + stride;

    static_assert(GROUP == 8, "the sum below has GROUP terms");
    for (size_t i = 0; i < n; i++) {
        float low = (a[0] * x[i] + a[1] * x1[i]) + (a[2] * x2[i] + a[3] * x3[i]);
        float high = (a[4] * x4[i] + a[5] * x5[i]) + (a[6] * x6[i] + a[7] * x7[i]);

        total[i] += (double)(low + high);
    }
}

static void add_row(const float *x, float a, size_t n, double *total)
{
    for (size_t i = 0; i < n; i++)
        total[i] += (double)(a * x[i]);
}

void kldve_weigh(const float *x, int32_t maps, int32_t cells, const float *a, float *map)
{
    size_t stride = (size_t)cells, rows = (size_t)maps;
    double total[COLUMNS];

    assert(maps > 0 && cells > 0 && map != a && map != x);
    for (size_t p = 0; p < stride; p += COLUMNS) {
        size_t n = stride - p < COLUMNS ? stride - p : COLUMNS, c = 0;

        memset(total, 0, sizeof total);
        for (; c + GROUP <= rows; c += GROUP)
            add_group(x + c * stride + p, stride, a + c, n, total);
        for (; c < rows; c++)
            add_row(x + c * stride + p, a[c], n, total);
        for (size_t i = 0; i < n; i++)
            map[p + i] = (float)total[i];
    }
}
