/* batchnorm.c - BatchNormalization as used for inference: statistics are inputs, not computed.
 *
 *     y = scale r (x - mean) + b,  r = 1 / sqrt(var + epsilon)
 *     dx = scale r dy,  dscale = r sum dy (x - mean),  db = sum dy,
 *     dmean = -scale r sum dy,  dvar = -scale r^3 / 2 sum dy (x - mean) */
#include "basic.h"
#include "families.h"
#include "nn.h"

#include <math.h>

enum { X, SCALE, B, MEAN, VAR };

/* Outputs beside y exist in training only; before opset 14 asking for them was how to ask for
 * training. */
static kldve_status refuse_training(kx_graph *g, kx_node *n)
{
    if (g->opset >= 14 && kx_attr_int(n, "training_mode", 0) != 0)
        return kx_refuse(g, n, "attribute 'training_mode' is 1, export the network for inference");
    if (g->opset < 7 && kx_attr_int(n, "is_test", 0) == 0)
        return kx_refuse(g, n, "attribute 'is_test' is 0, export the network for inference");
    if (g->opset < 9 && kx_attr_int(n, "spatial", 1) != 1)
        return kx_refuse(g, n,
                         "attribute 'spatial' is 0, statistics per element are not supported");
    for (int32_t i = 1; i < n->nout; i++)
        if (n->out[i])
            return kx_refuse(g, n, "output %d is for training, export the network for inference",
                             i);
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    static const char *const name[] = {"X", "scale", "B", "mean", "var"};
    kx_batchnorm_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *x;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 5, 5, 5)) < 0 || (st = kx_need_floats(g, n, 5)) < 0 ||
        (st = refuse_training(g, n)) < 0)
        return st;
    kx_attr_ignore(n, "momentum");
    if (g->opset < 7)
        kx_attr_ignore(n, "consumed_inputs");
    x = &n->in[0]->shape;
    if (x->rank < 2)
        return kx_refuse(g, n, "input 0 has rank %d, at least 2 is needed", x->rank);
    p->epsilon = kx_attr_float(n, "epsilon", 1e-5f);
    p->batch = x->dim[0];
    p->channels = x->dim[1];
    p->plane = kx_span(x, 2, x->rank);
    for (int32_t i = SCALE; i <= VAR; i++)
        if ((st = kx_need_vector(g, n, i, name[i], p->channels)) < 0)
            return st;
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], x);
}

static double at(const kx_tensor *t, int64_t c)
{
    return (double)((const float *)t->data)[c];
}

static double rate(const kx_batchnorm_params *p, const kx_tensor *in, int64_t c)
{
    return 1 / sqrt(at(&in[VAR], c) + (double)p->epsilon);
}

static void forward(const kx_op_call *call)
{
    const kx_batchnorm_params *p = call->node->params;
    const float *x = call->in[X].data;
    float *y = call->out[0].data;

    for (int64_t i = 0; i < p->batch * p->channels; i++, x += p->plane, y += p->plane) {
        int64_t c = i % p->channels;
        double a = at(&call->in[SCALE], c) * rate(p, call->in, c), mean = at(&call->in[MEAN], c);

        for (int64_t j = 0; j < p->plane; j++)
            y[j] = (float)(((double)x[j] - mean) * a + at(&call->in[B], c));
    }
}

static void vjp_x(const kx_batchnorm_params *p, const kx_tensor *in, const float *dy, float *dx)
{
    for (int64_t i = 0; i < p->batch * p->channels; i++, dy += p->plane, dx += p->plane) {
        float a = (float)(at(&in[SCALE], i % p->channels) * rate(p, in, i % p->channels));

        for (int64_t j = 0; j < p->plane; j++)
            dx[j] += a * dy[j];
    }
}

/* The four vectors, one plane after the other. */
static void vjp_vector(const kx_batchnorm_params *p, int32_t which, const kx_tensor *in,
                       const float *dy, float *d)
{
    const float *x = in[X].data;

    for (int64_t i = 0; i < p->batch * p->channels; i++, dy += p->plane, x += p->plane) {
        int64_t c = i % p->channels;
        double r = rate(p, in, c), a = at(&in[SCALE], c) * r, sum = 0, moment = 0;

        for (int64_t j = 0; j < p->plane; j++)
            sum += (double)dy[j];
        if (which == SCALE || which == VAR)
            for (int64_t j = 0; j < p->plane; j++)
                moment += (double)dy[j] * ((double)x[j] - at(&in[MEAN], c));
        d[c] += (float)(which == SCALE  ? r * moment
                        : which == B    ? sum
                        : which == MEAN ? -a * sum
                                        : -a * r * r / 2 * moment);
    }
}

static void vjp(const kx_op_call *call)
{
    if (!call->dout[0].data)
        return;
    if (call->which == X)
        vjp_x(call->node->params, call->in, call->dout[0].data, call->din->data);
    else
        vjp_vector(call->node->params, call->which, call->in, call->dout[0].data, call->din->data);
}

#define NEEDS (KX_NEEDS_IN(X) | KX_NEEDS_IN(SCALE) | KX_NEEDS_IN(MEAN) | KX_NEEDS_IN(VAR))

const kx_op kx_batchnorm_ops[] = {
    {.type = "BatchNormalization",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = NEEDS,
     .traits = {.effect = KX_EFFECT_WEIGHS, .bias = KX_BIAS_OWN, .axes = KX_AXES_CHANNELS_FIRST}},
    {0},
};
