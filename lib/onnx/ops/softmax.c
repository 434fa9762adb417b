/* softmax.c - Softmax, LogSoftmax, LpNormalization: along one axis of an array.
 *
 *     Softmax      y = exp(x - max) / sum,         dx = y (dy - sum dy y)
 *     LogSoftmax   y = x - max - log sum,          dx = dy - exp(y) sum dy
 *     L2           y = x / |x|_2,                  dx = (dy - y sum dy y) / |x|_2
 *     L1           y = x / |x|_1,                  dx = (dy - sign(x) sum dy y) / |x|_1
 *
 * Before opset 13 Softmax and LogSoftmax run over all axes from `axis` on as if they were one. */
#include "basic.h"
#include "families.h"
#include "nn.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_axis_params *p = kx_new(g, 1, sizeof *p);
    bool lp = strcmp(n->type, "LpNormalization") == 0, flat = !lp && g->opset < 13;
    const kx_shape *x;
    int32_t axis;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 1, 1, 1)) < 0 || (st = kx_need_floats(g, n, 1)) < 0)
        return st;
    x = &n->in[0]->shape;
    if ((st = kx_axis_attr(g, n, "axis", flat ? 1 : -1, x->rank, &axis)) < 0)
        return st;
    p->outer = kx_span(x, 0, axis);
    p->n = flat ? kx_span(x, axis, x->rank) : x->dim[axis];
    p->inner = flat ? 1 : kx_span(x, axis + 1, x->rank);
    p->p = lp ? kx_attr_int(n, "p", 2) : 2;
    if (p->p != 1 && p->p != 2)
        return kx_invalid(g, n, "attribute 'p' is %lld, it must be 1 or 2", (long long)p->p);
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], x);
}

/* One line of n elements that lie `step` apart. */
typedef void line_fn(const kx_axis_params *p, const float *x, float *y);
typedef void line_vjp(const kx_axis_params *p, const float *x, const float *y, const float *dy,
                      float *dx);

static void each_line(const kx_op_call *call, line_fn *fn)
{
    const kx_axis_params *p = call->node->params;

    if (p->n == 0)
        return;
    for (int64_t o = 0; o < p->outer; o++)
        for (int64_t i = 0, at = o * p->n * p->inner;
             i < p->inner && !kx_stops(call->pace, (double)p->n); i++, at++)
            fn(p, (const float *)call->in[0].data + at, (float *)call->out[0].data + at);
}

static void each_line_vjp(const kx_op_call *call, line_vjp *fn)
{
    const kx_axis_params *p = call->node->params;
    const float *x = call->in[0].data, *y = call->out[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data;

    if (p->n == 0 || !dy)
        return;
    for (int64_t o = 0; o < p->outer; o++)
        for (int64_t i = 0, at = o * p->n * p->inner;
             i < p->inner && !kx_stops(call->pace, (double)p->n); i++, at++)
            fn(p, x ? x + at : NULL, y ? y + at : NULL, dy + at, dx + at);
}

static float line_max(const kx_axis_params *p, const float *x)
{
    float most = x[0];

    assert(p->n > 0);
    for (int64_t i = 1; i < p->n; i++)
        if (x[i * p->inner] > most)
            most = x[i * p->inner];
    return most;
}

static void softmax(const kx_axis_params *p, const float *x, float *y)
{
    float most = line_max(p, x);
    double sum = 0;

    for (int64_t i = 0; i < p->n; i++) {
        y[i * p->inner] = expf(x[i * p->inner] - most);
        sum += (double)y[i * p->inner];
    }
    for (int64_t i = 0; i < p->n; i++)
        y[i * p->inner] = (float)((double)y[i * p->inner] / sum);
}

static double line_dot(const kx_axis_params *p, const float *a, const float *b)
{
    double sum = 0;

    for (int64_t i = 0; i < p->n; i++)
        sum += (double)a[i * p->inner] * (double)b[i * p->inner];
    return sum;
}

static void softmax_vjp(const kx_axis_params *p, const float *x, const float *y, const float *dy,
                        float *dx)
{
    double sum = line_dot(p, dy, y);

    (void)x;
    for (int64_t i = 0; i < p->n * p->inner; i += p->inner)
        dx[i] += (float)((double)y[i] * ((double)dy[i] - sum));
}

static void log_softmax(const kx_axis_params *p, const float *x, float *y)
{
    float most = line_max(p, x);
    double sum = 0;

    for (int64_t i = 0; i < p->n; i++)
        sum += exp((double)x[i * p->inner] - (double)most);
    sum = log(sum);
    for (int64_t i = 0; i < p->n * p->inner; i += p->inner)
        y[i] = (float)((double)x[i] - (double)most - sum);
}

static void log_softmax_vjp(const kx_axis_params *p, const float *x, const float *y,
                            const float *dy, float *dx)
{
    double sum = 0;

    (void)x;
    for (int64_t i = 0; i < p->n; i++)
        sum += (double)dy[i * p->inner];
    for (int64_t i = 0; i < p->n * p->inner; i += p->inner)
        dx[i] += (float)((double)dy[i] - exp((double)y[i]) * sum);
}

static double line_norm(const kx_axis_params *p, const float *x)
{
    double sum = 0;

    if (p->p == 2)
        return sqrt(line_dot(p, x, x));
    for (int64_t i = 0; i < p->n; i++)
        sum += fabs((double)x[i * p->inner]);
    return sum;
}

/* A line of zeros stays one, and passes no gradient. */
static void lp(const kx_axis_params *p, const float *x, float *y)
{
    double norm = line_norm(p, x);

    for (int64_t i = 0; i < p->n * p->inner; i += p->inner)
        y[i] = norm > 0 ? (float)((double)x[i] / norm) : 0.0f;
}

static void lp_vjp(const kx_axis_params *p, const float *x, const float *y, const float *dy,
                   float *dx)
{
    double norm = line_norm(p, x), sum;

    (void)y;
    if (!(norm > 0))
        return;
    sum = line_dot(p, dy, x) / norm;
    for (int64_t i = 0; i < p->n * p->inner; i += p->inner) {
        double v = (double)x[i], d = p->p == 2 ? v / norm : v > 0 ? 1 : v < 0 ? -1 : 0;

        dx[i] += (float)(((double)dy[i] - d * sum) / norm);
    }
}

#define LINES(kind)                                                                                \
    static void forward_##kind(const kx_op_call *call)                                             \
    {                                                                                              \
        each_line(call, kind);                                                                     \
    }                                                                                              \
    static void vjp_##kind(const kx_op_call *call)                                                 \
    {                                                                                              \
        each_line_vjp(call, kind##_vjp);                                                           \
    }
LINES(softmax)
LINES(log_softmax)
LINES(lp)

bool kx_shares_last(const kx_node *n)
{
    const kx_axis_params *p = n->params;
    const kx_shape *x = &n->in[0]->shape;

    assert(n->op->traits.shares);
    return x->rank >= 1 && p->inner == 1 && p->n == x->dim[x->rank - 1];
}

const kx_op kx_softmax_ops[] = {
    {.type = "Softmax",
     .since = 1,
     .infer = infer,
     .forward = forward_softmax,
     .vjp = vjp_softmax,
     .vjp_needs = KX_NEEDS_OUT,
     .traits = {.bias = KX_BIAS_NONE,
                .local = KX_LOCAL_LINE,
                .unit_interval = true,
                .probabilities = true,
                .shares = true}},
    {.type = "LogSoftmax",
     .since = 1,
     .infer = infer,
     .forward = forward_log_softmax,
     .vjp = vjp_log_softmax,
     .vjp_needs = KX_NEEDS_OUT,
     .traits = {.bias = KX_BIAS_NONE, .local = KX_LOCAL_LINE, .probabilities = true}},
    {.type = "LpNormalization",
     .since = 1,
     .infer = infer,
     .forward = forward_lp,
     .vjp = vjp_lp,
     .vjp_needs = KX_NEEDS_IN(0),
     .traits = {.bias = KX_BIAS_NONE, .local = KX_LOCAL_LINE}},
    {0},
};
