/* scatter.c - ScatterND, ScatterElements and Scatter: a copy of the data in which elements chosen
 * by an array of indices are replaced by updates, or in which updates are added to them.
 *
 *     none   y = x, then y[index] = u      dx = dy where nothing was replaced, else 0
 *     add    y = x, then y[index] += u     dx = dy
 *                                          both: du = dy[index]
 *
 * scatter_blocks.c finds the elements, scatter_reduce.c has the products and extremes.
 *
 * Indices must not repeat with `none`: which update stays is then open in ONNX.  Negative indices
 * count from the end; those that are out of range at run time are clamped. */
#include "scatter.h"

#include <assert.h>
#include <string.h>

#include "families.h"

enum { DATA = KX_SCATTER_DATA, INDICES = KX_SCATTER_INDICES, UPDATES = KX_SCATTER_UPDATES };

typedef kx_scatter_params scatter_params;

/* How the file names the reductions, from which opset on. */
static const struct {
    const char *name;
    int32_t since;
} reductions[] = {{"none", 0}, {"add", 16}, {"mul", 16}, {"max", 18}, {"min", 18}};

static kldve_status read_reduction(kx_graph *g, kx_node *n, scatter_params *p)
{
    const char *name = g->opset >= 16 ? kx_attr_string(n, "reduction", "none") : "none";
    bool known = false;

    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
        if (strcmp(name, reductions[i].name) == 0 && g->opset >= reductions[i].since) {
            p->reduction = (kx_reduction)i;
            known = true;
        }
    if (!known)
        return kx_invalid(g, n, "attribute 'reduction' is '%.40s', which opset %d does not have",
                          name, g->opset);
    if (p->reduction != KX_REPLACE && n->in[DATA]->dtype == KX_BOOL)
        return kx_refuse(g, n, "booleans cannot be combined");
    if (p->reduction > KX_ADD)
        n->op = &kx_scatter_reduced; /* whose VJP reads more */
    return KLDVE_OK;
}

static kldve_status begin(kx_graph *g, kx_node *n, scatter_params **out)
{
    kldve_status st = kx_expect(g, n, 3, 3, 1);
    scatter_params *p;

    if (st < 0)
        return st;
    if (!(p = n->params = *out = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (n->in[DATA]->dtype != n->in[UPDATES]->dtype)
        return kx_invalid(g, n, "data and updates have different types");
    return read_reduction(g, n, p);
}

/* ---- ScatterND: data [length 0]...[length m-1][block], indices [tuples][m] ------------------- */

static kldve_status check_updates(kx_graph *g, kx_node *n, int32_t m)
{
    const kx_shape *x = &n->in[DATA]->shape, *index = &n->in[INDICES]->shape;
    kx_shape want = {.rank = 0};

    if (index->rank - 1 + x->rank - m > KX_MAX_RANK)
        return kx_refuse(g, n, "the rank of the updates is above %d, the largest supported",
                         KX_MAX_RANK);
    for (int32_t i = 0; i < index->rank - 1; i++)
        want.dim[want.rank++] = index->dim[i];
    for (int32_t i = m; i < x->rank; i++)
        want.dim[want.rank++] = x->dim[i];
    return kx_same_shape(&want, &n->in[UPDATES]->shape)
               ? KLDVE_OK
               : kx_invalid(g, n,
                            "the updates do not have the shape that data and indices ask for");
}

static kldve_status infer_nd(kx_graph *g, kx_node *n)
{
    const kx_shape *x, *index;
    scatter_params *p;
    kldve_status st = begin(g, n, &p);
    int64_t m;

    if (st < 0)
        return st;
    x = &n->in[DATA]->shape;
    index = &n->in[INDICES]->shape;
    m = index->rank > 0 ? index->dim[index->rank - 1] : 0;
    if (m < 1 || m > x->rank)
        return kx_invalid(g, n, "indices with tuples of %lld do not fit rank %d", (long long)m,
                          x->rank);
    p->m = (int32_t)m;
    memcpy(p->length, x->dim, (size_t)m * sizeof x->dim[0]);
    if ((st = kx_check_indices(g, n, p->length, (size_t)m)) < 0 ||
        (st = check_updates(g, n, p->m)) < 0)
        return st;
    p->tuples = (size_t)kx_span(index, 0, index->rank - 1);
    p->block = (size_t)kx_span(x, p->m, x->rank);
    return kx_out_like(g, n, 0, n->in[DATA], x);
}

/* ---- ScatterElements: y[index[i][j]][j] = u[i][j] for axis 0 --------------------------------- */

static kldve_status infer_elements(kx_graph *g, kx_node *n)
{
    const kx_shape *x, *index;
    scatter_params *p;
    int32_t axis;
    kldve_status st = begin(g, n, &p);

    if (st < 0)
        return st;
    x = &n->in[DATA]->shape;
    index = &n->in[INDICES]->shape;
    if (x->rank != index->rank || !kx_same_shape(index, &n->in[UPDATES]->shape))
        return kx_invalid(g, n, "data, indices and updates do not fit each other");
    if ((st = kx_axis_attr(g, n, "axis", 0, x->rank, &axis)) < 0 ||
        (st = kx_check_indices(g, n, &x->dim[axis], 1)) < 0)
        return st;
    kx_walk_init(&p->walk, index);
    p->walk.operands = 1;
    for (int32_t i = 0; i < x->rank; i++) {
        if (i != axis && index->dim[i] > x->dim[i])
            return kx_invalid(g, n, "the indices are longer than the data in axis %d", i);
        p->walk.stride[0][i] = i == axis ? 0 : kx_stride(x, i);
    }
    kx_walk_pack(&p->walk);
    p->elements = true;
    p->m = 1;
    p->length[0] = x->dim[axis];
    p->stride = kx_stride(x, axis);
    p->block = 1;
    return kx_out_like(g, n, 0, n->in[DATA], x);
}

/* ---- both ------------------------------------------------------------------------------------ */

static void replace(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    size_t item = kx_dtype_size(call->in[DATA].dtype);

    memcpy((char *)call->out[0].data + at * item,
           (const char *)call->in[UPDATES].data + from * item, block * item);
}

static void add(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    float *y = call->out[0].data;
    int64_t *ints = call->out[0].data;

    for (size_t i = 0; i < block; i++)
        if (call->in[DATA].dtype == KX_F32)
            y[at + i] += ((const float *)call->in[UPDATES].data)[from + i];
        else
            ints[at + i] = kx_wrap(call->node->in[DATA]->onnx_type,
                                   (int64_t)((uint64_t)ints[at + i] +
                                             ((const uint64_t *)call->in[UPDATES].data)[from + i]));
}

static void forward(const kx_op_call *call)
{
    const scatter_params *p = call->node->params;

    if (call->out[0].count == 0)
        return;
    memcpy(call->out[0].data, call->in[DATA].data,
           call->out[0].count * kx_dtype_size(call->in[DATA].dtype));
    kx_each_scattered(call, p->reduction == KX_ADD ? add : replace);
}

static void gather_cotangent(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    const float *dy = call->dout[0].data;
    float *du = call->din->data;

    for (size_t i = 0; i < block; i++)
        du[from + i] += dy[at + i];
}

static void mark(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    (void)from;
    memset((char *)call->scratch + at, 1, block);
}

static void vjp(const kx_op_call *call)
{
    const scatter_params *p = call->node->params;
    const float *dy = call->dout[0].data;
    float *dx = call->din->data;
    const char *replaced = call->scratch;

    if (!dy || call->dout[0].count == 0)
        return;
    if (call->which == UPDATES) {
        kx_each_scattered(call, gather_cotangent);
        return;
    }
    assert(replaced);
    memset(call->scratch, 0, call->din->count);
    if (p->reduction == KX_REPLACE)
        kx_each_scattered(call, mark);
    for (size_t i = 0; i < call->din->count; i++)
        dx[i] += replaced[i] ? 0.0f : dy[i];
}

/* A byte for each element of the data: was it replaced? */
static size_t scratch_size(const kx_node *n)
{
    return n->in[DATA]->count;
}

#define ENTRY(name, first, last, fn)                                                               \
    {                                                                                              \
        .type = name, .since = first, .until = last, .infer = fn, .forward = forward, .vjp = vjp,  \
        .vjp_needs = KX_NEEDS_IN(INDICES), .scratch_size = scratch_size, .traits = {               \
            .bias = KX_BIAS_OPERAND                                                                \
        }                                                                                          \
    }

const kx_op kx_scatter_ops[] = {
    ENTRY("ScatterND", 11, 0, infer_nd),
    ENTRY("ScatterElements", 11, 0, infer_elements),
    ENTRY("Scatter", 9, 10, infer_elements),
    {0},
};
