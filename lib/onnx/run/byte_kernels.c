/* byte_kernels.c - see byte_kernels.h: in plain C, and which are taken. */
#include "run/byte_kernels.h"

#include <math.h>
#include <string.h>

#include "accel/accel.h"

static void widen(size_t n, const uint8_t *from, uint8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        int16_t x = from[i];

        memcpy(to + i * sizeof x, &x, sizeof x);
    }
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

static int32_t dot16(const uint8_t *x, const uint8_t *weights)
{
    int16_t a[2], w[2];

    memcpy(a, x, sizeof a);
    memcpy(w, weights, sizeof w);
    return a[0] * w[0] + a[1] * w[1];
}

static int32_t dot8(const uint8_t *x, const uint8_t *weights)
{
    int8_t w[4];

    memcpy(w, weights, sizeof w);
    return x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
}

static void add_rows(int32_t (*dot)(const uint8_t *, const uint8_t *), const kx_byte_rows *rows,
                     const uint8_t *weights, const int32_t *sums, int32_t *to)
{
    for (size_t r = 0; r < KX_BYTE_ROWS; r++)
        for (size_t c = 0; c < KX_BYTE_COLUMNS; c++) {
            size_t at = r * KX_BYTE_COLUMNS + c;

            to[at] = sums ? sums[at] : 0;
            for (size_t i = 0; i < rows->words; i++)
                to[at] += dot(rows->at + r * rows->stride + KX_BYTE_WORD * i,
                              weights + KX_BYTE_WORD * (KX_BYTE_COLUMNS * i + c));
        }
}

static void finish_rows(const kx_byte_finish *f, const int32_t *sums, uint8_t *to)
{
    for (int r = 0; r < KX_BYTE_ROWS; r++)
        finish(f, sums + r * KX_BYTE_COLUMNS, to + r * f->stride);
}

static void sum16(const kx_byte_rows *rows, const void *weights, const int32_t *sums, int32_t *to)
{
    add_rows(dot16, rows, weights, sums, to);
}

static void sum8(const kx_byte_rows *rows, const void *weights, const int32_t *sums, int32_t *to)
{
    add_rows(dot8, rows, weights, sums, to);
}

static void tile16(const kx_byte_rows *rows, const void *weights, const int32_t *sums,
                   const kx_byte_finish *f, uint8_t *to)
{
    int32_t all[KX_BYTE_ROWS * KX_BYTE_COLUMNS];

    sum16(rows, weights, sums, all);
    finish_rows(f, all, to);
}

static void tile8(const kx_byte_rows *rows, const void *weights, const int32_t *sums,
                  const kx_byte_finish *f, uint8_t *to)
{
    int32_t all[KX_BYTE_ROWS * KX_BYTE_COLUMNS];

    sum8(rows, weights, sums, all);
    finish_rows(f, all, to);
}

static void turn(const uint8_t *from, size_t stride, uint8_t *to, size_t to_stride)
{
    for (size_t term = 0; term < 16; term++)
        for (size_t cell = 0; cell < 16; cell++)
            to[term * to_stride + cell] = from[cell * stride + term];
}

static int32_t rest_of(kx_byte_turned cells, const kx_byte_rest *r, size_t cell)
{
    return cells.at[r->at[0] * cells.stride + cell] * r->weight[0] +
           cells.at[r->at[1] * cells.stride + cell] * r->weight[1];
}

static void rest(kx_byte_turned cells, const kx_byte_rest *rests, const int32_t *at, int32_t *to)
{
    memset(to, 0, KX_BYTE_TURNED * KX_BYTE_COLUMNS * sizeof *to);
    for (size_t c = 0; c < KX_BYTE_COLUMNS; c++)
        for (int32_t i = at[c]; i < at[c + 1]; i++)
            for (size_t cell = 0; cell < KX_BYTE_TURNED; cell++)
                to[cell * KX_BYTE_COLUMNS + c] += rest_of(cells, &rests[i], cell);
}

static void depth(const uint8_t *const *tap, const kx_byte_line *from, size_t words,
                  const void *weights, const kx_byte_finish *f, uint8_t *to)
{
    const int16_t *w = weights;
    int64_t at = from->at;

    for (int64_t i = 0; i < from->count; i++, at += from->step, to += f->stride) {
        int32_t sum[KX_BYTE_COLUMNS] = {0};

        for (size_t t = 0; t < 2 * words; t++)
            for (size_t c = 0; c < KX_BYTE_COLUMNS; c++)
                sum[c] += tap[t][at + (int64_t)c] * w[t / 2 * 2 * KX_BYTE_COLUMNS + 2 * c + t % 2];
        finish(f, sum, to);
    }
}

const kx_byte_kernels kx_byte_kernels_plain = {widen, sum16, sum8,  tile16, tile8,
                                               turn,  rest,  depth, NULL};

const kx_byte_kernels *kx_byte_kernels_best(void)
{
    const kx_byte_kernels *avx2 = kx_byte_kernels_avx2();
    const kx_byte_kernels *vnni = kx_accel_has_dot_products() ? kx_byte_kernels_vnni() : NULL;

    if (kx_accel_has_dot_products())
        return vnni ? vnni : &kx_byte_kernels_plain;
    return avx2 ? avx2 : &kx_byte_kernels_plain;
}
