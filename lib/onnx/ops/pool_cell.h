/* pool_cell.h - one window of a pooling: what is made of its taps. */
#ifndef KLDVE_ONNX_POOL_CELL_H
#define KLDVE_ONNX_POOL_CELL_H

#include <assert.h>
#include <math.h>

#include "nn.h"

typedef struct kx_cell {
    kx_reach d, h, w; /* taps in the input */
} kx_cell;

/* For every row of taps, `at` being the element of the plane under tap 0 of axis W. */
#define KX_FOR_ROWS(q, c, at)                                                                      \
    for (int64_t kd = (c)->d.lo; kd < (c)->d.hi; kd++)                                             \
        for (int64_t kh = (c)->h.lo, at = kx_cell_row(q, c, kd, kh); kh < (c)->h.hi;               \
             kh++, at = kx_cell_row(q, c, kd, kh))

static inline int64_t kx_cell_row(const kx_window *q, const kx_cell *c, int64_t kd, int64_t kh)
{
    return ((c->d.at + kd * q->dilation[KX_D]) * q->in[KX_H] + c->h.at + kh * q->dilation[KX_H]) *
               q->in[KX_W] +
           c->w.at;
}

/* Element of the plane with the largest value, the first of equals; -1: no tap in the input. */
static inline int64_t kx_cell_max(const kx_window *q, const kx_cell *c, const float *x)
{
    int64_t best = -1;
    float most = 0;

    KX_FOR_ROWS(q, c, at)
    for (int64_t k = c->w.lo; k < c->w.hi; k++) {
        int64_t i = at + k * q->dilation[KX_W];

        if (best < 0 || x[i] > most) {
            best = i;
            most = x[i];
        }
    }
    return best;
}

static inline double kx_cell_sum(const kx_window *q, const kx_cell *c, const float *x)
{
    double sum = 0;

    KX_FOR_ROWS(q, c, at)
    for (int64_t k = c->w.lo; k < c->w.hi; k++)
        sum += (double)x[at + k * q->dilation[KX_W]];
    return sum;
}

static inline double kx_cell_norm(const kx_window *q, const kx_cell *c, const float *x, int64_t p)
{
    double sum = 0;

    assert(p >= 1);
    KX_FOR_ROWS(q, c, at)
    for (int64_t k = c->w.lo; k < c->w.hi; k++) {
        double v = fabs((double)x[at + k * q->dilation[KX_W]]);

        sum += p == 1 ? v : p == 2 ? v * v : pow(v, (double)p);
    }
    return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1.0 / (double)p);
}

static inline void kx_cell_add(const kx_window *q, const kx_cell *c, float value, float *dx)
{
    KX_FOR_ROWS(q, c, at)
    for (int64_t k = c->w.lo; k < c->w.hi; k++)
        dx[at + k * q->dilation[KX_W]] += value;
}

static inline void kx_cell_norm_add(const kx_window *q, const kx_cell *c, const float *x, int64_t p,
                                    double dy, float *dx)
{
    double y = kx_cell_norm(q, c, x, p);

    if (y == 0)
        return;
    KX_FOR_ROWS(q, c, at)
    for (int64_t k = c->w.lo; k < c->w.hi; k++) {
        int64_t i = at + k * q->dilation[KX_W];
        double v = (double)x[i], sign = v > 0 ? 1 : v < 0 ? -1 : 0;

        dx[i] += (float)(dy * sign * (p == 1 ? 1 : pow(fabs(v) / y, (double)(p - 1))));
    }
}

#endif
