/* lrn.c - LRN, local response normalisation across channels (Krizhevsky, Sutskever, Hinton 2012,
 * section 3.3).  With S_c = bias + alpha / size * sum of x_j^2 over j in [c - before, c + after]:
 *
 *     y_c = x_c S_c^-beta
 *     dx_j = dy_j S_j^-beta - 2 alpha beta / size x_j * sum of dy_c x_c S_c^(-beta - 1)
 *                                                    over the c whose window holds j */
#include "basic.h"
#include "families.h"
#include "nn.h"

#include <assert.h>
#include <math.h>

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_lrn_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *x;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 1, 1, 1)) < 0 || (st = kx_need_floats(g, n, 1)) < 0)
        return st;
    x = &n->in[0]->shape;
    if (x->rank < 2)
        return kx_invalid(g, n, "input 0 has rank %d, at least 2 is needed", x->rank);
    p->alpha = kx_attr_float(n, "alpha", 1e-4f);
    p->beta = kx_attr_float(n, "beta", 0.75f);
    p->bias = kx_attr_float(n, "bias", 1);
    p->size = kx_attr_int(n, "size", 0);
    if (p->size < 1)
        return kx_invalid(g, n, "attribute 'size' is %lld, it must be at least 1",
                          (long long)p->size);
    p->batch = x->dim[0];
    p->channels = x->dim[1];
    p->plane = kx_span(x, 2, x->rank);
    p->before = (p->size - 1) / 2;
    p->after = p->size / 2;
    if (p->before > p->channels)
        p->before = p->channels;
    if (p->after > p->channels)
        p->after = p->channels;
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], x);
}

/* Scratch: one image of shares t, one plane of S. */
static size_t scratch_size(const kx_node *n)
{
    const kx_lrn_params *p = n->params;

    return (size_t)((p->channels + 1) * p->plane) * sizeof(float);
}

/* The channels of a window, cut at the ends. */
static int64_t first_channel(int64_t c, int64_t before)
{
    return c > before ? c - before : 0;
}

static int64_t end_channel(const kx_lrn_params *p, int64_t c, int64_t after)
{
    return c + after + 1 < p->channels ? c + after + 1 : p->channels;
}

/* s [plane] = S of channel c of the image x. */
static void local_sums(const kx_lrn_params *p, const float *x, int64_t c, float *s)
{
    int64_t first = first_channel(c, p->before), end = end_channel(p, c, p->after);
    float factor = p->alpha / (float)p->size;

    assert(first <= c && c < end && end <= p->channels && s);
    for (int64_t i = 0; i < p->plane; i++)
        s[i] = 0;
    for (int64_t j = first; j < end; j++)
        for (int64_t i = 0; i < p->plane; i++)
            s[i] += x[j * p->plane + i] * x[j * p->plane + i];
    for (int64_t i = 0; i < p->plane; i++)
        s[i] = p->bias + factor * s[i];
}

static double channel_work(const kx_lrn_params *p)
{
    return (double)p->plane * (double)(p->before + p->after + 1);
}

static void forward(const kx_op_call *call)
{
    const kx_lrn_params *p = call->node->params;
    const float *x = call->in[0].data;
    float *y = call->out[0].data, *s = call->scratch;

    for (int64_t b = 0; b < p->batch; b++, x += p->channels * p->plane)
        for (int64_t c = 0; c < p->channels && !kx_stops(call->pace, channel_work(p));
             c++, y += p->plane) {
            local_sums(p, x, c, s);
            for (int64_t i = 0; i < p->plane; i++)
                y[i] = x[c * p->plane + i] * powf(s[i], -p->beta);
        }
}

static void vjp(const kx_op_call *call)
{
    const kx_lrn_params *p = call->node->params;
    int64_t image = p->channels * p->plane;
    float *t = call->scratch, *s = t + image, *dx = call->din->data;
    const float *x = call->in[0].data, *dy = call->dout[0].data;
    float factor = 2 * p->alpha * p->beta / (float)p->size;

    if (!dy)
        return;
    for (int64_t b = 0; b < p->batch; b++, x += image, dy += image, dx += image) {
        for (int64_t c = 0; c < p->channels && !kx_stops(call->pace, channel_work(p)); c++) {
            local_sums(p, x, c, s);
            for (int64_t i = 0, at = c * p->plane; i < p->plane; i++, at++) {
                float power = powf(s[i], -p->beta);

                dx[at] += dy[at] * power;
                t[at] = dy[at] * x[at] * power / s[i];
            }
        }
        for (int64_t j = 0; j < p->channels && !kx_stops(call->pace, channel_work(p));
             j++) /* c - before <= j <= c + after */
            for (int64_t c = first_channel(j, p->after); c < end_channel(p, j, p->before); c++)
                for (int64_t i = 0; i < p->plane; i++)
                    dx[j * p->plane + i] -= factor * x[j * p->plane + i] * t[c * p->plane + i];
    }
}

static double work(const kx_node *n)
{
    const kx_lrn_params *p = n->params;

    return (double)n->in[0]->count * (double)(p->before + p->after + 1);
}

const kx_op kx_lrn_ops[] = {
    {.type = "LRN",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .work = work,
     .vjp_needs = KX_NEEDS_IN(0),
     .scratch_size = scratch_size,
     .traits = {.effect = KX_EFFECT_ACTIVATES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_CHANNELS_FIRST,
                .response = true}},
    {0},
};
