/* rows.c - means, softmax and normalisation of rows.  For one row of n elements
 *
 *     MEAN         y = sum x / n                          dx = dy / n
 *     SOFTMAX      y = exp(x - max) / sum                 dx = y (dy - sum dy y)
 *     LOG_SOFTMAX  y = x - max - log sum                  dx = dy - exp(y) sum dy
 *     NORM         h = (x - m) r,  y = scale h + bias     dh = scale dy,
 *                  r = 1 / sqrt(mean of (x - m)^2 + epsilon)
 *                                                         dx = r (dh - mean of dh - h mean of dh h)
 *
 * m is the mean, or 0 where `centred`; the mean of dh is then left out, too.  Sums are 16 partial
 * sums in float32, of at most PIECE elements, added up in float64: their order is always the same.
 */
#include "run/rows.h"

#include <assert.h>
#include <string.h>

#include "run/fastmath.h"
#include "run/kernel.h"

enum { VEC = 16, PIECE = 1024 };

typedef float vec __attribute__((vector_size(4 * VEC)));

#define LOAD(to, address) memcpy(&(to), (address), sizeof(vec))
/* Part of each of the loops over rows below, compiled for the vectors of that loop. */
#define PART static inline __attribute__((always_inline))

/* ---- sums and the largest element ---- */

PART float sum_of_lanes(const vec *v)
{
    float lane[VEC];

    memcpy(lane, v, sizeof lane);
    for (int n = VEC / 2; n > 0; n /= 2)
        for (int k = 0; k < n; k++)
            lane[k] += lane[k + n];
    return lane[0];
}

/* sum of f over n elements; f is in terms of vectors a, b at i, or of a single a, b. */
#define SUM(name, f)                                                                               \
    PART double name(const float *x, const float *z, float shift, int64_t n)                       \
    {                                                                                              \
        double sum = 0;                                                                            \
                                                                                                   \
        (void)z, (void)shift;                                                                      \
        for (int64_t from = 0; from < n; from += PIECE) {                                          \
            int64_t end = n - from < PIECE ? n : from + PIECE, i = from;                           \
            float rest = 0;                                                                        \
            vec part = {0};                                                                        \
                                                                                                   \
            for (; i + VEC <= end; i += VEC) {                                                     \
                vec a, b;                                                                          \
                                                                                                   \
                LOAD(a, x + i);                                                                    \
                LOAD(b, z + i);                                                                    \
                (void)b;                                                                           \
                part += f;                                                                         \
            }                                                                                      \
            for (; i < end; i++) {                                                                 \
                float a = x[i], b = z[i];                                                          \
                                                                                                   \
                (void)b;                                                                           \
                rest += f;                                                                         \
            }                                                                                      \
            sum += (double)sum_of_lanes(&part) + (double)rest;                                     \
        }                                                                                          \
        return sum;                                                                                \
    }

SUM(sum_of, a)
SUM(dot_of, a *(b - shift))
SUM(squares_of, (a - shift) * (a - shift))

PART float larger(float a, float b)
{
    return a > b ? a : b;
}

PART float largest_of(const float *x, int64_t n)
{
    float lane[VEC], most = x[0];
    int64_t i = 0;

    if (n >= VEC) {
        memcpy(lane, x, sizeof lane);
        for (i = VEC; i + VEC <= n; i += VEC)
            for (int k = 0; k < VEC; k++)
                lane[k] = larger(x[i + k], lane[k]);
        for (int m = VEC / 2; m > 0; m /= 2)
            for (int k = 0; k < m; k++)
                lane[k] = larger(lane[k + m], lane[k]);
        most = lane[0];
    }
    for (; i < n; i++)
        most = larger(x[i], most);
    return most;
}

/* ---- one row: elementwise ---- */

PART void exp_of(int64_t n, const float *x, float shift, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = kx_exp(x[i] - shift);
}

PART void shift_and_scale(int64_t n, const float *x, float shift, float scale, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - shift) * scale;
}

PART void affine(int64_t n, const float *scale, const float *bias, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] * scale[i] + bias[i];
}

PART void times(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] * b[i];
}

PART void plus(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

/* ---- one row: the kinds ---- */

PART void softmax(const kx_rows *r, const float *x, float *y)
{
    exp_of(r->n, x, largest_of(x, r->n), y);
    shift_and_scale(r->n, y, 0, (float)(1 / sum_of(y, y, 0, r->n)), y);
}

PART double sum_of_exp(const float *x, float shift, int64_t n)
{
    float part[VEC];
    double sum = 0;

    for (int64_t i = 0; i < n; i += VEC) {
        int64_t length = n - i < VEC ? n - i : VEC;

        for (int64_t k = 0; k < length; k++)
            part[k] = kx_exp(x[i + k] - shift);
        for (int64_t k = 0; k < length; k++)
            sum += (double)part[k];
    }
    return sum;
}

PART void log_softmax(const kx_rows *r, const float *x, float *y)
{
    float most = largest_of(x, r->n);

    shift_and_scale(r->n, x, most, 1, y);
    shift_and_scale(r->n, y, (float)log(sum_of_exp(x, most, r->n)), 1, y);
}

typedef struct statistics {
    float mean, rate;
} statistics;

PART statistics statistics_of(const kx_rows *r, const float *x)
{
    double n = (double)r->n;
    float mean = r->centred ? 0 : (float)(sum_of(x, x, 0, r->n) / n);
    double variance = squares_of(x, x, mean, r->n) / n;

    return (statistics){mean, (float)(1 / sqrt(variance + (double)r->epsilon))};
}

PART void norm(const kx_rows *r, const float *x, float *y)
{
    statistics s = statistics_of(r, x);

    shift_and_scale(r->n, x, s.mean, s.rate, y);
    if (r->scale && r->bias) {
        affine(r->n, r->scale, r->bias, y);
        return;
    }
    if (r->scale)
        times(r->n, y, r->scale, y);
    if (r->bias)
        plus(r->n, y, r->bias, y);
}

PART void row_forward(const kx_rows *r, const float *x, float *y)
{
    switch (r->kind) {
    case KX_ROWS_MEAN:
        *y = (float)(sum_of(x, x, 0, r->n) / (double)r->n);
        break;
    case KX_ROWS_SOFTMAX:
        softmax(r, x, y);
        break;
    case KX_ROWS_LOG_SOFTMAX:
        log_softmax(r, x, y);
        break;
    case KX_ROWS_NORM:
        norm(r, x, y);
        break;
    }
}

/* ---- one row: VJPs ---- */

PART void softmax_vjp(int64_t n, const float *y, const float *dy, float sum, float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] * (dy[i] - sum);
}

PART void log_softmax_vjp(int64_t n, const float *y, const float *dy, float sum, float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] - kx_exp(y[i]) * sum;
}

/* dx = rate (dh - mean_dh - h moment), dh in dx. */
PART void norm_vjp(int64_t n, const float *x, statistics s, float mean_dh, float moment, float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = s.rate * (dx[i] - mean_dh - (x[i] - s.mean) * s.rate * moment);
}

PART void norm_row_vjp(const kx_rows *r, const float *x, const float *dy, float *dx)
{
    statistics s = statistics_of(r, x);
    double n = (double)r->n, sum, dot;

    if (r->scale)
        times(r->n, dy, r->scale, dx);
    else
        memcpy(dx, dy, (size_t)r->n * sizeof *dx);
    sum = sum_of(dx, dx, 0, r->n);
    dot = dot_of(dx, x, s.mean, r->n) * (double)s.rate;
    norm_vjp(r->n, x, s, r->centred ? 0 : (float)(sum / n), (float)(dot / n), dx);
}

PART void row_vjp(const kx_rows *r, const float *seen, const float *dy, float *dx)
{
    switch (r->kind) {
    case KX_ROWS_MEAN:
        for (int64_t i = 0; i < r->n; i++)
            dx[i] = *dy / (float)r->n;
        break;
    case KX_ROWS_SOFTMAX:
        softmax_vjp(r->n, seen, dy, (float)dot_of(dy, seen, 0, r->n), dx);
        break;
    case KX_ROWS_LOG_SOFTMAX:
        log_softmax_vjp(r->n, seen, dy, (float)sum_of(dy, dy, 0, r->n), dx);
        break;
    case KX_ROWS_NORM:
        norm_row_vjp(r, seen, dy, dx);
        break;
    }
}

/* ---- all rows ---- */

static int64_t results_of(const kx_rows *r)
{
    return r->kind == KX_ROWS_MEAN ? 1 : r->n;
}

/* Rows that one thread takes at a time. */
static int64_t rows_of_piece(const kx_rows *r)
{
    return 1 + KX_PARALLEL_FROM / 4 / r->n;
}

KX_WIDE static void forward(const kx_rows *r, int64_t from, int64_t end, const float *x, float *y)
{
    int64_t results = results_of(r);

    for (int64_t i = from; i < end; i++)
        row_forward(r, x + i * r->n, y + i * results);
}

KX_WIDE static void vjp(const kx_rows *r, int64_t from, int64_t end, const float *seen,
                        const float *dy, float *dx)
{
    int64_t results = results_of(r);

    for (int64_t i = from; i < end; i++)
        row_vjp(r, seen ? seen + i * r->n : NULL, dy + i * results, dx + i * r->n);
}

void kx_rows_forward(const kx_rows *r, const float *x, float *y)
{
    int64_t piece = rows_of_piece(r);

    assert(r->n > 0);
    KX_SHARED(r->count * r->n >= KX_PARALLEL_FROM,
              for (int64_t from = 0; from < r->count; from += piece)
                  forward(r, from, r->count - from < piece ? r->count : from + piece, x, y););
}

void kx_rows_vjp(const kx_rows *r, const float *seen, const float *dy, float *dx)
{
    int64_t piece = rows_of_piece(r);

    assert(r->n > 0 && (seen || r->kind == KX_ROWS_MEAN));
    KX_SHARED(r->count * r->n >= KX_PARALLEL_FROM,
              for (int64_t from = 0; from < r->count; from += piece)
                  vjp(r, from, r->count - from < piece ? r->count : from + piece, seen, dy, dx););
}
