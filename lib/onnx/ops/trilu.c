/* trilu.c - Trilu: the upper or lower triangle of the last two axes, 0 elsewhere.
 *
 *     y[..., i, j] = x[..., i, j] where j - i >= k (upper) or j - i <= k (lower), else 0
 *
 * k = 0 is the diagonal.  Attention masks are made with it.  dx is the same triangle of dy. */
#include <string.h>

#include "basic.h"
#include "families.h"

typedef struct trilu_params {
    bool upper;
    int64_t k;
} trilu_params;

static kldve_status infer_trilu(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 2, 1);
    const int64_t *k;
    trilu_params *p;
    size_t count;

    if (st < 0 || (st = kx_const_ints(g, n, 1, "k", &k, &count)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (n->in[0]->shape.rank < 2)
        return kx_invalid(g, n, "the input has rank %d, expected 2 or more", n->in[0]->shape.rank);
    if (kx_has(n, 1) && count != 1)
        return kx_invalid(g, n, "k has %zu elements, expected 1", count);
    p->k = k ? k[0] : 0;
    p->upper = kx_attr_int(n, "upper", 1) != 0;
    return kx_out_like(g, n, 0, n->in[0], &n->in[0]->shape);
}

/* Columns [*from, *to) of row i belong to the triangle. */
static void columns(const trilu_params *p, int64_t i, int64_t width, int64_t *from, int64_t *to)
{
    int64_t first = p->k > width ? width : p->k < -i ? 0 : i + p->k; /* of j - i >= k */

    if (first > width)
        first = width;
    if (p->upper) {
        *from = first;
        *to = width;
    } else {
        *from = 0;
        *to = p->k < -i ? 0 : first < width ? first + 1 : width;
    }
}

static void forward_trilu(const kx_op_call *call)
{
    const kx_shape *s = &call->in[0].shape;
    int64_t height = s->dim[s->rank - 2], width = s->dim[s->rank - 1], from, to;
    size_t item = kx_dtype_size(call->in[0].dtype);

    memset(call->out[0].data, 0, call->out[0].count * item);
    for (size_t row = 0; width > 0 && row < call->in[0].count / (size_t)width; row++) {
        columns(call->node->params, (int64_t)row % height, width, &from, &to);
        if (from < to) {
            size_t at = (row * (size_t)width + (size_t)from) * item;

            memcpy((char *)call->out[0].data + at, (const char *)call->in[0].data + at,
                   (size_t)(to - from) * item);
        }
    }
}

static void vjp_trilu(const kx_op_call *call)
{
    const kx_shape *s = &call->din->shape;
    int64_t height = s->dim[s->rank - 2], width = s->dim[s->rank - 1], from, to;

    if (!call->dout[0].data)
        return;
    for (size_t row = 0; width > 0 && row < call->din->count / (size_t)width; row++) {
        const float *dy = (const float *)call->dout[0].data + row * (size_t)width;
        float *dx = (float *)call->din->data + row * (size_t)width;

        columns(call->node->params, (int64_t)row % height, width, &from, &to);
        for (int64_t j = from; j < to; j++)
            dx[j] += dy[j];
    }
}

const kx_op kx_trilu_ops[] = {
    {.type = "Trilu",
     .since = 14,
     .infer = infer_trilu,
     .forward = forward_trilu,
     .vjp = vjp_trilu,
     .traits = {.bias = KX_BIAS_NONE}},
    {0},
};
