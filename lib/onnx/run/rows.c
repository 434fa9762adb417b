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
typedef int32_t mask __attribute__((vector_size(4 * VEC)));

#define LOAD(to, address) memcpy(&(to), (address), sizeof(vec))

/* ---- sums and the largest element ---- */

/* sum of f over n elements; f is in terms of vectors a, b at i, or of a single a, b. */
#define SUM(name, f)                                                                               \
    KX_WIDE static double name(const float *x, const float *z, float shift, int64_t n)             \
    {                                                                                              \
        double sum = 0;                                                                            \
                                                                                                   \
        (void)z, (void)shift;                                                                      \
        for (int64_t from = 0; from < n; from += PIECE) {                                          \
            int64_t end = n - from < PIECE ? n : from + PIECE, i = from;                           \
            float lane[VEC], rest = 0;                                                             \
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
            memcpy(lane, &part, sizeof lane);                                                      \
            for (int k = 0; k < VEC; k++)                                                          \
                sum += (double)lane[k];                                                            \
            sum += (double)rest;                                                                   \
        }                                                                                          \
        return sum;                                                                                \
    }

SUM(sum_of, a)
SUM(dot_of, a *(b - shift))
SUM(squares_of, (a - shift) * (a - shift))

KX_WIDE static float largest_of(const float *x, int64_t n)
{
    float lane[VEC], most = x[0];
    int64_t i = 0;

    if (n >= VEC) {
        vec m, a;

        LOAD(m, x);
        for (i = VEC; i + VEC <= n; i += VEC) {
            mask larger;

            LOAD(a, x + i);
            larger = a > m;
            m = (vec)(((mask)a & larger) | ((mask)m & ~larger));
        }
        memcpy(lane, &m, sizeof lane);
        for (int k = 0; k < VEC; k++)
            most = lane[k] > most ? lane[k] : most;
    }
    for (; i < n; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

/* ---- one row: elementwise ---- */

KX_WIDE static void exp_of(int64_t n, const float *x, float shift, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = kx_exp(x[i] - shift);
}

KX_WIDE static void shift_and_scale(int64_t n, const float *x, float shift, float scale, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - shift) * scale;
}

KX_WIDE static void affine(int64_t n, const float *scale, const float *bias, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] * scale[i] + bias[i];
}

KX_WIDE static void times(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] * b[i];
}

KX_WIDE static void plus(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

/* ---- one row: the kinds ---- */

static void softmax(const kx_rows *r, const float *x, float *y)
{
    exp_of(r->n, x, largest_of(x, r->n), y);
    shift_and_scale(r->n, y, 0, (float)(1 / sum_of(y, y, 0, r->n)), y);
}

KX_WIDE static double sum_of_exp(const float *x, float shift, int64_t n)
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

static void log_softmax(const kx_rows *r, const float *x, float *y)
{
    float most = largest_of(x, r->n);

    shift_and_scale(r->n, x, most, 1, y);
    shift_and_scale(r->n, y, (float)log(sum_of_exp(x, most, r->n)), 1, y);
}

typedef struct statistics {
    float mean, rate;
} statistics;

static statistics statistics_of(const kx_rows *r, const float *x)
{
    double n = (double)r->n;
    float mean = r->centred ? 0 : (float)(sum_of(x, x, 0, r->n) / n);
    double variance = squares_of(x, x, mean, r->n) / n;

    return (statistics){mean, (float)(1 / sqrt(variance + (double)r->epsilon))};
}

static void norm(const kx_rows *r, const float *x, float *y)
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

static void row_forward(const kx_rows *r, const float *x, float *y)
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

KX_WIDE static void softmax_vjp(int64_t n, const float *y, const float *dy, float sum, float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] * (dy[i] - sum);
}

KX_WIDE static void log_softmax_vjp(int64_t n, const float *y, const float *dy, float sum,
                                    float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] - kx_exp(y[i]) * sum;
}

/* dx = rate (dh - mean_dh - h moment), dh in dx. */
KX_WIDE static void norm_vjp(int64_t n, const float *x, statistics s, float mean_dh, float moment,
                             float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = s.rate * (dx[i] - mean_dh - (x[i] - s.mean) * s.rate * moment);
}

static void norm_row_vjp(const kx_rows *r, const float *x, const float *dy, float *dx)
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

static void row_vjp(const kx_rows *r, const float *seen, const float *dy, float *dx)
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

void kx_rows_forward(const kx_rows *r, const float *x, float *y)
{
    int64_t results = results_of(r);

    assert(r->n > 0);
#pragma omp parallel for schedule(static) if (r->count * r->n >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < r->count; i++)
        row_forward(r, x + i * r->n, y + i * results);
}

void kx_rows_vjp(const kx_rows *r, const float *seen, const float *dy, float *dx)
{
    int64_t results = results_of(r);

    assert(r->n > 0 && (seen || r->kind == KX_ROWS_MEAN));
#pragma omp parallel for schedule(static) if (r->count * r->n >= KX_PARALLEL_FROM)
    for (int64_t i = 0; i < r->count; i++)
        row_vjp(r, seen ? seen + i * r->n : NULL, dy + i * results, dx + i * r->n);
}
