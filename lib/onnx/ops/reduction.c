/* reduction.c - ReduceSum, Mean, Max, Min, Prod, L1, L2, SumSquare, LogSum, LogSumExp.
 *
 * Over the reduced axes, with s the sum or extreme that leads to the output y:
 *
 *     Sum        y = sum x              dx = dy
 *     Mean       y = sum x / n          dx = dy / n
 *     SumSquare  y = sum x^2            dx = 2 x dy
 *     L1         y = sum |x|            dx = sign(x) dy
 *     L2         y = sqrt(sum x^2)      dx = x / y dy                (0 where y = 0)
 *     LogSum     y = log(sum x)         dx = exp(-y) dy
 *     LogSumExp  y = m + log(sum exp(x - m)), m = max x,  dx = exp(x - y) dy
 *     Max, Min   dx = dy / (how many share the extreme) where x = y
 *     Prod       dx = dy * product of the others
 *
 * Sums are kept in float64.  The axes are an attribute, and an input from opset 18 on (ReduceSum:
 * 13). */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"

typedef enum reduction {
    SUM,
    MEAN,
    SUM_SQUARE,
    L1,
    L2,
    LOG_SUM,
    LOG_SUM_EXP,
    MAX,
    MIN,
    PROD
} reduction;

struct kx_reduce_kind {
    const char *type;
    reduction what;
    bool ints; /* has an exact meaning for integers */
};

static const struct kx_reduce_kind kinds[] = {
    {"ReduceSum", SUM, true},
    {"ReduceMean", MEAN, false},
    {"ReduceSumSquare", SUM_SQUARE, true},
    {"ReduceL1", L1, true},
    {"ReduceL2", L2, false},
    {"ReduceLogSum", LOG_SUM, false},
    {"ReduceLogSumExp", LOG_SUM_EXP, false},
    {"ReduceMax", MAX, true},
    {"ReduceMin", MIN, true},
    {"ReduceProd", PROD, true},
};

static const struct kx_reduce_kind *find_kind(const char *type)
{
    size_t i = 0;

    while (strcmp(kinds[i].type, type) != 0) {
        i++;
        assert(i < sizeof kinds / sizeof kinds[0]); /* every entry below has its kind */
    }
    return &kinds[i];
}

/* ---- shapes --------------------------------------------------------------------------------- */

/* `full` has 1 at the reduced axes, `out` leaves them away unless keepdims. */
static void output_shapes(const kx_reduce_params *p, const kx_shape *in, kx_shape *full,
                          kx_shape *out)
{
    assert(full != in && out != in);
    *full = *in;
    out->rank = 0;
    for (int32_t i = 0; i < in->rank; i++) {
        if (p->reduced[i])
            full->dim[i] = 1;
        if (!p->reduced[i] || p->keepdims)
            out->dim[out->rank++] = full->dim[i];
    }
}

static kldve_status find_axes(kx_graph *g, kx_node *n, kx_reduce_params *p)
{
    int32_t rank = n->in[0]->shape.rank, moved = p->kind->what == SUM ? 13 : 18;
    bool noop = g->opset >= moved && kx_attr_int(n, "noop_with_empty_axes", 0) != 0;
    const int64_t *axes;
    size_t count;
    kldve_status st = kx_ints(g, n, "axes", 1, moved, &axes, &count);

    if (st < 0 || (st = kx_mark_axes(g, n, axes, count, rank, p->reduced)) < 0)
        return st;
    if (count == 0)
        for (int32_t i = 0; i < rank; i++)
            p->reduced[i] = !noop;
    p->length = 1;
    for (int32_t i = 0; i < rank; i++)
        if (p->reduced[i])
            p->length *= n->in[0]->shape.dim[i];
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 2, 1);
    const kx_value *x;
    kx_reduce_params *p;
    kx_shape full, out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    x = n->in[0];
    p->kind = find_kind(n->op->type);
    p->keepdims = kx_attr_int(n, "keepdims", 1) != 0;
    if (!kx_is_float(x) && !(p->kind->ints && x->dtype == KX_I64 && x->onnx_type != KX_ONNX_UINT64))
        return kx_refuse(g, n, "the element type of the input is not supported");
    if ((st = find_axes(g, n, p)) < 0)
        return st;
    if (p->length == 0 && p->kind->what != SUM)
        return kx_refuse(g, n, "a reduced axis is empty");
    output_shapes(p, &x->shape, &full, &out);
    kx_walk_init(&p->walk, &x->shape);
    kx_walk_broadcast(&p->walk, &full);
    kx_walk_pack(&p->walk);
    return kx_out_like(g, n, 0, x, &out);
}

/* ---- forward -------------------------------------------------------------------------------- */

/* For LogSumExp y holds the maximum already. */
static inline double term(reduction what, float x, float y)
{
    switch (what) {
    case L1:
        return fabs((double)x);
    case L2:
    case SUM_SQUARE:
        return (double)x * (double)x;
    case LOG_SUM_EXP:
        return isinf(y) ? (x == y) : exp((double)x - (double)y);
    default:
        return x;
    }
}

/* Four sums at a time, so that the additions need not wait for each other. */
static double plain_sum(const float *x, int64_t n)
{
    double s[4] = {0, 0, 0, 0};
    int64_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            s[k] += (double)x[i + k];
    for (; i < n; i++)
        s[0] += (double)x[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static void add_up(const kx_reduce_params *p, const float *x, const float *y, double *sum)
{
    bool plain = p->kind->what == SUM || p->kind->what == MEAN || p->kind->what == LOG_SUM;

    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r)) {
        if (plain && r.step[0] == 0) {
            sum[r.at[0]] += plain_sum(x + r.out, r.n);
            continue;
        }
        for (int64_t i = 0; i < r.n; i++) {
            int64_t at = r.at[0] + i * r.step[0];

            sum[at] += term(p->kind->what, x[r.out + i], y ? y[at] : 0.0f);
        }
    }
}

static void multiply_up(const kx_reduce_params *p, const float *x, double *product)
{
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            product[r.at[0] + i * r.step[0]] *= (double)x[r.out + i];
}

/* NaN wins. */
static void extreme(const kx_reduce_params *p, bool max, const float *x, float *y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = max ? -INFINITY : INFINITY;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            float v = x[r.out + i], *to = &y[r.at[0] + i * r.step[0]];

            if ((max ? v > *to : v < *to) || isnan(v))
                *to = v;
        }
}

static float finish(const kx_reduce_params *p, double sum, float y)
{
    switch (p->kind->what) {
    case MEAN:
        return (float)(sum / (double)p->length);
    case L2:
        return (float)sqrt(sum);
    case LOG_SUM:
        return (float)log(sum);
    case LOG_SUM_EXP:
        return isinf(y) ? y : y + (float)log(sum);
    default:
        return (float)sum;
    }
}

static void forward_ints(const kx_node *n, const int64_t *x, int64_t *y, size_t count)
{
    const kx_reduce_params *p = n->params;
    reduction what = p->kind->what;

    for (size_t i = 0; i < count; i++)
        y[i] = what == MAX ? INT64_MIN : what == MIN ? INT64_MAX : what == PROD;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            int64_t v = x[r.out + i], *to = &y[r.at[0] + i * r.step[0]];
            uint64_t u = (uint64_t)v, sum = (uint64_t)*to;

            if (what == MAX || what == MIN)
                *to = (what == MAX ? v > *to : v < *to) ? v : *to;
            else if (what == PROD)
                *to = (int64_t)(sum * u);
            else
                *to = (int64_t)(sum + (what == SUM_SQUARE    ? u * u
                                       : what == L1 && v < 0 ? 0 - u
                                                             : u));
        }
    kx_wrap_all(n->in[0]->onnx_type, y, count);
}

static void forward(const kx_op_call *call)
{
    const kx_reduce_params *p = call->node->params;
    reduction what = p->kind->what;
    double *sum = call->scratch;
    size_t count = call->out[0].count;
    float *y = call->out[0].data;

    if (call->in[0].dtype != KX_F32) {
        forward_ints(call->node, call->in[0].data, call->out[0].data, count);
        return;
    }
    if (what == MAX || what == MIN || what == LOG_SUM_EXP)
        extreme(p, what != MIN, call->in[0].data, y, count);
    if (what == MAX || what == MIN)
        return;
    assert(sum || count == 0);
    for (size_t i = 0; i < count; i++)
        sum[i] = what == PROD;
    if (what == PROD)
        multiply_up(p, call->in[0].data, sum);
    else
        add_up(p, call->in[0].data, what == LOG_SUM_EXP ? y : NULL, sum);
    for (size_t i = 0; i < count; i++)
        y[i] = finish(p, sum[i], y[i]);
}

/* ---- VJP ------------------------------------------------------------------------------------ */

/* Sum, Mean and the others whose derivative needs x and y at one element only. */
static float slope(reduction what, float x, float y)
{
    switch (what) {
    case SUM_SQUARE:
        return 2.0f * x;
    case L1:
        return (float)((x > 0.0f) - (x < 0.0f));
    case L2:
        return y > 0.0f ? x / y : 0.0f;
    case LOG_SUM:
        return expf(-y);
    case LOG_SUM_EXP:
        return expf(x - y);
    default:
        return 1.0f;
    }
}

static void vjp_sum(const kx_op_call *call)
{
    const kx_reduce_params *p = call->node->params;
    float scale = p->kind->what == MEAN ? 1.0f / (float)p->length : 1.0f;
    const float *x = call->in[0].data, *y = call->out[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data;

    if (!dy || call->which != 0)
        return;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            int64_t at = r.at[0] + i * r.step[0];

            dx[r.out + i] += dy[at] * (p->kind->what <= MEAN
                                           ? scale
                                           : slope(p->kind->what, x ? x[r.out + i] : 0.0f, y[at]));
        }
}

/* Scratch: how many inputs share the extreme, per output. */
static void vjp_extreme(const kx_op_call *call)
{
    const kx_reduce_params *p = call->node->params;
    const float *x = call->in[0].data, *y = call->out[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data;
    double *ties = call->scratch;

    if (!dy || !ties || call->which != 0)
        return;
    memset(ties, 0, call->out[0].count * sizeof *ties);
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            ties[r.at[0] + i * r.step[0]] += x[r.out + i] == y[r.at[0] + i * r.step[0]];
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            int64_t at = r.at[0] + i * r.step[0];

            if (x[r.out + i] == y[at])
                dx[r.out + i] += dy[at] / (float)ties[at];
        }
}

/* Scratch, per output: the product of all that is not 0, and how many are 0.  With one 0 only that
 * element has a derivative, with two nobody has. */
static void vjp_prod(const kx_op_call *call)
{
    const kx_reduce_params *p = call->node->params;
    const float *x = call->in[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data;
    double *product = call->scratch, *zeros = product + call->out[0].count;

    if (!dy || !product || call->which != 0)
        return;
    for (size_t i = 0; i < call->out[0].count; i++) {
        product[i] = 1.0;
        zeros[i] = 0.0;
    }
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            int64_t at = r.at[0] + i * r.step[0];

            if (x[r.out + i] == 0.0f)
                zeros[at] += 1.0;
            else
                product[at] *= (double)x[r.out + i];
        }
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            int64_t at = r.at[0] + i * r.step[0];
            bool zero = x[r.out + i] == 0.0f;

            if (zeros[at] == (zero ? 1.0 : 0.0))
                dx[r.out + i] +=
                    dy[at] * (float)(zero ? product[at] : product[at] / (double)x[r.out + i]);
        }
}

static size_t scratch_size(const kx_node *n)
{
    const kx_reduce_params *p = n->params;
    size_t count = n->out[0] ? n->out[0]->count : 0;

    return count * sizeof(double) * (p->kind->what == PROD ? 2 : 1);
}

#define BOTH (KX_NEEDS_IN(0) | KX_NEEDS_OUT)
/* Further traits follow. */
#define REDUCTION(name, backward, needs, ...)                                                      \
    {                                                                                              \
        .type = name, .since = 1, .infer = infer, .forward = forward, .vjp = backward,             \
        .vjp_needs = needs, .scratch_size = scratch_size, .traits = {                              \
            .bias = KX_BIAS_NONE,                                                                  \
            .axes = KX_AXES_REDUCED,                                                               \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

const kx_op kx_reduce_ops[] = {
    REDUCTION("ReduceSum", vjp_sum, 0, .effect = KX_EFFECT_ADDS, .formula = KX_FORMULA_TOTAL),
    REDUCTION("ReduceMean", vjp_sum, 0, .effect = KX_EFFECT_ADDS, .formula = KX_FORMULA_AVERAGE),
    REDUCTION("ReduceSumSquare", vjp_sum, BOTH, ),
    REDUCTION("ReduceL1", vjp_sum, BOTH, .formula = KX_FORMULA_SIZES),
    REDUCTION("ReduceL2", vjp_sum, BOTH, ),
    REDUCTION("ReduceLogSum", vjp_sum, KX_NEEDS_OUT, ),
    REDUCTION("ReduceLogSumExp", vjp_sum, BOTH, .formula = KX_FORMULA_LOG_SUM),
    REDUCTION("ReduceMax", vjp_extreme, BOTH, .effect = KX_EFFECT_MOVES,
              .formula = KX_FORMULA_MOST),
    REDUCTION("ReduceMin", vjp_extreme, BOTH, ),
    REDUCTION("ReduceProd", vjp_prod, KX_NEEDS_IN(0), ),
    {0},
};
