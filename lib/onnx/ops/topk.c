/* topk.c - TopK: the k largest or smallest elements along an axis, in order, and their indices.
 *
 * Of equal elements the first comes first; NaN counts as the largest, as in torch.  The cotangent
 * of a value goes to the element that it is. */
#include <assert.h>
#include <math.h>

#include "basic.h"
#include "families.h"
#include "params.h"

typedef struct topk_params {
    int32_t axis;
    int64_t k;
    bool smallest;
} topk_params;

static kldve_status read_k(kx_graph *g, kx_node *n, int64_t *k)
{
    const int64_t *list;
    size_t count;
    kldve_status st;

    if (g->opset < 10) {
        *k = kx_attr_int(n, "k", -1);
        return KLDVE_OK;
    }
    if ((st = kx_const_ints(g, n, 1, "k", &list, &count)) < 0)
        return st;
    if (count != 1)
        return kx_invalid(g, n, "input 1 (k) has %zu elements, expected 1", count);
    *k = list[0];
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    int32_t inputs = g->opset < 10 ? 1 : 2;
    kldve_status st = kx_expect(g, n, inputs, inputs, 2);
    topk_params *p;
    kx_shape out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (n->in[0]->dtype == KX_BOOL || n->in[0]->onnx_type == KX_ONNX_UINT64)
        return kx_refuse(g, n, "the element type of the input is not supported");
    out = n->in[0]->shape;
    if ((st = kx_axis_attr(g, n, "axis", -1, out.rank, &p->axis)) < 0 ||
        (st = read_k(g, n, &p->k)) < 0)
        return st;
    p->smallest = g->opset >= 11 && kx_attr_int(n, "largest", 1) == 0;
    kx_attr_ignore(n, "sorted"); /* any order would do, this one too */
    if (p->k < 0 || p->k > out.dim[p->axis])
        return kx_invalid(g, n, "k is %lld, axis %d has %lld elements", (long long)p->k, p->axis,
                          (long long)out.dim[p->axis]);
    out.dim[p->axis] = p->k;
    if (n->nout > 1 && n->out[1] && (st = kx_out_as(g, n, 1, KX_I64, &out, KX_ONNX_INT64)) < 0)
        return st;
    return kx_out_like(g, n, 0, n->in[0], &out);
}

/* One line of the input, and the heap of the indices that are left: each comes before its two
 * successors. */
typedef struct line {
    const void *x;
    bool ints, smallest;
    int64_t start, step;
    int64_t *heap, count;
} line;

static bool float_larger(float a, float b)
{
    return isnan(a) ? !isnan(b) : a > b;
}

static bool comes_before(const line *l, int64_t i, int64_t j)
{
    int64_t a = l->start + i * l->step, b = l->start + j * l->step;
    int order;

    if (l->ints) {
        const int64_t *x = l->x;

        order = (x[a] > x[b]) - (x[a] < x[b]);
    } else {
        const float *x = l->x;

        order = float_larger(x[a], x[b]) - float_larger(x[b], x[a]);
    }
    if (order == 0)
        return i < j;
    return (order > 0) != l->smallest;
}

static void sift(line *l, int64_t at)
{
    for (int64_t next = 2 * at + 1; next < l->count; next = 2 * at + 1) {
        int64_t moved = l->heap[at];

        if (next + 1 < l->count && comes_before(l, l->heap[next + 1], l->heap[next]))
            next++;
        if (comes_before(l, moved, l->heap[next]))
            return;
        l->heap[at] = l->heap[next];
        l->heap[next] = moved;
        at = next;
    }
}

static void make_heap(line *l, int64_t length)
{
    l->count = length;
    for (int64_t i = 0; i < length; i++)
        l->heap[i] = i;
    for (int64_t i = length / 2; i-- > 0;)
        sift(l, i);
}

static int64_t take_first(line *l)
{
    int64_t first = l->heap[0];

    assert(l->count > 0);
    l->heap[0] = l->heap[--l->count];
    sift(l, 0);
    return first;
}

/* to(k): the element of the input at `from` is the one of the output at `at`. */
typedef void visit_fn(const kx_op_call *call, int64_t at, int64_t from, int64_t index);

static void each_choice(const kx_op_call *call, visit_fn *visit)
{
    const topk_params *p = call->node->params;
    kx_lines in = kx_lines_along(&call->in[0].shape, p->axis), out = in;
    line l = {.x = call->in[0].data,
              .ints = call->in[0].dtype == KX_I64,
              .smallest = p->smallest,
              .step = in.step,
              .heap = call->scratch};
    double depth = 2 * log2((double)in.length + 1); /* comparisons for each that is taken */

    out.length = p->k;
    for (int64_t i = 0; i < in.count; i++) {
        l.start = kx_line_start(&in, i);
        if (kx_stops(call->pace, 2 * (double)in.length))
            return;
        make_heap(&l, in.length);
        for (int64_t k = 0; k < p->k && !kx_stops(call->pace, depth); k++) {
            int64_t index = take_first(&l);

            visit(call, kx_line_start(&out, i) + k * out.step, l.start + index * l.step, index);
        }
    }
}

static void store(const kx_op_call *call, int64_t at, int64_t from, int64_t index)
{
    int64_t *indices = call->node->nout > 1 ? call->out[1].data : NULL;

    if (indices)
        indices[at] = index;
    if (!call->out[0].data)
        return;
    if (call->in[0].dtype == KX_I64)
        ((int64_t *)call->out[0].data)[at] = ((const int64_t *)call->in[0].data)[from];
    else
        ((float *)call->out[0].data)[at] = ((const float *)call->in[0].data)[from];
}

static void forward(const kx_op_call *call)
{
    each_choice(call, store);
}

static void add_back(const kx_op_call *call, int64_t at, int64_t from, int64_t index)
{
    (void)index;
    ((float *)call->din->data)[from] += ((const float *)call->dout[0].data)[at];
}

static void vjp(const kx_op_call *call)
{
    if (call->dout[0].data && call->which == 0)
        each_choice(call, add_back);
}

static size_t scratch_size(const kx_node *n)
{
    const topk_params *p = n->params;

    return (size_t)n->in[0]->shape.dim[p->axis] * sizeof(int64_t);
}

/* Comparisons of the heaps; they jump through memory. */
static double work(const kx_node *n)
{
    const topk_params *p = n->params;
    double length = (double)n->in[0]->shape.dim[p->axis];

    return length > 0 ? (double)n->in[0]->count / length *
                            (2 * length + 2 * (double)p->k * log2(length + 1))
                      : 0;
}

bool kx_picks_smallest(const kx_node *n)
{
    return n->op->forward == forward && ((const topk_params *)n->params)->smallest;
}

const kx_op kx_topk_ops[] = {
    {.type = "TopK",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_IN(0),
     .scratch_size = scratch_size,
     .work = work,
     .traits = {.effect = KX_EFFECT_MOVES, .bias = KX_BIAS_NONE, .formula = KX_FORMULA_BEST}},
    {0},
};
