/* slice.c - Slice, Split, Concat: parts of arrays.  The VJP of a part is adding into that part. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "families.h"

/* ---- Slice ----------------------------------------------------------------------------------- */

/* numpy's x[start:end:step] on an axis of length d: the first index and how many follow. */
static int64_t slice_axis(int64_t d, int64_t start, int64_t end, int64_t step, int64_t *first)
{
    int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? d : d - 1;
    uint64_t span, stride;

    assert(d >= 0 && step != 0);
    start = start < 0 ? start + d : start; /* no overflow: d >= 0 */
    end = end < 0 ? end + d : end;
    start = start < lowest ? lowest : start > highest ? highest : start;
    end = end < lowest ? lowest : end > highest ? highest : end;
    *first = 0;
    if (step > 0 ? start >= end : start <= end)
        return 0;
    assert(start >= 0 && start < d);
    *first = start;
    span = (uint64_t)(step > 0 ? end - start : start - end);
    stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    return (int64_t)((span - 1) / stride + 1);
}

/* starts, ends, axes, steps: attributes up to opset 9, which had no steps, then inputs. */
typedef struct slice_lists {
    const int64_t *start, *end, *axis, *step; /* axis, step: NULL where missing */
    size_t count;
} slice_lists;

static kldve_status read_lists(kx_graph *g, kx_node *n, slice_lists *l)
{
    size_t ends, axes, steps;
    kldve_status st;

    if ((st = kx_ints(g, n, "starts", 1, 10, &l->start, &l->count)) < 0 ||
        (st = kx_ints(g, n, "ends", 2, 10, &l->end, &ends)) < 0 ||
        (st = kx_ints(g, n, "axes", 3, 10, &l->axis, &axes)) < 0 ||
        (st = kx_const_ints(g, n, 4, "steps", &l->step, &steps)) < 0)
        return st;
    if (ends != l->count || (l->axis && axes != l->count) || (l->step && steps != l->count) ||
        l->count > (size_t)n->in[0]->shape.rank)
        return kx_invalid(g, n, "starts, ends, axes and steps have different lengths");
    return KLDVE_OK;
}

static kldve_status infer_slice(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, g->opset < 10 ? 1 : 3, g->opset < 10 ? 1 : 5, 1);
    slice_lists l;
    const kx_shape *in;
    kx_slice_params *p;
    bool seen[KX_MAX_RANK] = {false};
    kx_shape out;
    int32_t axis;

    if (st < 0 || (st = read_lists(g, n, &l)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    in = &n->in[0]->shape;
    out = *in;
    for (int32_t i = 0; i < in->rank; i++)
        p->step[i] = 1;
    for (size_t i = 0; i < l.count; i++) {
        if (!kx_axis(l.axis ? l.axis[i] : (int64_t)i, in->rank, &axis) || seen[axis])
            return kx_invalid(g, n, "the axes are out of range, or one is given twice");
        seen[axis] = true;
        p->step[axis] = l.step ? l.step[i] : 1;
        if (p->step[axis] == 0)
            return kx_invalid(g, n, "a step is 0");
        out.dim[axis] =
            slice_axis(in->dim[axis], l.start[i], l.end[i], p->step[axis], &p->start[axis]);
        if (out.dim[axis] <= 1)
            p->step[axis] = 1; /* does not matter, but must not overflow below */
    }
    kx_walk_init(&p->walk, &out);
    p->walk.operands = 1;
    for (int32_t i = 0; i < in->rank; i++) {
        p->walk.stride[0][i] = kx_stride(in, i) * p->step[i];
        p->walk.start[0] += kx_stride(in, i) * p->start[i];
    }
    kx_walk_pack(&p->walk);
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static void forward_slice(const kx_op_call *call)
{
    const kx_slice_params *p = call->node->params;

    kx_walk_copy(&p->walk, kx_dtype_size(call->in[0].dtype), call->in[0].data, call->out[0].data);
}

static void vjp_slice(const kx_op_call *call)
{
    const kx_slice_params *p = call->node->params;

    if (call->which == 0 && call->dout[0].data)
        kx_walk_add(&p->walk, 0, 1.0f, call->dout[0].data, call->din->data);
}

/* ---- blocks along one axis, for Split and Concat --------------------------------------------- */

/* A part of an array: `outer` rows, each `size` elements of the `total` of the whole, from `at`. */
typedef struct part {
    size_t outer, size, total, at;
} part;

static part part_of(const kx_shape *whole, const kx_shape *piece, int32_t axis, int64_t begin)
{
    size_t stride = (size_t)kx_stride(whole, axis);
    part p = {.outer = (size_t)kx_span(whole, 0, axis),
              .size = stride * (size_t)piece->dim[axis],
              .total = stride * (size_t)whole->dim[axis],
              .at = stride * (size_t)begin};

    assert(begin >= 0 && begin + piece->dim[axis] <= whole->dim[axis]);
    return p;
}

static void add_rows(size_t rows, size_t size, const float *from, size_t from_step, float *to,
                     size_t to_step)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < size; i++)
            to[r * to_step + i] += from[r * from_step + i];
}

/* ---- Split ----------------------------------------------------------------------------------- */

/* Without sizes the parts are equal; from opset 18 on the last one may be smaller. */
static kldve_status split_sizes(kx_graph *g, kx_node *n, int64_t length, int64_t *size)
{
    const int64_t *given;
    size_t count;
    int64_t each, left = length;
    kldve_status st = kx_ints(g, n, "split", 1, 13, &given, &count);

    if (st < 0)
        return st;
    if (count && count != (size_t)n->nout)
        return kx_invalid(g, n, "%zu sizes are given for %d outputs", count, n->nout);
    if (g->opset >= 18 && kx_attr_int(n, "num_outputs", n->nout) != n->nout)
        return kx_invalid(g, n, "num_outputs is not the number of outputs, %d", n->nout);
    each = (length + n->nout - 1) / n->nout;
    if (!count && g->opset < 18 && length % n->nout != 0)
        return kx_invalid(g, n, "length %lld does not split into %d equal parts", (long long)length,
                          n->nout);
    for (int32_t i = 0; i < n->nout; i++) {
        size[i] = count ? given[i] : each < left ? each : left;
        if (size[i] < 0 || size[i] > left)
            return kx_invalid(g, n, "the sizes of the parts do not add up to %lld",
                              (long long)length);
        left -= size[i];
    }
    if (left != 0)
        return kx_invalid(g, n, "the sizes of the parts do not add up to %lld", (long long)length);
    return KLDVE_OK;
}

static kldve_status infer_split(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, g->opset < 13 ? 1 : 2, KX_MAX_OUT);
    int64_t size[KX_MAX_OUT];
    kx_split_params *p;
    kx_shape out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    out = n->in[0]->shape;
    if ((st = kx_axis_attr(g, n, "axis", 0, out.rank, &p->axis)) < 0 ||
        (st = split_sizes(g, n, out.dim[p->axis], size)) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++) {
        p->begin[i] = i ? p->begin[i - 1] + size[i - 1] : 0;
        out.dim[p->axis] = size[i];
        if ((st = kx_out_like(g, n, i, n->in[0], &out)) < 0)
            return st;
    }
    return KLDVE_OK;
}

static void forward_split(const kx_op_call *call)
{
    const kx_split_params *p = call->node->params;
    size_t item = kx_dtype_size(call->in[0].dtype);

    for (int32_t k = 0; k < call->node->nout; k++) {
        part a;

        if (!call->out[k].data || call->out[k].count == 0)
            continue;
        a = part_of(&call->in[0].shape, &call->out[k].shape, p->axis, p->begin[k]);
        for (size_t r = 0; r < a.outer; r++)
            memcpy((char *)call->out[k].data + r * a.size * item,
                   (const char *)call->in[0].data + (r * a.total + a.at) * item, a.size * item);
    }
}

static void vjp_split(const kx_op_call *call)
{
    const kx_split_params *p = call->node->params;

    for (int32_t k = 0; k < call->node->nout && call->which == 0; k++) {
        part a;

        if (!call->dout[k].data || call->dout[k].count == 0)
            continue;
        a = part_of(&call->din->shape, &call->dout[k].shape, p->axis, p->begin[k]);
        add_rows(a.outer, a.size, call->dout[k].data, a.size, (float *)call->din->data + a.at,
                 a.total);
    }
}

/* ---- Concat ---------------------------------------------------------------------------------- */

static kldve_status infer_concat(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, KX_MAX_IN, 1);
    kx_concat_params *p;
    kx_shape out, rest;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    out = n->in[0]->shape;
    if ((st = kx_axis_attr(g, n, "axis", g->opset < 4 ? 1 : INT64_MAX, out.rank, &p->axis)) < 0)
        return st;
    out.dim[p->axis] = 0;
    for (int32_t i = 0; i < n->nin; i++) {
        if (!n->in[i] || n->in[i]->dtype != n->in[0]->dtype)
            return kx_invalid(g, n, "input %d is missing or of another type", i);
        rest = n->in[i]->shape;
        if (rest.rank != out.rank)
            return kx_invalid(g, n, "input %d has rank %d, input 0 has %d", i, rest.rank, out.rank);
        out.dim[p->axis] += rest.dim[p->axis];
        rest.dim[p->axis] = out.dim[p->axis];
        if (!kx_same_shape(&rest, &out))
            return kx_invalid(g, n, "the shape of input %d does not fit the others", i);
    }
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static int64_t concat_begin(const kx_node *n, int32_t which, int32_t axis)
{
    int64_t begin = 0;

    for (int32_t i = 0; i < which; i++)
        begin += n->in[i]->shape.dim[axis];
    return begin;
}

static void forward_concat(const kx_op_call *call)
{
    const kx_concat_params *p = call->node->params;
    size_t item = kx_dtype_size(call->out[0].dtype);

    for (int32_t k = 0; k < call->node->nin; k++) {
        part a = part_of(&call->out[0].shape, &call->in[k].shape, p->axis,
                         concat_begin(call->node, k, p->axis));

        for (size_t r = 0; r < a.outer && a.size > 0; r++)
            memcpy((char *)call->out[0].data + (r * a.total + a.at) * item,
                   (const char *)call->in[k].data + r * a.size * item, a.size * item);
    }
}

static void vjp_concat(const kx_op_call *call)
{
    const kx_concat_params *p = call->node->params;
    part a;

    if (!call->dout[0].data || call->din->count == 0)
        return;
    a = part_of(&call->dout[0].shape, &call->din->shape, p->axis,
                concat_begin(call->node, call->which, p->axis));
    add_rows(a.outer, a.size, (const float *)call->dout[0].data + a.at, a.total, call->din->data,
             a.size);
}

const kx_op kx_slice_ops[] = {
    {.type = "Slice",
     .since = 1,
     .infer = infer_slice,
     .forward = forward_slice,
     .vjp = vjp_slice,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_SLICED,
                .rearranges = true}},
    {.type = "Split",
     .since = 2,
     .infer = infer_split,
     .forward = forward_split,
     .vjp = vjp_split,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_SPLIT,
                .rearranges = true}},
    {.type = "Concat",
     .since = 1,
     .infer = infer_concat,
     .forward = forward_concat,
     .vjp = vjp_concat,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_JOINED,
                .rearranges = true,
                .alike = true}},
    {0},
};
