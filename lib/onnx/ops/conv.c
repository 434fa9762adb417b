/* conv.c - Conv.
 *
 *     y = b + w * x,  the sum of corr.c
 *     dx: the transpose of it, dw: the correlation of x with dy, db: the sum of dy */
#include "basic.h"
#include "families.h"
#include "nn.h"

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_conv_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *x;
    kx_shape y;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 2, 3, 1)) < 0 || (st = kx_need_floats(g, n, 3)) < 0 ||
        (st = kx_conv_attrs(g, n, p)) < 0)
        return st;
    x = &n->in[0]->shape;
    if (x->dim[1] != p->group * p->cin)
        return kx_invalid(
            g, n, "the weights are for %lld groups of %lld channels, the input has %lld channels",
            (long long)p->group, (long long)p->cin, (long long)x->dim[1]);
    for (int32_t i = 0; i < p->window.spatial; i++)
        p->window.in[KX_SPATIAL - p->window.spatial + i] = x->dim[2 + i];
    if ((st = kx_window_fit(g, n, false, &p->window)) < 0)
        return st;
    if (kx_has(n, 2) && (st = kx_need_vector(g, n, 2, "bias", p->group * p->cout)) < 0)
        return st;
    n->params = p;
    kx_window_shape(&p->window, x, p->group * p->cout, &y);
    return kx_out_like(g, n, 0, n->in[0], &y);
}

static void forward(const kx_op_call *call)
{
    const kx_conv_params *p = call->node->params;

    kx_bias_fill(call->out[0].data, kx_has(call->node, 2) ? call->in[2].data : NULL, p->batch,
                 p->group * p->cout, kx_window_out(&p->window));
    kx_corr_forward(p, call->in[0].data, call->in[1].data, call->out[0].data, call->pace);
}

static void vjp(const kx_op_call *call)
{
    const kx_conv_params *p = call->node->params;
    const float *dy = call->dout[0].data;

    if (!dy)
        return;
    if (call->which == 0)
        kx_corr_data(p, call->in[1].data, dy, call->din->data, call->pace);
    else if (call->which == 1)
        kx_corr_weights(p, call->in[0].data, dy, call->din->data, call->pace);
    else
        kx_bias_vjp(dy, p->batch, p->group * p->cout, kx_window_out(&p->window), call->din->data);
}

static double work(const kx_node *n)
{
    return kx_corr_work(n->params);
}

const kx_op kx_conv_ops[] = {
    {.type = "Conv",
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
