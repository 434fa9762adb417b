/* bytes.c - see bytes.h. */
#include "run/bytes.h"

#include <string.h>

#include "run/byte_conv.h"
#include "run/elementwise.h"
#include "run/kernel.h"

/* ---- numbers and bytes ---- */

/* Halves to even; |x| < 2^22 here. */
static inline float rounded(float x)
{
    const float shift = 0x1.8p23f; /* its last digit is 1 */

    return (x + shift) - shift;
}

static inline float number(kx_byte_form f, uint8_t byte)
{
    return f.scale * (float)(byte - f.zero);
}

/* As QuantizeLinear does: divided, clipped, rounded. */
static inline uint8_t byte_of(kx_byte_out out, float x)
{
    x /= out.form.scale;
    x = x > out.lo ? x : out.lo; /* NaN becomes lo */
    x = x < out.hi ? x : out.hi;
    return (uint8_t)((int32_t)rounded(x) + out.form.zero);
}

enum { PIECE = 16384 }; /* elements that a thread takes at a time */

static int64_t piece_from(int64_t i, int64_t count)
{
    return count - i < PIECE ? count - i : PIECE;
}

KX_WIDE static void bytes_of(kx_byte_out f, int64_t n, const float *x, uint8_t *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = byte_of(f, x[i]);
}

KX_WIDE static void numbers_of(kx_byte_form f, int64_t n, const uint8_t *x, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = number(f, x[i]);
}

static void from_float(const kx_byte_cast *c, const float *x, uint8_t *y)
{
    int64_t count = (int64_t)c->count;

#pragma omp parallel for schedule(static) if (count >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < count; i += PIECE)
        bytes_of(c->form, piece_from(i, count), x + i, y + i);
}

static void to_float(const kx_byte_cast *c, const uint8_t *x, float *y)
{
    int64_t count = (int64_t)c->count;

#pragma omp parallel for schedule(static) if (count >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < count; i += PIECE)
        numbers_of(c->form.form, piece_from(i, count), x + i, y + i);
}

/* ---- binary ---- */

#define BINARY(name, op)                                                                           \
    KX_WIDE static void name(const kx_byte_binary *b, size_t n, const uint8_t *x,                  \
                             const uint8_t *y, uint8_t *to)                                        \
    {                                                                                              \
        kx_byte_form fx = b->x, fy = b->y;                                                         \
        kx_byte_out out = b->out;                                                                  \
                                                                                                   \
        for (size_t i = 0; i < n; i++)                                                             \
            to[i] = byte_of(out, number(fx, x[i]) op number(fy, y[i]));                            \
    }

BINARY(add, +)
BINARY(subtract, -)
BINARY(multiply, *)

static void binary_part(const kx_byte_binary *b, size_t n, const uint8_t *x, const uint8_t *y,
                        uint8_t *to)
{
    const kx_byte_kernels *k = kx_byte_kernels_best();
    size_t done = 0;

    if (b->op == KX_BINARY_ADD && k->add)
        done = k->add(b, n, x, y, to);
    if (b->op == KX_BINARY_ADD)
        add(b, n - done, x + done, y + done, to + done);
    else if (b->op == KX_BINARY_SUB)
        subtract(b, n, x, y, to);
    else
        multiply(b, n, x, y, to);
}

/* Cell by cell, or all elements in pieces that threads share. */
static void binary(const kx_byte_binary *b, const uint8_t *x, const uint8_t *y, uint8_t *to)
{
    int64_t count = b->cells * b->channels, piece = b->by_channel ? b->channels : PIECE;

#pragma omp parallel for schedule(static) if (count >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < count; i += piece)
        binary_part(b, (size_t)(count - i < piece ? count - i : piece), x + i,
                    y + (b->by_channel ? 0 : i), to + i);
}

/* ---- tables ---- */

static void fill(const kx_byte_table *t, uint8_t table[UINT8_MAX + 1])
{
    float x[UINT8_MAX + 1];

    for (int i = 0; i <= UINT8_MAX; i++)
        x[i] = number(t->in, (uint8_t)i);
    for (int32_t k = 0; k < t->nact; k++)
        kx_act_forward(t->act[k], UINT8_MAX + 1, x, x);
    for (int i = 0; i <= UINT8_MAX; i++)
        table[i] = byte_of(t->out, x[i]);
}

static void look_up(const kx_byte_table *t, const uint8_t *x, uint8_t *to)
{
    uint8_t table[UINT8_MAX + 1];
    bool together = t->stride == t->channels; /* the parts of cells lie one behind another */
    int64_t count = t->cells * t->channels, each = together ? PIECE : t->channels;

    fill(t, table);
    to += t->at;
#pragma omp parallel for schedule(static) if (count >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < count; i += each) {
        int64_t n = together ? piece_from(i, count) : each;
        uint8_t *part = to + (together ? i : i / each * t->stride);

        for (int64_t c = 0; c < n; c++)
            part[c] = table[x[i + c]];
    }
}

/* ---- pooling ---- */

/* The part of a window that lies in the picture. */
typedef struct window {
    int64_t from[2], to[2];
} window;

static window window_at(const kx_pool_desc *d, int64_t h, int64_t w)
{
    const int64_t at[2] = {h, w};
    window v;

    for (int i = 0; i < 2; i++) {
        v.from[i] = at[i] * d->stride[i] - d->pad_begin[i];
        v.to[i] = v.from[i] + d->kernel[i];
        v.from[i] = v.from[i] < 0 ? 0 : v.from[i];
        v.to[i] = v.to[i] > d->in[i] ? d->in[i] : v.to[i];
    }
    return v;
}

KX_WIDE static void keep_largest(int64_t n, const uint8_t *x, uint8_t *y)
{
    for (int64_t c = 0; c < n; c++)
        y[c] = x[c] > y[c] ? x[c] : y[c];
}

KX_WIDE static void add_to(int64_t n, const uint8_t *x, float *y)
{
    for (int64_t c = 0; c < n; c++)
        y[c] += (float)x[c];
}

static void max_cell(const kx_pool_desc *d, window v, const uint8_t *x, uint8_t *y)
{
    memset(y, 0, (size_t)d->channels);
    for (int64_t h = v.from[0]; h < v.to[0]; h++)
        for (int64_t w = v.from[1]; w < v.to[1]; w++)
            keep_largest(d->channels, x + (h * d->in[1] + w) * d->channels, y);
}

/* Sums of bytes are whole numbers, exact in float32 up to 2^24: of 65 793 cells. */
static void mean_cell(const kx_byte_pool *p, window v, const uint8_t *x, float *y)
{
    const kx_pool_desc *d = &p->d;
    float inside = (float)((v.to[0] - v.from[0]) * (v.to[1] - v.from[1]));
    float all = d->kind == KX_POOL_AVG_INCLUDE ? (float)(d->kernel[0] * d->kernel[1]) : inside;

    for (int64_t c = 0; c < d->channels; c++)
        y[c] = -inside * (float)p->in.zero;
    for (int64_t h = v.from[0]; h < v.to[0]; h++)
        for (int64_t w = v.from[1]; w < v.to[1]; w++)
            add_to(d->channels, x + (h * d->in[1] + w) * d->channels, y);
    for (int64_t c = 0; c < d->channels; c++)
        y[c] = p->in.scale * y[c] / all;
}

static void pool(const kx_byte_pool *p, bool max, const uint8_t *x, void *y)
{
    const kx_pool_desc *d = &p->d;
    int64_t lines = d->batch * d->out[0], line = d->out[1] * d->channels;

#pragma omp parallel for schedule(static) if (lines * line >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < lines; i++)
        for (int64_t w = 0; w < d->out[1]; w++) {
            const uint8_t *picture = x + i / d->out[0] * d->in[0] * d->in[1] * d->channels;
            window v = window_at(d, i % d->out[0], w);
            int64_t at = i * line + w * d->channels;

            if (max)
                max_cell(d, v, picture, (uint8_t *)y + at);
            else
                mean_cell(p, v, picture, (float *)y + at);
        }
}

void kx_bytes_run(const kx_bytes *b, const void *from, const void *second, void *to, void *scratch,
                  int threads)
{
    switch (b->kind) {
    case KX_BYTES_RENAMED: /* makes no step */
        break;
    case KX_BYTES_FROM_FLOAT:
        from_float(&b->as.cast, from, to);
        break;
    case KX_BYTES_TO_FLOAT:
        to_float(&b->as.cast, from, to);
        break;
    case KX_BYTES_CONV:
        kx_byte_conv_run(&b->as.conv, kx_byte_kernels_best(), from, to, scratch, threads);
        break;
    case KX_BYTES_BINARY:
        binary(&b->as.binary, from, second, to);
        break;
    case KX_BYTES_TABLE:
        look_up(&b->as.table, from, to);
        break;
    case KX_BYTES_MAX:
    case KX_BYTES_MEAN:
        pool(&b->as.pool, b->kind == KX_BYTES_MAX, from, to);
        break;
    }
}
