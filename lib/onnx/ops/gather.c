/* gather.c - Gather, GatherElements, GatherND: elements chosen by an array of indices.
 *
 * Negative indices count from the end.  Constant indices are checked when the graph is built; those
 * that are computed while it runs are clamped into range, since forward() cannot fail.  The VJP
 * adds every cotangent where its element came from. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "families.h"

/* ---- Gather: whole slices along one axis ----------------------------------------------------- */

static kldve_status infer_gather(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    const kx_shape *in, *index;
    kx_gather_params *p;
    kx_shape out = {.rank = 0};

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    in = &n->in[0]->shape;
    index = &n->in[1]->shape;
    if ((st = kx_axis_attr(g, n, "axis", 0, in->rank, &p->axis)) < 0 ||
        (st = kx_check_indices(g, n, &in->dim[p->axis], 1)) < 0)
        return st;
    if (in->rank - 1 + index->rank > KX_MAX_RANK)
        return kx_refuse(g, n, "the rank of the result is above %d, the largest supported",
                         KX_MAX_RANK);
    for (int32_t i = 0; i < p->axis; i++)
        out.dim[out.rank++] = in->dim[i];
    for (int32_t i = 0; i < index->rank; i++)
        out.dim[out.rank++] = index->dim[i];
    for (int32_t i = p->axis + 1; i < in->rank; i++)
        out.dim[out.rank++] = in->dim[i];
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static void forward_gather(const kx_op_call *call)
{
    const kx_gather_params *p = call->node->params;
    const kx_shape *s = &call->in[0].shape;
    size_t block = (size_t)kx_stride(s, p->axis) * kx_dtype_size(call->in[0].dtype);
    size_t outer = (size_t)kx_span(s, 0, p->axis);
    const int64_t *index = call->in[1].data;
    int64_t length = s->dim[p->axis];
    char *to = call->out[0].data;

    if (call->out[0].count == 0)
        return;
    assert(length > 0);
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < call->in[1].count; i++, to += block)
            memcpy(to,
                   (const char *)call->in[0].data +
                       (o * (size_t)length + kx_index_of(index[i], length)) * block,
                   block);
}

static void vjp_gather(const kx_op_call *call)
{
    const kx_gather_params *p = call->node->params;
    const kx_shape *s = &call->din->shape;
    size_t block = (size_t)kx_stride(s, p->axis), outer = (size_t)kx_span(s, 0, p->axis);
    const int64_t *index = call->in[1].data;
    int64_t length = s->dim[p->axis];
    const float *dy = call->dout[0].data;

    if (!dy || call->which != 0 || call->dout[0].count == 0)
        return;
    assert(length > 0);
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < call->in[1].count; i++, dy += block) {
            float *dx = (float *)call->din->data +
                        (o * (size_t)length + kx_index_of(index[i], length)) * block;

            for (size_t k = 0; k < block; k++)
                dx[k] += dy[k];
        }
}

/* ---- GatherElements: y[i][j][k] = x[index[i][j][k]][j][k] for axis 0 ------------------------- */

static kldve_status infer_elements(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    const kx_shape *in, *index;
    kx_gather_params *p;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    in = &n->in[0]->shape;
    index = &n->in[1]->shape;
    if (in->rank != index->rank)
        return kx_invalid(g, n,
                          "the input has rank %d and the indices have rank %d, they must be equal",
                          in->rank, index->rank);
    if ((st = kx_axis_attr(g, n, "axis", 0, in->rank, &p->axis)) < 0 ||
        (st = kx_check_indices(g, n, &in->dim[p->axis], 1)) < 0)
        return st;
    for (int32_t i = 0; i < in->rank; i++)
        if (i != p->axis && index->dim[i] > in->dim[i])
            return kx_invalid(g, n, "the indices are longer than the input in axis %d", i);
    /* The walk goes over the output; operand 0 is the input with the gathered axis left out. */
    kx_walk_init(&p->walk, index);
    p->walk.operands = 1;
    for (int32_t i = 0; i < in->rank; i++)
        p->walk.stride[0][i] = i == p->axis ? 0 : kx_stride(in, i);
    kx_walk_pack(&p->walk);
    return kx_out_like(g, n, 0, n->in[0], index);
}

static void forward_elements(const kx_op_call *call)
{
    const kx_gather_params *p = call->node->params;
    size_t stride = (size_t)kx_stride(&call->in[0].shape, p->axis),
           item = kx_dtype_size(call->in[0].dtype);
    int64_t length = call->in[0].shape.dim[p->axis];
    const int64_t *index = call->in[1].data;

    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            size_t at =
                (size_t)(r.at[0] + i * r.step[0]) + kx_index_of(index[r.out + i], length) * stride;

            memcpy((char *)call->out[0].data + (size_t)(r.out + i) * item,
                   (const char *)call->in[0].data + at * item, item);
        }
}

static void vjp_elements(const kx_op_call *call)
{
    const kx_gather_params *p = call->node->params;
    size_t stride = (size_t)kx_stride(&call->din->shape, p->axis);
    int64_t length = call->din->shape.dim[p->axis];
    const int64_t *index = call->in[1].data;
    const float *dy = call->dout[0].data;
    float *dx = call->din->data;

    if (!dy || call->which != 0)
        return;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            dx[(size_t)(r.at[0] + i * r.step[0]) +
               kx_index_of(index[r.out + i], length) * stride] += dy[r.out + i];
}

/* ---- GatherND: the last axis of the indices is an index tuple -------------------------------- */

/* x [batch][length 0]...[length m-1][block], index [batch][tuples][m] -> y [batch][tuples][block]
 */
typedef struct nd_params {
    int32_t m;
    int64_t length[KX_MAX_RANK];
    size_t batch, tuples, block, whole; /* whole: elements of x per batch */
} nd_params;

static kldve_status infer_nd(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    const kx_shape *in, *index;
    int64_t batch_dims, m;
    nd_params *p;
    kx_shape out = {.rank = 0};
    int32_t b;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    in = &n->in[0]->shape;
    index = &n->in[1]->shape;
    batch_dims = g->opset >= 12 ? kx_attr_int(n, "batch_dims", 0) : 0;
    m = index->rank > 0 ? index->dim[index->rank - 1] : 0;
    if (batch_dims < 0 || batch_dims >= index->rank || batch_dims > in->rank || m < 1 ||
        m > in->rank - batch_dims)
        return kx_invalid(g, n, "indices of rank %d with tuples of %lld do not fit rank %d",
                          index->rank, (long long)m, in->rank);
    b = (int32_t)batch_dims;
    p->m = (int32_t)m;
    for (int32_t i = 0; i < b; i++)
        if (in->dim[i] != index->dim[i])
            return kx_invalid(g, n, "input and indices differ in batch axis %d", i);
    memcpy(p->length, &in->dim[b], (size_t)m * sizeof in->dim[0]);
    if ((st = kx_check_indices(g, n, p->length, (size_t)m)) < 0)
        return st;
    if (index->rank - 1 + in->rank - b - p->m > KX_MAX_RANK)
        return kx_refuse(g, n, "the rank of the result is above %d, the largest supported",
                         KX_MAX_RANK);
    p->batch = (size_t)kx_span(in, 0, b);
    p->tuples = (size_t)kx_span(index, b, index->rank - 1);
    p->block = (size_t)kx_span(in, b + p->m, in->rank);
    p->whole = (size_t)kx_span(in, b, in->rank);
    for (int32_t i = 0; i < index->rank - 1; i++)
        out.dim[out.rank++] = index->dim[i];
    for (int32_t i = b + p->m; i < in->rank; i++)
        out.dim[out.rank++] = in->dim[i];
    return kx_out_like(g, n, 0, n->in[0], &out);
}

/* Where the block of tuple t of batch b starts in x. */
static size_t nd_at(const nd_params *p, const int64_t *index, size_t b, size_t t)
{
    const int64_t *tuple = index + (b * p->tuples + t) * (size_t)p->m;
    size_t at = 0;

    for (int32_t i = 0; i < p->m; i++)
        at = at * (size_t)p->length[i] + kx_index_of(tuple[i], p->length[i]);
    return b * p->whole + at * p->block;
}

static void forward_nd(const kx_op_call *call)
{
    const nd_params *p = call->node->params;
    size_t item = kx_dtype_size(call->in[0].dtype);
    char *to = call->out[0].data;

    if (call->out[0].count == 0)
        return;
    for (size_t b = 0; b < p->batch; b++)
        for (size_t t = 0; t < p->tuples; t++, to += p->block * item)
            memcpy(to, (const char *)call->in[0].data + nd_at(p, call->in[1].data, b, t) * item,
                   p->block * item);
}

static void vjp_nd(const kx_op_call *call)
{
    const nd_params *p = call->node->params;
    const float *dy = call->dout[0].data;

    if (!dy || call->which != 0 || call->dout[0].count == 0)
        return;
    for (size_t b = 0; b < p->batch; b++)
        for (size_t t = 0; t < p->tuples; t++, dy += p->block) {
            float *dx = (float *)call->din->data + nd_at(p, call->in[1].data, b, t);

            for (size_t i = 0; i < p->block; i++)
                dx[i] += dy[i];
        }
}

const kx_op kx_gather_ops[] = {
    {.type = "Gather",
     .since = 1,
     .infer = infer_gather,
     .forward = forward_gather,
     .vjp = vjp_gather,
     .vjp_needs = KX_NEEDS_IN(1),
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_TAKEN,
                .rearranges = true}},
    {.type = "GatherElements",
     .since = 11,
     .infer = infer_elements,
     .forward = forward_elements,
     .vjp = vjp_elements,
     .vjp_needs = KX_NEEDS_IN(1),
     .traits = {.effect = KX_EFFECT_MOVES, .bias = KX_BIAS_NONE, .rearranges = true}},
    {.type = "GatherND",
     .since = 11,
     .infer = infer_nd,
     .forward = forward_nd,
     .vjp = vjp_nd,
     .vjp_needs = KX_NEEDS_IN(1),
     .traits = {.effect = KX_EFFECT_MOVES, .bias = KX_BIAS_NONE, .rearranges = true}},
    {0},
};
