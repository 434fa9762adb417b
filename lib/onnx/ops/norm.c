/* norm.c - InstanceNormalization, GroupNormalization, LayerNormalization, RMSNormalization:
 * statistics of the array itself, over rows of `inner` elements that lie together.  For one row of
 * n elements
 *
 *     h = r (x - mean),  r = 1 / sqrt(var + epsilon),  var the population variance
 *     y = scale h + b
 *     dh = scale dy,  dx = r (dh - mean of dh - h mean of dh h),  dscale = sum dy h,  db = sum dy
 *
 * RMSNormalization takes 0 for the mean, here and in the derivative, and has no b.
 * (Ba, Kiros, Hinton 2016, section 2 for the derivative; Zhang, Sennrich 2019.)  LayerNormalization
 * can also put out mean and r:  d mean / dx = 1 / n,  d r / dx = -r^2 h / n. */
#include "basic.h"
#include "families.h"
#include "nn.h"

#include <assert.h>
#include <math.h>

enum { X, SCALE, B };

static kldve_status begin(kx_graph *g, kx_node *n, int32_t least_in, int32_t max_out,
                          kx_norm_params **p)
{
    kldve_status st;

    *p = kx_new(g, 1, sizeof **p);
    if (!*p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, least_in, 3, max_out)) < 0 || (st = kx_need_floats(g, n, 3)) < 0)
        return st;
    (*p)->epsilon = kx_attr_float(n, "epsilon", 1e-5f);
    n->params = *p;
    return KLDVE_OK;
}

static kldve_status infer_instance(kx_graph *g, kx_node *n)
{
    kx_norm_params *p;
    const kx_shape *x;
    kldve_status st = begin(g, n, 3, 1, &p);

    if (st < 0)
        return st;
    if (g->opset < 6)
        kx_attr_ignore(n, "consumed_inputs");
    x = &n->in[X]->shape;
    if (x->rank < 3)
        return kx_invalid(g, n, "input 0 has rank %d, at least 3 is needed", x->rank);
    p->channels = x->dim[1];
    p->rows = x->dim[0] * x->dim[1];
    p->plane = p->inner = kx_span(x, 2, x->rank);
    if (p->inner < 1)
        return kx_invalid(g, n, "the input has no elements along a spatial axis");
    if ((st = kx_need_vector(g, n, SCALE, "scale", p->channels)) < 0 ||
        (st = kx_need_vector(g, n, B, "B", p->channels)) < 0)
        return st;
    return kx_out_like(g, n, 0, n->in[X], x);
}

/* Opset 18 has one scale and bias per group, opset 21 one per channel. */
static kldve_status infer_group(kx_graph *g, kx_node *n)
{
    kx_norm_params *p;
    const kx_shape *x;
    int64_t groups, plane;
    kldve_status st = begin(g, n, 3, 1, &p);

    if (st < 0)
        return st;
    x = &n->in[X]->shape;
    groups = kx_attr_int(n, "num_groups", 0);
    kx_attr_ignore(n, "stash_type"); /* in which precision: never less than float32 here */
    if (x->rank < 3)
        return kx_invalid(g, n, "input 0 has rank %d, at least 3 is needed", x->rank);
    plane = kx_span(x, 2, x->rank);
    if (plane < 1)
        return kx_invalid(g, n, "the input has no elements along a spatial axis");
    if (groups < 1 || x->dim[1] < 1 || x->dim[1] % groups != 0)
        return kx_invalid(g, n, "%lld channels cannot be split into %lld groups",
                          (long long)x->dim[1], (long long)groups);
    p->rows = x->dim[0] * groups;
    p->inner = x->dim[1] / groups * plane;
    p->channels = g->opset < 21 ? groups : x->dim[1];
    p->plane = g->opset < 21 ? p->inner : plane;
    if ((st = kx_need_vector(g, n, SCALE, "scale", p->channels)) < 0 ||
        (st = kx_need_vector(g, n, B, "bias", p->channels)) < 0)
        return st;
    return kx_out_like(g, n, 0, n->in[X], x);
}

/* Scale and bias of LayerNormalization: as many elements as a row, or one. */
static kldve_status check_affine(kx_graph *g, kx_node *n, int32_t i, int32_t axis, bool *one)
{
    const kx_shape *x = &n->in[X]->shape, *s = &n->in[i]->shape;
    int32_t more = s->rank - (x->rank - axis);
    bool whole = more >= 0;

    for (int32_t k = 0; k < s->rank && whole; k++)
        whole = s->dim[k] == (k < more ? 1 : x->dim[axis + k - more]);
    *one = !whole && n->in[i]->count == 1;
    if (!whole && !*one)
        return kx_refuse(g, n, "input %d must have the shape of the normalised axes, or 1 element",
                         i);
    return KLDVE_OK;
}

static kldve_status infer_layer(kx_graph *g, kx_node *n)
{
    kx_norm_params *p;
    const kx_shape *x;
    kx_shape row;
    int32_t axis;
    bool one = false, one_b = false;
    kldve_status st = begin(g, n, 2, 3, &p);

    if (st < 0)
        return st;
    x = &n->in[X]->shape;
    if ((st = kx_axis_attr(g, n, "axis", -1, x->rank, &axis)) < 0 ||
        (st = check_affine(g, n, SCALE, axis, &one)) < 0 ||
        (kx_has(n, B) && (st = check_affine(g, n, B, axis, &one_b)) < 0))
        return st;
    if (kx_has(n, B) && one != one_b)
        return kx_refuse(g, n, "scale and bias have different sizes");
    kx_attr_ignore(n, "stash_type"); /* in which precision: never less than float32 here */
    row = *x;
    for (int32_t i = axis; i < x->rank; i++)
        row.dim[i] = 1;
    p->rows = kx_span(x, 0, axis);
    p->inner = kx_span(x, axis, x->rank);
    if (p->inner < 1)
        return kx_invalid(g, n, "the input has no elements along a normalised axis");
    p->plane = one ? p->inner : 1;
    p->channels = one ? 1 : p->inner;
    for (int32_t i = 1; i < n->nout; i++)
        if ((st = kx_out_as(g, n, i, KX_F32, &row, KX_ONNX_FLOAT)) < 0)
            return st;
    return kx_out_like(g, n, 0, n->in[X], x);
}

static kldve_status infer_rms(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);

    if (st < 0 || (st = infer_layer(g, n)) < 0)
        return st;
    ((kx_norm_params *)n->params)->centred = true;
    return KLDVE_OK;
}

typedef struct row_stats {
    double mean, rate; /* r */
} row_stats;

static row_stats stats_of(const kx_norm_params *p, const float *x)
{
    row_stats s;
    double sum = 0, square = 0;

    assert(p->inner > 0);
    for (int64_t i = 0; i < p->inner && !p->centred; i++)
        sum += (double)x[i];
    s.mean = sum / (double)p->inner;
    for (int64_t i = 0; i < p->inner; i++)
        square += ((double)x[i] - s.mean) * ((double)x[i] - s.mean);
    s.rate = 1 / sqrt(square / (double)p->inner + (double)p->epsilon);
    return s;
}

/* Elements [from, end) of a row that share scale and bias, those of `channel`. */
typedef struct run {
    int64_t from, end, channel;
} run;

static inline run first_run(const kx_norm_params *p, int64_t row)
{
    assert(p->plane > 0 && p->channels > 0 && p->inner % p->plane == 0);
    return (run){0, p->plane, row * (p->inner / p->plane) % p->channels};
}

#define FOR_RUNS(p, row, r)                                                                        \
    for (run r = first_run(p, row); r.from < (p)->inner;                                           \
         r.from = r.end, r.end += (p)->plane, r.channel++)

static void forward(const kx_op_call *call)
{
    const kx_norm_params *p = call->node->params;
    const float *x = call->in[X].data, *scale = call->in[SCALE].data,
                *b = kx_has(call->node, B) ? call->in[B].data : NULL;
    float *y = call->out[0].data, *mean = call->node->nout > 1 ? call->out[1].data : NULL;
    float *rate = call->node->nout > 2 ? call->out[2].data : NULL;

    for (int64_t row = 0; row < p->rows; row++, x += p->inner) {
        row_stats s = stats_of(p, x);

        if (mean)
            mean[row] = (float)s.mean;
        if (rate)
            rate[row] = (float)s.rate;
        if (!y)
            continue;
        FOR_RUNS(p, row, r)
        for (int64_t i = r.from; i < r.end; i++)
            y[row * p->inner + i] =
                (float)(((double)x[i] - s.mean) * s.rate * (double)scale[r.channel] +
                        (b ? (double)b[r.channel] : 0));
    }
}

/* Gradients at the outputs for one row; dmean and drate come from outputs 1 and 2. */
typedef struct row_grads {
    const float *dy; /* NULL for 0 */
    double dmean, drate;
} row_grads;

static row_grads grads_of(const kx_op_call *call, int64_t row)
{
    const kx_norm_params *p = call->node->params;
    const float *dy = call->dout[0].data;
    const float *dmean = call->node->nout > 1 ? call->dout[1].data : NULL;
    const float *drate = call->node->nout > 2 ? call->dout[2].data : NULL;

    return (row_grads){.dy = dy ? dy + row * p->inner : NULL,
                       .dmean = dmean ? (double)dmean[row] : 0,
                       .drate = drate ? (double)drate[row] : 0};
}

static void vjp_row(const kx_norm_params *p, int64_t row, const float *x, const float *scale,
                    row_grads d, float *dx)
{
    row_stats s = stats_of(p, x);
    double mean = 0, moment = 0, n = (double)p->inner;
    const float *dy = d.dy;

    if (dy)
        FOR_RUNS(p, row, r)
    for (int64_t i = r.from; i < r.end; i++) {
        double dh = (double)scale[r.channel] * (double)dy[i];

        mean += dh;
        moment += dh * ((double)x[i] - s.mean) * s.rate;
    }
    mean = p->centred ? 0 : mean / n;
    moment /= n;
    FOR_RUNS(p, row, r)
    for (int64_t i = r.from; i < r.end; i++) {
        double h = ((double)x[i] - s.mean) * s.rate;
        double dh = dy ? (double)scale[r.channel] * (double)dy[i] : 0;

        dx[i] += (float)(s.rate * (dh - mean - h * moment) + d.dmean / n -
                         d.drate * s.rate * s.rate * h / n);
    }
}

static void vjp_affine(const kx_norm_params *p, int32_t which, const float *x, const float *dy,
                       float *d)
{
    for (int64_t row = 0; row < p->rows; row++, x += p->inner, dy += p->inner) {
        row_stats s = {0, 1};

        if (which == SCALE)
            s = stats_of(p, x);
        FOR_RUNS(p, row, r)
        {
            double sum = 0;

            for (int64_t i = r.from; i < r.end; i++)
                sum += (double)dy[i] * (which == B ? 1 : ((double)x[i] - s.mean) * s.rate);
            d[r.channel] += (float)sum;
        }
    }
}

static void vjp(const kx_op_call *call)
{
    const kx_norm_params *p = call->node->params;
    const float *x = call->in[X].data, *dy = call->dout[0].data;

    if (call->which == X)
        for (int64_t row = 0; row < p->rows; row++)
            vjp_row(p, row, x + row * p->inner, call->in[SCALE].data, grads_of(call, row),
                    (float *)call->din->data + row * p->inner);
    else if (dy)
        vjp_affine(p, call->which, x, dy, call->din->data);
}

#define NEEDS (KX_NEEDS_IN(X) | KX_NEEDS_IN(SCALE))

const kx_op kx_norm_ops[] = {
    {.type = "InstanceNormalization",
     .since = 1,
     .infer = infer_instance,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = NEEDS,
     .traits = {.bias = KX_BIAS_OWN, .axes = KX_AXES_CHANNELS_FIRST}},
    {.type = "GroupNormalization",
     .since = 18,
     .infer = infer_group,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = NEEDS,
     .traits = {.bias = KX_BIAS_OWN, .axes = KX_AXES_CHANNELS_FIRST}},
    {.type = "LayerNormalization",
     .since = 17,
     .infer = infer_layer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = NEEDS,
     .traits = {.bias = KX_BIAS_OWN, .local = KX_LOCAL_ROW, .normalises = true}},
    {.type = "RMSNormalization",
     .since = 23,
     .infer = infer_rms,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = NEEDS,
     .traits = {.bias = KX_BIAS_NONE, .local = KX_LOCAL_ROW, .normalises = true}},
    {0},
};
