/* relevance_kernels.c - elementwise work and dense layers of layer-wise relevance propagation, on
 * whole buffers in any layout, with the padding of blocked layouts, where relevance is zero. */
#include "run/relevance_kernels.h"

#include <assert.h>
#include <string.h>

#include <omp.h>

#include "run/kernel.h"

/* Keeps quotients finite, as in zennit: z + EPSILON sign z, the sign of 0 being +. */
static const float EPSILON = 1e-6f;

static inline float stabilise(float z)
{
    return z < 0 ? z - EPSILON : z + EPSILON;
}

void kx_clamp_all(kx_range range, size_t n, const float *x, float *y)
{
    assert(range.lo <= range.hi);
    KX_SHARED(n >= KX_PARALLEL_FROM, for (size_t i = 0; i < n; i++) y[i] = kx_clamp(range, x[i]););
}

void kx_lrp_share(const kx_share *s)
{
    const float *relevance = s->relevance, *z = s->z, *z1 = s->z1;
    float factor = s->factor, *out = s->out;
    size_t n = s->n;
    bool off = s->off;

    assert(relevance && z && out);
    KX_SHARED(
        n >= KX_PARALLEL_FROM, for (size_t i = 0; i < n; i++) {
            float sum = z1 ? z[i] + z1[i] : z[i];

            out[i] = off && sum == 0 ? 0 : factor * relevance[i] / stabilise(sum);
        });
}

void kx_lrp_take(kx_range range, size_t n, const float *x, const float *g, const float *addend,
                 float *out)
{
    KX_SHARED(
        n >= KX_PARALLEL_FROM, for (size_t i = 0; i < n; i++) {
            float taken = kx_clamp(range, x[i]) * g[i];

            out[i] = addend ? addend[i] + taken : taken;
        });
}

/* ---- dense layers: as in dense.c, with weights clamped on the way, not copied ---- */

KX_WIDE static float dot(const kx_unaligned_float *row, size_t n, kx_range range, const float *v)
{
    float sum = 0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += kx_clamp(range, row[i]) * v[i];
    return sum;
}

KX_WIDE static void add_row(const kx_unaligned_float *row, size_t n, kx_range range, float v,
                            float *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] += v * kx_clamp(range, row[i]);
}

/* out[j] = dot(rows[j], v), j < nrows. */
static void dots(const float *rows, size_t nrows, size_t ncolumns, kx_range range, const float *v,
                 float *out)
{
    const kx_unaligned_float *w = rows;

    KX_SHARED(nrows * ncolumns >= KX_PARALLEL_FROM, for (size_t j = 0; j < nrows; j++) out[j] =
                                                        dot(w + j * ncolumns, ncolumns, range, v););
}

/* Columns [from, from + n) of the sum over j of v[j] rows[j]. */
static void combine_columns(const kx_unaligned_float *w, size_t nrows, size_t ncolumns,
                            kx_range range, const float *v, size_t from, size_t n, float *out)
{
    memset(out + from, 0, n * sizeof *out);
    for (size_t j = 0; j < nrows; j++)
        if (v[j] != 0)
            add_row(w + j * ncolumns + from, n, range, v[j], out + from);
}

/* out = sum over j of v[j] rows[j]: some columns of each row at a time, which threads share. */
static void combine(const float *rows, size_t nrows, size_t ncolumns, kx_range range,
                    const float *v, float *out)
{
    size_t threads = (size_t)omp_get_max_threads(), share = (ncolumns + threads - 1) / threads;

    KX_SHARED(nrows * ncolumns >= KX_PARALLEL_FROM,
              for (size_t from = 0; from < ncolumns; from += share)
                  combine_columns(rows, nrows, ncolumns, range, v, from,
                                  ncolumns - from < share ? ncolumns - from : share, out););
}

void kx_dense_part(const struct kx_dense *d, kx_range range, const float *bias, const float *x,
                   float *out)
{
    size_t k = (size_t)d->k, n = (size_t)d->n;

    assert(d->m > 0 && d->k > 0 && d->n > 0 && range.lo <= range.hi);
    for (size_t m = 0; m < (size_t)d->m; m++) {
        float *y = out + m * n;

        if (d->transposed)
            dots(d->weights, n, k, range, x + m * k, y);
        else
            combine(d->weights, k, n, range, x + m * k, y);
        for (size_t j = 0; bias && j < n; j++)
            y[j] += kx_clamp(range, bias[j]);
    }
}

void kx_dense_part_vjp(const struct kx_dense *d, kx_range range, const float *dy, float *dx)
{
    size_t k = (size_t)d->k, n = (size_t)d->n;

    assert(d->m > 0 && d->k > 0 && d->n > 0 && dx != dy);
    for (size_t m = 0; m < (size_t)d->m; m++) {
        if (d->transposed)
            combine(d->weights, n, k, range, dy + m * n, dx + m * k);
        else
            dots(d->weights, k, n, range, dy + m * n, dx + m * k);
    }
}
