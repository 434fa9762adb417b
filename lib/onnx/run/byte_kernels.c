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

static void tile(const int16_t *rows, size_t stride, size_t pairs, const int16_t *weights,
                 const kx_byte_finish *f, uint8_t *to)
{
    for (int r = 0; r < KX_BYTE_ROWS; r++, rows += stride, to += f->stride) {
        int32_t sum[KX_BYTE_COLUMNS] = {0};

        for (size_t p = 0; p < pairs; p++)
            for (size_t c = 0; c < KX_BYTE_COLUMNS; c++) {
                const int16_t *w = weights + 2 * (KX_BYTE_COLUMNS * p + c);

                sum[c] += rows[2 * p] * w[0] + rows[2 * p + 1] * w[1];
            }
        finish(f, sum, to);
    }
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

const kx_byte_kernels kx_byte_kernels_plain = {widen, tile, depth};

const kx_byte_kernels *kx_byte_kernels_best(void)
{
    const kx_byte_kernels *avx2 = kx_byte_kernels_avx2();

    return avx2 ? avx2 : &kx_byte_kernels_plain;
}
