/* pad.c - Pad: constant, reflect, edge, wrap; negative padding cuts.
 *
 * Output index o of an axis is source(o), or none for a constant; dx adds dy back along the same
 * map.  Rows of the last axis are handled in one piece, the part in the middle as a copy. */
#include "basic.h"
#include "families.h"
#include "nn.h"

#include <assert.h>
#include <string.h>

/* ---- attributes and inputs ------------------------------------------------------------------- */

static kldve_status mode_attr(kx_graph *g, kx_node *n, kx_pad_mode *out)
{
    static const char *const name[] = {"constant", "reflect", "edge", "wrap"};
    const char *mode = kx_attr_string(n, "mode", "constant");

    for (int i = 0; i < (g->opset >= 19 ? 4 : 3); i++)
        if (strcmp(mode, name[i]) == 0) {
            *out = (kx_pad_mode)i;
            return KLDVE_OK;
        }
    return kx_refuse(g, n, "attribute 'mode' is '%.40s', which is not supported in opset %d", mode,
                     g->opset);
}

/* pads: begins, then ends, of the axes of input 3 (opset 18) or of all. */
static kldve_status read_pads(kx_graph *g, kx_node *n, kx_pad_params *p)
{
    const int64_t *pads, *axes = NULL;
    size_t count, naxes = 0;
    int32_t rank = n->in[0]->shape.rank;
    bool marked[KX_MAX_RANK];
    kldve_status st = kx_ints(g, n, "pads", 1, 11, &pads, &count);

    if (st < 0 || (g->opset >= 18 && (st = kx_const_ints(g, n, 3, "axes", &axes, &naxes)) < 0) ||
        (st = kx_mark_axes(g, n, axes, naxes, rank, marked)) < 0)
        return st;
    if (!axes)
        naxes = (size_t)rank;
    if (count != 2 * naxes)
        return kx_invalid(g, n, "'pads' has %zu values for %zu axes", count, naxes);
    for (size_t i = 0; i < naxes; i++) {
        int32_t axis = (int32_t)i;

        if (axes && !kx_axis(axes[i], rank, &axis))
            return kx_invalid(g, n, "axis %lld is out of range for rank %d", (long long)axes[i],
                              rank);
        p->begin[axis] = pads[i];
        p->end[axis] = pads[naxes + i];
    }
    return KLDVE_OK;
}

static kldve_status check_axis(kx_graph *g, kx_node *n, const kx_pad_params *p, int32_t axis,
                               int64_t *size)
{
    int64_t in = n->in[0]->shape.dim[axis], begin = p->begin[axis], end = p->end[axis];

    if (begin < -INT32_MAX || begin > INT32_MAX || end < -INT32_MAX || end > INT32_MAX)
        return kx_refuse(g, n, "'pads' are %lld and %lld, at most 2^31 is supported",
                         (long long)begin, (long long)end);
    *size = begin + in + end;
    if (*size < 0)
        return kx_invalid(g, n,
                          "'pads' are %lld and %lld, which cuts away more than the %lld elements",
                          (long long)begin, (long long)end, (long long)in);
    if (p->mode != KX_PAD_CONSTANT && (begin < 0 || end < 0))
        return kx_refuse(g, n, "negative 'pads' are supported only with the mode 'constant'");
    if (p->mode != KX_PAD_CONSTANT && in == 0 && *size > 0)
        return kx_invalid(g, n, "an axis without elements cannot be padded by repetition");
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_pad_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *x;
    kx_shape y;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, g->opset < 11 ? 1 : 2,
                        g->opset < 11   ? 1
                        : g->opset < 18 ? 3
                                        : 4,
                        1)) < 0 ||
        (st = mode_attr(g, n, &p->mode)) < 0 || (st = read_pads(g, n, p)) < 0)
        return st;
    x = &n->in[0]->shape;
    if (x->rank == 0)
        return kx_refuse(g, n, "input 0 is a scalar, it must have at least one axis");
    if (g->opset < 11)
        p->value = kx_attr_float(n, "value", 0);
    if (kx_has(n, 2) && ((n->in[2]->dtype != n->in[0]->dtype && !kx_is_level(n->in[2], n->in[0])) ||
                         n->in[2]->count != 1))
        return kx_invalid(g, n, "input 2 (constant_value) must be one element of input 0's type");
    if (kx_has(n, 2) && kx_is_level(n->in[2], n->in[0])) {
        const int64_t *level = kx_value_ints(g, n->in[2]);

        if (!level)
            return kx_nomem(g);
        p->value = (float)*level;
    }
    y = *x;
    for (int32_t i = 0; i < x->rank; i++)
        if ((st = check_axis(g, n, p, i, &y.dim[i])) < 0)
            return st;
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], &y);
}

/* ---- one axis -------------------------------------------------------------------------------- */

static int64_t modulo(int64_t a, int64_t b)
{
    assert(b > 0);
    return a % b < 0 ? a % b + b : a % b;
}

/* Where output index o of an axis comes from; -1: from nowhere. */
static int64_t source(const kx_pad_params *p, int32_t axis, int64_t in, int64_t o)
{
    int64_t i = o - p->begin[axis], period;

    if (i >= 0 && i < in)
        return i;
    switch (p->mode) {
    case KX_PAD_CONSTANT:
        return -1;
    case KX_PAD_EDGE:
        return i < 0 ? 0 : in - 1;
    case KX_PAD_WRAP:
        return modulo(i, in);
    case KX_PAD_REFLECT:
        if (in == 1)
            return 0;
        period = 2 * (in - 1);
        i = modulo(i, period);
        return i < in ? i : period - i;
    }
    return -1;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The rows of the output in order. */
typedef struct row_walk {
    const kx_pad_params *p;
    const kx_shape *x, *y;
    int32_t last;    /* axis of a row */
    int64_t in, out; /* lengths of a row */
    int64_t rows;
} row_walk;

static row_walk walk_of(const kx_node *n)
{
    const kx_shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
    row_walk w = {n->params, x, y, y->rank - 1, x->dim[y->rank - 1], y->dim[y->rank - 1], 0};

    assert(y->rank > 0 && y->rank == x->rank);
    if (w.out > 0)
        w.rows = kx_span(y, 0, w.last);
    return w;
}

/* First element of the input row that a row of the output comes from; -1: from nowhere. */
static int64_t row_source(const row_walk *w, int64_t row)
{
    int64_t from = 0, stride = w->in;

    for (int32_t axis = w->last - 1; axis >= 0; axis--) {
        int64_t i = source(w->p, axis, w->x->dim[axis], row % w->y->dim[axis]);

        if (i < 0)
            return -1;
        from += i * stride;
        stride *= w->x->dim[axis];
        row /= w->y->dim[axis];
    }
    return from;
}

/* Output elements [lo, hi) of a row are input elements lo - begin and following. */
static void middle(const row_walk *w, int64_t *lo, int64_t *hi)
{
    int64_t begin = w->p->begin[w->last];

    *lo = begin <= 0 ? 0 : begin < w->out ? begin : w->out;
    *hi = begin + w->in < w->out ? begin + w->in : w->out;
    if (*hi < *lo)
        *hi = *lo;
    assert(*lo >= 0 && *hi <= w->out);
}

/* Output elements [from, to) one by one; x is the input row or NULL. */
static void fill(const row_walk *w, int64_t from, int64_t to, size_t item, const char *x,
                 const char *value, char *y)
{
    for (int64_t o = from; o < to; o++) {
        int64_t i = x ? source(w->p, w->last, w->in, o) : -1;

        memcpy(y + (size_t)o * item, i < 0 ? value : x + (size_t)i * item, item);
    }
}

static void forward(const kx_op_call *call)
{
    static const int64_t zero = 0;
    const kx_pad_params *p = call->node->params;
    row_walk w = walk_of(call->node);
    size_t item = kx_dtype_size(call->out[0].dtype);
    bool given = kx_has(call->node, 2) && call->in[2].dtype == call->in[0].dtype;
    const void *value = given                         ? call->in[2].data
                        : call->in[0].dtype == KX_F32 ? (const void *)&p->value
                                                      : (const void *)&zero;
    char *y = call->out[0].data;
    int64_t lo, hi;

    middle(&w, &lo, &hi);
    for (int64_t row = 0; row < w.rows; row++, y += (size_t)w.out * item) {
        int64_t from = row_source(&w, row);
        const char *x = from < 0 ? NULL : (const char *)call->in[0].data + (size_t)from * item;

        if (!x) {
            fill(&w, 0, w.out, item, NULL, value, y);
            continue;
        }
        fill(&w, 0, lo, item, x, value, y);
        if (hi > lo)
            memcpy(y + (size_t)lo * item, x + (size_t)(lo - p->begin[w.last]) * item,
                   (size_t)(hi - lo) * item);
        fill(&w, hi, w.out, item, x, value, y);
    }
}

static void vjp(const kx_op_call *call)
{
    row_walk w = walk_of(call->node);
    const float *dy = call->dout[0].data;
    float *d = call->din->data;
    double sum = 0; /* of what came from the constant */

    for (int64_t row = 0; row < w.rows && dy; row++, dy += w.out) {
        int64_t from = row_source(&w, row);

        for (int64_t o = 0; o < w.out; o++) {
            int64_t i = from < 0 ? -1 : source(w.p, w.last, w.in, o);

            if (i < 0)
                sum += (double)dy[o];
            else if (call->which == 0)
                d[from + i] += dy[o];
        }
    }
    if (call->which == 2)
        d[0] += (float)sum;
}

const kx_op kx_pad_ops[] = {
    {.type = "Pad",
     .since = 2,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_PADDED,
                .settings = ~UINT64_C(1)}},
    {0},
};
