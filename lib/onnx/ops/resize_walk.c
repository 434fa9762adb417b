/* resize_walk.c - the tables of all axes, walked together. */
#include "resize.h"

#include <assert.h>
#include <math.h>

/* A row of the last axis, times `weight`: y += x along the table, or x += y against it. */
typedef void row_fn(const kx_resize_params *p, float weight, float *x, float *y);

static void row_forward(const kx_resize_params *p, float weight, float *x, float *y)
{
    const kx_resize_axis *a = &p->axis[p->rank - 1];

    if (!a->index) {
        for (int64_t o = 0; o < a->out; o++)
            y[o] += weight * x[o];
        return;
    }
    for (int64_t o = 0, e = 0; o < a->out; o++) {
        float sum = 0;

        for (int32_t t = 0; t < a->taps; t++, e++)
            sum += a->weight[e] * x[a->index[e]];
        if (a->outside && a->outside[o])
            y[o] = p->extrapolation;
        else
            y[o] += weight * sum;
    }
}

static void row_vjp(const kx_resize_params *p, float weight, float *x, float *y)
{
    const kx_resize_axis *a = &p->axis[p->rank - 1];

    if (!a->index) {
        for (int64_t o = 0; o < a->out; o++)
            x[o] += weight * y[o];
        return;
    }
    for (int64_t o = 0, e = 0; o < a->out; o++) {
        bool flows = !a->outside || !a->outside[o];

        for (int32_t t = 0; t < a->taps; t++, e++)
            if (flows)
                x[a->index[e]] += weight * a->weight[e] * y[o];
    }
}

typedef struct walker {
    const kx_resize_params *p;
    row_fn *row;
    kx_pace *pace;
    double row_work;
    int64_t nx[KX_MAX_RANK], ny[KX_MAX_RANK]; /* elements behind one index of an axis */
} walker;

static walker walk_with(const kx_resize_params *p, row_fn *row, kx_pace *pace)
{
    const kx_resize_axis *last = &p->axis[p->rank - 1];
    walker w = {.p = p,
                .row = row,
                .pace = pace,
                .row_work = (double)last->out * (last->index ? last->taps : 1)};
    int64_t nx = 1, ny = 1;

    assert(p->rank > 0 && p->rank <= KX_MAX_RANK);
    for (int32_t axis = p->rank - 1; axis >= 0; axis--) {
        w.nx[axis] = nx;
        w.ny[axis] = ny;
        nx *= p->axis[axis].in;
        ny *= p->axis[axis].out;
    }
    return w;
}

/* The axes from `axis` on, times `weight`. */
static void walk(const walker *w, int32_t axis, float weight, float *x, float *y)
{
    const kx_resize_axis *a = &w->p->axis[axis];
    int64_t nx = w->nx[axis], ny = w->ny[axis];

    if (axis == w->p->rank - 1) {
        if (!kx_stops(w->pace, w->row_work))
            w->row(w->p, weight, x, y);
        return;
    }
    for (int64_t o = 0; o < a->out && !kx_stops(w->pace, 1); o++, y += ny) {
        if (!a->index) {
            walk(w, axis + 1, weight, x + o * nx, y);
            continue;
        }
        if (a->outside && a->outside[o]) {
            for (int64_t i = 0; w->row == row_forward && i < ny; i++)
                y[i] = w->p->extrapolation;
            continue;
        }
        for (int64_t e = o * a->taps; e < (o + 1) * a->taps; e++)
            walk(w, axis + 1, weight * a->weight[e], x + a->index[e] * nx, y);
    }
}

void kx_resize_forward(const kx_resize_params *p, float *x, float *y, size_t count, kx_pace *pace)
{
    walker w;

    for (size_t i = 0; i < count; i++)
        y[i] = 0;
    w = walk_with(p, row_forward, pace);
    walk(&w, 0, 1, x, y);
    for (size_t i = 0; i < count && p->whole; i++)
        y[i] = truncf(y[i]);
}

void kx_resize_vjp(const kx_resize_params *p, float *x, float *y, kx_pace *pace)
{
    walker w = walk_with(p, row_vjp, pace);

    walk(&w, 0, 1, x, y);
}
