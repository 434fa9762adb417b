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

#include <omp.h>

enum { LANES = 64, TOGETHER = 4 };

/* dot(row, v), in a fixed order: LANES partial sums. */
KX_WIDE static float dot(const kx_unaligned_float *row, const float *v, size_t n)
{
    float lane[LANES] = {0}, sum = 0;
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += row[i + l] * v[i + l];
    for (; i < n; i++)
        sum += row[i] * v[i];
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

/* out += the weighted sum of four rows: the output is read and written once for all of them. */
KX_WIDE static void add_rows(const kx_unaligned_float *const row[TOGETHER], const float w[TOGETHER],
                          size_t n, float *restrict out)
{
    const kx_unaligned_float *a = row[0], *b = row[1], *c = row[2], *d = row[3];

    for (size_t i = 0; i < n; i++)
        out[i] += (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]);
}

/* out[j] = dot(rows[j], v), j < nrows. */
static void dots(const float *rows, size_t nrows, size_t ncolumns, const float *v, float *out)
{
    const kx_unaligned_float *w = rows;

#pragma omp parallel for schedule(static) if (nrows * ncolumns >= 65536)
    for (size_t j = 0; j < nrows; j++)
        out[j] = dot(w + j * ncolumns, v, ncolumns);
}

/* Columns [from, from + n) of out = sum over j of v[j] rows[j]. */
static void combine_columns(const kx_unaligned_float *w, size_t nrows, size_t ncolumns, size_t from,
                            size_t n, const float *v, float *out)
{
    const kx_unaligned_float *row[TOGETHER];
    float weight[TOGETHER];
    size_t k = 0;

    memset(out + from, 0, n * sizeof *out);
    for (size_t j = 0; j < nrows; j++) {
        if (v[j] == 0)
            continue;
        row[k] = w + j * ncolumns + from;
        weight[k] = v[j];
        if (++k == TOGETHER) {
            add_rows(row, weight, n, out + from);
            k = 0;
        }
    }
    if (k == 0)
        return;
    for (size_t j = k; j < TOGETHER; j++) {
        row[j] = row[0];
        weight[j] = 0;
    }
    add_rows(row, weight, n, out + from);
}

/* out = sum over j of v[j] rows[j].  Every thread streams its share of the columns of each row. */
static void combine(const float *rows, size_t nrows, size_t ncolumns, const float *v, float *out)
{
#pragma omp parallel if (nrows * ncolumns >= 65536)
    {
        size_t threads = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
        size_t share = ((ncolumns + threads - 1) / threads + LANES - 1) / LANES * LANES;
        size_t from = me * share;

        if (from < ncolumns)
            combine_columns(rows, nrows, ncolumns, from,
                            ncolumns - from < share ? ncolumns - from : share, v, out);
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
