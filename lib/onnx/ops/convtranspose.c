/* convtranspose.c - ConvTranspose, the transpose of the convolution whose parameters it keeps
 * (params.h): what is "x" there is the output here.
 *
 *     y = b + w^T x;  dx = w * dy, dw: the correlation of dy with x, db: the sum of dy */
#include "basic.h"
#include "families.h"
#include "nn.h"

/* Sizes of one axis from `in` elements.  wanted: output_shape, or 0.  The equations are those of
 * the operator's specification, which for an odd total puts the larger half first unless auto_pad
 * is SAME_UPPER. */
static kldve_status fit_axis(kx_graph *g, kx_node *n, kx_auto_pad mode, int64_t output_padding,
                             int64_t wanted, kx_window *q, int axis)
{
    int64_t in = q->out[axis], s = q->stride[axis], total;
    int64_t full = s * (in - 1) + output_padding + kx_window_extent(q, axis);

    if (output_padding >= s && output_padding >= q->dilation[axis])
        return kx_invalid(
            g, n,
            "attribute 'output_padding' has the value %lld, it must be below stride or dilation",
            (long long)output_padding);
    if (wanted == 0 && (mode == KX_PAD_SAME_UPPER || mode == KX_PAD_SAME_LOWER))
        wanted = in * s;
    if (wanted != 0) {
        total = full > wanted ? full - wanted : 0;
        q->pad_begin[axis] = mode == KX_PAD_SAME_UPPER ? total / 2 : total - total / 2;
        q->pad_end[axis] = total - q->pad_begin[axis];
        q->in[axis] = wanted;
    } else {
        q->in[axis] = full - q->pad_begin[axis] - q->pad_end[axis];
    }
    if (q->in[axis] < 1)
        return kx_invalid(g, n, "the padding leaves no output along a spatial axis");
    return KLDVE_OK;
}

static kldve_status fit(kx_graph *g, kx_node *n, kx_conv_params *p)
{
    kx_window *q = &p->window;
    int64_t output_padding[KX_SPATIAL], wanted[KX_SPATIAL];
    kx_auto_pad mode;
    kldve_status st;

    if ((st = kx_auto_pad_attr(g, n, &mode)) < 0 ||
        (st = kx_spatial_attr(g, n, "output_padding", q->spatial, 0, 0, output_padding)) < 0 ||
        (st = kx_spatial_attr(g, n, "output_shape", q->spatial, 0, 0, wanted)) < 0)
        return st;
    for (int i = KX_SPATIAL - q->spatial; i < KX_SPATIAL; i++) {
        q->out[i] = n->in[0]->shape.dim[2 + i - (KX_SPATIAL - q->spatial)];
        if (q->out[i] < 1 || q->out[i] > INT32_MAX) /* the upper one: products stay below 2^62 */
            return kx_invalid(
                g, n,
                "the input has %lld elements along a spatial axis, it must have 1 to 2^31 - 1",
                (long long)q->out[i]);
        if (mode == KX_PAD_VALID)
            q->pad_begin[i] = q->pad_end[i] = 0;
        if ((st = fit_axis(g, n, mode, output_padding[i], wanted[i], q, i)) < 0)
            return st;
    }
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_conv_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *x;
    kx_shape y = {0};
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 2, 3, 1)) < 0 || (st = kx_need_floats(g, n, 3)) < 0 ||
        (st = kx_conv_attrs(g, n, p)) < 0)
        return st;
    x = &n->in[0]->shape;
    if (x->dim[1] != p->group * p->cout)
        return kx_invalid(g, n, "the weights are for %lld channels, the input has %lld",
                          (long long)(p->group * p->cout), (long long)x->dim[1]);
    if ((st = fit(g, n, p)) < 0)
        return st;
    y.rank = x->rank;
    y.dim[0] = x->dim[0];
    y.dim[1] = p->group * p->cin;
    for (int32_t i = 0; i < p->window.spatial; i++)
        y.dim[2 + i] = p->window.in[KX_SPATIAL - p->window.spatial + i];
    if (kx_has(n, 2) && (st = kx_need_vector(g, n, 2, "bias", y.dim[1])) < 0)
        return st;
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], &y);
}

static void forward(const kx_op_call *call)
{
    const kx_conv_params *p = call->node->params;

    kx_bias_fill(call->out[0].data, kx_has(call->node, 2) ? call->in[2].data : NULL, p->batch,
                 p->group * p->cin, kx_window_in(&p->window));
    kx_corr_data(p, call->in[1].data, call->in[0].data, call->out[0].data, call->pace);
}

static void vjp(const kx_op_call *call)
{
    const kx_conv_params *p = call->node->params;
    const float *dy = call->dout[0].data;

    if (!dy)
        return;
    if (call->which == 0)
        kx_corr_forward(p, dy, call->in[1].data, call->din->data, call->pace);
    else if (call->which == 1)
        kx_corr_weights(p, dy, call->in[0].data, call->din->data, call->pace);
    else
        kx_bias_vjp(dy, p->batch, p->group * p->cin, kx_window_in(&p->window), call->din->data);
}

static double work(const kx_node *n)
{
    return kx_corr_work(n->params);
}

const kx_op kx_convtranspose_ops[] = {
    {.type = "ConvTranspose",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_IN(0) | KX_NEEDS_IN(1),
     .work = work,
     .traits = {.effect = KX_EFFECT_WEIGHS,
                .bias = KX_BIAS_OWN,
                .axes = KX_AXES_CHANNELS_FIRST,
                .mixing = KX_MIXING_CONV,
                .windows = true}},
    {0},
};
