/* pool.c - MaxPool, AveragePool, LpPool and their Global forms.
 *
 *     MaxPool      y = max x,              dx: dy to the first maximum of each window
 *     AveragePool  y = sum x / count,      dx = dy / count
 *     LpPool       y = (sum |x|^p)^(1/p),  dx = dy sign(x) (|x| / y)^(p - 1), 0 where y is 0
 *
 * over the taps of a window that fall into the input.  count is their number, or, with
 * count_include_pad, the number that falls into the input with its padding: what a window of
 * ceil_mode has behind that never counts. */
#include "basic.h"
#include "families.h"
#include "nn.h"
#include "pool_cell.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- one window ------------------------------------------------------------------------------ */

/* Taps of result o that count_include_pad counts. */
static int64_t padded_taps(const kx_window *q, int axis, int64_t o)
{
    int64_t room = q->in[axis] + q->pad_end[axis] - (o * q->stride[axis] - q->pad_begin[axis]);
    int64_t taps = (room + q->dilation[axis] - 1) / q->dilation[axis];

    return taps < q->kernel[axis] ? taps : q->kernel[axis];
}

static double cell_count(const kx_pool_params *p, const kx_cell *c, const int64_t *o)
{
    const kx_window *q = &p->window;
    int64_t count;

    if (p->count_include_pad)
        count = padded_taps(q, KX_D, o[KX_D]) * padded_taps(q, KX_H, o[KX_H]) *
                padded_taps(q, KX_W, o[KX_W]);
    else
        count = c->d.lo >= c->d.hi || c->h.lo >= c->h.hi || c->w.lo >= c->w.hi
                    ? 0
                    : (c->d.hi - c->d.lo) * (c->h.hi - c->h.lo) * (c->w.hi - c->w.lo);
    return count > 0 ? (double)count : 1.0;
}

/* ---- all windows of all planes --------------------------------------------------------------- */

/* What to do with the result `at` (an index into the planes' results), position o, of a plane
 * whose first element has the index `plane`. */
typedef struct job {
    const kx_pool_params *p;
    const float *x, *dy;
    float *y, *dx;
    int64_t *indices;
    kx_pace *pace;
} job;

typedef void cell_fn(const job *j, const kx_cell *c, const int64_t *o, int64_t plane, int64_t at);

static double taps_of(const kx_cell *c)
{
    return (double)(c->d.hi - c->d.lo) * (double)(c->h.hi - c->h.lo) * (double)(c->w.hi - c->w.lo);
}

static void each_cell(const job *j, cell_fn *fn)
{
    const kx_window *q = &j->p->window;
    int64_t in = kx_window_in(q), at = 0, o[KX_SPATIAL];
    kx_cell c;

    assert(j->p->planes >= 0);
    for (int64_t plane = 0; plane < j->p->planes; plane++)
        for (o[KX_D] = 0; o[KX_D] < q->out[KX_D]; o[KX_D]++) {
            c.d = kx_window_taps_of(q, KX_D, o[KX_D]);
            for (o[KX_H] = 0; o[KX_H] < q->out[KX_H]; o[KX_H]++) {
                c.h = kx_window_taps_of(q, KX_H, o[KX_H]);
                for (o[KX_W] = 0; o[KX_W] < q->out[KX_W]; o[KX_W]++) {
                    c.w = kx_window_taps_of(q, KX_W, o[KX_W]);
                    if (kx_stops(j->pace, taps_of(&c)))
                        return;
                    fn(j, &c, o, plane * in, at++);
                }
            }
        }
}

/* Indices count over the whole array, within a plane by rows or (storage_order 1) by columns. */
static int64_t index_of(const kx_pool_params *p, int64_t plane, int64_t i)
{
    const kx_window *q = &p->window;
    int64_t w = i % q->in[KX_W], h = i / q->in[KX_W] % q->in[KX_H];
    int64_t d = i / q->in[KX_W] / q->in[KX_H];

    assert(i >= 0 && i < kx_window_in(q));
    if (!p->column_major)
        return plane + i;
    if (q->spatial == 3) /* the first spatial axis runs fastest */
        return plane + d + (h + w * q->in[KX_H]) * q->in[KX_D];
    return plane + h + w * q->in[KX_H];
}

static void max_forward(const job *j, const kx_cell *c, const int64_t *o, int64_t plane, int64_t at)
{
    int64_t i = kx_cell_max(&j->p->window, c, j->x + plane);

    (void)o;
    if (j->y)
        j->y[at] = i < 0 ? -INFINITY : j->x[plane + i];
    if (j->indices)
        j->indices[at] = i < 0 ? -1 : index_of(j->p, plane, i);
}

static void max_vjp(const job *j, const kx_cell *c, const int64_t *o, int64_t plane, int64_t at)
{
    int64_t i = kx_cell_max(&j->p->window, c, j->x + plane);

    (void)o;
    if (i >= 0)
        j->dx[plane + i] += j->dy[at];
}

static void average_forward(const job *j, const kx_cell *c, const int64_t *o, int64_t plane,
                            int64_t at)
{
    j->y[at] = (float)(kx_cell_sum(&j->p->window, c, j->x + plane) / cell_count(j->p, c, o));
}

static void average_vjp(const job *j, const kx_cell *c, const int64_t *o, int64_t plane, int64_t at)
{
    float each = (float)((double)j->dy[at] / cell_count(j->p, c, o));

    kx_cell_add(&j->p->window, c, each, j->dx + plane);
}

static void lp_forward(const job *j, const kx_cell *c, const int64_t *o, int64_t plane, int64_t at)
{
    (void)o;
    j->y[at] = (float)kx_cell_norm(&j->p->window, c, j->x + plane, j->p->p);
}

static void lp_vjp(const job *j, const kx_cell *c, const int64_t *o, int64_t plane, int64_t at)
{
    (void)o;
    kx_cell_norm_add(&j->p->window, c, j->x + plane, j->p->p, (double)j->dy[at], j->dx + plane);
}

/* ---- the operators --------------------------------------------------------------------------- */

static void run_forward(const kx_op_call *call, cell_fn *fn)
{
    job j = {
        .p = call->node->params, .x = call->in[0].data, .y = call->out[0].data, .pace = call->pace};

    if (call->node->nout > 1)
        j.indices = call->out[1].data;
    each_cell(&j, fn);
}

static void run_vjp(const kx_op_call *call, cell_fn *fn)
{
    job j = {.p = call->node->params,
             .x = call->in[0].data,
             .dy = call->dout[0].data,
             .dx = call->din->data,
             .pace = call->pace};

    if (call->which == 0 && j.dy)
        each_cell(&j, fn);
}

#define POOL(kind)                                                                                 \
    static void forward_##kind(const kx_op_call *call)                                             \
    {                                                                                              \
        run_forward(call, kind##_forward);                                                         \
    }                                                                                              \
    static void vjp_##kind(const kx_op_call *call)                                                 \
    {                                                                                              \
        run_vjp(call, kind##_vjp);                                                                 \
    }
POOL(max)
POOL(average)
POOL(lp)

/* ---- shapes ---------------------------------------------------------------------------------- */

static kldve_status kernel_attr(kx_graph *g, kx_node *n, kx_window *q)
{
    size_t count;
    kldve_status st = kx_spatial_attr(g, n, "kernel_shape", q->spatial, 1, 1, q->kernel);
    int64_t taps = 1;

    kx_attr_ints(n, "kernel_shape", &count);
    if (st < 0)
        return st;
    if (count == 0)
        return kx_invalid(g, n, "attribute 'kernel_shape' is missing");
    for (int i = 0; i < KX_SPATIAL; i++) {
        if (q->kernel[i] > INT32_MAX / taps)
            return kx_refuse(g, n, "attribute 'kernel_shape' gives more than 2^31 elements");
        taps *= q->kernel[i];
    }
    return KLDVE_OK;
}

/* Windows that may see nothing but padding have no meaning. */
static kldve_status check_pads(kx_graph *g, kx_node *n, const kx_window *q)
{
    for (int i = 0; i < KX_SPATIAL; i++)
        if (q->pad_begin[i] >= kx_window_extent(q, i) || q->pad_end[i] >= kx_window_extent(q, i))
            return kx_refuse(g, n, "pads are %lld and %lld, they must be below the kernel's %lld",
                             (long long)q->pad_begin[i], (long long)q->pad_end[i],
                             (long long)kx_window_extent(q, i));
    return KLDVE_OK;
}

static kldve_status infer_windows(kx_graph *g, kx_node *n, kx_pool_params *p, bool dilated)
{
    const kx_shape *x = &n->in[0]->shape;
    kx_window *q = &p->window;
    kldve_status st = KLDVE_OK;
    int32_t spatial = kx_spatial_rank(g, n, x, &st);
    kx_shape y = {0};

    if (spatial == 0)
        return st;
    kx_window_init(q, spatial);
    for (int32_t i = 0; i < spatial; i++)
        q->in[KX_SPATIAL - spatial + i] = x->dim[2 + i];
    p->planes = x->dim[0] * x->dim[1];
    n->params = p;
    if ((st = kernel_attr(g, n, q)) < 0 || (st = kx_window_attrs(g, n, dilated, q)) < 0 ||
        (st = kx_window_fit(g, n, p->ceil_mode, q)) < 0 || (st = check_pads(g, n, q)) < 0)
        return st;
    kx_window_shape(q, x, x->dim[1], &y);
    if ((st = kx_out_like(g, n, 0, n->in[0], &y)) < 0 || n->nout < 2)
        return st;
    return kx_out_as(g, n, 1, KX_I64, &y, KX_ONNX_INT64);
}

static kldve_status start(kx_graph *g, kx_node *n, int32_t max_out, kx_pool_params **p)
{
    kldve_status st = kx_expect(g, n, 1, 1, max_out);

    if (st == KLDVE_OK)
        st = kx_need_floats(g, n, 1);
    *p = kx_new(g, 1, sizeof **p);
    return st == KLDVE_OK && !*p ? kx_nomem(g) : st;
}

static kldve_status infer_max(kx_graph *g, kx_node *n)
{
    kx_pool_params *p;
    kldve_status st = start(g, n, 2, &p);

    if (st < 0)
        return st;
    if (g->opset >= 8)
        p->column_major = kx_attr_int(n, "storage_order", 0) != 0;
    if (g->opset >= 10)
        p->ceil_mode = kx_attr_int(n, "ceil_mode", 0) != 0;
    return infer_windows(g, n, p, g->opset >= 10);
}

static kldve_status infer_average(kx_graph *g, kx_node *n)
{
    kx_pool_params *p;
    kldve_status st = start(g, n, 1, &p);

    if (st < 0)
        return st;
    if (g->opset >= 7)
        p->count_include_pad = kx_attr_int(n, "count_include_pad", 0) != 0;
    if (g->opset >= 10)
        p->ceil_mode = kx_attr_int(n, "ceil_mode", 0) != 0;
    return infer_windows(g, n, p, g->opset >= 19);
}

static kldve_status exponent(kx_graph *g, kx_node *n, kx_pool_params *p)
{
    p->p = kx_attr_int(n, "p", 2);
    if (p->p < 1)
        return kx_invalid(g, n, "attribute 'p' is %lld, it must be at least 1", (long long)p->p);
    return KLDVE_OK;
}

static kldve_status infer_lp(kx_graph *g, kx_node *n)
{
    kx_pool_params *p;
    kldve_status st = start(g, n, 1, &p);

    if (st < 0 || (st = exponent(g, n, p)) < 0)
        return st;
    if (g->opset >= 18)
        p->ceil_mode = kx_attr_int(n, "ceil_mode", 0) != 0;
    return infer_windows(g, n, p, g->opset >= 18);
}

/* One window as large as the plane.  More than three spatial axes count as one. */
static kldve_status infer_global(kx_graph *g, kx_node *n)
{
    kx_pool_params *p;
    kldve_status st = start(g, n, 1, &p);
    const kx_shape *x;
    kx_shape y;
    int32_t spatial;

    if (st < 0)
        return st;
    x = &n->in[0]->shape;
    if (strcmp(n->type, "GlobalLpPool") == 0 && (st = exponent(g, n, p)) < 0)
        return st;
    if (x->rank < 3)
        return kx_invalid(g, n, "input 0 has rank %d, at least 3 is needed", x->rank);
    spatial = x->rank - 2 > KX_SPATIAL ? 1 : x->rank - 2;
    kx_window_init(&p->window, spatial);
    y = *x;
    for (int32_t i = 2; i < x->rank; i++) {
        int32_t axis = x->rank - 2 > KX_SPATIAL ? KX_W : KX_SPATIAL - spatial + i - 2;

        if (x->dim[i] < 1)
            return kx_invalid(g, n, "the input has no elements along a spatial axis");
        p->window.in[axis] *= x->dim[i];
        p->window.kernel[axis] = p->window.in[axis];
        y.dim[i] = 1;
    }
    p->planes = x->dim[0] * x->dim[1];
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], &y);
}

static double work(const kx_node *n)
{
    const kx_pool_params *p = n->params;

    return (double)p->planes * (double)kx_window_out(&p->window) *
           (double)kx_window_taps(&p->window);
}

#define IN0 KX_NEEDS_IN(0)

#define POOLING(name, from, shapes, kind, needs, how)                                              \
    {                                                                                              \
        .type = name, .since = from, .infer = shapes, .forward = forward_##kind,                   \
        .vjp = vjp_##kind, .work = work, .vjp_needs = needs, .traits = {                           \
            .effect = how,                                                                         \
            .bias = KX_BIAS_NONE,                                                                  \
            .axes = KX_AXES_CHANNELS_FIRST,                                                        \
            .windows = true                                                                        \
        }                                                                                          \
    }

const kx_op kx_pool_ops[] = {
    POOLING("MaxPool", 1, infer_max, max, IN0, KX_EFFECT_MOVES),
    POOLING("AveragePool", 1, infer_average, average, 0, KX_EFFECT_ADDS),
    POOLING("LpPool", 2, infer_lp, lp, IN0, KX_EFFECT_OTHER),
    POOLING("GlobalMaxPool", 1, infer_global, max, IN0, KX_EFFECT_MOVES),
    POOLING("GlobalAveragePool", 1, infer_global, average, 0, KX_EFFECT_ADDS),
    POOLING("GlobalLpPool", 2, infer_global, lp, IN0, KX_EFFECT_OTHER),
    {0},
};
