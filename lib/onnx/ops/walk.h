/* walk.h - one way to step through arrays for every operator that broadcasts or moves data.
 *
 * A walk visits the elements of a row-major "whole" array in order, and for each of them says which
 * element of up to three other arrays (the operands) belongs to it:
 *
 *     operand k at  start[k] + sum over axes of index[axis] * stride[k][axis]
 *
 * A stride of 0 is broadcasting, other strides than the operand's own are transposing, slicing,
 * reversing.  Axes that can be are merged, so that most walks are one or two loops: the innermost
 * one is left to the kernel, as a "run" of n elements with a constant step per operand. */
#ifndef KLDVE_ONNX_OPS_WALK_H
#define KLDVE_ONNX_OPS_WALK_H

#include <assert.h>

#include "graph/graph.h"

enum {
    KX_WALK_RANK = 2 * KX_MAX_RANK, /* Tile splits every axis */
    KX_WALK_OPERANDS = 3
};

typedef struct kx_walk {
    int32_t rank;
    int32_t operands;
    int64_t dim[KX_WALK_RANK];
    int64_t stride[KX_WALK_OPERANDS][KX_WALK_RANK];
    int64_t start[KX_WALK_OPERANDS];
} kx_walk;

/** A walk over `whole` without operands yet. */
void kx_walk_init(kx_walk *w, const kx_shape *whole);
/** Add an operand of shape `s`, broadcast to the whole as by kx_broadcast(). */
void kx_walk_broadcast(kx_walk *w, const kx_shape *s);
/** Drop axes of length 1 and merge neighbours.  Call it last. */
void kx_walk_pack(kx_walk *w);
/** Elements of axes after `axis`: the stride of an axis of an array without gaps. */
int64_t kx_stride(const kx_shape *s, int32_t axis);

/** The lines of an array along an axis: element k of line i is at kx_line_start(i) + k * step. */
typedef struct kx_lines {
    int64_t count, length, step;
} kx_lines;

static inline kx_lines kx_lines_along(const kx_shape *s, int32_t axis)
{
    kx_lines l = {.length = s->dim[axis], .step = kx_stride(s, axis)};

    l.count = kx_span(s, 0, axis) * l.step;
    return l;
}

static inline int64_t kx_line_start(const kx_lines *l, int64_t i)
{
    return i / l->step * l->length * l->step + i % l->step;
}

/** out[i] = in[operand 0 of i], elements of 1, 4 or 8 bytes. */
void kx_walk_copy(const kx_walk *w, size_t item, const void *in, void *out);
/** din[operand `k` of i] += scale * dout[i]: the VJP of kx_walk_copy() (k 0), and the sum over the
 *  broadcast axes. */
void kx_walk_add(const kx_walk *w, int32_t k, float scale, const float *dout, float *din);

/** One innermost loop: elements whole[out .. out + n), operand k at at[k], at[k] + step[k], ... */
typedef struct kx_run {
    bool more;
    int64_t n, out;
    int64_t at[KX_WALK_OPERANDS], step[KX_WALK_OPERANDS];
    int64_t index[KX_WALK_RANK];
} kx_run;

/** for (kx_run r = kx_run_first(w); r.more; kx_run_next(w, &r)) */
static inline kx_run kx_run_first(const kx_walk *w)
{
    kx_run r = {.more = true, .n = w->dim[w->rank - 1]};

    assert(w->rank >= 1); /* it is packed */
    for (int32_t i = 0; i < w->rank; i++)
        if (w->dim[i] == 0)
            r.more = false;
    for (int32_t k = 0; k < w->operands; k++) {
        r.at[k] = w->start[k];
        r.step[k] = w->stride[k][w->rank - 1];
    }
    return r;
}

static inline void kx_run_next(const kx_walk *w, kx_run *r)
{
    r->out += r->n;
    for (int32_t i = w->rank - 2; i >= 0; i--) {
        for (int32_t k = 0; k < w->operands; k++)
            r->at[k] += w->stride[k][i];
        if (++r->index[i] < w->dim[i])
            return;
        for (int32_t k = 0; k < w->operands; k++)
            r->at[k] -= w->stride[k][i] * w->dim[i];
        r->index[i] = 0;
    }
    r->more = false;
}

#endif
