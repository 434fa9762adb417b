/* clip.c - Clip: y = min(max(x, lo), hi); where lo > hi everything becomes hi.
 *
 *     dx  = dy where lo < y < hi
 *     dlo = sum of dy where y <= lo < hi,   dhi = sum of dy where y >= hi
 *
 * Open at both ends, so that Clip from 0 has the derivative of Relu at 0.  Up to opset 10 the
 * bounds are attributes, then inputs, which may be missing; from opset 12 on also integers. */
#include <math.h>

#include "basic.h"
#include "families.h"

static kldve_status check_bound(kx_graph *g, kx_node *n, int32_t i)
{
    const kx_value *v = kx_has(n, i) ? n->in[i] : NULL;

    if (v && v->dtype != n->in[0]->dtype && !kx_is_level(v, n->in[0]))
        return kx_invalid(g, n, "a bound has another type than the input");
    if (v && v->count != 1)
        return kx_invalid(g, n, "a bound has %zu elements, expected 1", v->count);
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, g->opset < 11 ? 1 : 3, 1);
    kx_clip_params *p;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (!kx_is_float(n->in[0]) && n->in[0]->dtype != KX_I64)
        return kx_refuse(g, n, "the input must be of a number type");
    if ((st = check_bound(g, n, 1)) < 0 || (st = check_bound(g, n, 2)) < 0)
        return st;
    p->lo = g->opset < 11 ? kx_attr_float(n, "min", -INFINITY) : -INFINITY;
    p->hi = g->opset < 11 ? kx_attr_float(n, "max", INFINITY) : INFINITY;
    p->fixed = kx_is_float(n->in[0]);
    for (int32_t i = 1; i < 3 && p->fixed; i++) {
        const void *bound = kx_has(n, i) ? kx_value_data(g, n->in[i]) : NULL;

        if (bound)
            *(i == 1 ? &p->lo : &p->hi) =
                n->in[i]->dtype == KX_F32 ? *(const float *)bound : (float)*(const int64_t *)bound;
        else if (kx_has(n, i) && n->in[i]->raw)
            return kx_nomem(g);
        else
            p->fixed = !kx_has(n, i);
    }
    if (p->fixed && p->lo > p->hi)
        p->lo = p->hi; /* the upper bound wins, whoever computes it */
    return kx_out_like(g, n, 0, n->in[0], &n->in[0]->shape);
}

/* Bounds of this run: inputs where they are given, else what infer() found. */
static float bound_of(const kx_tensor *in, float otherwise)
{
    return !in                   ? otherwise
           : in->dtype == KX_F32 ? *(const float *)in->data
                                 : (float)*(const int64_t *)in->data;
}

static void bounds(const kx_node *n, const kx_tensor *in, float *lo, float *hi)
{
    const kx_clip_params *p = n->params;

    *lo = bound_of(kx_has(n, 1) ? &in[1] : NULL, p->lo);
    *hi = bound_of(kx_has(n, 2) ? &in[2] : NULL, p->hi);
}

static void forward_ints(const kx_node *n, const kx_tensor *in, int64_t *y)
{
    int64_t lo = kx_has(n, 1) ? *(const int64_t *)in[1].data : INT64_MIN;
    int64_t hi = kx_has(n, 2) ? *(const int64_t *)in[2].data : INT64_MAX;
    const int64_t *x = in[0].data;

    for (size_t i = 0; i < in[0].count; i++) {
        int64_t v = x[i] < lo ? lo : x[i];

        y[i] = v > hi ? hi : v;
    }
}

static void forward(const kx_op_call *call)
{
    const float *x = call->in[0].data;
    float *y = call->out[0].data, lo, hi;

    if (call->in[0].dtype != KX_F32) {
        forward_ints(call->node, call->in, call->out[0].data);
        return;
    }
    bounds(call->node, call->in, &lo, &hi);
    for (size_t i = 0; i < call->in[0].count; i++) {
        float v = x[i] < lo ? lo : x[i]; /* NaN stays */

        y[i] = v > hi ? hi : v;
    }
}

static void vjp(const kx_op_call *call)
{
    const float *y = call->out[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data, lo, hi;
    double sum = 0;

    if (!dy)
        return;
    bounds(call->node, call->in, &lo, &hi);
    if (call->which == 0) {
        for (size_t i = 0; i < call->out[0].count; i++)
            dx[i] += y[i] > lo && y[i] < hi ? dy[i] : 0.0f;
        return;
    }
    for (size_t i = 0; i < call->out[0].count; i++)
        if (call->which == 1 ? y[i] <= lo && lo < hi : y[i] >= hi)
            sum += dy[i];
    *dx += (float)sum;
}

const kx_op kx_clip_ops[] = {
    {.type = "Clip",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_OUT | KX_NEEDS_IN(1) | KX_NEEDS_IN(2),
     .traits = {.effect = KX_EFFECT_ACTIVATES,
                .bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_CLIP,
                .settings = ~UINT64_C(1)}},
    {0},
};
