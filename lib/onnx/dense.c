/* dense.c - y = x W + b and its VJP for a few rows x: bound by reading W, so W is read once, in the
 * order of memory and straight from the mapped file, and not where it is multiplied with zero.
 *
 * Weights [n][k] ("transposed"): y_j = dot(W_j, x), dx = sum_j dy_j W_j.
 * Weights [k][n]:                y = sum_i x_i W_i, dx_i = dot(W_i, dy).
 * Both are one of two kernels: `dots` (a dot product for each row) and `combine` (a weighted sum of
 * rows, skipping rows of weight zero).  Threads share the rows of the former and the columns of the
 * latter, so that the order of every sum is the same for any number of threads. */
#include "plan.h"

#include <string.h>

/* Weights lie where the file put them, perhaps not even at a multiple of 4 bytes. */
typedef float unaligned_float __attribute__((aligned(1)));

enum { LANES = 16, COLUMN_BLOCK = 1024 };

/* out[j] = dot(rows[j], v), j < nrows. */
static void dots(const float *rows, size_t nrows, size_t ncolumns, const float *v, float *out)
{
    const unaligned_float *w = rows;

#pragma omp parallel for schedule(static) if (nrows * ncolumns >= 65536)
    for (size_t j = 0; j < nrows; j++) {
        const unaligned_float *row = w + j * ncolumns;
        float lane[4 * LANES] = {0}, sum = 0;
        size_t i = 0;

        for (; i + 4 * LANES <= ncolumns; i += 4 * LANES)
            for (size_t l = 0; l < 4 * LANES; l++)
                lane[l] += row[i + l] * v[i + l];
        for (; i < ncolumns; i++)
            sum += row[i] * v[i];
        for (size_t l = 0; l < 4 * LANES; l++)
            sum += lane[l];
        out[j] = sum;
    }
}

/* out = sum over j of v[j] rows[j]. */
static void combine(const float *rows, size_t nrows, size_t ncolumns, const float *v, float *out)
{
    const unaligned_float *w = rows;
    size_t nblocks = (ncolumns + COLUMN_BLOCK - 1) / COLUMN_BLOCK;

#pragma omp parallel for schedule(static) if (nrows * ncolumns >= 65536)
    for (size_t b = 0; b < nblocks; b++) {
        size_t from = b * COLUMN_BLOCK;
        size_t n = ncolumns - from < COLUMN_BLOCK ? ncolumns - from : COLUMN_BLOCK;
        float sum[COLUMN_BLOCK];

        memset(sum, 0, n * sizeof *sum);
        for (size_t j = 0; j < nrows; j++) {
            const unaligned_float *row = w + j * ncolumns + from;
            float weight = v[j];

            if (weight == 0)
                continue;
            for (size_t i = 0; i < n; i++)
                sum[i] += weight * row[i];
        }
        memcpy(out + from, sum, n * sizeof *sum);
    }
}

void kx_dense_forward(const struct kx_dense *d, kx_act act, const float *x, float *out)
{
    size_t k = (size_t)d->k, n = (size_t)d->n;

    for (size_t m = 0; m < (size_t)d->m; m++) {
        float *y = out + m * n;

        if (d->transposed)
            dots(d->weights, n, k, x + m * k, y);
        else
            combine(d->weights, k, n, x + m * k, y);
        for (size_t j = 0; d->bias && j < n; j++)
            y[j] += d->bias[j];
        if (act.kind != KX_ACT_NONE)
            kx_act_forward(act, n, y, y);
    }
}

void kx_dense_vjp(const struct kx_dense *d, const float *dy, float *dx)
{
    size_t k = (size_t)d->k, n = (size_t)d->n;

    for (size_t m = 0; m < (size_t)d->m; m++) {
        if (d->transposed)
            combine(d->weights, n, k, dy + m * n, dx + m * k);
        else
            dots(d->weights, k, n, dy + m * n, dx + m * k);
    }
}
