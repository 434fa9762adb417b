/* byte_kernels.c - see byte_kernels.h: in plain C, and which are taken. */
#include "run/byte_kernels.h"

#include <math.h>

static void widen(size_t n, const uint8_t *from, int16_t *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* Halves to even. */
static uint8_t finish_one(const kx_byte_finish *f, int c, int32_t sum)
{
    float x = (float)(int32_t)((uint32_t)sum + (uint32_t)f->offset[c]);

    x = f->factor[c] * (f->bias ? x + f->bias[c] : x);
    x = x > f->lo ? x : f->lo; /* NaN becomes lo */
    x = x < f->hi ? x : f->hi;
    return (uint8_t)((int32_t)nearbyintf(x) + f->zero);
}

static void finish(const kx_byte_finish *f, const int32_t *sum, uint8_t *to)
{
    for (int c = 0; c < KX_BYTE_COLUMNS; c++)
        to[c] = finish_one(f, c, sum[c]);
}

static void sum(const kx_byte_rows *rows, const int16_t *weights, const int32_t *sums, int32_t *to)
{
    const int16_t *x = rows->at;

    for (int r = 0; r < KX_BYTE_ROWS; r++, x += rows->stride, to += KX_BYTE_COLUMNS) {
        for (size_t c = 0; c < KX_BYTE_COLUMNS; c++)
            to[c] = sums ? sums[(size_t)r * KX_BYTE_COLUMNS + c] : 0;
        for (size_t p = 0; p < rows->pairs; p++)
            for (size_t c = 0; c < KX_BYTE_COLUMNS; c++) {
                const int16_t *w = weights + 2 * (KX_BYTE_COLUMNS * p + c);

                to[c] += x[2 * p] * w[0] + x[2 * p + 1] * w[1];
            }
    }
}

static void tile(const kx_byte_rows *rows, const int16_t *weights, const int32_t *sums,
                 const kx_byte_finish *f, uint8_t *to)
{
    int32_t all[KX_BYTE_ROWS * KX_BYTE_COLUMNS];

    sum(rows, weights, sums, all);
    for (int r = 0; r < KX_BYTE_ROWS; r++)
        finish(f, all + r * KX_BYTE_COLUMNS, to + r * f->stride);
}

static void depth(const uint8_t *const *tap, kx_byte_line from, size_t pairs,
                  const int16_t *weights, const kx_byte_finish *f, uint8_t *to)
{
    for (int64_t i = 0; i < from.count; i++, from.at += from.step, to += f->stride) {
        int32_t sum[KX_BYTE_COLUMNS] = {0};

        for (size_t t = 0; t < 2 * pairs; t++)
            for (int64_t c = 0; c < KX_BYTE_COLUMNS; c++)
                sum[c] += tap[t][from.at + c] *
                          weights[t / 2 * 2 * KX_BYTE_COLUMNS + 2 * (size_t)c + t % 2];
        finish(f, sum, to);
    }
}

const kx_byte_kernels kx_byte_kernels_plain = {widen, tile, sum, depth};

const kx_byte_kernels *kx_byte_kernels_best(void)
{
    const kx_byte_kernels *avx2 = kx_byte_kernels_avx2();

    return avx2 ? avx2 : &kx_byte_kernels_plain;
}
